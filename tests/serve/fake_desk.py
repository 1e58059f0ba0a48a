"""A desk without a book: cells of a virtual slide whose truth is known, answers kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from edge.errors import BookError, OutputError, ReviewError
from edge.review.order import draw_key
from edge.review.records import (
    CellPlace,
    CellReading,
    Consensus,
    ReaderAddition,
    ReaderAnswer,
    ReaderDecision,
    ReviewCell,
    ReviewPicture,
    ReviewPlan,
    Stratum,
    StratumPlan,
)
from edge.serve.review import ReviewParts
from edge.types import UInt8Array
from edge.verdict.review_records import ReviewedVerdict
from edge.virtual_slide import SlideSpec, render_field

SLIDE = SlideSpec(seed=7, parasitaemia=0.04)
MODEL = "ab" * 32
LABELS, POSITIVE = ("uninfected", "parasitized"), ("parasitized",)


@lru_cache(8)
def slide_field(index: int) -> tuple[UInt8Array, tuple[tuple[int, int, int, int], ...], tuple[str, ...]]:
    """Pixels, boxes and what is in them."""
    rgb, truth = render_field(SLIDE, index)
    return rgb, tuple((int(x), int(y), int(w), int(h)) for x, y, w, h in truth.boxes), truth.types


def slide_cells(index: int) -> Iterator[tuple[int, tuple[int, int, int, int], float]]:
    """Cells of a field as a machine sees them that takes white cells and platelets for infected: place, box, score."""
    _, boxes, kinds = slide_field(index)
    for n, (box, kind) in enumerate(zip(boxes, kinds, strict=True)):
        if min(box[0], box[1], 1280 - box[0] - box[2], 960 - box[1] - box[3]) < 0 or kind == "speck":
            continue
        chance = draw_key(CellPlace(index, n + 1000))
        suspect = kind != "red blood cell" or chance < 0.01
        yield n, box, 0.5 + 0.5 * chance if suspect else 0.3 * chance


def slide_plan(fields: int = 12, top: int = 60) -> ReviewPlan:
    """A virtual slide as that machine counts it."""
    suspects, near, rest = list[ReviewCell](), list[ReviewCell](), list[ReviewCell]()
    for index in range(fields):
        for n, box, score in slide_cells(index):
            told = (box, "parasitized" if score >= 0.5 else "uninfected", score, f"field-{index}.png")
            if score >= 0.5:
                suspects.append(ReviewCell(CellPlace(index, n), Stratum.TOP, *told))
            elif score > 0.28:
                near.append(ReviewCell(CellPlace(index, n), Stratum.NEAR, *told))
            else:
                rest.append(ReviewCell(CellPlace(index, n), Stratum.REST, *told))
    return plan_of_cells(suspects, near, rest, top)


def plan_of_cells(
    suspects: Iterable[ReviewCell], near: Iterable[ReviewCell] = (), rest: Iterable[ReviewCell] = (), top: int = 60
) -> ReviewPlan:
    """A plan of these cells, each part in its order."""
    by_score = sorted(suspects, key=lambda cell: -cell.score)
    of = {
        Stratum.TOP: by_score[:top],
        Stratum.SUSPECTS: by_key(by_score[top:]),
        Stratum.NEAR: by_key(near),
        Stratum.REST: by_key(rest),
    }
    parts = tuple(StratumPlan(part, len(cells), tuple(cells)) for part, cells in of.items())
    cells = sum(part.size for part in parts)
    return ReviewPlan("5a" * 16, "S-0001", 1, MODEL, 0.5, LABELS, POSITIVE, "cell", cells, parts)


def by_key(cells: Iterable[ReviewCell]) -> list[ReviewCell]:
    """In random order."""
    return sorted(cells, key=lambda cell: draw_key(cell.cell))


class FakeDesk:
    """Holds answers in memory; ``full``: it cannot write; ``gone``: cells without a picture."""

    def __init__(self, plan: ReviewPlan, rows: Iterable[int] = (1,), gone: Iterable[str] = ()) -> None:
        self.made = plan
        self.rows = set(rows)
        self.gone = set(gone)
        self.full = False
        self.verdict: ReviewedVerdict | None = None
        self.decisions: list[ReaderDecision] = []
        self._lock = threading.Lock()

    @property
    def parts(self) -> ReviewParts:
        """What a page is made with."""
        return ReviewParts(self, lambda _: self.verdict)

    def _known(self, sample_id: int) -> None:
        if sample_id not in self.rows:
            raise BookError("the book holds no such sample")

    def plan(self, sample_id: int) -> ReviewPlan:
        self._known(sample_id)
        return self.made

    def readings(self, sample_id: int) -> tuple[CellReading, ...]:
        self._known(sample_id)
        with self._lock:
            newest = {(one.cell, one.reader, one.reading): one for one in self.decisions}
        cells: dict[CellPlace, list[ReaderDecision]] = {}
        for one in sorted(newest.values(), key=lambda one: one.number):
            if one.answer is not ReaderAnswer.WITHDRAWN:
                cells.setdefault(one.cell, []).append(one)
        return tuple(
            CellReading(cell, decisions[0].stratum, tuple(decisions), Consensus.UNSURE)
            for cell, decisions in cells.items()
        )

    def decide(self, sample_id: int, decisions: tuple[ReaderDecision, ...]) -> tuple[ReaderDecision, ...]:
        self._known(sample_id)
        if self.full:
            raise OutputError("the book cannot be written: no space left on the device")
        cells = {cell.cell for part in self.made.parts for cell in part.cells}
        for one in decisions:
            if one.model != self.made.model:
                raise ReviewError("the answer is about another model's count")
            if one.cell not in cells:
                raise ReviewError(f"the sample has no cell {one.cell}")
        with self._lock:
            known = {one.uuid for one in self.decisions}
            for one in decisions:
                if one.uuid not in known:
                    self.decisions.append(numbered(one, len(self.decisions) + 1))
        return decisions

    def add(self, sample_id: int, additions: tuple[ReaderAddition, ...]) -> tuple[ReaderAddition, ...]:
        raise NotImplementedError

    def cell_picture(self, sample_id: int, cell: CellPlace, side: int, around: float) -> ReviewPicture | None:
        self._known(sample_id)
        if str(cell) in self.gone:
            return None
        rgb, boxes, _ = slide_field(cell.field)
        if cell.n >= len(boxes):
            return None
        return cut(rgb, boxes[cell.n], side, around)

    def field_picture(self, sample_id: int, field: int, longest: int) -> ReviewPicture | None:
        raise NotImplementedError


def numbered(one: ReaderDecision, number: int) -> ReaderDecision:
    """The answer as it is in the book."""
    return replace(one, number=number)


def cut(rgb: UInt8Array, box: tuple[int, int, int, int], side: int, around: float) -> ReviewPicture:
    """The cell in its surroundings; grey beyond the border."""
    x, y, w, h = box
    span = around * max(w, h)
    left, up, scale = x + w / 2 - span / 2, y + h / 2 - span / 2, side / span
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -up * scale]], np.float32)
    made = cv2.warpAffine(
        rgb, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=(128, 128, 128)
    )
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(made, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    placed = ((x - left) * scale, (y - up) * scale, w * scale, h * scale)
    return ReviewPicture(side, side, jpeg.tobytes(), placed)
