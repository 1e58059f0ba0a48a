"""From settings to the book of a run, and to what it keeps beside the counts."""

from __future__ import annotations

from edge.book.book import Book
from edge.book.folder import PictureFolder
from edge.book.opening import open_book
from edge.cli.book_settings import BookSettings
from edge.door import say
from edge.errors import OutputError
from edge.events import FieldEvent, SampleEvent
from edge.modelfile import Card
from edge.report.keeper import GalleryKeeper


def open_run_book(settings: BookSettings) -> Book:
    """Open the book of a run; raises BookError or OutputError."""
    try:
        return open_book(settings.path, say)
    except OutputError as error:
        if settings.book is not None:
            raise
        raise OutputError(f"{error} (--book FILE keeps it elsewhere, --no-book keeps none)") from error


def keeper_of(settings: BookSettings, book: Book, card: Card, chain: str) -> GalleryKeeper | None:
    """Return what chooses the pictures that a run keeps; None: there is no book to keep them in.

    Args:
        settings: which, and how many.
        book: of the run.
        card: the classifier's, at the threshold of the run.
        chain: name of the run for its files.
    """
    if settings.path is None:
        return None
    limit, keep = settings.keep_bytes, str(settings.keep)
    return GalleryKeeper(card, PictureFolder(book, settings.path, card, run=chain[:12], keep=keep, limit=limit))


class NotesKeeper:
    """Writes a person's notes into the book once the sample is there: with its first field.

    Args:
        book: of the run.
        notes: of the sample.
    """

    def __init__(self, book: Book, notes: str) -> None:
        self._book = book
        self._notes = notes

    def field(self, event: FieldEvent) -> None:
        """Write them, once; a field that comes here is in the book."""
        if self._notes:
            newest = self._book.samples(name=event.sample)[0]
            self._book.note(newest.id, "notes", self._notes)
            self._notes = ""

    def sample(self, event: SampleEvent) -> None:
        """Nothing is left to write."""

    def close(self) -> None:
        """Nothing to complete."""

    discard = close
