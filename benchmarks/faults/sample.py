"""All that is left of a sample when it has been counted, in plain values, so that two counts can be compared part by part."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.book.opening import open_book
from edge.book.records import COMPLETE

NAME = "S-0042"
"""Of the sample."""

_QUERIES = {
    "book: fields": (
        "SELECT number, name, reason, readable, found, classes, path, size, sha256, overlaps, sharpness, brightness, signature "
        "FROM field WHERE sample_id = ? ORDER BY number"
    ),
    "book: cells": (
        "SELECT number, n, x, y, w, h, cell.kind, class, seen, confidence, scores, mask "
        "FROM cell JOIN field ON field.id = field_id WHERE sample_id = ? ORDER BY number, n"
    ),
    "book: crops": (
        "SELECT number, n, jpeg FROM crop JOIN field ON field.id = field_id WHERE sample_id = ? ORDER BY number, n"
    ),
    "book: sums": (
        "SELECT fields, kept, rejected, unreadable, cells, counts, set_aside, flag, state FROM sample WHERE id = ?"
    ),
}
"""What of a sample in the book is compared, by the part's name."""

_TIMES = re.compile(r"_ms$|^ms$|^seconds$|^made$|^rate$|per_second$")
"""Names of values that are of this machine at that moment and no part of a count."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run works.

    Attributes:
        folder: holds the book and, in ``out``, every output.
        fields: the pictures.
    """

    folder: Path
    fields: Path

    @property
    def book(self) -> Path:
        """The book's file."""
        return self.folder / "book.sqlite"

    @property
    def out(self) -> Path:
        """The folder of outputs."""
        return self.folder / "out"

    def arguments(self, *more: str) -> tuple[str, ...]:
        """The command line of a run with all outputs."""
        return (
            *(str(self.fields), "--sample-id", NAME, "--book", str(self.book), "--workers", "1", "--json"),
            *("--csv", str(self.out / "fields.csv"), "--detections", str(self.out / "cells.json")),
            *("--report", str(self.out / "report"), "--annotate", str(self.out / "seen")),
            *more,
        )


def sample_of(place: Place, out: Path | None) -> Mapping[str, Any]:
    """Everything of the sample by part: what the book holds, every output file, what stdout said.

    Args:
        place: where it was counted.
        out: what went to stdout; None: that is left out.

    Raises:
        OSError, ValueError, EdgeError: something is missing or broken.
    """
    found: dict[str, Any] = dict(book_of(place.book))
    if out is not None:
        found["events"] = without_times(events_of(out))
    table, page = place.out / "fields.csv", place.out / "report" / f"{NAME}.html"
    files = digests(place.out)
    return {
        **found,
        "csv": rows_of(table),
        "report": report_of(page),
        "files": {name: one for name, one in files.items() if not name.endswith((table.name, page.name))},
    }


def rows_of(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, times left out."""
    with table.open(newline="") as stream:
        return [without_times(row) for row in csv.DictReader(stream)]


def book_of(path: Path, name: str = NAME) -> Mapping[str, Any]:
    """Fields, cells and sums of the sample in a book."""
    with closing(open_book(path, lambda _: None, make=False)) as book:
        rows = book.samples(name=name)
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} samples of the name")
        return {
            part: [list(row) for row in book.store.connection.execute(query, (rows[0].id,))]
            for part, query in _QUERIES.items()
        }


def is_complete(path: Path) -> bool:
    """Whether the book says that the sample is complete."""
    with closing(open_book(path, lambda _: None, make=False)) as book:
        return [row.state for row in book.samples(name=NAME)] == [COMPLETE]


def fields_in(path: Path) -> set[int]:
    """Numbers of the sample's fields in a book."""
    with closing(open_book(path, lambda _: None, make=False)) as book:
        query = "SELECT number FROM field JOIN sample ON sample.id = sample_id WHERE sample.name = ?"
        return {row[0] for row in book.store.connection.execute(query, (NAME,))}


def events_of(out: Path) -> list[dict[str, Any]]:
    """The whole lines of JSON that stdout showed."""
    lines = out.read_text(errors="replace").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def shown_fields(out: Path) -> set[int]:
    """Numbers of the fields that stdout showed."""
    return {event["field"] for event in events_of(out) if event["event"] == "field"}


def digests(folder: Path) -> Mapping[str, str]:
    """The files of a folder by name, those under a temporary name left out, each as a SHA-256."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not temporary(path)]
    return {str(path.relative_to(folder)): digest(path) for path in files}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def temporary(path: Path) -> bool:
    """Whether a file's name says that it is not finished: hidden, with ``.part`` in it."""
    return path.name.startswith(".") and ".part" in path.name


def report_of(page: Path) -> Any:
    """What a report says, and its pictures."""
    text = page.read_text()
    data = re.search(r'<script type="application/json" id="edge-report">(.*?)</script>', text, re.DOTALL)
    if data is None or not text.rstrip().endswith("</html>"):
        raise ValueError("the report is not whole")
    pictures = [hashlib.sha256(one.encode()).hexdigest() for one in re.findall(r'data:image/jpeg[^"]*', text)]
    return [without_times(json.loads(data[1])), pictures]


def without_times(value: Any) -> Any:
    """The value without what belongs to this machine at that moment."""
    if isinstance(value, Mapping):
        return {name: without_times(one) for name, one in value.items() if not _TIMES.search(name)}
    return [without_times(one) for one in value] if isinstance(value, list) else value


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Sequence[str]:
    """Names of the parts in which two samples differ."""
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]
