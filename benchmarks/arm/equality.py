"""Bit-equality: the same nets and the same fields on this machine and on every board, byte for byte."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arm import host, inputs
from benchmarks.arm.boards import BOARDS, Board
from benchmarks.arm.build import build
from benchmarks.arm.enter import WORK, Visit
from benchmarks.arm.errors import ArmError, DifferenceError
from benchmarks.arm.inside import CONFIDENCE
from benchmarks.arm.operations import between
from benchmarks.arm.roots import BOOKWORM, cache
from benchmarks.places import REPOSITORY

CONFIDENCE_APART = 1e-3
"""The classical finder's confidence rests on float sums whose last bits depend on the processor; only a threshold reads it."""

_PROGRAM = "benchmarks.arm.inside"
_ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY), "OPENCV_LOG_LEVEL": "ERROR"}
_LAST_LINES = 3
"""Lines of a failed run that are shown."""


@dataclass(frozen=True, slots=True)
class BoardComparison:
    """The comparison of one net, or of one finder and classifier, on one board.

    Attributes:
        what: the net, or the finder and classifier.
        board: the core.
        items: what was compared, in words.
        difference: None where all bytes are equal, else what differs, in words.
    """

    what: str
    board: str
    items: str
    difference: str | None

    def __str__(self) -> str:
        return f"{self.what} on {self.board}: {self.items}: {self.difference or 'equal'}"


def compare(*, fields: bool, boards: Sequence[Board] = BOARDS) -> list[BoardComparison]:
    """Run everything here and on each board.

    Args:
        fields: the whole pipeline too, not only the nets.
        boards: what to run as.

    Raises:
        ArmError: the root cannot be built or entered, or a side fails.
    """
    build(BOOKWORM)
    given = inputs.make(cache() / "work", few=not fields)
    jobs = {"nets": given.nets, **({"fields": given.fields} if fields else {})}
    here = _here(jobs)
    found = []
    for board in boards:
        there = _there(jobs, board)
        found += nets_between(here, there, board)
        found += fields_between(here, there, board) if fields else []
    return found


def compare_operations(board: Board) -> str:
    """A Markdown table of single operations, here and on a board; raises ArmError."""
    build(BOOKWORM)
    jobs = {"operations": cache() / "work"}
    with np.load(_here(jobs) / "operations.npz") as mine, np.load(_there(jobs, board) / "operations.npz") as theirs:
        return between(mine, theirs)


def _here(jobs: Mapping[str, Path]) -> Path:
    """Do the jobs on this machine; returns the folder with what came out."""
    out = _empty(cache() / "work" / "out" / "here")
    for what, folder in jobs.items():
        command = [sys.executable, "-m", _PROGRAM, what, str(folder), str(out)]
        host.run(command, f"{what} on this machine", environment=_ENVIRONMENT)
    return out


def _there(jobs: Mapping[str, Path], board: Board) -> Path:
    """Do the jobs on a board; returns the folder with what came out."""
    work = cache() / "work"
    out = _empty(work / "out" / board.cpu)
    for what, folder in jobs.items():
        host.say(f"{what} on {board.cpu}")
        places = [f"{WORK}/{place.relative_to(work)}" for place in (folder, out)]
        done = Visit(BOOKWORM, board, work).run(["/usr/bin/python3", "-m", _PROGRAM, what, *places])
        if done.returncode:
            said = " / ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
            raise ArmError(f"{what} on {board.cpu} ended with code {done.returncode}: {said}")
    return out


def fail_on_difference(found: Sequence[BoardComparison]) -> None:
    """Raise DifferenceError where anything differs."""
    different = [one for one in found if one.difference]
    if different:
        raise DifferenceError(f"{len(different)} of {len(found)} comparisons differ; first: {different[0]}")


def nets_between(here: Path, there: Path, board: Board) -> list[BoardComparison]:
    """Compare the nets' outputs in two folders."""
    found = []
    for path in sorted(here.glob("*.npz")):
        with np.load(path) as first, np.load(there / path.name) as second:
            arrays = [(first[name], second[name]) for name in first.files]
        difference = next((said for a, b in arrays if (said := _difference(a, b))), None)
        if (there / f"{path.stem}.delegated").read_text() != "True":
            difference = difference or "the graph does not run wholly in the delegate there"
        found.append(BoardComparison(f"net {path.stem}", board.cpu, f"{len(arrays[0][0])} inputs", difference))
    return found


def fields_between(here: Path, there: Path, board: Board) -> list[BoardComparison]:
    """Compare the records of the fields in two folders: one comparison for each finder and classifier."""
    first, second = (json.loads((folder / "fields.json").read_text()) for folder in (here, there))
    if first["versions"] != second["versions"]:
        host.say(f"other versions here than there: {first['versions']} and {second['versions']}")
    mine, theirs = first["fields"], second["fields"]
    pairs = dict.fromkeys(pair for records in mine.values() for pair in records)
    return [_pair_between(pair, mine, theirs, board) for pair in pairs]


def _pair_between(pair: str, mine: Mapping[str, Any], theirs: Mapping[str, Any], board: Board) -> BoardComparison:
    cells, largest = 0, 0.0
    different: list[str] = []
    for name, records in mine.items():
        record, other = records[pair], theirs.get(name, {}).get(pair, {})
        cells += sum(record["counts"].values())
        largest = max(largest, _apart(record[CONFIDENCE], other.get(CONFIDENCE, ())))
        stages = [stage for stage, value in record.items() if stage != CONFIDENCE and other.get(stage) != value]
        if stages:
            different.append(f"{name}: {', '.join(stages)}")
    items = f"{len(mine)} fields, {cells} cells"
    if 0 < largest <= CONFIDENCE_APART:
        items += f" (confidence apart by up to {largest:.0e})"
    elif largest:
        different.append(f"confidence, by up to {largest:g}")
    return BoardComparison(
        pair, board.cpu, items, f"{len(different)} differ: {'; '.join(different)}" if different else None
    )


def _apart(first: Sequence[float], second: Sequence[float]) -> float:
    """The largest difference; infinite where there are not as many."""
    if len(first) != len(second):
        return float("inf")
    return max((abs(a - b) for a, b in zip(first, second, strict=True)), default=0.0)


def _difference(first: np.ndarray, second: np.ndarray) -> str | None:
    if first.shape != second.shape:
        return f"shape {second.shape} instead of {first.shape}"
    unequal = int((first != second).sum())
    largest = float(np.abs(first - second).max()) if unequal else 0.0
    return f"{unequal} of {first.size} values differ, by up to {largest:g}" if unequal else None


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
