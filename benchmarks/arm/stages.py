"""The program whose instructions are counted, run in a root under the counting emulator.

``python -m benchmarks.arm.stages FOLDER CELLS FIELDS``. A mark is a system call that does nothing and that the plugin
notices (``count.c``). Between two marks stands one piece of work. It was done before at least once, so that start-up,
first-time allocation and imports are not counted. The marks' own cost is counted too and taken off. ``FOLDER`` holds
``NAME.npy`` for every net (uint8 [n, h, w, c]) and, unless FIELDS is 0, ``field.jpg``; names of the pieces go to stdout.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.arm.inside import models, versions
from edge import analysis, shelf
from edge.classifier import BATCH, Classifier
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.gate import Gate
from edge.runtime import Net
from edge.sample import Sample
from edge.sources.decode import decode_image
from edge.types import Field, UInt8Array

MARK = 1_000_000_000
"""The file descriptor whose ``lseek`` the plugin takes for a mark: none is that high."""

STAGES = ("gate", "find", "crop", "classify")
"""The stages between the clock readings of ``edge.analysis``, in order."""

_WARM = 2
"""Runs before a piece of work is counted."""

_pieces: list[tuple[str, int]] = []


def mark(name: str = "", units: int = 0) -> None:
    """End the piece of work called ``name``, which dealt with so many cells or fields; without a name nothing is kept."""
    _pieces.append((name, units))
    os.getppid()  # what valgrind takes for a mark (``benchmarks.valgrind``)
    try:
        os.lseek(MARK, 0, os.SEEK_SET)
    except OSError:
        return


def pieces() -> list[tuple[str, int]]:
    """Every mark so far: what it ended, and with how many cells or fields that dealt."""
    return list(_pieces)


def repeat(name: str, times: int, work: Callable[[], object], each: int = 1) -> None:
    """Do ``work``, which deals with ``each`` cells or fields, so many times between two marks, after a warm-up."""
    for _ in range(_WARM):
        work()
    mark()
    for _ in range(times):
        work()
    mark(name, times * each)


def nets(folder: Path, cells: int) -> None:
    """Bare nets, in the runner's batches, and what the classifier makes of the same cells."""
    for name, model in models():
        images: UInt8Array = np.load(folder / f"{name}.npy")
        net = Net(model)
        if model.card is not None and model.card.task == "find":
            repeat(f"net {name}", max(1, cells // BATCH // 8), partial(net.run, images[:1]))
            continue
        repeat(f"net {name}", cells // BATCH, partial(net.run, images[:BATCH]), BATCH)
        if model.card is not None and model.card.colour == "rgb":
            many = np.concatenate([images] * -(-cells // len(images)))[:cells]
            repeat(f"classify {name}", 1, partial(_classify, Classifier(model), many), cells)


def _classify(classifier: Classifier, crops: UInt8Array) -> None:
    classifier.classes(classifier.scores(crops))


def field_stages(folder: Path, fields: int) -> int:
    """One field, stage after stage, as the runner does it; returns the cells in it."""
    path = folder / "field.jpg"
    repeat("decode", fields, lambda: decode_image(path))
    rgb = decode_image(path)
    classical = ClassicalFinder()
    repeat("find classical", max(1, fields // 4), lambda: classical.find(rgb))
    classifier = Classifier(shelf.load(shelf.CLASSIFIER))
    analyser = analysis.Analyser(LearnedFinder(shelf.load(shelf.FINDER)), classifier)
    field = Field(rgb, 0, "s", "f")
    result = analyser(field)
    sample, gate = Sample("s", classifier.card.labels), Gate()
    repeat("tally", fields, lambda: sample.add(result, gate.judge(result.quality)))
    _marked_analysis(analyser, field, fields)
    return int((result.classes >= 0).sum())


def _marked_analysis(analyser: analysis.Analyser, field: Field, fields: int) -> None:
    """Put a mark wherever the analyser reads the clock, so that its own code is counted as it stands."""
    names = iter([""] * _WARM * (1 + len(STAGES)) + ["", *STAGES] * fields)

    def clock() -> float:
        name = next(names)
        mark(name, 1 if name else 0)
        return 0.0

    setattr(analysis, "perf_counter", clock)  # noqa: B010 - it is another module's import
    for _ in range(_WARM + fields):
        analyser(field)


def main() -> None:
    """Do it all and say what was done, as JSON: the marks in order, each with its piece of work and how much that was."""
    cv2.setNumThreads(1)
    folder, cells, fields = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    mark()
    mark("nothing", 1)
    nets(folder, cells)
    found = field_stages(folder, fields) if fields else 0
    sys.stdout.write(
        json.dumps({"pieces": _pieces, "versions": versions(), "cells": cells, "fields": fields, "found": found})
    )


if __name__ == "__main__":
    main()
