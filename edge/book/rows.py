"""One field as rows and back: exact, float32 for float32, so that a replay from the book equals the run it came from.

**What is stored** is the field as the worker analysed it, and beside it what the session decided: why it does not count, which
earlier fields it overlaps, which of its cells those have shown already (``seen``).

**The checksum** is over all of it. SQLite notices broken pages; a bit that flips inside a row, or a row somebody edited, it does not.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.book.cells import CellTable
from edge.book.schema import shown, stored
from edge.events import AnalysedField, FieldEvent, Outcome, Unreadable, source_metadata
from edge.record_json import from_text, to_text
from edge.types import (
    NOT_NEW,
    Appearance,
    Cells,
    FieldIdentity,
    FieldResult,
    FieldTypical,
    Overlap,
    Quality,
    Region,
    Timings,
)

UNREADABLE = "unreadable: "
"""What ``FieldEvent.reject_reason`` begins with where the field could not be read."""

_RESULT = (
    *("height", "width", "placed", "sharpness", "brightness", "over_exposed", "under_exposed", "fill", "incomplete"),
    *("decode_ms", "gate_ms", "find_ms", "crop_ms", "classify_ms", "metadata", "appearance", "rim", "outline"),
    *("signature", "typical_finds", "typical_paper", "typical_cell"),
)
COLUMNS = (
    "number",
    "name",
    "reason",
    "readable",
    "found",
    "classes",
    "kinds",
    "path",
    "size",
    "sha256",
    "overlaps",
    *_RESULT,
)
"""Of a field: what its checksum is of, and what messages of the journal hold of it."""

BLOBS = ("sha256", "outline", "signature", "typical_paper", "typical_cell")
"""Those that hold bytes."""

_PLAIN = tuple(name for name in COLUMNS if name not in BLOBS)
_TEXTS = ("name", "reason", "path")
"""Columns whose text comes from outside."""

SELECT = f"SELECT id, sample_id, run_id, at, seconds, checksum, {', '.join(COLUMNS)} FROM field"


@dataclass(frozen=True, slots=True, eq=False)
class FieldRow:
    """A field as the book holds it.

    Attributes:
        values: by column, as SQLite gives them back.
        cells: its cells.
        seconds: run time of the sample up to it.
    """

    values: Mapping[str, Any]
    cells: CellTable
    seconds: float

    @property
    def checksum(self) -> int:
        """Of everything but ``seconds`` and when and in which run it was counted."""
        blobs = [self.values[name] for name in BLOBS]
        told = [*(self.values[name] for name in _PLAIN), *(None if blob is None else len(blob) for blob in blobs)]
        before = zlib.crc32(repr(told).encode("utf-8", "surrogatepass"))
        return self.cells.checksum(zlib.crc32(b"".join(blob for blob in blobs if blob is not None), before))

    @property
    def counted(self) -> int:
        """The same of what was counted alone: without the names of the file, why it could not be read, and how long it took."""
        return self._without(("name", "path", *([] if self.values["readable"] else ["reason"]))).checksum

    @property
    def analysed(self) -> int:
        """The same of what the worker found alone: without what the session decided of it either."""
        return self._without(("name", "path", "reason", "placed", "overlaps"), seen=False).checksum

    def _without(self, names: Sequence[str], *, seen: bool = True) -> FieldRow:
        left_out = {*names, *(f"{stage}_ms" for stage in Timings._fields)}
        values = {name: None if name in left_out else value for name, value in self.values.items()}
        cells = self.cells if seen else replace(self.cells, seen=np.zeros(len(self.cells), np.bool_))
        return FieldRow(values, cells, 0.0)

    @property
    def texts(self) -> dict[str, bytes]:
        """The columns whose text comes from outside, as they are bound."""
        return {name: stored(self.values[name]) for name in _TEXTS if self.values[name] is not None}


def row_of(event: FieldEvent) -> FieldRow:
    """A field's row; its cells are those of ``event.analysed``, with what ``event.result`` set aside marked as seen."""
    values: dict[str, Any] = dict.fromkeys(COLUMNS)
    identity = event.identity
    values |= {"number": event.index, "name": event.name, "reason": event.reject_reason, "readable": 0}
    values |= {"found": 0, "classes": 0}
    if identity is not None:
        values |= {"path": identity.path, "size": identity.size, "sha256": bytes.fromhex(identity.sha256)}
    if event.overlaps:
        values["overlaps"] = json.dumps([(o.field, o.cells, *o.shift) for o in event.overlaps])
    analysed, decided = event.analysed, event.result
    if decided is None:
        return FieldRow(_as_read(values), CellTable.none(0), event.seconds)
    if analysed is None:
        raise ValueError(f"field {event.index} comes without what the worker made of it")
    seen = decided.cells.kind != analysed.cells.kind
    values |= {"readable": 1, "found": len(analysed.cells), "classes": int(analysed.scores.shape[1])}
    values |= {"placed": int(NOT_NEW in decided.cells.kinds)}
    values |= {"kinds": json.dumps(analysed.cells.kinds)} | _measured(analysed)
    return FieldRow(_as_read(values), CellTable.of(analysed, seen), event.seconds)


def insert(connection: sqlite3.Connection, row: FieldRow, sample: int, run: int, at: str) -> int:
    """Put a field with its cells into a sample, inside a transaction of the caller's; returns its id.

    Args:
        connection: to the book.
        row: the field.
        sample: the sample's id.
        run: id of the run that counted it.
        at: when, UTC, for people.
    """
    told = {name: value for name, value in row.values.items() if value is not None} | row.texts
    told |= {name: bytearray(told[name]) for name in BLOBS if name in told}  # which is bound quicker than bytes
    told |= {"sample_id": sample, "run_id": run, "at": at, "seconds": row.seconds, "checksum": row.checksum}
    marks = ("CAST(? AS TEXT)" if name in _TEXTS else "?" for name in told)
    new = f"INSERT INTO field ({', '.join(told)}) VALUES ({', '.join(marks)})"
    field = connection.execute(new, tuple(told.values())).lastrowid or 0
    row.cells.insert(connection, field)
    return field


def decide_again(connection: sqlite3.Connection, field: int, row: FieldRow) -> None:
    """Change what was decided of a field that is in the book, inside a transaction of the caller's."""
    change = "UPDATE field SET reason = CAST(? AS TEXT), placed = ?, overlaps = ?, checksum = ? WHERE id = ?"
    decided = (row.texts.get("reason"), row.values["placed"], row.values["overlaps"], row.checksum)
    connection.execute(change, (*decided, field))
    seen = ((int(one), field, n) for n, one in enumerate(row.cells.seen.tolist()))
    connection.executemany("UPDATE cell SET seen = ? WHERE field_id = ? AND n = ?", seen)


def _as_read(values: dict[str, Any]) -> dict[str, Any]:
    """What SQLite gives back: it has no NaN, only NULL; names as they come back."""
    texts = {name: shown(stored(values[name])) for name in _TEXTS if values[name] is not None}
    return {k: None if isinstance(v, float) and isnan(v) else v for k, v in values.items()} | texts


def _measured(result: FieldResult) -> dict[str, Any]:
    quality, region, typical, look = result.quality, result.region, result.typical, result.appearance
    told = source_metadata(result)
    values: dict[str, Any] = {
        "height": int(result.shape[0]),
        "width": int(result.shape[1]),
        "sharpness": float(quality.sharpness),
        "brightness": float(quality.brightness),
        "over_exposed": float(quality.over),
        "under_exposed": float(quality.under),
        "fill": float(quality.fill),
        "incomplete": int(quality.incomplete),
        "signature": quality.signature,
        "metadata": to_text(told) if told else None,
        **{f"{stage}_ms": float(ms) for stage, ms in result.ms._asdict().items()},
    }
    if region is not None:
        values |= {"rim": float(region.rim), "outline": np.asarray(region.outline, "<f4").tobytes()}
    if look is not None:
        plain = (look.cells, look.paper, look.density, look.size, look.colour, look.confidence.tolist())
        values["appearance"] = to_text(plain)
    if typical is not None:
        pixels = np.ascontiguousarray(typical.cell).tobytes()  # to pack them would take longer than all cells do
        paper = np.ascontiguousarray(typical.paper).tobytes()
        values |= {"typical_finds": int(typical.finds), "typical_paper": paper, "typical_cell": pixels}
    return values


def read_row(row: sqlite3.Row, cells: Sequence[sqlite3.Row]) -> FieldRow:
    """The row of a field from what ``SELECT`` and ``edge.book.cells.SELECT`` gave; raises ValueError where it was changed."""
    values = {name: row[name] for name in COLUMNS}
    made = FieldRow(values, CellTable.read(cells, values["classes"]), row["seconds"])
    if len(made.cells) != values["found"] or made.checksum != row["checksum"]:
        raise ValueError(f"field {values['number']} is not as it was written: damaged, or changed by hand")
    return made


def outcome_of(row: FieldRow, sample: str) -> Outcome:
    """The field as the worker gave it; raises ValueError where the row makes no sense."""
    values = row.values
    if not values["readable"]:
        reason = str(values["reason"]).removeprefix(UNREADABLE)
        return Unreadable(values["number"], sample, values["name"], reason, None, _identity(values), row.seconds)
    return AnalysedField(_analysed(row, sample), None, None, row.seconds)


def _analysed(row: FieldRow, sample: str) -> FieldResult:
    values = row.values
    table = row.cells
    kinds = from_text(tuple[str, ...], values["kinds"] or "", "the kinds")
    measures = (_float(values[n]) for n in ("sharpness", "brightness", "over_exposed", "under_exposed", "fill"))
    sharpness, brightness, over, under, fill = measures
    return FieldResult(
        values["number"],
        sample,
        values["name"],
        (values["height"], values["width"]),
        Cells(table.boxes, table.confidence, table.kind, kinds, table.masks),
        table.scores,
        table.classes,
        Quality(sharpness, brightness, over, under, fill, values["signature"], bool(values["incomplete"])),
        Timings(*(_float(values[f"{stage}_ms"]) for stage in Timings._fields)),
        metadata_of(values["metadata"]),
        _region(values),
        _appearance(values["appearance"]),
        _typical(values),
        _identity(values),
    )


def decided_of(row: FieldRow, analysed: FieldResult) -> tuple[FieldResult, tuple[Overlap, ...]]:
    """The field with what earlier ones showed set aside, as it was counted, and the fields it overlaps."""
    overlaps = json.loads(row.values["overlaps"] or "[]")
    told = tuple(Overlap(field, cells, (x, y)) for field, cells, x, y in overlaps)
    if not row.values["placed"]:
        return analysed, told
    kinds = analysed.cells.kinds
    kinds = kinds if NOT_NEW in kinds else (*kinds, NOT_NEW)
    kind, classes, scores = analysed.cells.kind.copy(), analysed.classes.copy(), analysed.scores.copy()
    kind[row.cells.seen], classes[row.cells.seen], scores[row.cells.seen] = kinds.index(NOT_NEW), -1, 0
    return replace(
        analysed, cells=replace(analysed.cells, kind=kind, kinds=kinds), classes=classes, scores=scores
    ), told


def _float(value: float | None) -> float:
    return nan if value is None else value


def _identity(values: Mapping[str, Any]) -> FieldIdentity | None:
    if values["sha256"] is None:
        return None
    return FieldIdentity(values["path"], values["size"], values["sha256"].hex())


def metadata_of(text: str | None) -> dict[str, object]:
    """A field's metadata from its text in the book."""
    return {} if text is None else {name: _tuples(value) for name, value in json.loads(text).items()}


def _tuples(value: object) -> object:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _region(values: Mapping[str, Any]) -> Region | None:
    if values["outline"] is None:
        return None
    return Region(_array(values["outline"], "<f4").astype(np.float32).reshape(-1, 2), _float(values["rim"]))


def _appearance(text: str | None) -> Appearance | None:
    if text is None:
        return None
    cells, paper, density, size, colour, confidence = json.loads(text)
    return Appearance(cells, tuple(paper), tuple(density), size, colour, np.array(confidence, np.int32))


def _typical(values: Mapping[str, Any]) -> FieldTypical | None:
    if values["typical_cell"] is None:
        return None
    cell = _array(values["typical_cell"], "u1")
    side = round((len(cell) / 3) ** 0.5)
    return FieldTypical(values["typical_finds"], _array(values["typical_paper"], "u1"), cell.reshape(side, side, 3))


def _array(data: bytes, dtype: str) -> NDArray[Any]:
    return np.frombuffer(data, dtype).copy()
