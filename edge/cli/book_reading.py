"""The book of the commands that read one, and the list of its samples. Quick to import: no OpenCV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from edge.book.book import Book
from edge.book.collected import heard_scopes
from edge.book.opening import open_book
from edge.book.records import SampleRow
from edge.cli.book_settings import default_book
from edge.door import say
from edge.journal import CollectedScope
from edge.lines import plain, print_json, print_lines
from edge.network.news import standing_words

_HEAD = ("sample", "microscope", "fields", "cells", "flag", "reviewed", "model", "when (UTC)", "")
_NUMBERS = (2, 3)  # columns that are set to the right


def open_existing(path: Path | None, program: str, *, write: bool = False) -> Book:
    """Open a book that is there.

    Args:
        path: of it; None: the usual one.
        program: says what there is to say.
        write: into it too: one of an earlier version is brought up to date; if not, it is left as it is.

    Raises:
        BookError: there is none.
    """
    return open_book(path or default_book(), lambda line: say(line, program), make=False, upgraded=write)


def print_samples(path: Path | None, since: str | None, *, json: bool) -> None:
    """Print the samples of a book, newest first; see ``Book.samples``. Raises BookError."""
    with open_existing(path, "edge samples") as opened:
        rows, looked, scopes = opened.samples(since), opened.reviewed(), heard_scopes(opened.store)
    if json:
        told = {"microscopes": [asdict(scope) for scope in scopes]} if scopes else {}
        print_json({"samples": [{**asdict(row), "reviewed": looked.get(row.id, 0)} for row in rows], **told})
    else:
        none = ["The book holds no sample yet." if since is None else f"No sample was begun since {since}."]
        print_lines([*(_table(rows, looked) if rows else none), *scope_lines(scopes)])


def scope_lines(scopes: Sequence[CollectedScope]) -> list[str]:
    """What the list says of the microscopes that the book has collected from; nothing where it has from none."""
    names = [scope.name for scope in scopes]
    lines = []
    for scope in scopes:
        name = f"{scope.name} (book {scope.origin[:8]})" if names.count(scope.name) > 1 else scope.name
        lines.append(f"{plain(name)}  {standing_words(scope)}")
    return ["", "microscopes", *(f"  {line}" for line in lines)] if lines else []


def _cells(row: SampleRow, looked: int) -> tuple[str, ...]:
    name = row.name if row.count == 1 else f"{row.name} (count {row.count})"
    when = row.began[:16].replace("T", " ")
    reviewed = f"{looked:,} looked at" if looked else ""
    return (name, row.scope, f"{row.fields:,}", f"{row.cells:,}", row.flag or "-", reviewed, row.model, when, row.state)


def _table(rows: list[SampleRow], looked: Mapping[int, int]) -> list[str]:
    """A line per sample; columns that say nothing are left out: no name of a microscope, one model for all.

    ``looked``: cells that people looked at, by the sample's id.
    """
    shown = [tuple(map(plain, row)) for row in (_HEAD, *(_cells(row, looked.get(row.id, 0)) for row in rows))]
    told = [i for i in range(len(_HEAD)) if any(row[i] for row in shown[1:])]
    if len({row.model for row in rows}) == 1:
        told.remove(_HEAD.index("model"))
    widths = [max(len(row[i]) for row in shown) for i in range(len(_HEAD))]
    return [
        "  ".join(row[i].rjust(widths[i]) if i in _NUMBERS else row[i].ljust(widths[i]) for i in told).rstrip()
        for row in shown
    ]
