"""Train, judge, time and count what is not kept yet, and write the page from what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from edge.errors import ModelError
from edge.safe_file import write_text
from models.data.folds import FINDER, fold_paths
from models.places import FOLDS
from models.studies.search.candidates import CANDIDATES, REFERENCE, CandidateNet
from models.studies.search.cost import count_instructions, measure_times, times
from models.studies.search.judge import AUC, CandidateFigures, HeldOutSet, held_out_set, judge
from models.studies.search.make import Say, SearchPlan, file_of, make_net, plan_in, plan_of, training_in
from models.studies.search.page import render
from models.studies.search.plot import draw
from models.studies.search.results import SearchResult, SearchRow, read_scores
from models.train import recipe
from models.train.make import prepare
from models.train.material import CellMaterial

STEPS = 1000
"""Optimiser steps of each net."""

MORE_SEEDS = (1, 2)
"""Added to the seed: the reference is trained with these as well, to see what the seed alone changes."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What the command line asks for.

    Attributes:
        work: keeps nets, checkpoints and figures; a second run continues where the first stopped.
        out: the page; its plot goes beside it.
        only: names of candidates to train; all others are taken as they are in ``work``. Empty: all.
        steps: of each training.
        seed: of everything random.
        training: train and convert what is not in ``work``; without, those rows are left out.
        again: measure times and count instructions even where they are kept.
    """

    work: Path
    out: Path
    only: tuple[str, ...] = ()
    steps: int = STEPS
    seed: int = 0
    training: bool = True
    again: bool = False


def run(settings: SearchSettings, say: Say) -> list[Path]:
    """Do what is not done yet and write page and plot.

    Args:
        settings: of the search.
        say: gets lines.

    Returns:
        the files written.

    Raises:
        ModelError: the reference is neither kept nor to be trained.
        EdgeError: what any step cannot do.
    """
    work = settings.work
    plan = plan_of(settings.steps, settings.seed) if settings.training else plan_in(file_of(work, REFERENCE))
    if plan is None:
        raise ModelError(f"--no-training: {REFERENCE} is not kept in {work}, and times are compared with its time")
    if settings.training:
        _train(settings, plan, say)
    kept = [one for one in CANDIDATES if plan_in(file_of(work, one.name)) == plan]
    if REFERENCE not in [one.name for one in kept]:
        raise ModelError(f"{REFERENCE} must be among the nets, for times are compared with its time: add it to --only")
    result = _measure(settings, plan, kept, say)
    plot = settings.out.with_suffix(".svg")
    write_text(plot, draw(result.rows))
    write_text(settings.out, render(result, plot.name))
    return [settings.out, plot]


def seeds(plan: SearchPlan) -> list[tuple[CandidateNet, SearchPlan]]:
    """The reference under other seeds, each with its own plan."""
    reference = next(one for one in CANDIDATES if one.name == REFERENCE)
    return [
        (
            replace(reference, name=f"{REFERENCE}-seed-{more}"),
            replace(plan, settings=replace(plan.settings, seed=plan.settings.seed + more)),
        )
        for more in MORE_SEEDS
    ]


def _train(settings: SearchSettings, plan: SearchPlan, say: Say) -> None:
    @cache
    def sources() -> list[CellMaterial]:
        usual = recipe.load(REFERENCE)
        return prepare(replace(usual, training=replace(usual.training, seed=settings.seed)), say).cells

    wanted = [(one, plan) for one in CANDIDATES if not settings.only or one.name in settings.only]
    if any(one.name == REFERENCE for one, _ in wanted):
        wanted += seeds(plan)
    for one, its_plan in wanted:
        make_net(one, its_plan, sources, settings.work, say)


def _measure(settings: SearchSettings, plan: SearchPlan, kept: Sequence[CandidateNet], say: Say) -> SearchResult:
    @cache
    def held_out() -> HeldOutSet:
        say("reading the held-out cells")
        return held_out_set(plan, fold_paths(FOLDS, FINDER))

    def figures_of(name: str) -> CandidateFigures:
        result = judge(file_of(settings.work, name), held_out)
        say(f"{name}: AUC {result.nih[AUC].text(percent=False)}")
        return result

    files = {one.name: file_of(settings.work, one.name) for one in kept}
    figures = {name: figures_of(name) for name in files}
    others = [figures_of(one.name) for one, other in seeds(plan) if plan_in(file_of(settings.work, one.name)) == other]
    counts = count_instructions(files, settings.work / "instructions.json", say, again=settings.again)
    say("measuring times: no other program should run meanwhile")
    timing = measure_times(files, settings.work / "times.json", again=settings.again)
    at = times(timing, REFERENCE)
    scores = read_scores(files)
    hardest = scores.hardest()
    rows = [
        SearchRow(
            one,
            files[one.name].stat().st_size,
            figures[one.name],
            at[one.name],
            counts.nets.get(one.name),
            None if one.name == REFERENCE else scores.gain(one.name, REFERENCE),
            scores.without(one.name, hardest.slide),
            str(training_in(files[one.name]).get("code", "")),
        )
        for one in kept
    ]
    lacking = [one.name for one in CANDIDATES if one.name not in files]
    return SearchResult(rows, plan, others, timing, counts, hardest, lacking)
