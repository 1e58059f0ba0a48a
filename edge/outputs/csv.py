"""CSV: one row per field, also of rejected and unreadable ones. Columns: docs/outputs.md.

The file appears under its name only when it is complete: what a power cut leaves must not look whole. Until then the rows are in
the book.
"""

from __future__ import annotations

import csv
from pathlib import Path

from edge.events import FieldEvent, SampleEvent, overlap_words
from edge.outputs.jsonl import field_counts, field_ms
from edge.safe_file import ReplacedFile, plain_errors
from edge.sample import set_aside_counts


class FieldTable:
    """Writes ``path``."""

    def __init__(self, path: Path, labels: tuple[str, ...]) -> None:
        self._labels = labels
        # surrogateescape: file names that are not Unicode come out as the bytes they are
        self._file = ReplacedFile(path, errors="surrogateescape", tidy=True)
        self._rows = csv.writer(self._file.stream, lineterminator="\n")
        counts = (f"count_{label}" for label in labels)
        stages = (f"{stage}_ms" for stage in field_ms(None))
        self._write(
            "sample",
            "field",
            "name",
            "kept",
            "reject_reason",
            "cells",
            *counts,
            "set_aside",
            "sharpness",
            "brightness",
            "over",
            "under",
            "fill",
            *stages,
            "overlaps",
        )

    def field(self, event: FieldEvent) -> None:
        """One row."""
        result = event.result
        counts = field_counts(result, self._labels).values()
        sample, name, reason = map(_as_text, (event.sample, event.name, event.reject_reason or ""))
        head = (sample, event.index, name, int(event.kept), reason, sum(counts))
        if result is None:
            self._write(*head, *counts, 0, *[""] * (6 + len(field_ms(None))))
            return
        q = result.quality
        measures = (f"{value:.4g}" for value in (q.sharpness, q.brightness, q.over, q.under, q.fill))
        set_aside = sum(set_aside_counts(result).values())
        overlaps = "; ".join(map(overlap_words, event.overlaps))
        self._write(*head, *counts, set_aside, *measures, *field_ms(result).values(), overlaps)

    def sample(self, event: SampleEvent) -> None:
        """A sample has no row: add its fields up."""

    def close(self) -> None:
        """Give the file its name."""
        self._file.close()

    def discard(self) -> None:
        """Remove what was written; a file of an earlier run is kept."""
        self._file.discard()

    def _write(self, *row: object) -> None:
        with plain_errors(self._file.path):
            self._rows.writerow(row)
            self._file.stream.flush()


def _as_text(cell: str) -> str:
    """A cell that spreadsheets do not run: a name that begins like a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
