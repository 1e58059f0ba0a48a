"""The program that takes frames from a camera's buffer to a counted field, run in a root under the counting emulator.

``python -m benchmarks.arm.frames FOLDER FRAMES``: each step is what camera process and run do (``edge.camera.child``,
``edge.camera.link``, ``edge.control``), with both sides of the shared memory in one process. ``FOLDER/frame.npy`` is a field, uint8
[h, w, 3]. Names of the pieces go to stdout as in ``benchmarks.arm.stages``.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.arm.inside import versions
from benchmarks.arm.stages import mark, pieces, repeat
from edge import shelf
from edge.analysis import Analyser
from edge.camera.formats import FrameConverter
from edge.camera.looks import FrameChecker
from edge.camera.memory import FrameRing, RingShape, make_ring
from edge.classifier import Classifier
from edge.control.views import Eye
from edge.finders.learned import LearnedFinder
from edge.gate import Gate
from edge.sample import Sample
from edge.scope.spread import corrector
from edge.types import Field, UInt8Array

_DIFFERENT = 12  # frames that are no repetition of one of the last
_GAIN = 20  # of 256: a flat field's usual correction


def main() -> None:
    """Do it all and say what was done."""
    cv2.setNumThreads(1)
    frame, count = np.asarray(np.load(Path(sys.argv[1]) / "frame.npy"), np.uint8), int(sys.argv[2])
    mark()
    mark("nothing", 1)
    found = _camera(frame, count)
    told = {"pieces": pieces(), "versions": versions(), "frames": count, "found": found, "shape": frame.shape[:2]}
    sys.stdout.write(json.dumps(told))


def _camera(frame: UInt8Array, count: int) -> int:
    """From the driver's buffer to the sample; returns the cells counted in a field."""
    other = frame.copy()
    repeat("control fill", count, lambda: other.fill(7))
    repeat("control copy", count, lambda: np.copyto(other, frame))
    repeat("control read", count, lambda: int(frame.max()))
    height, width = frame.shape[:2]
    ring, memory = make_ring(RingShape(width, height))
    reader = FrameRing(memory, ring.shape)
    for name, raw in _formats(frame).items():
        converter = FrameConverter(name, (width, height))
        repeat(f"convert {name}", count, _converting(converter, raw, ring))
    ring.publish(0, 0)
    repeat("check", count, _checking(frame))
    repeat("copy", count, lambda: reader.copy(0, 0))
    repeat("look", count, _looking(frame))
    correct = corrector(np.full(frame.shape, _GAIN, np.uint8))
    repeat("flat field", count, lambda: correct(frame))
    return _counted(frame, count)


def _formats(frame: UInt8Array) -> dict[str, NDArray[Any]]:
    """The frame as cameras give it."""
    planar = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)
    height = len(frame)
    blue, red = planar[height:].reshape(2, -1)
    nv12 = np.concatenate([planar[:height], np.stack([blue, red], 1).reshape(height // 2, -1)])
    yuyv = np.stack([planar[:height], np.full_like(planar[:height], 128)], 2)
    return {"BGR888": frame, "YUYV": yuyv, "NV12": nv12}


def _converting(converter: FrameConverter, raw: NDArray[Any], ring: FrameRing) -> Callable[[], object]:
    def convert() -> None:
        ring.clear(0)
        converter.convert(raw, ring.pixels(0))
        ring.publish(0, 0)

    return convert


def _several(frame: UInt8Array) -> itertools.cycle[UInt8Array]:
    """Frames that differ in one pixel, without end."""
    made = []
    for number in range(_DIFFERENT):
        one = frame.copy()
        one[0, number] ^= 1
        made.append(one)
    return itertools.cycle(made)


def _checking(frame: UInt8Array) -> Callable[[], object]:
    checker, frames = FrameChecker(), _several(frame)
    return lambda: checker.check(next(frames))


def _looking(frame: UInt8Array) -> Callable[[], object]:
    eye, frames, ticks = Eye(), _several(frame), itertools.count()
    eye.see(frame, -1.0)
    eye.taken()
    return lambda: eye.see(next(frames), float(next(ticks)))


def _counted(frame: UInt8Array, count: int) -> int:
    classifier = Classifier(shelf.load(shelf.CLASSIFIER))
    analyser = Analyser(LearnedFinder(shelf.load(shelf.FINDER)), classifier)
    sample, gate = Sample("s", classifier.card.labels), Gate()
    field = Field(frame, 0, "s", "f")

    def analyse() -> None:
        result = analyser(field)
        sample.add(result, gate.judge(result.quality))

    repeat("analysis", count, analyse)
    return int((analyser(field).classes >= 0).sum())


if __name__ == "__main__":
    main()
