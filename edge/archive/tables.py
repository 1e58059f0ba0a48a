"""The tables of a recount: samples, fields and cells as Parquet. Columns: docs/recount.md.

Each table is a folder of part files; a part holds whole samples, and has the same name in all three.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from edge.archive.packages import package
from edge.archive.records import DecidedField, DecidedSample
from edge.sample import class_counts, set_aside_counts
from edge.types import FieldResult, Verdict

TABLES = ("cells", "fields", "samples")
"""In the order in which parts are published: a part is there when its samples are."""

COUNTED, REJECTED, UNREADABLE = "counted", "rejected", "unreadable"
"""States of a field."""

_CELLS_HELD = 50_000  # rows of the cells that wait for a row group: some megabytes
_FIELDS_HELD = 1_000  # the same of fields


def schemas(labels: Iterable[str]) -> Mapping[str, Any]:
    """The Arrow schema of each table.

    Args:
        labels: classes in the model's order: each has a column ``count_...`` and, of samples, its share with an interval.
    """
    arrow = package("pyarrow")
    text, whole, number, yes = arrow.string(), arrow.int32(), arrow.float64(), arrow.bool_()
    counts = [(f"count_{label}", arrow.int64()) for label in labels]
    shares = [(f"{what}_{label}", number) for label in labels for what in ("share", "low", "high")]
    pairs = arrow.list_(arrow.struct([("name", text), ("number", arrow.int64())]))
    overlap = arrow.struct([("field", whole), ("cells", whole), ("shift_x", whole), ("shift_y", whole)])
    measures = [(name, number) for name in ("sharpness", "brightness", "over", "under", "fill")]
    return {
        "samples": arrow.schema(
            [
                ("sample", text),
                ("digest", text),
                ("fields", whole),
                ("kept", whole),
                ("rejected", whole),
                ("unreadable", whole),
                ("cells", arrow.int64()),
                ("positive", arrow.int64()),
                *counts,
                *shares,
                ("flag", text),
                ("reasons", arrow.list_(text)),
                ("notes", arrow.list_(text)),
                ("set_aside", pairs),
                ("rejected_for", pairs),
                ("findings", text),
            ]
        ),
        "fields": arrow.schema(
            [
                ("sample", text),
                ("field", whole),
                ("name", text),
                ("state", text),
                ("reason", text),
                ("failed", text),
                ("cells", whole),
                ("positive", whole),
                *counts,
                ("set_aside", whole),
                ("width", whole),
                ("height", whole),
                *measures,
                ("incomplete", yes),
                ("overlaps", arrow.list_(overlap)),
                ("bytes", arrow.int64()),
                ("sha256", text),
            ]
        ),
        "cells": arrow.schema(
            [
                ("sample", text),
                ("field", whole),
                ("cell", whole),
                ("counted", yes),
                ("kind", text),
                ("class", text),
                ("positive", yes),
                ("score", arrow.float32()),
                ("confidence", arrow.float32()),
                *((side, whole) for side in ("x", "y", "w", "h")),
                ("scores", arrow.list_(arrow.float32())),
            ]
        ),
    }


class PartWriter:
    """Writes one part of the three tables; memory does not grow with the number of fields.

    Args:
        folder: of this machine, which gets ``cells.parquet``, ``fields.parquet`` and ``samples.parquet``.
        labels: classes in the model's order; ``positive``: some of them.
    """

    def __init__(self, folder: Path, labels: tuple[str, ...], positive: tuple[str, ...]) -> None:
        self._arrow = package("pyarrow")
        self._labels = labels
        self._positive = np.array([label in positive for label in labels], bool)
        self._schemas = schemas(labels)
        self._open = ExitStack()
        writer = package("pyarrow.parquet").ParquetWriter
        self._writers = {
            name: self._open.enter_context(writer(folder / f"{name}.parquet", schema, compression="zstd"))
            for name, schema in self._schemas.items()
        }
        self._rows: dict[str, list[dict[str, object]]] = {"fields": [], "samples": []}
        self._cells: list[tuple[str, DecidedField, FieldResult]] = []
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._flush()
        finally:
            self._open.close()

    def field(self, sample: str, field: DecidedField) -> None:
        """Add a field and its cells."""
        self._rows["fields"].append(self._field_row(sample, field))
        if field.result is not None and len(field.result.cells):
            self._cells.append((sample, field, field.result))
            self._held += len(field.result.cells)
        if self._held > _CELLS_HELD or len(self._rows["fields"]) > _FIELDS_HELD:
            self._flush()

    def sample(self, decided: DecidedSample, digest: str, fields: int) -> None:
        """Add a sample whose fields have been added.

        Args:
            decided: what is said of it.
            digest: of its listing.
            fields: how many it has, unreadable ones included.
        """
        tally, verdict = decided.tally, decided.verdict
        row: dict[str, object] = {
            "sample": decided.name,
            "digest": digest,
            "fields": fields,
            "kept": tally.kept,
            "rejected": sum(tally.rejected.values()),
            "unreadable": len(tally.unreadable),
            "cells": tally.cells,
            "positive": sum(
                tally.counts[label] for label, is_one in zip(self._labels, self._positive, strict=True) if is_one
            ),
            "flag": verdict.flag,
            "reasons": list(verdict.reasons),
            "notes": list(decided.notes),
            "set_aside": _pairs(tally.set_aside),
            "rejected_for": _pairs(tally.rejected),
            "findings": _findings(verdict),
        }
        for label in self._labels:
            share = verdict.share.get(label)
            row[f"count_{label}"] = tally.counts[label]
            row[f"share_{label}"] = None if share is None else share.value
            row[f"low_{label}"] = None if share is None else share.low
            row[f"high_{label}"] = None if share is None else share.high
        self._rows["samples"].append(row)

    def _field_row(self, sample: str, field: DecidedField) -> dict[str, object]:
        result, identity = field.result, field.identity
        row: dict[str, object] = {"sample": sample, "field": field.index, "name": field.name, "reason": field.reason}
        row["failed"] = None if field.failed is None else str(field.failed)
        if identity is not None:
            row |= {"bytes": identity.size, "sha256": identity.sha256}
        if result is None:
            nothing = dict.fromkeys((f"count_{label}" for label in self._labels), 0)
            return row | {"state": UNREADABLE, "cells": 0, "positive": 0, "set_aside": 0} | nothing
        counts = class_counts(result, len(self._labels))
        measures = result.quality
        return row | {
            "state": COUNTED if field.reason is None else REJECTED,
            "cells": int(counts.sum()),
            "positive": int(counts[self._positive].sum()),
            **{f"count_{label}": int(n) for label, n in zip(self._labels, counts, strict=True)},
            "set_aside": sum(set_aside_counts(result).values()),
            "height": result.shape[0],
            "width": result.shape[1],
            **{name: getattr(measures, name) for name in ("sharpness", "brightness", "over", "under", "fill")},
            "incomplete": measures.incomplete,
            "overlaps": [
                {"field": o.field, "cells": o.cells, "shift_x": o.shift[0], "shift_y": o.shift[1]}
                for o in field.overlaps
            ],
        }

    def _flush(self) -> None:
        if self._cells:
            self._writers["cells"].write_table(self._cell_table())
            self._cells.clear()
            self._held = 0
        for name, rows in self._rows.items():
            if rows:
                self._writers[name].write_table(self._arrow.Table.from_pylist(rows, self._schemas[name]))
                rows.clear()

    def _cell_table(self) -> Any:
        """The cells that wait, as an Arrow table made from whole columns."""
        arrow = self._arrow
        lengths = [len(result.cells) for _, _, result in self._cells]
        classes = np.concatenate([result.classes for _, _, result in self._cells])
        scores = np.concatenate([result.scores for _, _, result in self._cells]).astype(np.float32)
        boxes = np.concatenate([result.cells.boxes for _, _, result in self._cells])
        known = classes >= 0
        counts = np.repeat([field.reason is None for _, field, _ in self._cells], lengths)
        own = np.take_along_axis(scores, np.maximum(classes, 0)[:, None], axis=1)[:, 0]
        offsets = np.arange(len(classes) + 1, dtype=np.int32) * len(self._labels)
        columns = {
            "sample": _repeated(arrow, [sample for sample, _, _ in self._cells], lengths),
            "field": np.repeat(np.array([field.index for _, field, _ in self._cells], np.int32), lengths),
            "cell": np.concatenate([np.arange(length, dtype=np.int32) for length in lengths]),
            "counted": known & counts,
            "kind": arrow.array([r.cells.kinds[kind] for _, _, r in self._cells for kind in r.cells.kind.tolist()]),
            "class": _named(arrow, self._labels, classes),
            "positive": known & self._positive[np.maximum(classes, 0)],
            "score": arrow.array(own, mask=~known),
            "confidence": np.concatenate([result.cells.confidence for _, _, result in self._cells]),
            **{side: np.ascontiguousarray(boxes[:, i]) for i, side in enumerate("xywh")},
            "scores": arrow.ListArray.from_arrays(arrow.array(offsets), arrow.array(scores.ravel())),
        }
        return arrow.Table.from_pydict(columns, schema=self._schemas["cells"])


def _repeated(arrow: Any, texts: list[str], lengths: list[int]) -> Any:
    return arrow.array(texts, arrow.string()).take(arrow.array(np.repeat(np.arange(len(texts)), lengths)))


def _named(arrow: Any, labels: tuple[str, ...], classes: np.ndarray) -> Any:
    return arrow.array(labels, arrow.string()).take(arrow.array(classes, mask=classes < 0))


def _pairs(numbers: Mapping[str, int]) -> list[dict[str, object]]:
    return [{"name": name, "number": number} for name, number in numbers.items()]


def _findings(verdict: Verdict) -> str | None:
    """What a calibration makes of each positive class, as JSON; None: there is none."""
    if not verdict.findings:
        return None
    told = [
        {
            "class": found.label,
            "flag": found.flag,
            "count": found.count,
            "limit_of_blank": found.limit_of_blank,
            "infected": found.infected.value,
            "low": found.infected.low,
            "high": found.infected.high,
            "at_most": found.most,
            "cells_short": found.cells_short,
        }
        for found in verdict.findings
    ]
    return json.dumps(told)
