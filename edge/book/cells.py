"""The cells of one field, as arrays and as rows."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.types import FieldResult, FloatArray, Int32Array, UInt8Array

SELECT = "SELECT x, y, w, h, kind, class, seen, confidence, scores, mask FROM cell WHERE field_id = ? ORDER BY n"

_AT_ONCE = 16  # rows a statement: one call of it lets go of Python's lock once
_SIDE = 32  # pixels of a mask
_PACKED = _SIDE * _SIDE // 8  # bytes of a mask of 0 and 255, a bit a pixel


@dataclass(frozen=True, slots=True, eq=False)
class CellTable:
    """The cells of one field as analysed.

    Attributes:
        boxes, confidence, kind, masks: as in ``edge.types.Cells``.
        scores: float32 [n, k]; ``classes``: int32 [n], -1 for what is set aside.
        seen: bool [n], what an earlier field showed, set aside when the field was counted.
    """

    boxes: Int32Array
    confidence: FloatArray
    kind: Int32Array
    masks: UInt8Array | None
    scores: FloatArray
    classes: Int32Array
    seen: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.boxes)

    @staticmethod
    def none(classes: int) -> CellTable:
        """Without cells; ``classes``: of the model."""
        none, floats = np.zeros(0, np.int32), np.zeros(0, np.float32)
        boxes, scores = none.reshape(0, 4), floats.reshape(0, classes)
        return CellTable(boxes, floats, none, None, scores, none, none.astype(np.bool_))

    @staticmethod
    def of(result: FieldResult, seen: NDArray[np.bool_]) -> CellTable:
        """Of a field as analysed."""
        cells = result.cells
        return CellTable(
            cells.boxes, cells.confidence, cells.kind, cells.masks, result.scores, result.classes, np.asarray(seen)
        )

    def checksum(self, before: int) -> int:
        """CRC-32 over all of it, on from ``before``."""
        parts = [*self._numbers(), np.asarray(self.seen, "u1")]
        if self.masks is not None:
            parts.append(self.masks)
        for part in parts:
            before = zlib.crc32(np.ascontiguousarray(part).tobytes(), before)
        return before

    def _numbers(self) -> list[NDArray[np.int32] | NDArray[np.float32]]:
        whole = [np.asarray(part, "<i4") for part in (self.boxes, self.kind, self.classes)]
        return [*whole, np.asarray(self.confidence, "<f4"), np.asarray(self.scores, "<f4")]

    def insert(self, connection: sqlite3.Connection, field_id: int) -> None:
        """Put the cells into the book, inside a transaction of the caller's.

        Scores that are all 0 and confidences that are no number are NULL. What nearly every field has none of is not bound: Python's
        module takes longer over a None or a ``bytes`` than over all numbers of a row; a ``bytearray`` it takes as it is.
        """
        columns: dict[str, list[Any]] = dict(zip("xywh", self.boxes.T.tolist(), strict=True))
        columns |= {"kind": self.kind.tolist(), "class": self.classes.tolist()}
        columns["confidence"] = [None if c != c else c for c in self.confidence.tolist()]  # noqa: PLR0124 - NaN
        columns["scores"] = self._scores()
        if self.seen.any():
            columns["seen"] = self.seen.astype(int).tolist()
        if self.masks is not None:
            columns["mask"] = self._masks()
        head, marks = f"INSERT INTO cell (field_id, n, {', '.join(columns)}) VALUES ", f"(?, ?{', ?' * len(columns)})"
        rows = zip(repeat(field_id, len(self)), range(len(self)), *columns.values(), strict=True)
        many = head + ", ".join([marks] * _AT_ONCE)
        for _ in range(len(self) // _AT_ONCE):
            connection.execute(many, tuple(chain.from_iterable(islice(rows, _AT_ONCE))))
        connection.executemany(head + marks, rows)

    def _scores(self) -> list[bytearray | None]:
        data = np.ascontiguousarray(self.scores, "<f4")
        step, raw = data.shape[1] * data.itemsize, bytearray(data.tobytes())
        some = np.asarray(data.view("<u4").any(axis=1), np.bool_).tolist()
        return [raw[i * step : (i + 1) * step] if some[i] else None for i in range(len(self))]

    def _masks(self) -> list[bytes | None]:
        if self.masks is None:
            return [None] * len(self)
        two = ((self.masks == 0) | (self.masks == 255)).all(axis=(1, 2)).tolist()
        packed = np.packbits(self.masks.reshape(len(self), -1) > 0, axis=1)
        return [packed[i].tobytes() if two[i] else self.masks[i].tobytes() for i in range(len(self))]

    @staticmethod
    def read(rows: Sequence[sqlite3.Row], classes: int) -> CellTable:
        """Cells from the rows of ``SELECT``; ``classes``: of the model. Raises ValueError where they make no sense."""
        if not rows:
            return CellTable.none(classes)
        x, y, w, h, kind, klass, seen, confidence, scores_, mask = zip(*rows, strict=True)
        blank = bytes(4 * classes)
        try:
            whole = [np.array(column, np.int32) for column in (x, y, w, h, kind, klass)]
            scores = np.frombuffer(b"".join(blank if s is None else s for s in scores_), "<f4").reshape(-1, classes)
        except OverflowError as error:
            raise ValueError("a cell has a number that no cell can have") from error
        if len(scores) != len(rows):
            raise ValueError("a cell has not as many scores as the model has classes")
        return CellTable(
            np.stack(whole[:4], axis=1),
            np.array([np.nan if c is None else c for c in confidence], np.float32),
            whole[4],
            None if mask[0] is None else np.stack([_mask(one) for one in mask]),
            scores.astype(np.float32),
            whole[5],
            np.array(seen, np.bool_),
        )


def _mask(data: bytes | None) -> UInt8Array:
    if data is not None and len(data) == _PACKED:
        return np.unpackbits(np.frombuffer(data, np.uint8)).reshape(_SIDE, _SIDE) * np.uint8(255)
    if data is not None and len(data) == _SIDE * _SIDE:
        return np.frombuffer(data, np.uint8).reshape(_SIDE, _SIDE)
    raise ValueError("a mask has not as many pixels as a mask has")
