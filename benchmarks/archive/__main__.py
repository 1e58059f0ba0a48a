"""``python -m benchmarks.archive``: what a recount costs, and what it survives."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.archive.calls import WatchedCall, edge, edge_run, watched
from benchmarks.archive.figures import (
    KEPT,
    ArchiveFigures,
    CountingTurn,
    ListingCost,
    MemoryHeld,
    RecountSpeed,
    UnderFire,
    read_figures,
    this_machine,
    write_figures,
)
from benchmarks.archive.kills import recount_under_fire
from benchmarks.archive.made import add_hard_fields, make_archive, pictures_of
from benchmarks.archive.page import EDGE_RUN, ONE, TWO, page
from benchmarks.archive.results import compare_results
from benchmarks.command import Debug, single_command
from benchmarks.errors import CaseError
from benchmarks.places import REPOSITORY
from edge.door import door, say
from edge.errors import EXIT_UNREADABLE_INPUTS
from edge.program import enter
from edge.safe_file import write_text

PROGRAM = "python -m benchmarks.archive"
PAGE = REPOSITORY / "docs" / "recount-figures.md"
PARTS = ("speed", "killed", "memory", "listing")
FEW = 1000
"""Fields of the small listing that the large one is held against."""


@dataclass(frozen=True, slots=True)
class _ArchiveBench:
    """What all parts need: a folder for archives and results, and what was asked for."""

    folder: Path
    pictures: list[Path]
    fields: int
    per_sample: int
    turns: int
    every_s: float
    listed: int

    def archive(self) -> Path:
        """The archive that is counted; made once."""
        made = self.folder / "archive"
        return made if made.exists() else make_archive(self.pictures, made, self.fields, self.per_sample)

    def counted(self) -> Path:
        """Results of an undisturbed recount; counted now unless they are there."""
        results = self.folder / f"results-{TWO}-0"
        if not results.exists():
            _recount(self.archive(), results, 2)
        return results


def archive(  # noqa: PLR0917 - options of a command
    fields: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures of fields; default: virtual ones.")
    ] = None,
    number: Annotated[int, typer.Option(min=20, metavar="N", help="Fields of the archive.")] = 2000,
    per_sample: Annotated[int, typer.Option(min=1, metavar="N", help="Fields of a sample.")] = 50,
    turns: Annotated[int, typer.Option(min=1, metavar="N", help="Times that each way is measured.")] = 3,
    every: Annotated[float, typer.Option(min=0.5, metavar="S", help="Seconds between two kills of a worker.")] = 10.0,
    listed: Annotated[int, typer.Option(min=FEW, metavar="N", help="Fields that the client lists.")] = 1_000_000,
    part: Annotated[list[str] | None, typer.Option(metavar="PART", help=f"{', '.join(PARTS)}; default: all.")] = None,
    scratch: Annotated[Path | None, typer.Option(metavar="DIR", help="Where archives are made.")] = None,
    *,
    write: Annotated[bool, typer.Option("--write", help="Keep the figures and write docs/recount-figures.md.")] = False,
    only_page: Annotated[bool, typer.Option("--page", help="Measure nothing: write the page of what is kept.")] = False,
    debug: Debug = False,
) -> None:
    """Measure recounts of an archive: speed, killed workers and scheduler, memory, listing. About an hour.

    speed: 1 worker, 2 workers and edge-run with 2, in turns. killed: workers every few seconds, the scheduler once, beside an
    undisturbed recount. memory: fields of 12 megapixels, a decompression bomb, half a file. listing: the client of a million fields.
    """
    with door(debug=debug, program=PROGRAM), tempfile.TemporaryDirectory(dir=scratch) as folder:
        if only_page:
            write_text(PAGE, page(read_figures()))
            return
        wanted = part or list(PARTS)
        if unknown := [one for one in wanted if one not in PARTS]:
            raise typer.BadParameter(f"{unknown[0]}: no part; there are {', '.join(PARTS)}")
        bench = _ArchiveBench(Path(folder), pictures_of(fields), number, per_sample, turns, every, listed)
        figures = read_figures() if write else ArchiveFigures()
        for one in PARTS:
            if one in wanted:
                say(one, PROGRAM)
                figures = _MEASURES[one](bench, figures)
                if write:
                    write_figures(figures)
        typer.echo(page(figures))
        if write:
            write_text(PAGE, page(figures))
            say(f"written: {PAGE} and {KEPT}", PROGRAM)


def _recount(source: Path, results: Path, workers: int) -> WatchedCall:
    command = edge("recount", str(source), "-o", str(results), "--workers", str(workers), "--json")
    return watched(command, allowed=(0, EXIT_UNREADABLE_INPUTS))


def _speed(bench: _ArchiveBench, figures: ArchiveFigures) -> ArchiveFigures:
    machine, source = this_machine(), bench.archive()
    turns: list[CountingTurn] = []
    for turn in range(bench.turns):
        for way, workers in ((ONE, 1), (TWO, 2), (EDGE_RUN, 2)):
            place = bench.folder / f"results-{way}-{turn}"
            if way == EDGE_RUN:
                told = ["--sample-per-folder", "--workers", str(workers), "--book", str(place)]
                call = watched(edge_run(str(source), *told), allowed=(0, EXIT_UNREADABLE_INPUTS))
            else:
                call = _recount(source, place, workers)
            turns.append(CountingTurn(way, call.seconds, call.processor_s, call.others_mb, call.own_mb))
            say(f"{way}: {call.seconds:.1f} s, {call.processor_s:.1f} s of processor time", PROGRAM)
    found = [bench.folder / f"results-{way}-{turn}" for turn in range(bench.turns) for way in (ONE, TWO)]
    same = all(compare_results(found[0], other).same for other in found[1:])
    samples = -(-bench.fields // bench.per_sample)
    return replace(figures, speed=RecountSpeed(machine, bench.fields, samples, tuple(turns), same))


def _killed(bench: _ArchiveBench, figures: ArchiveFigures) -> ArchiveFigures:
    machine, counted = this_machine(), bench.counted()
    results = bench.folder / "results-killed"
    run = recount_under_fire(
        bench.archive(),
        results,
        bench.folder / "cluster",
        workers=2,
        every_s=bench.every_s,
        scheduler_after_s=2.5 * bench.every_s,
    )
    compared = compare_results(counted, results)
    return replace(figures, killed=UnderFire(machine, bench.fields, bench.every_s, run, compared))


def _memory(bench: _ArchiveBench, figures: ArchiveFigures) -> ArchiveFigures:
    machine, number = this_machine(), 2 * FEW // 10
    source = make_archive(bench.pictures, bench.folder / "hard", number, bench.per_sample)
    add_hard_fields(source, bench.pictures[0])
    call = _recount(source, bench.folder / "results-hard", 2)
    told = json.loads(call.said[call.said.index("{") : call.said.rindex("}") + 1])
    held = MemoryHeld(machine, int(told["fields"]), call.others_mb, call.own_mb, int(told["unreadable"]))
    return replace(figures, memory=held)


def _listing(bench: _ArchiveBench, figures: ArchiveFigures) -> ArchiveFigures:
    machine = this_machine()
    few, many = (_listed(number) for number in (FEW, bench.listed))
    cost = ListingCost(machine, many["fields"], many["tasks"], many["seconds"], many["memory_mb"], few["memory_mb"])
    return replace(figures, listing=cost)


def _listed(fields: int) -> dict[str, int]:
    command = [sys.executable, "-m", "benchmarks.archive.listing", str(fields), "1000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CaseError(f"listing: {done.stderr[-1000:].strip()}")
    told: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return told


_MEASURES: dict[str, Callable[[_ArchiveBench, ArchiveFigures], ArchiveFigures]] = {
    "speed": _speed,
    "killed": _killed,
    "memory": _memory,
    "listing": _listing,
}


app = single_command(archive, "Example: python -m benchmarks.archive --fields fields/ --write")

if __name__ == "__main__":
    enter(app, PROGRAM)
