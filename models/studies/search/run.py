"""Train, judge, time and count what is not kept yet, and write the page from what is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from edge.door import stop_on_signals
from edge.errors import ModelError
from edge.safe_file import write_text
from models.judge.unseen import fold_paths
from models.places import FOLDS, REPOSITORY
from models.studies.search.candidates import CANDIDATES, REFERENCE, Candidate
from models.studies.search.cost import counted, timed, times
from models.studies.search.found import Found, Row, read_scores
from models.studies.search.judge import Exam, Judged, exam, judged
from models.studies.search.make import Plan, Say, code_of, file_of, made, plan_in, plan_of
from models.studies.search.page import render
from models.studies.search.plot import draw
from models.train.finder_make import NAME as FINDER
from models.train.shelf_classifier import SPEC
from models.train.sources import Source, gather, load_finders

STEPS = 1000
MORE_SEEDS = (1, 2)
"""The reference is trained with these besides: what the seed alone changes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for.

    Attributes:
        work: keeps nets, checkpoints and figures; a second run takes up where the first stopped.
        out: the page; its plot goes beside it.
        only: names of candidates to work on; all others are taken as they are in ``work``. Empty: all.
        steps: of each training.
        seed: everything random follows from it.
        training: train and convert what is not in ``work``; without, those rows are left out.
        again: time and count anew what is kept.
    """

    work: Path
    out: Path
    only: tuple[str, ...] = ()
    steps: int = STEPS
    seed: int = 0
    training: bool = True
    again: bool = False


def run(asked: Asked, say: Say, tell: Callable[[str, float], None]) -> list[Path]:
    """Do it.

    Args:
        asked: what.
        say: gets lines.
        tell: gets progress while times are measured.

    Returns:
        the files written.

    Raises:
        ModelError: the reference is neither kept nor to be trained.
        EdgeError: what any step cannot do.
    """
    plan = plan_of(asked.steps, asked.seed) if asked.training else plan_in(file_of(asked.work, REFERENCE))
    if plan is None:
        raise ModelError(f"--no-training: {REFERENCE} is not kept in {asked.work}, and times are held against it")
    if asked.training:
        _train(asked, plan, say)
    kept = [one for one in CANDIDATES if plan_in(file_of(asked.work, one.name)) == plan]
    if REFERENCE not in [one.name for one in kept]:
        raise ModelError(f"{REFERENCE} must be among the nets, for times are held against it: add it to --only")
    found = _measured(asked, plan, kept, say, tell)
    page, plot = render(found, asked.out.with_suffix(".svg").name), draw(found.rows)
    write_text(asked.out.with_suffix(".svg"), plot)
    write_text(asked.out, page)
    return [asked.out, asked.out.with_suffix(".svg")]


def check(asked: Asked) -> None:
    """Raise ValueError for what makes no sense: ``work`` inside the repository, where no net of real cells may be; unknown names."""
    if asked.work.resolve().is_relative_to(REPOSITORY):
        raise ValueError(f"{asked.work}: is in the repository, where no such net may be: give --work another folder")
    names = [one.name for one in CANDIDATES]
    if unknown := sorted(set(asked.only) - set(names)):
        raise ValueError(f"--only {', '.join(unknown)}: no such net, there are {', '.join(names)}")


def seeds(plan: Plan) -> list[tuple[Candidate, Plan]]:
    """The reference under other seeds, each with its own plan."""
    reference = next(one for one in CANDIDATES if one.name == REFERENCE)
    return [
        (
            replace(reference, name=f"{REFERENCE}-seed-{more}"),
            replace(plan, settings=replace(plan.settings, seed=plan.settings.seed + more)),
        )
        for more in MORE_SEEDS
    ]


def _train(asked: Asked, plan: Plan, say: Say) -> None:
    @cache
    def sources() -> list[Source]:
        return gather(SPEC, load_finders(fold_paths(FOLDS, FINDER)), asked.seed, say)

    for one in CANDIDATES:
        if not asked.only or one.name in asked.only:
            made(one, plan, sources, asked.work, say)
    if not asked.only or REFERENCE in asked.only:
        for one, other in seeds(plan):
            made(one, other, sources, asked.work, say)


def _measured(
    asked: Asked, plan: Plan, kept: Sequence[Candidate], say: Say, tell: Callable[[str, float], None]
) -> Found:
    @cache
    def test() -> Exam:
        say("reading the cells that judge")
        return exam(plan, fold_paths(FOLDS, FINDER))

    def judge(name: str) -> Judged:
        result = judged(file_of(asked.work, name), test)
        say(f"{name}: AUC {result.nih['AUC'].text(percent=False)}")
        return result

    files = {one.name: file_of(asked.work, one.name) for one in kept}
    figures = {name: judge(name) for name in files}
    others = [judge(one.name) for one, other in seeds(plan) if plan_in(file_of(asked.work, one.name)) == other]
    counts = counted(files, asked.work / "instructions.json", say, again=asked.again)
    with stop_on_signals(lambda: None) as stopped:
        taken = timed(files, asked.work / "times.json", tell, stopped.is_set, again=asked.again)
    at = times(taken, REFERENCE)
    scores = read_scores(files, plan.slides)
    hardest = scores.hardest()
    rows = [
        Row(
            one,
            files[one.name].stat().st_size,
            figures[one.name],
            at[one.name],
            counts.nets.get(one.name),
            None if one.name == REFERENCE else scores.gain(one.name, REFERENCE),
            scores.without(one.name, hardest.slide),
            code_of(files[one.name]),
        )
        for one in kept
    ]
    lacking = [one.name for one in CANDIDATES if one.name not in files]
    return Found(rows, plan, others, taken, counts, hardest, lacking)
