"""The figures of ``python -m benchmarks.profile FOLDER``.

Three tables of the images in FOLDER, learned finder and shipped classifier, one thread:

* processor time per stage, before and after in one process, field by field in turns. The median over fields of the least
  of all rounds: other programs only ever add;
* instructions per stage (with ``--instructions``; needs valgrind, which hides AVX-512, so that the nets take more than
  they do without it). They repeat within 0.2 %;
* ``edge run`` as a whole: processor time and page faults per field, without its start; median of 5 runs.

``--against`` gives the tables their *before*: the root of another checkout of this repository. Both sides run this checkout's models.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which

import numpy as np

from benchmarks.errors import CaseError, NoInputError
from benchmarks.places import REPOSITORY
from benchmarks.profile import tracing
from benchmarks.profile.tracing import STAGES, CpuClock, Pipeline
from edge import shelf
from edge.heap import keep_freed_memory

PER_FIELD = ("find", "find net", "crop", "classify", "classify net")
"""The stages whose sum is compared with decoding."""

RUNS = 5
"""Runs of ``edge run`` whose median is taken."""

COUNTED = 3
"""Images whose instructions are counted: the counts repeat, so few are enough."""

Stages = Mapping[str, float]


def models() -> tuple[str, str]:
    """Paths of the shelf's finder and classifier."""
    paths = {entry.name: str(entry.path) for entry in shelf.entries()}
    try:
        return paths[shelf.FINDER], paths[shelf.CLASSIFIER]
    except KeyError as missing:
        raise NoInputError(f"{missing} is not on the shelf") from None


def cpu_us(images: Sequence[str], roots: Sequence[Path], rounds: int) -> list[Stages]:
    """Processor time in microseconds per stage and field of each tree, measured in turns in this process."""
    keep_freed_memory()
    pipelines = []
    for root in roots:
        sys.path.insert(0, str(root))
        pipelines.append(Pipeline(*models(), lambda _: None))
        sys.path.pop(0)
    best: list[list[Counter[str]]] = [[Counter() for _ in images] for _ in roots]
    for turn in range(rounds + 1):
        for at, image in enumerate(images):
            for side, pipeline in enumerate(pipelines):
                pipeline.mark = clock = CpuClock()
                pipeline(image)
                if turn:  # the first is for warming up
                    old = best[side][at]
                    best[side][at] = Counter({k: min(old.get(k, v), v) for k, v in clock.spent.items()})
    return [_over_fields(fields) for fields in best]


def _over_fields(fields: Sequence[Counter[str]]) -> Stages:
    """Medians over the fields in microseconds, and of the ratio to decoding."""
    figures = {stage: float(np.median([one[stage] / 1e3 for one in fields])) for stage in STAGES}
    figures["ratio"] = float(np.median([sum(one[s] for s in PER_FIELD) / one[tracing.DECODE] for one in fields]))
    return figures


def count(images: Sequence[str], root: Path) -> Stages:
    """Instructions per stage and field, counted by valgrind.

    Raises:
        NoInputError: valgrind is not installed.
        CaseError: it failed.
    """
    valgrind = which("valgrind")
    if valgrind is None:
        raise NoInputError("valgrind is not installed: apt install valgrind, or leave --instructions out")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "count"
        counter = [valgrind, "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={out}"]
        child = [sys.executable, "-P", tracing.__file__, *models(), *images]
        done = subprocess.run([*counter, *child], env=_env(root), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise CaseError(f"valgrind: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        labels = json.loads(done.stdout.splitlines()[-1])
        spent: Counter[str] = Counter()
        for number, label in enumerate(labels, start=1):  # one file per mark, in order
            found = re.search(r"^summary: (\d+)", Path(f"{out}.{number}").read_text(), re.MULTILINE)
            spent[label] += int(found[1]) if found else 0
    figures = {stage: spent[stage] / len(images) for stage in STAGES}
    figures["ratio"] = sum(spent[s] for s in PER_FIELD) / spent[tracing.DECODE]
    return figures


def whole(folder: Path, count: int, root: Path) -> Stages:
    """``edge run``, one worker: processor milliseconds and page faults per field, start left out."""
    runs = [(_run(folder, count, root), _run(folder, 1, root)) for _ in range(RUNS)]
    return {
        name: float(np.median([many[name] - one[name] for many, one in runs])) / max(1, count - 1)
        for name in runs[0][0]
    }


def _run(folder: Path, count: int, root: Path) -> Stages:
    finder, classifier = models()
    command = [sys.executable, "-P", "-m", "edge", "run", str(folder), "--json", "--workers", "1"]
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
    rows = [row for row in sides[0] if row != "ratio"]
    sums = [sum(side[row] for row in rows) for side in sides]
    values = [(row, [side[row] for side in sides]) for row in rows]
    if "ratio" in sides[0]:
        values += [("all", sums), ("(find + crop + classify) / decode", [side["ratio"] for side in sides])]
    for row, figures in values:
        shown = [f"{figure:,.{2 if '/' in row else digits}f}" for figure in figures]
        if len(figures) == 2:
            shown.append(f"{figures[1] / figures[0]:.2f}" if figures[0] else "-")
        out.append(f"| {row} | " + " | ".join(shown) + " |")
    return out


def measure(folder: Path, against: Path | None, fields: int, rounds: int, *, instructions: bool = False) -> list[str]:
    """The lines of all tables.

    Args:
        folder: where the JPEG images are.
        against: root of another checkout, the tables' *before*; None: the tables have one column.
        fields: images to take, spread over the folder.
        rounds: how often each is analysed for the times.
        instructions: count them too.

    Raises:
        NoInputError: the folder holds no image, ``against`` is no checkout, or valgrind is not installed.
        CaseError: valgrind failed.
    """
    found = sorted(str(path) for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not found:
        raise NoInputError(f"{folder}: no JPEG image in it")
    images = found[:: max(1, len(found) // fields)][:fields]
    if against is not None and not (against / "edge" / "analysis.py").is_file():
        raise NoInputError(f"{against}: not a checkout of this repository")
    roots = [root.resolve() for root in (against, REPOSITORY) if root is not None]
    lines = [f"{len(images)} fields", "", *table("CPU µs per field", cpu_us(images, roots, rounds), 0)]
    if instructions:
        few = images[:: max(1, len(images) // COUNTED)][:COUNTED]
        counts = [{k: v / (1 if k == "ratio" else 1e6) for k, v in count(few, root).items()} for root in roots]
        lines += ["", f"{len(few)} fields", "", *table("10^6 instructions per field", counts, 2)]
    totals = [whole(folder, min(len(found), 2 * fields), root) for root in roots]
    return [*lines, "", *table("edge run, per field", totals, 1)]
