"""What a field costs to count, and what it costs to list: programs are called as a user calls them, and watched."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.archive.calls import edge, edge_run, watched
from benchmarks.archive.figures import this_machine
from benchmarks.archive.made import make_archive, pictures_of
from benchmarks.scale.drive import PER_SAMPLE
from benchmarks.scale.figures import EDGE_RUN, RECOUNT, ComparedSamples, CountingCall, FieldCosts, ListedFields
from edge.errors import EXIT_UNREADABLE_INPUTS

FEW = 40
"""Fields of the smaller archive; the larger one has four times as many."""

_PER_COUNTED = 20  # fields of a sample that is counted


def field_costs(pictures: Path | None, folder: Path, turns: int, say: Callable[[str], None]) -> FieldCosts:
    """Count a small and a larger archive, by edge-run and by a recount, in turns.

    Args:
        pictures: of fields; None: virtual ones.
        folder: for archives and results.
        turns: times that each is counted.
        say: told of each call.

    Raises:
        NoInputError: no pictures.
        CaseError: a call failed.
    """
    machine, found = this_machine(), pictures_of(pictures)
    archives = {size: make_archive(found, folder / f"archive-{size}", size, _PER_COUNTED) for size in (FEW, 4 * FEW)}
    calls: list[CountingCall] = []
    results = folder / "none"
    for turn in range(turns):
        for size, archive in archives.items():
            results = folder / f"results-{size}-{turn}"
            book = folder / f"book-{size}-{turn}.sqlite"
            run = edge_run(str(archive), "--sample-per-folder", "--workers", "1", "--book", str(book))
            again = edge("recount", str(archive), "-o", str(results), "--workers", "1", "--json")
            for way, command in ((EDGE_RUN, run), (RECOUNT, again)):
                spent = watched(command, allowed=(0, EXIT_UNREADABLE_INPUTS)).processor_s
                calls.append(CountingCall(way, size, spent))
                say(f"{way}: {size} fields, {spent:.1f} s of processor time")
    files = [path for path in archives[4 * FEW].rglob("*") if path.is_file()]
    tables = [path for path in results.rglob("*.parquet") if path.is_file()]
    what = "virtual fields of 1280 x 960 pixels" if pictures is None else "real fields"
    return FieldCosts(machine, tuple(calls), _mean_size(files, len(files)), _mean_size(tables, len(files)), what)


def _mean_size(files: list[Path], per: int) -> float:
    return sum(path.stat().st_size for path in files) / per


def compared(samples: int, folder: Path) -> ComparedSamples:
    """Make two results of so many samples, and of a fiftieth of them, and compare them; raises CaseError."""
    machine, few = this_machine(), max(samples // 50, 1)
    told = []
    for number in (few, samples):
        place = folder / f"compared-{number}"
        place.mkdir()
        module = [sys.executable, "-m", "benchmarks.scale.comparison"]
        watched([*module, "make", str(place), str(number)])
        told.append(json.loads(watched([*module, "compare", str(place)]).said.splitlines()[-1]))
    less, more = ((int(one["samples"]), float(one["processor_s"]), float(one["memory_mb"])) for one in told)
    return ComparedSamples(machine, *less, *more)


def listed(fields: int) -> ListedFields:
    """List a made-up archive of so many fields and cut it into tasks; raises CaseError."""
    machine = this_machine()
    call = watched([sys.executable, "-m", "benchmarks.archive.listing", str(fields), str(PER_SAMPLE)])
    told = json.loads(call.said.splitlines()[-1])
    return ListedFields(machine, int(told["fields"]), call.processor_s, float(told["memory_mb"]))
