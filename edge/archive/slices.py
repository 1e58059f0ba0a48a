"""Analysed slices of a large sample, in files, until the whole sample can be decided: exact, float32 for float32.

A slice is a Parquet file with a row per field. Nothing in it is run when it is read (no pickle): a results folder may be anybody's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.archive.packages import package
from edge.events import AnalysedField, Outcome, Unreadable, source_metadata
from edge.types import (
    Appearance,
    Cells,
    FieldIdentity,
    FieldResult,
    FieldTypical,
    Quality,
    Region,
    Timings,
)

_COLUMNS = ("facts", "cells", "signature", "outline", "paper", "typical")
_FIELDS_READ = 16  # rows in memory at a time
_NO_TIME = Timings(0.0, 0.0, 0.0, 0.0, 0.0)
"""How long it took is not kept: the same slice gives the same file."""


class SliceError(ValueError):
    """A file of a slice is damaged, or not one of ours: remove it, and the slice is analysed again."""


def write_outcomes(path: Path, outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """Write the outcomes of a slice, in order; returns how many, and how many of them are unreadable fields.

    Args:
        path: of the file.
        outcomes: indices count from 0 within the slice.
    """
    arrow, parquet = package("pyarrow"), package("pyarrow.parquet")
    schema = arrow.schema([("facts", arrow.string()), *((name, arrow.binary()) for name in _COLUMNS[1:])])
    number = unreadable = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        rows: list[dict[str, object]] = []
        for outcome in outcomes:
            rows.append(_row(outcome))
            number += 1
            unreadable += isinstance(outcome, Unreadable)
            if len(rows) == _FIELDS_READ:
                writer.write_table(arrow.Table.from_pylist(rows, schema))
                rows.clear()
        if rows:
            writer.write_table(arrow.Table.from_pylist(rows, schema))
    return number, unreadable


def read_outcomes(file: Any, sample: str) -> Iterator[Outcome]:
    """The outcomes of a slice, a few in memory at a time.

    Args:
        file: path or open file.
        sample: that they belong to.

    Raises:
        SliceError: it is damaged, or no such file.
        OSError: it cannot be read.
    """
    arrow, parquet = package("pyarrow"), package("pyarrow.parquet")
    try:
        with parquet.ParquetFile(file) as table:
            if tuple(table.schema_arrow.names) != _COLUMNS:
                raise SliceError("no slice of fields")
            for batch in table.iter_batches(_FIELDS_READ):
                for row in batch.to_pylist():
                    yield _outcome(row, sample)
    except (
        arrow.ArrowException,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        raise SliceError(f"{type(error).__name__}: {error}") from error
    except ValueError as error:
        raise SliceError(str(error)) from error


def _row(outcome: Outcome) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(_COLUMNS)
    if isinstance(outcome, Unreadable):
        facts = {"index": outcome.index, "name": outcome.name, "reason": outcome.reason}
        return row | {"facts": json.dumps(facts | _identity_facts(outcome.identity))}
    result = outcome.result
    cells, look, typical = result.cells, result.appearance, result.typical
    facts = {
        "index": result.index,
        "name": result.name,
        "shape": [int(side) for side in result.shape],
        "cells": len(cells),
        "classes": int(result.scores.shape[1]),
        "kinds": list(cells.kinds),
        "quality": [float(value) for value in result.quality[:5]],
        "incomplete": bool(result.quality.incomplete),
        "metadata": source_metadata(result),
    }
    row["signature"] = result.quality.signature
    row["cells"] = b"".join(
        np.ascontiguousarray(part, kind).tobytes()
        for part, kind in (
            (cells.boxes, "<i4"),
            (cells.kind, "<i4"),
            (result.classes, "<i4"),
            (cells.confidence, "<f4"),
            (result.scores, "<f4"),
        )
    )
    if result.region is not None:
        facts["rim"] = float(result.region.rim)
        row["outline"] = np.ascontiguousarray(result.region.outline, "<f4").tobytes()
    if look is not None:
        paper, density = [float(v) for v in look.paper], [float(v) for v in look.density]
        facts["appearance"] = [
            look.cells,
            paper,
            density,
            float(look.size),
            float(look.colour),
            look.confidence.tolist(),
        ]
    if typical is not None:
        facts["finds"] = int(typical.finds)
        facts["side"] = int(typical.cell.shape[0])
        row |= {"paper": np.asarray(typical.paper, np.uint8).tobytes(), "typical": typical.cell.tobytes()}
    return row | {"facts": json.dumps(facts | _identity_facts(result.identity))}


def _identity_facts(identity: FieldIdentity | None) -> dict[str, object]:
    return {} if identity is None else {"identity": [identity.path, identity.size, identity.sha256]}


def _outcome(row: Mapping[str, Any], sample: str) -> Outcome:
    facts = json.loads(row["facts"])
    index, name = int(facts["index"]), str(facts["name"])
    identity = None
    if "identity" in facts:
        path, size, sha256 = facts["identity"]
        identity = FieldIdentity(str(path), int(size), str(sha256))
    if "reason" in facts:
        return Unreadable(index, sample, name, str(facts["reason"]), None, identity)
    number, classes = int(facts["cells"]), int(facts["classes"])
    boxes, kind, of_class, confidence, scores = _parts(row["cells"], number, classes)
    height, width = facts["shape"]
    sharpness, brightness, over, under, fill = map(float, facts["quality"])
    return AnalysedField(
        FieldResult(
            index,
            sample,
            name,
            (int(height), int(width)),
            Cells(boxes.reshape(-1, 4), confidence, kind, tuple(map(str, facts["kinds"]))),
            scores.reshape(number, classes),
            of_class,
            Quality(sharpness, brightness, over, under, fill, row["signature"], bool(facts["incomplete"])),
            _NO_TIME,
            {str(key): _tuples(value) for key, value in facts["metadata"].items()},
            _region(row, facts),
            _appearance(facts),
            _typical(row, facts),
            identity,
        )
    )


def _parts(data: bytes, number: int, classes: int) -> Iterator[NDArray[Any]]:
    """Boxes, kinds, classes, confidences and scores; raises ValueError where the bytes are not as many."""
    sizes = (("<i4", 4), ("<i4", 1), ("<i4", 1), ("<f4", 1), ("<f4", classes))
    if number < 0 or classes < 0 or len(data) != number * 4 * sum(each for _, each in sizes):
        raise SliceError("its cells are not as many as it says")
    start = 0
    for dtype, each in sizes:
        end = start + number * each * 4
        kind = np.int32 if dtype == "<i4" else np.float32
        yield np.frombuffer(data[start:end], dtype).astype(kind)
        start = end


def _region(row: Mapping[str, Any], facts: Mapping[str, Any]) -> Region | None:
    if row["outline"] is None:
        return None
    return Region(np.frombuffer(row["outline"], "<f4").astype(np.float32).reshape(-1, 2), float(facts["rim"]))


def _appearance(facts: Mapping[str, Any]) -> Appearance | None:
    if "appearance" not in facts:
        return None
    cells, paper, density, size, colour, confidence = facts["appearance"]
    red, green, blue = map(float, paper)
    of_red, of_green, of_blue = map(float, density)
    bins = np.array(confidence, np.int32)
    return Appearance(int(cells), (red, green, blue), (of_red, of_green, of_blue), float(size), float(colour), bins)


def _typical(row: Mapping[str, Any], facts: Mapping[str, Any]) -> FieldTypical | None:
    if row["typical"] is None:
        return None
    side = int(facts["side"])
    cell = np.frombuffer(row["typical"], np.uint8).copy().reshape(side, side, 3)
    return FieldTypical(int(facts["finds"]), np.frombuffer(row["paper"], np.uint8).copy(), cell)


def _tuples(value: object) -> object:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
