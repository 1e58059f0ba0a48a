"""Workloads of the whole analysis, exactly as ``edge-run`` does it: from an image file to a tally.

Virtual fields are rendered once, kept as JPEG in a cache outside the repository, and read back like any others. With one
worker a step is one field, split into stages; with several a step is a few fields out of ``edge.workers``, as they arrive.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final

import cv2

import edge.virtual_slide as room
from benchmarks.errors import NoInputError
from benchmarks.places import cache
from benchmarks.workload import StepResult, Value, Workload
from edge import shelf
from edge.analysis import Analyser
from edge.classifier import Classifier
from edge.events import Outcome, Unreadable
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.gate import Gate
from edge.heap import keep_freed_memory
from edge.sample import Sample
from edge.sources.files import FileSource
from edge.types import Field, FieldResult, Shot
from edge.virtual_slide import SlideSpec, render_field
from edge.workers import Workers

QUALITY: Final = 92
"""JPEG quality of the files, as cameras write them."""

ENOUGH: Final = 8
"""Virtual fields per case; fewer where they are large."""

PIXELS: Final = 40_000_000
"""Pixels of all virtual fields of a case."""

CELL_WIDTH: Final = 66 / 1280
"""Diameter of a cell in widths of a virtual field, on the usual microscope."""

MOST_COVERED: Final = 0.45
"""Share of a virtual field's area that cells cover at most; more cells than that are smaller ones, as at a lower magnification."""

ROUND_FIELDS: Final = 4
"""Fields per worker and step where there are several workers."""


def analyse(source: str, size: str, cells: int, workers: int, *, finder: str = "auto", model: str = "") -> Analysis:
    """The whole analysis.

    Args:
        source: ``simulate``, or a folder of images.
        size: WIDTHxHEIGHT of virtual fields; of no effect on a folder.
        cells: red cells per virtual field.
        workers: threads, each with a finder and a classifier of its own.
        finder: as ``edge-run --finder``.
        model: the classifier; empty for the shelf's own.

    Raises:
        NoInputError: the folder holds no images.
        ModelError: a model is missing or refused.
    """
    keep_freed_memory()  # as edge-run does
    folder = virtual_folder(size, cells) if source == "simulate" else Path(source)
    shots = list(FileSource([str(folder)]))
    if not shots:
        raise NoInputError(f"{folder}: no image in it")
    classifier_file = shelf.load(model or shelf.CLASSIFIER)
    analysers = [_analyser(finder, classifier_file) for _ in range(workers)]
    labels = classifier_file.card.labels if classifier_file.card is not None else ()
    return Analysis(shots, analysers, labels, classifier_file.sha256)


def _analyser(finder: str, file: Any) -> Analyser:

    cv2.setNumThreads(1)
    if finder == "auto":
        finder = "learned" if shelf.has(shelf.FINDER) else "classical"
    if finder == "classical":
        return Analyser(ClassicalFinder(), Classifier(file))
    return Analyser(LearnedFinder(shelf.load(shelf.FINDER if finder == "learned" else finder)), Classifier(file))


class Analysis:
    """Fields in turn, over and over."""

    def __init__(self, shots: list[Shot], analysers: list[Analyser], labels: Sequence[str], sha256: str) -> None:
        self._analysers = analysers
        self._gate = Gate()
        self._sample = Sample("bench", labels)
        self._known: dict[str, Value] = {"sha256": sha256, "fields": len(shots)}
        self._seen = self._pixels = self._cells = 0
        self._shots = itertools.cycle(shots)
        self._workers = None if len(analysers) == 1 else Workers(self._shots, analysers)
        self._outcomes: Iterator[Outcome] = iter(())
        if self._workers is not None:
            self._workers.__enter__()  # its threads are daemons and end with the process, as the case does
            self._outcomes = iter(self._workers)

    @property
    def facts(self) -> dict[str, Value]:
        """The model's hash, how many different fields, and their means so far: pixels, cells and other objects found."""
        seen = max(1, self._seen)
        return {**self._known, "pixels": self._pixels / seen, "cells": self._cells / seen}

    def __call__(self) -> StepResult:
        """One field, or what several workers do meanwhile."""
        if self._workers is None:
            field, decode = _load(next(self._shots))
            result = self._analysers[0](field)
            return StepResult(1, self._stages(decode, result))
        count = ROUND_FIELDS * len(self._analysers)
        stages: dict[str, int] = {}
        for outcome in itertools.islice(self._outcomes, count):
            if isinstance(outcome, Unreadable):
                raise NoInputError(outcome.reason)
            result = outcome.result
            for name, ns in self._stages(int(result.ms.decode * 1e6), result).items():
                stages[name] = stages.get(name, 0) + ns
        return StepResult(count, stages)

    def _stages(self, decode: int, result: FieldResult) -> dict[str, int]:
        """Add the result up and say where its time went, in ns."""
        start = perf_counter_ns()
        self._gate.judge(result.quality)
        self._sample.add(result, None)
        tally = perf_counter_ns() - start
        self._seen += 1
        self._pixels += result.shape[0] * result.shape[1]
        self._cells += len(result.cells)
        ms = result.ms
        spent = {name: int(getattr(ms, name) * 1e6) for name in ("gate", "find", "crop", "classify")}
        return {"decode": decode, **spent, "tally": tally}


def _load(shot: Shot) -> tuple[Field, int]:
    start = perf_counter_ns()
    field = shot.load()
    return field, perf_counter_ns() - start


def virtual_folder(size: str, cells: int, seed: int = 0) -> Path:
    """The folder of rendered fields of this size and density; rendered now if it is not there. Pure in its arguments.

    Args:
        size: WIDTHxHEIGHT in pixels.
        cells: red cells per field.
        seed: random seed of the virtual slide.
    """
    width, height = (int(n) for n in size.split("x"))
    cell_px = min(CELL_WIDTH * width, (MOST_COVERED * width * height / cells / 0.785) ** 0.5)
    spec = SlideSpec(seed, width, height, cell_px=max(8.0, cell_px), cells_per_field=cells, bad_fields=0.0)
    count = max(2, min(ENOUGH, PIXELS // (width * height)))
    folder = cache() / f"{size}-{cells}-{seed}-{_version(spec, count)}"
    if folder.is_dir():
        return folder

    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    for index in range(count):
        rgb, _ = render_field(spec, index)
        cv2.imwrite(str(part / f"{index:03d}.jpg"), rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    try:
        part.rename(folder)
    except OSError:  # another process was quicker
        if not folder.is_dir():
            raise
    return folder


def render(size: str, cells: int) -> str:
    """``virtual_folder`` as a plain value, for a child process."""
    return str(virtual_folder(size, cells))


def _version(spec: Any, count: int) -> str:
    """Changes when what is rendered would."""
    digest = hashlib.sha256(f"{spec} {count} {QUALITY}".encode())
    for path in sorted(Path(str(room.__file__)).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def workload(source: str, size: str, cells: int, workers: int, finder: str = "auto") -> Workload:
    """The whole analysis as a case; ``size`` and ``cells`` of a folder are not known: give ``""`` and 0."""
    what = f"simulate/{size}/c{cells}" if source == "simulate" else Path(source).name
    name = f"run/{what}/w{workers}" + ("" if finder == "auto" else f"/{Path(finder).name}")
    parameters: dict[str, Value] = {
        "source": source,
        "size": size,
        "cells": cells,
        "workers": workers,
        "finder": finder,
    }
    return Workload(name, what.replace("simulate", "field"), "field", "benchmarks.fields:analyse", parameters)
