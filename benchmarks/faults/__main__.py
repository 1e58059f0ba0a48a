"""``python -m benchmarks.faults``: disturb ``edge-run``, keep the figures, write docs/faults.md."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import Debug, single_command
from benchmarks.errors import NoInputError
from benchmarks.faults.answers import ReaderBench, a_counted_book, answer_cuts, answer_kills
from benchmarks.faults.cuts import cuts
from benchmarks.faults.drawn import field_folder
from benchmarks.faults.endurance import endurance
from benchmarks.faults.figures import KEPT, Figures, Trials, measured, read_figures, write_figures
from benchmarks.faults.kills import kills
from benchmarks.faults.medium import Medium
from benchmarks.faults.nursery import Nursery
from benchmarks.faults.page import page
from benchmarks.faults.trial import Bench, Trial
from benchmarks.faults.trouble import Trouble, troubles
from benchmarks.places import REPOSITORY, real_images
from edge.door import door, say
from edge.program import enter
from edge.safe_file import write_text

PROGRAM = "python -m benchmarks.faults"
PAGE = REPOSITORY / "docs" / "faults.md"
MEMORY = Path("/dev/shm")  # noqa: S108 - a disk in memory, where the disk itself is not what is tried
REAL_FIELDS = 6
"""Real fields of a run; the first ones by name."""

_STEP = 20  # trials after which the figures are kept
_TRIES = {
    "kills": 1000,
    "real": 20,
    "cuts": 200,
    "answers": 200,
    "answers_cut": 100,
    "troubles": 100,
    "endurance": 100_000,
}
"""Moments (fields of the long run) of each part."""


class FaultPart(StrEnum):
    """What is tried."""

    KILLS = "kills"
    REAL = "real"
    CUTS = "cuts"
    ANSWERS = "answers"
    ANSWERS_CUT = "answers_cut"
    TROUBLES = "troubles"
    ENDURANCE = "endurance"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class _Lab:
    """Where one part is tried, and how much of it."""

    folder: Path
    count: int
    seed: int

    def tell(self, step: str) -> None:
        say(step, PROGRAM)


def faults(
    *,
    only: Annotated[list[FaultPart] | None, typer.Option(help="Try this part alone; page: only write it anew.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Moments, or fields of the long run.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    keep: Annotated[Path, typer.Option(metavar="FILE", help="The figures.")] = KEPT,
    out: Annotated[Path, typer.Option("-o", metavar="FILE", help="The page.")] = PAGE,
    debug: Debug = False,
) -> None:
    """Kill edge-run, cut its power, fill its disk; compare what --resume makes of it with the run that was left alone."""
    with door(debug=debug, program=PROGRAM):
        for part in only or list(FaultPart):
            if part is FaultPart.PAGE:
                continue
            try:
                with tempfile.TemporaryDirectory(dir=_roomy(), prefix="edge-faults-") as folder:
                    for change in _PARTS[part](_Lab(Path(folder), count or _TRIES[part], seed)):
                        _keep(change, part, keep)
            except NoInputError as error:
                if only:
                    raise
                say(f"note: {part} left out: {error}", PROGRAM)
        write_text(out, page(read_figures(keep)))
        typer.echo(f"written: {out}")


_Change = Callable[[Figures], Figures]
"""Puts what was found so far among the figures."""


def _keep(change: _Change, part: FaultPart, path: Path) -> None:
    """Keep it at once: a run that is stopped loses nothing of this."""
    figures = change(read_figures(path))
    usual = "a disk in memory" if _roomy() == MEMORY else "the usual disk"
    disk = "ext4 in a file" if part in (FaultPart.CUTS, FaultPart.ANSWERS_CUT) else usual
    write_figures(replace(figures, measured={**(figures.measured or {}), part: measured(disk)}), path)


def _so_far(trials: Iterable[Trial], put: Callable[[Figures, Trials], Figures]) -> Iterator[_Change]:
    """The trials added up, now and then and at the end."""
    every: list[Trial] = []
    for one in trials:
        every.append(one)
        if len(every) % _STEP == 0:
            yield lambda figures: put(figures, Trials.of(every))
    yield lambda figures: put(figures, Trials.of(every))


def _roomy() -> Path:
    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _bench(lab: _Lab, stack: ExitStack, fields: Path, code: int | None = None) -> tuple[Bench, Nursery]:
    work = lab.folder / "work"
    work.mkdir(exist_ok=True)
    nursery = stack.enter_context(Nursery(lab.folder))
    bench = Bench(nursery, work, lab.folder, fields)
    return (bench if code is None else Bench(nursery, work, lab.folder, fields, code)), nursery


def _kills(lab: _Lab) -> Iterator[_Change]:
    with ExitStack() as stack:
        bench, _ = _bench(lab, stack, field_folder())
        trials = kills(bench, lab.count, lab.seed, lab.tell)
        yield from _so_far(trials, lambda figures, found: replace(figures, kills=found))


def _real(lab: _Lab) -> Iterator[_Change]:
    pictures = sorted((real_images() / "iml_fields" / "images").glob("*"))[:REAL_FIELDS]
    if not pictures:
        raise NoInputError(f"no real fields in {real_images()} (EDGE_DATA names their folder)")
    fields = lab.folder / "fields"
    fields.mkdir()
    for picture in pictures:
        (fields / picture.name).symlink_to(picture.resolve())
    with ExitStack() as stack:
        bench, _ = _bench(lab, stack, fields, 0)
        trials = kills(bench, lab.count, lab.seed, lab.tell)
        yield from _so_far(trials, lambda figures, found: replace(figures, real=found))


def _cuts(lab: _Lab) -> Iterator[_Change]:
    with ExitStack() as stack:
        medium = stack.enter_context(Medium(lab.folder / "image", lab.folder / "work"))
        bench, _ = _bench(lab, stack, field_folder())
        trials = cuts(bench, medium, lab.count, lab.seed, lab.tell)
        yield from _so_far(trials, lambda figures, found: replace(figures, cuts=found))


def _answers(lab: _Lab) -> Iterator[_Change]:
    with ExitStack() as stack:
        bench, nursery = _bench(lab, stack, field_folder())
        reading = ReaderBench(
            nursery, bench.place.folder, lab.folder, a_counted_book(bench, lab.folder / "kept.sqlite")
        )
        bench.empty()
        bench.place.out.rmdir()
        trials = answer_kills(reading, lab.count, lab.seed, lab.tell)
        yield from _so_far(trials, lambda figures, found: replace(figures, answers=found))


def _answers_cut(lab: _Lab) -> Iterator[_Change]:
    with ExitStack() as stack:
        bench, nursery = _bench(lab, stack, field_folder())
        kept = a_counted_book(bench, lab.folder / "kept.sqlite")
        medium = stack.enter_context(Medium(lab.folder / "image", lab.folder / "disk"))
        reading = ReaderBench(nursery, medium.mount, lab.folder, kept)
        trials = answer_cuts(reading, medium, lab.count, lab.seed, lab.tell)
        yield from _so_far(trials, lambda figures, found: replace(figures, answers_cut=found))


def _troubles(lab: _Lab) -> Iterator[_Change]:
    second = lab.folder / "second"
    second.mkdir()
    with ExitStack() as stack:
        bench, nursery = _bench(lab, stack, field_folder())
        other = stack.enter_context(Nursery(second))
        every: list[Trouble] = []
        for one in troubles(bench, nursery, other, lab.count, lab.tell):
            every.append(one)
            yield lambda figures: replace(figures, troubles=tuple(every))


def _endurance(lab: _Lab) -> Iterator[_Change]:
    found = endurance(lab.folder / "long", lab.count, lab.tell)
    yield lambda figures: replace(figures, endurance=found)


_PARTS: dict[FaultPart, Callable[[_Lab], Iterator[_Change]]] = {
    FaultPart.KILLS: _kills,
    FaultPart.REAL: _real,
    FaultPart.CUTS: _cuts,
    FaultPart.ANSWERS: _answers,
    FaultPart.ANSWERS_CUT: _answers_cut,
    FaultPart.TROUBLES: _troubles,
    FaultPart.ENDURANCE: _endurance,
}

app = single_command(
    faults,
    "Example: python -m benchmarks.faults --only kills --count 50    Exit code 4: no compiler; for power cuts: no root.",
)

if __name__ == "__main__":
    enter(app, PROGRAM)
