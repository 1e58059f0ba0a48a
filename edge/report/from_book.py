"""A sample's report from the book alone: no model, no settings and no picture file is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.book.book import Book
from edge.book.ending import event_of
from edge.book.records import SampleRow
from edge.book.replay import events
from edge.events import FieldEvent
from edge.report.gather import SampleCollector
from edge.report.pictures import FieldPictures, Jpeg, KeptPictures
from edge.report.records import Report
from edge.review.state import state_of


class BookPictures:
    """The pictures that the book itself keeps of its fields: cells to look at, whole fields scaled down.

    Args:
        book: that they are in.
        rows: the samples that are asked for.
    """

    def __init__(self, book: Book, rows: Sequence[SampleRow]) -> None:
        self._book = book
        self._ids = {row.name: row.id for row in rows}
        self._at: str | None = None
        self._crops: Mapping[tuple[int, int], bytes] = {}
        self._views: Mapping[int, Jpeg] = {}

    def shown(self, event: FieldEvent) -> FieldPictures:
        """What the book keeps of a field to look at; read sample by sample. Raises BookError."""
        if event.sample != self._at and event.sample in self._ids:
            views = self._book.views(self._ids[event.sample])
            self._views = {field: (view.width, view.height, view.jpeg) for field, view in views.items()}
            self._crops = self._book.crops(self._ids[event.sample])
            self._at = event.sample
        return KeptPictures(event.index, self._crops, self._views)


def report_of(book: Book, row: SampleRow, made: str) -> Report:
    """All that the sample's page shows; ``made``: the time it carries, UTC, ISO 8601. Raises BookError."""
    about, pictures = book.about(row.run), BookPictures(book, [row])
    gathering = SampleCollector(about.card, pictures.shown)
    for event in events(book, row.id):
        gathering.field(event)
    reviewed = state_of(book, row) if any(book.answered(row.id)) else None
    return Report(about, event_of(book, row), gathering.done(), made, reviewed)
