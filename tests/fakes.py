"""Stand-ins for finder, classifier, source and gate that need neither model nor camera. All of them are deterministic."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.errors import CameraError, UnreadableFieldError
from edge.modelfile import Card, CropSpec, ModelFile
from edge.pixels import Image, pyramid
from edge.types import (
    CELL,
    NOT_WHOLE,
    Cells,
    CountedField,
    Field,
    FieldResult,
    FloatArray,
    Int32Array,
    Quality,
    Region,
    Shot,
    Timings,
    UInt8Array,
    after_last,
)

LABELS = ("uninfected", "parasitized")
CARD = Card("fake", "classify", LABELS, ("parasitized",), crop=CropSpec(size=32))
COMPARING = replace(CARD, crop=CropSpec(size=32, normalise="typical"))
"""The card of a net that sees each cell beside the typical cell of its field."""

KINDS = (CELL, "not-red-cell")
BOX = 20


def quality(rgb: UInt8Array | None = None, region: Region | None = None) -> Quality:
    """A gate's measures; brightness tells fields apart."""
    return Quality(1.0, 0.0 if rgb is None else float(rgb.mean()), 0.0, 0.0, 0.5, b"")


class FakeFinder:
    """Finds a row of cells: as many as the red value of the field's first pixel says; the last is not a red cell."""

    name = "fake-finder"

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay

    def find(self, image: Image) -> Cells:
        time.sleep(self.delay)
        rgb = pyramid(image).rgb
        n = int(rgb[0, 0, 0])
        boxes = np.array([[10 + 25 * i, 10, BOX, BOX] for i in range(n)], np.int32).reshape(-1, 4)
        kind = np.zeros(n, np.int32)
        kind[-1:] = 1
        return Cells(boxes, np.full(n, 0.9, np.float32), kind, KINDS)


class FakeClassifier:
    """Calls the first cell of each batch parasitized when the field's crops are not all alike black, others not."""

    def __init__(self, model: ModelFile | None = None, card: Card | None = None) -> None:
        self.card = card or CARD

    def scores(self, crops: UInt8Array) -> FloatArray:
        out = np.tile(np.array([0.75, 0.25], np.float32), (len(crops), 1))
        out[:1] = [0.25, 0.75]
        return out

    def classes(self, scores: FloatArray) -> Int32Array:
        return np.asarray(scores.argmax(axis=1), np.int32)


def picture(cells: int, width: int = 320, height: int = 64) -> UInt8Array:
    """A field in which FakeFinder finds this many things."""
    rgb = np.full((height, width, 3), 200, np.uint8)
    rgb[0, 0, 0] = cells
    return rgb


class FakeSource:
    """Fields with the given numbers of things. A string instead of a number is an unreadable input, None unplugs the camera.

    Args:
        slow: index of a field that takes long to load, to bring workers out of order.
        endless: start again at the end.
    """

    def __init__(
        self,
        contents: list[int | str | None],
        sample: str = "s",
        *,
        slow: int | None = None,
        endless: bool = False,
        delay: float = 0.0,
    ) -> None:
        self.contents = contents
        self.sample = sample
        self.slow = slow
        self.endless = endless
        self.delay = delay
        self.total = None if endless else len(contents)
        self.samples = tuple(dict.fromkeys(self.sample_of(i) for i in range(len(contents))))
        self.loaded: list[int] = []
        self.closed = 0
        self.first = 0
        self.complete: frozenset[str] = frozenset()

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        self.first = after_last(counted)
        self.complete = frozenset(complete)
        return ()

    def __iter__(self) -> Iterator[Shot]:
        index = self.first
        while self.endless or index < len(self.contents):
            if self.sample_of(index) not in self.complete:
                yield Shot(index, self.sample_of(index), f"field-{index}.png", lambda i=index: self._load(i))  # type: ignore[misc]
            index += 1

    def sample_of(self, index: int) -> str:
        return self.sample

    def close(self) -> None:
        self.closed += 1

    def _load(self, index: int) -> Field:
        self.loaded.append(index)
        time.sleep(0.1 if index == self.slow else self.delay)
        content = self.contents[index % len(self.contents)]
        if content is None:
            raise CameraError("the camera stopped answering")
        if isinstance(content, str):
            raise UnreadableFieldError(f"field-{index}.png: {content}")
        return Field(picture(content), index, self.sample_of(index), f"field-{index}.png", decode_ms=1.5)


class TwoSamples(FakeSource):
    """The first half is sample ``a``, the second ``b``."""

    def sample_of(self, index: int) -> str:
        return "a" if index < len(self.contents) // 2 else "b"


class RejectEvery:
    """A gate that rejects every n-th field it is asked about."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.seen = 0

    def judge(self, quality: Quality) -> str | None:
        self.seen += 1
        return "out of focus" if self.seen % self.n == 0 else None


def result(
    classes: list[int],
    *,
    index: int = 0,
    sample: str = "s",
    name: str = "field-0.png",
    kind: list[int] | None = None,
) -> FieldResult:
    """A field result with one cell per entry of ``classes``; -1 is set aside (kind 1 unless ``kind`` says otherwise)."""
    n = len(classes)
    boxes = np.array([[10 + 25 * i, 10, BOX, BOX] for i in range(n)], np.int32).reshape(-1, 4)
    kinds = np.array(kind if kind is not None else [0 if c >= 0 else 1 for c in classes], np.int32)
    cells = Cells(boxes, np.full(n, 0.9, np.float32), kinds, (*KINDS, NOT_WHOLE))
    scores = np.array([[0.75, 0.25] if c == 0 else [0.25, 0.75] if c == 1 else [0, 0] for c in classes], np.float32)
    return FieldResult(
        index,
        sample,
        name,
        (64, 320),
        cells,
        scores.reshape(-1, 2),
        np.array(classes, np.int32),
        quality(),
        Timings(1.234, 0.1, 2.0, 0.5, 0.25),
    )


def model_file(path: str = "fake.tflite", card: Card = CARD) -> ModelFile:
    return ModelFile(b"", card, "ab" * 32, Path(path), "cd" * 32)
