"""The figures of ``python -m benchmarks.profile FOLDER``, learned finder and shipped classifier, one thread:

* processor time per stage on this machine, and on the same machine taken for a PC without int8 dot products (``older``);
* with ``--instructions``, instructions per stage here and on emulated ARM cores (``counts``);
* ``edge run`` as a whole: processor time and page faults per field, without its start; median of 5 runs.

``--against`` gives the tables their *before*: the root of another checkout of this repository. Each side runs the models it ships.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.arm.boards import BOARDS
from benchmarks.arm.errors import ArmError
from benchmarks.errors import NoInputError
from benchmarks.places import REPOSITORY
from benchmarks.profile.counts import on_board, on_this_machine
from benchmarks.profile.older import without_vnni
from benchmarks.profile.times import RATIO, TOGETHER, Stages, cpu_us, cpu_us_in_child, models

RUNS = 5
"""Runs of ``edge run`` whose median is taken."""

COUNTED = 3
"""Images whose instructions are counted: the counts repeat, so few are enough."""

HERE = "x86, AVX2"
"""Column of the counts that valgrind makes."""


def whole(folder: Path, count: int, root: Path) -> Stages:
    """``edge run``, one worker: processor milliseconds and page faults per field, start left out."""
    runs = [(_run(folder, count, root), _run(folder, 1, root)) for _ in range(RUNS)]
    return {
        name: float(np.median([many[name] - one[name] for many, one in runs])) / max(1, count - 1)
        for name in runs[0][0]
    }


def _run(folder: Path, count: int, root: Path) -> Stages:
    finder, classifier = models(root)
    command = [sys.executable, "-P", "-m", "edge", "run", str(folder), "--no-book", "--json", "--workers", "1"]
    command += ["--max-fields", str(count), "--finder", finder, "--model", classifier]
    process = subprocess.Popen(command, env=_env(root), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"CPU ms": (used.ru_utime + used.ru_stime) * 1e3, "page faults": float(used.ru_minflt)}


def _env(root: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def table(title: str, sides: Sequence[Stages], digits: int) -> list[str]:
    """One table in Markdown; ``sides`` are before and after, or after alone."""
    heads = ["before", "after", "after / before"] if len(sides) == 2 else ["now"]
    out = [f"| {title} | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for row, figures in _rows(sides):
        shown = [f"{figure:,.{2 if '/' in row else digits}f}" for figure in figures]
        if len(figures) == 2:
            shown.append(f"{figures[1] / figures[0]:.2f}" if figures[0] else "-")
        out.append(f"| {row} | " + " | ".join(shown) + " |")
    return out


def counts_table(columns: Mapping[str, Sequence[Stages]]) -> list[str]:
    """Instructions on several processors in one table: ``before → after (after / before)`` in each cell, or what is now."""
    rows = {name: _rows(sides) for name, sides in columns.items()}
    out = ["| 10^6 instructions per field | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for at, (row, _) in enumerate(next(iter(rows.values()))):
        cells = []
        for column in rows.values():
            figures = column[at][1]
            shown = " → ".join(f"{figure:,.2f}" for figure in figures)
            cells.append(f"{shown} ({figures[1] / figures[0]:.2f})" if len(figures) == 2 and figures[0] else shown)
        out.append(f"| {row} | " + " | ".join(cells) + " |")
    return out


def _rows(sides: Sequence[Stages]) -> list[tuple[str, list[float]]]:
    """Each row's name and its figure of every side; stages first, then their sums."""
    stages = [row for row in sides[0] if row not in (RATIO, TOGETHER)]
    rows = [(row, [side[row] for side in sides]) for row in stages]
    if RATIO in sides[0]:
        rows += [
            ("all", [sum(side[row] for row in stages) for side in sides]),
            (TOGETHER, [side[TOGETHER] for side in sides]),
            (f"({TOGETHER}) / decode", [side[RATIO] for side in sides]),
        ]
    return rows


def measure(folder: Path, against: Path | None, fields: int, rounds: int, *, instructions: bool = False) -> list[str]:
    """The lines of all tables. What cannot be measured on this machine is a line that says why.

    Args:
        folder: where the JPEG images are.
        against: root of another checkout, the tables' *before*; None: the tables have one column.
        fields: images to take, spread over the folder.
        rounds: how often each is analysed for the times.
        instructions: count them too.

    Raises:
        NoInputError: the folder holds no image, ``against`` is no checkout, or valgrind is not installed.
        CaseError: a program that measures failed.
    """
    found = sorted(str(path) for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not found:
        raise NoInputError(f"{folder}: no JPEG image in it")
    images = found[:: max(1, len(found) // fields)][:fields]
    if against is not None and not (against / "edge" / "analysis.py").is_file():
        raise NoInputError(f"{against}: not a checkout of this repository")
    roots = [root.resolve() for root in (against, REPOSITORY) if root is not None]
    lines = [f"{len(images)} fields, {rounds} rounds", ""]
    lines += [*table("CPU µs per field", cpu_us(images, roots, rounds), 0), ""]
    lines += [*_as_an_older_pc(images, roots, rounds), ""]
    if instructions:
        few = images[:: max(1, len(images) // COUNTED)][:COUNTED]
        lines += [f"{len(few)} fields", "", *_instructions(few, roots), ""]
    totals = [whole(folder, min(len(found), 2 * fields), root) for root in roots]
    return [*lines, *table("edge run, per field", totals, 1)]


def _as_an_older_pc(images: Sequence[str], roots: Sequence[Path], rounds: int) -> list[str]:
    with tempfile.TemporaryDirectory() as place:
        try:
            older = without_vnni(Path(place))
        except NoInputError as error:
            return [f"Without int8 dot products: not measured, {error}"]
        figures = cpu_us_in_child(images, roots, rounds, {**_env(REPOSITORY), **older})
    return table("CPU µs per field, no int8 dot products (AVX2)", figures, 0)


def _instructions(images: Sequence[str], roots: Sequence[Path]) -> list[str]:
    columns = {HERE: [on_this_machine(images, root, _env(root)) for root in roots]}
    try:
        columns |= {board.cpu: [on_board(images, root, board) for root in roots] for board in BOARDS}
    except ArmError as error:
        return [*counts_table(columns), "", f"ARM: not counted, {error}"]
    return counts_table(columns)
