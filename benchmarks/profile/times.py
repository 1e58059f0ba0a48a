"""Processor time per stage, before and after in one process, field by field in turns.

Run as a program (``python -m benchmarks.profile.times ROUNDS ROOTS IMAGES``, the latter two as JSON) it prints the figures as JSON:
so they are measured in a process that takes its processor for an older one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.errors import CaseError, NoInputError
from benchmarks.places import REPOSITORY
from benchmarks.profile.tracing import DECODE, STAGES, CpuClock, Pipeline
from edge import shelf
from edge.heap import keep_freed_memory

PER_FIELD = ("find", "find net", "crop", "classify", "classify net")
"""The stages whose sum is compared with decoding."""

TOGETHER = "find + crop + classify"
"""Key of that sum."""

RATIO = "ratio"
"""Key of that sum over decoding."""

Stages = Mapping[str, float]


def models(root: Path = REPOSITORY) -> tuple[str, str]:
    """Paths of the finder and the classifier that a checkout ships."""
    paths = [root / "models" / "shelf" / name / f"{name}.tflite" for name in (shelf.FINDER, shelf.CLASSIFIER)]
    missing = next((path.stem for path in paths if not path.is_file()), None)
    if missing:
        raise NoInputError(f"{missing} is not on the shelf of {root}")
    return str(paths[0]), str(paths[1])


def cpu_us(images: Sequence[str], roots: Sequence[Path], rounds: int) -> list[Stages]:
    """Microseconds of processor time per stage and field of each tree, measured in turns in this process.

    The median over fields of the least of all rounds: other programs only ever add.
    """
    keep_freed_memory()
    pipelines = []
    for root in roots:
        sys.path.insert(0, str(root))
        pipelines.append(Pipeline(*models(root), lambda _: None))
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
    return [over_fields(fields) for fields in best]


def over_fields(fields: Sequence[Counter[str]]) -> Stages:
    """Medians over the fields in microseconds, of the sum of ``PER_FIELD`` too, and of its ratio to decoding."""
    sums = [sum(one[stage] for stage in PER_FIELD) for one in fields]
    figures = {stage: float(np.median([one[stage] / 1e3 for one in fields])) for stage in STAGES}
    figures[TOGETHER] = float(np.median(sums)) / 1e3
    figures[RATIO] = float(np.median([total / one[DECODE] for total, one in zip(sums, fields, strict=True)]))
    return figures


def cpu_us_in_child(
    images: Sequence[str], roots: Sequence[Path], rounds: int, environment: Mapping[str, str]
) -> list[Stages]:
    """The same in a process of its own with these variables; raises CaseError when it fails."""
    given = [str(rounds), json.dumps([str(root) for root in roots]), json.dumps(list(images))]
    command = [sys.executable, "-P", "-m", __name__, *given]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CaseError(f"times: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    figures: list[Stages] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    rounds, roots, images = arguments
    figures = cpu_us(json.loads(images), [Path(root) for root in json.loads(roots)], int(rounds))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
