"""What a message of the journal holds: a sample and a field of this book as plain values, and back as rows of another book.

Values are text, numbers, None and ``bytes``. A field is sent as the worker analysed it with what the session decided, its checksum
beside it: what arrives is what was stored, bit for bit, or it is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.book.cells import CellTable
from edge.book.rows import COLUMNS, FieldRow, decided_of, outcome_of
from edge.book.schema import shown, stored
from edge.description import RunDescription
from edge.events import AnalysedField, SampleEvent
from edge.record_json import from_text
from edge.types import FloatArray, Int32Array

RUN = ("uuid", "began", "about", "binding")
"""Of a run in a message; ``about`` is a ``RunDescription`` as JSON."""

SAMPLE = ("uuid", "name", "state", "began", "touched", "seconds", "flag", "event", "lost")
"""Of a sample in a message; ``event`` is the ``SampleEvent`` of its end as JSON, or None."""

CELLS = ("boxes", "kind", "classes", "seen", "confidence", "scores", "masks")
"""Arrays of a field's cells as bytes, little-endian: int32 [n, 4], int32 [n], int32 [n], uint8 [n], float32 [n], float32 [n, k], and
uint8 [n, 32, 32] or None."""

_SIDE = 32  # pixels of a mask
_NO_SENSE = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)
_TOGETHER = (
    ("path", "size", "sha256"),
    ("height", "width"),
    ("outline", "rim"),
    ("typical_finds", "typical_paper", "typical_cell"),
)
"""Columns that are all there or none of them."""

_SIZES = {"sha256": 32, "signature": 768, "typical_paper": 3}
"""Bytes of columns that are always as long."""


def run_part(row: sqlite3.Row) -> dict[str, object]:
    """A run as messages hold it."""
    return {name: row[name] for name in RUN}


def sample_part(row: sqlite3.Row, run: str, runs: list[dict[str, object]], *, newest: bool) -> dict[str, object]:
    """A sample as messages hold it.

    Args:
        row: of the table.
        run: uuid of the run that began it.
        runs: those that counted it, where the entry is about the sample alone; else none.
        newest: no later entry is about this sample. Else its state and end are those entries' matter: it counts on as far as
            whoever reads this entry can know.
    """
    values = {name: row[name] for name in SAMPLE}
    if not newest:
        values |= {"state": "counting", "flag": None, "event": None}
    return {**values, "newest": newest, "run": run, "runs": runs}


def field_part(row: sqlite3.Row, made: FieldRow, run: str) -> dict[str, object]:
    """A field as messages hold it; ``run``: uuid of the run that counted it."""
    table = made.cells
    arrays: dict[str, object] = {
        "boxes": _bytes(table.boxes, "<i4"),
        "kind": _bytes(table.kind, "<i4"),
        "classes": _bytes(table.classes, "<i4"),
        "seen": _bytes(table.seen, "u1"),
        "confidence": _bytes(table.confidence, "<f4"),
        "scores": _bytes(table.scores, "<f4"),
        "masks": None if table.masks is None else _bytes(table.masks, "u1"),
    }
    told = {"run": run, "at": row["at"], "seconds": made.seconds, "checksum": made.checksum}
    return {**made.values, **told, "cells": arrays}


def row_of_part(part: Mapping[str, Any]) -> FieldRow:
    """The row of a field from a message; raises ValueError where it makes no sense, or is not as it was sent."""
    values = {name: part[name] for name in COLUMNS}
    for name in ("name", "reason", "path"):
        if values[name] is not None:
            values[name] = shown(stored(values[name]))
    _check_columns(values)
    row = FieldRow(values, _cells(part["cells"], values["found"], values["classes"]), part["seconds"])
    if row.checksum != part["checksum"]:
        raise ValueError(f"field {values['number']} is not as it was sent")
    try:
        outcome = outcome_of(row, "")
        if isinstance(outcome, AnalysedField):
            decided_of(row, outcome.result)
            _check_places(outcome, values["classes"])
    except _NO_SENSE as error:
        raise ValueError(f"field {values['number']} makes no sense: {error}") from error
    return row


def check_sample(part: Mapping[str, Any]) -> None:
    """Look at the records within a sample's part; raises ValueError where one makes no sense."""
    if part["event"] is not None:
        from_text(SampleEvent, part["event"], "the sample's end")
    for run in part["runs"]:
        from_text(RunDescription, run["about"], "the run")
        from_text(dict[str, str], run["binding"], "what the run is bound to")


def _cells(part: Mapping[str, Any], found: int, classes: int) -> CellTable:
    masks: NDArray[np.uint8] | None = None
    if part["masks"] is not None:
        masks = _array(part, "masks", "u1", found * _SIDE * _SIDE).reshape(found, _SIDE, _SIDE)
    confidence: FloatArray = _array(part, "confidence", "<f4", found)
    confidence[np.isnan(confidence)] = np.nan  # the book knows one NaN
    boxes: Int32Array = _array(part, "boxes", "<i4", 4 * found).reshape(found, 4)
    return CellTable(
        boxes,
        confidence,
        _array(part, "kind", "<i4", found),
        masks if found else None,
        _array(part, "scores", "<f4", found * classes).reshape(found, classes),
        _array(part, "classes", "<i4", found),
        _array(part, "seen", "u1", found).astype(np.bool_),
    )


def _check_columns(values: Mapping[str, Any]) -> None:
    """Raise ValueError where columns do not go together as ``edge.book.rows.row_of`` writes them."""
    wanted = ("height", "width", "kinds", "signature", "placed") if values["readable"] else ("reason",)
    if missing := [name for name in wanted if values[name] is None]:
        raise ValueError(f"field {values['number']} comes without its {missing[0]}")
    for names in _TOGETHER:
        if len({values[name] is None for name in names}) > 1:
            raise ValueError(f"field {values['number']} holds one of {', '.join(names)} without the others")
    if any(values[name] is not None and len(values[name]) != size for name, size in _SIZES.items()):
        raise ValueError(f"field {values['number']} holds bytes of another length than they have")
    if not values["readable"] and (values["found"] or values["classes"]):
        raise ValueError(f"field {values['number']} could not be read, and holds cells")


def _check_places(outcome: AnalysedField, classes: int) -> None:
    cells = outcome.result.cells
    kinds, given = cells.kind, outcome.result.classes
    if ((kinds < 0) | (kinds >= len(cells.kinds))).any() or ((given < -1) | (given >= classes)).any():
        raise ValueError("a cell is of a class or a kind that there is none of")


def _bytes(array: NDArray[Any], dtype: str) -> bytes:
    return np.ascontiguousarray(array, dtype).tobytes()


def _array(part: Mapping[str, Any], name: str, dtype: str, items: int) -> NDArray[Any]:
    got = np.frombuffer(part[name], dtype)
    if len(got) != items:
        raise ValueError(f"{name} of the cells holds {len(got):,} numbers, not {items:,}")
    return got.astype(np.dtype(dtype).newbyteorder("="), copy=True)
