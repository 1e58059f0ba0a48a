"""Opening a book: made where there is none; runs that died are noted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.book.book import Book
from edge.book.file import (
    check_header,
    check_owner,
    connect,
    is_new,
    journal,
    make_file,
    write_errors,
)
from edge.book.schema import make_tables
from edge.book.store import Store
from edge.errors import BookError


def open_book(path: Path | None, say: Callable[[str], None], *, make: bool = True) -> Book:
    """Open a book to write and read.

    Args:
        path: of the file; its folder is made where it is missing. None: a throw-away book that nobody else sees.
        say: takes one line for a person: what was repaired, brought up to date, or works less well here.
        make: make a book where there is none; if not, that is an error.

    Raises:
        BookError: another program's file, a newer version's, or there is none.
        OutputError: it cannot be made or written.
    """
    if path is None:
        with write_errors(None):
            connection = connect(None)
            make_tables(connection)
        return Book(Store(connection, None))
    if not is_new(path):
        return _existing(path, say)
    if not make:
        raise BookError(f"{path}: there is no book: nothing was counted into it yet (--book FILE names another)")
    return Book(Store(make_file(path, say), path))


def _existing(path: Path, say: Callable[[str], None]) -> Book:
    check_header(path)
    with write_errors(path):
        connection = connect(path)
        try:
            check_owner(connection, path)
            journal(connection, path, say)
            book = Book(Store(connection, path))
            book.note_the_dead()
        except BaseException:
            connection.close()
            raise
    return book
