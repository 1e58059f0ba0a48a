"""Corrections from another program against the cells of a sample: by id, else by field and place.

A field is known by its place in the run or by its name, a cell by its id where the program kept it, else by the one box of the
field that covers it best (intersection over union of ``edge.boxes.MATCHED`` and more, one to one). What stands for no cell is one
that the machine has not found. Nothing is guessed: a file whose pictures were scaled, of other fields or of another model is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from edge.boxes import iou, pairs_of_boxes
from edge.errors import ReviewError
from edge.exchange.naming import index_of, last_part, stem_of
from edge.exchange.records import CorrectedCell, CorrectedField, Corrections, ExchangeCell, ExchangeField
from edge.review.records import Box, CellPlace
from edge.types import FloatArray

_TOUCHES = 0.1
"""Intersection over union below which a box is no longer at its cell, however somebody pulled at it."""


@dataclass(frozen=True, slots=True)
class MatchedBox:
    """A thing of the file and the one of the sample that it stands for; None: the machine has nothing there."""

    field: ExchangeField
    cell: ExchangeCell | None
    came: CorrectedCell


@dataclass(frozen=True, slots=True)
class Matched:
    """A file beside its sample.

    Attributes:
        boxes: everything in the file.
        left: counted cells of fields that came back whole, without their box: somebody removed it, or it never went out.
    """

    boxes: tuple[MatchedBox, ...]
    left: tuple[CellPlace, ...]


def matched(corrections: Corrections, fields: Iterable[ExchangeField], model: str) -> Matched:
    """Match a file with a sample.

    Args:
        corrections: the file.
        fields: of the sample, in field order; those that the file does not name are passed over.
        model: SHA-256 of the classifier that counted it.

    Raises:
        ReviewError: the file does not fit the sample.
    """
    file = corrections.file
    if corrections.model and corrections.model != model:
        raise ReviewError(
            f"{file}: answers to another model's count ({corrections.model[:12]}) than this one ({model[:12]}): "
            "choose the count (--count)"
        )
    boxes: list[MatchedBox] = []
    left: list[CellPlace] = []
    for field, came in _fields(corrections, fields):
        found = _Field(file.name, field, came).boxes()
        boxes += found
        if came.whole:
            there = {one.cell.cell for one in found if one.cell is not None}
            left += [CellPlace.parse(one.cell) for one in field.cells if one.counted and one.cell not in there]
    _check_places(file.name, boxes)
    return Matched(tuple(boxes), tuple(left))


def _fields(corrections: Corrections, fields: Iterable[ExchangeField]) -> list[tuple[ExchangeField, CorrectedField]]:
    """Each field of the file beside the sample's; raises ReviewError."""
    file = corrections.file.name
    by_index = {came.index: came for came in corrections.fields if came.index is not None}
    by_name = {came.name: came for came in corrections.fields if came.index is None}
    if len(by_index) + len(by_name) < len(corrections.fields):
        raise ReviewError(f"{file}: a field is in it twice")
    found: list[tuple[ExchangeField, CorrectedField]] = []
    names: set[str] = set()
    for field in fields:
        own = last_part(field.name)
        came_here = by_index.pop(field.index, None)
        if own in names or (came_here is not None and own in by_name):
            raise ReviewError(f"{file}: several fields of the sample are called {own}: it does not say which")
        if came_here is None and own in by_name:
            came_here = by_name.pop(own)
            names.add(own)
        if came_here is not None:
            _check_field(file, field, came_here)
            found.append((field, came_here))
    for missing in (*by_index.values(), *by_name.values()):
        if missing.cells:
            called = missing.name or f"field {missing.index}"
            raise ReviewError(f"{file}: {called} is no field of this sample (or could not be read when it was counted)")
    return found


def _check_field(file: str, field: ExchangeField, came: CorrectedField) -> None:
    if not _same_name(field, came.name):
        raise ReviewError(
            f"{file}: field {field.index} is {came.name} there and {last_part(field.name)} here: of another sample?"
        )
    size, here = (came.width, came.height), (field.width, field.height)
    if 0 not in size and size != here:
        factors = (size[0] / here[0], size[1] / here[1])
        told = f"{size[0]} x {size[1]} pixels there, {here[0]} x {here[1]} here"
        if abs(factors[0] / factors[1] - 1) < 0.01:
            told += f": scaled by {factors[0]:.3g}. Export it again, and leave the pictures as large as they are"
        raise ReviewError(f"{file}: field {field.index} has {told}")


def _same_name(field: ExchangeField, name: str) -> bool:
    """Whether a file's name for a field can be this one's: its own, one without identity, or ours with both."""
    if name in ("", last_part(field.name), f"field-{field.index:04d}"):
        return True
    index = index_of(name)
    if index is None:
        return False
    ours = f"edge-{index:05d}"
    after = name.rpartition(ours)[2].removeprefix(stem_of(field).removeprefix(ours))
    return index == field.index and after[:1] in ("", ".")  # an ending, which may have a dot in it


class _Field:
    """One field: its cells and what came back of it."""

    def __init__(self, file: str, field: ExchangeField, came: CorrectedField) -> None:
        self._file, self._field, self._came = file, field, came
        self._cells: Mapping[str, ExchangeCell] = {one.cell: one for one in field.cells if one.cell}

    def boxes(self) -> list[MatchedBox]:
        """Everything that came back, in the file's order."""
        by_id = self._by_id()
        taken = {id(one) for one in by_id.values()}
        open_ = [i for i in range(len(self._came.cells)) if i not in by_id]
        free = [one for one in self._cells.values() if id(one) not in taken]
        by_place = self._by_place(open_, free)
        found = {**by_id, **by_place}
        return [MatchedBox(self._field, found.get(i), one) for i, one in enumerate(self._came.cells)]

    def _by_id(self) -> dict[int, ExchangeCell]:
        """Where the program kept ids. A box that was copied in it has its id too: the one that lies best keeps it."""
        claims: dict[str, list[int]] = {}
        for i, one in enumerate(self._came.cells):
            if one.cell:
                if one.cell not in self._cells:
                    raise ReviewError(
                        f"{self._file}: there is no cell {one.cell} in field {self._field.index} of this sample"
                    )
                claims.setdefault(one.cell, []).append(i)
        found = {}
        for name, rows in claims.items():
            if len(rows) > 1 and any(self._came.cells[i].box is None for i in rows):
                raise ReviewError(f"{self._file}: answers cell {name} twice")
            found[max(rows, key=lambda i: _over(self._came.cells[i], self._cells[name]))] = self._cells[name]
        return found

    def _by_place(self, rows: list[int], free: list[ExchangeCell]) -> dict[int, ExchangeCell]:
        placed = [i for i in rows if self._came.cells[i].box is not None]
        came = corners(self._came.cells[i].box or (0, 0, 0, 0) for i in placed)
        found = {placed[i]: free[j] for i, j in pairs_of_boxes(came, corners(one.box for one in free))}
        over = [i for i, row in enumerate(placed) if row not in found]
        counted = [one for one in self._cells.values() if one.counted]
        for _, j in pairs_of_boxes(came[over], corners(one.box for one in counted)):
            raise ReviewError(
                f"{self._file}: two boxes lie on cell {counted[j].cell}: leave the one that says what it is"
            )
        return found


def _over(came: CorrectedCell, cell: ExchangeCell) -> float:
    return 1.0 if came.box is None else float(iou(corners([came.box]), corners([cell.box]))[0, 0])


def corners(boxes: Iterable[tuple[float, float, float, float]]) -> FloatArray:
    """Boxes as one array, float32 [n, 4]."""
    return np.array(list(boxes), np.float32).reshape(-1, 4)


def _check_places(file: str, boxes: list[MatchedBox]) -> None:
    """Ids are places in a run: they fit another sample too, but boxes do not."""
    told = [one for one in boxes if one.cell is not None and one.came.cell and one.came.box is not None]
    moved = sum(_over(one.came, one.cell) < _TOUCHES for one in told if one.cell is not None)
    if 2 * moved > len(told):
        raise ReviewError(
            f"{file}: {moved} of {len(told)} boxes lie elsewhere than their cells here: of another sample?"
        )


def pixel_box(box: tuple[float, float, float, float], field: ExchangeField) -> Box | None:
    """A box in whole pixels inside its field; None: nothing of it is inside."""
    x, y, w, h = box
    left, top = max(round(x), 0), max(round(y), 0)
    right, bottom = min(round(x + w), field.width), min(round(y + h), field.height)
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None
