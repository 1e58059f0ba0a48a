"""A recipe that needs no nets: as many cells as a field's first pixel says, and the gate's decision by its brightness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from edge.archive.records import (
    CountsDescription,
    DecidedField,
    DecidedSample,
    FailedWhere,
    SampleSlice,
)
from edge.events import AnalysedField, Outcome, Unreadable
from edge.sample import Sample
from edge.types import CELL, Cells, FieldResult, Quality, Timings, Verdict

LABELS = ("uninfected", "parasitized")


def description(**changes: object) -> CountsDescription:
    told = CountsDescription(
        "f" * 64, {"model": "made", "threshold": "0.5"}, "", "made", "0" * 64, "made", LABELS, ("parasitized",)
    )
    return replace(told, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class MadeRecipe:
    described: CountsDescription = field(default_factory=description)

    @property
    def fingerprint(self) -> str:
        return self.described.fingerprint

    def analyser(self) -> MadeAnalyser:
        return MadeAnalyser()


class MadeAnalyser:
    labels: tuple[str, ...] = LABELS

    def outcomes(self, part: SampleSlice, local: Sequence[str | None]) -> Iterator[Outcome]:
        for index, file in enumerate(part.files):
            name, path = Path(file.path).name, local[index]
            pixels = None if path is None else cv2.imread(path, cv2.IMREAD_GRAYSCALE)
            if pixels is None:
                yield Unreadable(index, part.sample, name, "no picture")
            else:
                yield AnalysedField(made_result(index, part.sample, name, int(pixels[0, 0])))

    def decided(
        self, sample: str, outcomes: Iterable[Outcome], take: Callable[[DecidedField], None] | None = None
    ) -> DecidedSample:
        adding = Sample(sample, LABELS)
        fields: list[DecidedField] = []
        for one in outcomes:
            if isinstance(one, Unreadable):
                adding.add_unreadable(one.name, one.reason)
                reason = f"unreadable: {one.reason}"
                made = DecidedField(one.index, one.name, None, None, reason, failed=FailedWhere.READ)
            else:
                told = one.result
                reason_ = "too dark" if len(told.cells) == 1 else None
                adding.add(told, reason_)
                made = DecidedField(told.index, told.name, told, told, reason_)
            (take or fields.append)(made)
        return DecidedSample(sample, tuple(fields), adding.tally(), Verdict("uncalibrated", ("made",), {}))


def made_result(index: int, sample: str, name: str, cells: int) -> FieldResult:
    rng = np.random.default_rng(cells)
    scores = rng.random((cells, 2)).astype(np.float32)
    boxes = rng.integers(0, 500, (cells, 4)).astype(np.int32)
    kind = (np.arange(cells) % 5 == 4).astype(np.int32)
    classes = np.where(kind == 0, scores.argmax(axis=1), -1).astype(np.int32)
    found = Cells(boxes, rng.random(cells).astype(np.float32), kind, (CELL, "not-red-cell"))
    quality = Quality(rng.random(), float("nan"), 0.0, 0.1, 0.5, bytes(range(8)))
    return FieldResult(index, sample, name, (48, 64), found, scores, classes, quality, Timings(1, 2, 3, 4, 5))


def paint(folder: Path, *cells: int) -> Path:
    """A folder of pictures of so many cells each; 0 cells: a file that is no picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, n in enumerate(cells):
        path = folder / f"{number}.png"
        if n:
            cv2.imwrite(str(path), np.full((8, 8), n, np.uint8))
        else:
            path.write_bytes(b"no picture")
    return folder
