"""The book as the page sees it: opened to read, for one question at a time, on the thread that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Error
from threading import Lock

from edge.book.book import Book
from edge.book.collected import heard_scopes
from edge.book.file import check_owner, connect_to_read, is_new, why
from edge.book.records import BookNote, SampleRow
from edge.book.store import Store
from edge.errors import BookError
from edge.network.news import standing_words
from edge.report.from_book import report_of
from edge.report.html import Markup, el
from edge.report.page import content_policy, page
from edge.serve.phrases import many

PAGE_ROWS = 200
"""Samples on one page of the list."""

_KEPT_REPORTS = 4  # pages that are kept made; each is some megabytes


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A sample in the list; all in words, ``flag`` as a class of the style too, ``reviewed`` empty where nobody looked at a cell."""

    id: int
    name: str
    scope: str
    cells: str
    fields: str
    flag: str
    model: str
    when: str
    state: str
    unit: str
    uuid: str
    reviewed: str = ""


def line_of(row: SampleRow, looked: int = 0) -> SampleLine:
    """What the list shows of a sample; ``looked``: cells that people have looked at."""
    name = row.name if row.count == 1 else f"{row.name} (count {row.count})"
    when = row.began[:16].replace("T", " ")
    cells, fields = many(row.cells, row.unit), many(row.fields, "field")
    reviewed = f"{many(looked, row.unit)} reviewed" if looked else ""
    told = (row.id, name, row.scope, cells, fields, row.flag or "", row.model, when, row.state, row.unit, row.uuid)
    return SampleLine(*told, reviewed)


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A microscope that the book has collected from; all in words, ``well``: it is connected and nothing of it is missing."""

    name: str
    book: str
    standing: str
    well: bool


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class BookReader:
    """Answers what pages ask of the book. Any thread may call it. Every method raises BookError.

    Args:
        path: of the book; None: the run keeps none.
        now: the time that reports carry.
    """

    def __init__(self, path: Path | None, now: Callable[[], str] = _now) -> None:
        self._path = path
        self._now = now
        self._making = Lock()  # one report at a time: each takes seconds of a core that counts
        self._made: dict[tuple[int, str, int, int, int], bytes] = {}

    @contextmanager
    def _book(self) -> Iterator[Book]:
        if self._path is None:
            raise BookError("this run keeps no book (--no-book)")
        if is_new(self._path):
            raise BookError("there is no book: nothing was counted into it yet")
        try:
            connection = connect_to_read(self._path)
        except Error as error:
            raise BookError(f"the book cannot be read: {why(error)}") from error
        with Book(Store(connection, self._path)) as book:
            try:
                check_owner(connection, self._path)
            except Error as error:
                raise BookError(f"the book cannot be read: {why(error)}") from error
            yield book

    def samples(self, before: int | None = None) -> tuple[list[SampleLine], int | None]:
        """The newest samples, and from which id on there are more; ``before``: only those with a smaller id."""
        if self._path is not None and is_new(self._path):
            return [], None
        with self._book() as book:
            rows = [row for row in book.samples() if before is None or row.id < before]
            looked = book.reviewed()
        shown = rows[:PAGE_ROWS]
        return [line_of(row, looked.get(row.id, 0)) for row in shown], shown[-1].id if len(rows) > PAGE_ROWS else None

    def microscopes(self) -> list[ScopeLine]:
        """Those that the book has collected from, by name."""
        if self._path is not None and is_new(self._path):
            return []
        with self._book() as book:
            scopes = heard_scopes(book.store)
        return [
            ScopeLine(one.name, one.origin[:8], standing_words(one), one.online and one.newest < one.next)
            for one in scopes
        ]

    def sample(self, sample_id: int) -> tuple[SampleLine, list[BookNote]]:
        """One sample and its history."""
        with self._book() as book:
            return line_of(_row(book, sample_id), book.reviewed().get(sample_id, 0)), book.notes(sample_id)

    def report(self, sample_id: int) -> bytes:
        """The sample's report as a page of its own, in UTF-8."""
        with self._making, self._book() as book:
            row = _row(book, sample_id)
            key = (row.id, row.state, row.fields, *book.answered(row.id))
            if key not in self._made:
                way_back = el("p", el("a", "All samples", href="/samples"), " · ", el("a", "Live", href="/"))
                text = "".join(page(report_of(book, row, self._now()), Markup(el("nav", way_back, aria_label="Pages"))))
                while len(self._made) >= _KEPT_REPORTS:
                    del self._made[next(iter(self._made))]
                self._made[key] = text.encode(errors="replace")
            return self._made[key]


REPORT_POLICY = f"{content_policy()}; frame-ancestors 'none'"
"""Content-Security-Policy of a report that is served."""


def _row(book: Book, sample_id: int) -> SampleRow:
    for row in book.samples():
        if row.id == sample_id:
            return row
    raise BookError("the book holds no such sample")
