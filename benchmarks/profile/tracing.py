"""One field through the runner's own code, cut into stages: what ``benchmarks.profile`` counts.

The stages are those at which ``edge.analysis`` reads its clock; the nets' ``invoke`` is split off as ``find net`` and
``classify net``. Run as a file (``python -P tracing.py FINDER CLASSIFIER IMAGE ...``) it goes through every image and marks each
stage's end by two system calls that nothing else makes, so that an instruction counter can be told to stop there: ``getppid``
for valgrind, an ``lseek`` on a file that is not open for the counter of ``benchmarks.arm``. The labels of the marks are printed as
JSON. ``PYTHONPATH`` says which tree's ``edge`` that is. Imports nothing but ``edge``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

DECODE, TALLY, OTHER = "decode", "tally", "other"
ANALYSIS = (OTHER, "gate", "find", "crop", "classify")
"""What has ended at each reading of the analysis's clock."""

STAGES = (DECODE, "gate", "find", "find net", "crop", "classify", "classify net", TALLY)

MARK = 1_000_000_000
"""The file descriptor of that ``lseek`` (``benchmarks/arm/count.c``)."""

Mark = Callable[[str], None]
"""Called at the end of a stage with its label."""


class CpuClock:
    """Adds up the calling thread's processor time per label, in ns."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._at = time.thread_time_ns()

    def __call__(self, label: str) -> None:
        """End of a stage."""
        now = time.thread_time_ns()
        self.spent[label] += now - self._at
        self._at = now


class Pipeline:
    """From a file to a tally with the ``edge`` that is first on ``sys.path`` now; ``mark`` may be changed at any time.

    Args:
        finder: path of the finder's ``.tflite``.
        classifier: path of the classifier's.
        mark: called at the end of every stage.
    """

    def __init__(self, finder: str, classifier: str, mark: Mark) -> None:
        self.mark = mark
        self._turn = 0
        others = _taken_out()
        try:
            self._build(finder, classifier)
        finally:
            _taken_out()
            sys.modules.update(others)

    def _build(self, finder: str, classifier: str) -> None:
        decoding = importlib.import_module("edge.sources.decode")  # sets limits that OpenCV reads on import
        importlib.import_module("cv2").setNumThreads(1)
        analysis, types = importlib.import_module("edge.analysis"), importlib.import_module("edge.types")
        load = importlib.import_module("edge.shelf").load
        find = importlib.import_module("edge.finders.learned").LearnedFinder(load(finder))
        classify = importlib.import_module("edge.classifier").Classifier(load(classifier))
        nets = [find.net, classify.net]
        if hasattr(find, "nearer"):  # older trees have none
            nets.append(find.nearer)
        for net in nets:
            net._interpreter = _Marked(net._interpreter, self)  # noqa: SLF001 - no way in but this
        analysis.__dict__["perf_counter"] = self._clock
        self._decode, self._field = decoding.decode_image, types.Field
        self._analyse = analysis.Analyser(find, classify)
        self._sample = importlib.import_module("edge.sample").Sample("profile", classify.card.labels)

    @property
    def stage(self) -> str:
        """What is under way."""
        return ANALYSIS[self._turn]

    def __call__(self, path: str) -> Any:
        """Analyse one image file; its ``FieldResult``."""
        self._turn = 0
        self.mark(OTHER)
        rgb = self._decode(path)
        self.mark(DECODE)
        result = self._analyse(self._field(rgb, 0, "profile", path))
        self._sample.add(result, None)
        self.mark(TALLY)
        return result

    def _clock(self) -> float:
        self.mark(self.stage)
        self._turn = (self._turn + 1) % len(ANALYSIS)
        return 0.0


def _taken_out() -> dict[str, ModuleType]:
    """The modules of ``edge``, no longer where imports find them: two trees, or a patched one, stand side by side so."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name == "edge" or name.startswith("edge.")}


class _Marked:
    """An interpreter whose ``invoke`` is a stage of its own."""

    def __init__(self, interpreter: Any, pipeline: Pipeline) -> None:
        self._interpreter = interpreter
        self._pipeline = pipeline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._interpreter, name)

    def invoke(self) -> None:
        """Run the net."""
        stage = self._pipeline.stage
        self._pipeline.mark(stage)
        self._interpreter.invoke()
        self._pipeline.mark(f"{stage} net")


def main(arguments: Sequence[str]) -> None:
    """Go through the images twice, the second time marked."""
    labels: list[str] = []

    def mark(label: str) -> None:
        labels.append(label)
        os.getppid()
        with suppress(OSError):
            os.lseek(MARK, 0, os.SEEK_SET)

    finder, classifier, *images = arguments
    pipeline = Pipeline(finder, classifier, lambda _: None)
    for image in images:
        pipeline(image)
    pipeline.mark = mark
    for image in images:
        pipeline(image)
    sys.stdout.write(json.dumps(labels) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
