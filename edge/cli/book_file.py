"""From settings to the book of a run, and to what it keeps beside the counts."""

from __future__ import annotations

from edge.book.book import Book
from edge.book.folder import PictureFolder
from edge.book.opening import open_book
from edge.cli.book_settings import BookSettings
from edge.door import say
from edge.errors import OutputError
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
