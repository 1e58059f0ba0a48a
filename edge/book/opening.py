"""Opening a book: made where there is none, brought up to date, recovered where it is damaged; runs that died are noted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from edge.book.book import Book
from edge.book.file import (
    BrokenBookError,
    check_header,
    check_owner,
    check_tables,
    connect,
    connect_to_read,
    is_damage,
    is_new,
    journal,
    make_file,
    why,
    write_errors,
)
from edge.book.recovery import is_half_swapped, recover, swap
from edge.book.schema import VERSION, make_tables
from edge.book.store import Store
from edge.book.upgrade import upgrade
from edge.errors import BookError, OutputError

_EARLIER = "it is of version {version}. What writes into it (a count, an answer) brings it to {now}, a copy aside"


def open_book(path: Path | None, say: Callable[[str], None], *, make: bool = True, upgraded: bool = True) -> Book:
    """Open a book to write and read.

    Args:
        path: of the file; its folder is made where it is missing. None: a throw-away book that nobody else sees.
        say: takes one line for a person: what was repaired, brought up to date, or works less well here.
        make: somebody will count into it: make it where there is none. If not, that is an error, and a book that cannot be
            written is opened to be read.
        upgraded: bring a book of an earlier version up to date; if not, it is opened to be read.

    Raises:
        BookError: another program's file, a newer version's, or there is none.
        OutputError: it cannot be made or written.
    """
    if path is None:
        with write_errors(None):
            connection = connect(None)
            make_tables(connection)
        return Book(Store(connection, None))
    if is_half_swapped(path):
        swap(path)
        say(
            f"{path} was damaged, and a power cut came while it was renamed aside: what could be read of it is there again"
        )
    if is_new(path):
        if not make:
            raise BookError(f"{path}: there is no book: nothing was counted into it yet (--book FILE names another)")
        return Book(Store(make_file(path, say), path))
    try:
        return _sound(path, say, make=make, upgraded=upgraded)
    except BrokenBookError as damage:
        recover(path, str(damage), say, lambda: _is_damaged(path))
        return _sound(path, say, make=make, upgraded=upgraded)


def _is_damaged(path: Path) -> bool:
    try:
        _sound(path, lambda _: None, make=True).close()
    except BrokenBookError:
        return True
    return False


def _sound(path: Path, say: Callable[[str], None], *, make: bool, upgraded: bool = True) -> Book:
    """Open a book that is there; raises BrokenBookError where it is damaged."""
    check_header(path)
    try:
        return _to_write(path, say, upgraded=upgraded)
    except (BookError, OutputError) as error:
        if isinstance(error.__cause__, sqlite3.Error) and is_damage(error.__cause__):
            raise BrokenBookError(str(error.__cause__)) from error
        raise
    except sqlite3.Error as error:
        if is_damage(error):
            raise BrokenBookError(str(error)) from error
        if make:
            raise OutputError(f"{path}: the book cannot be written: {why(error)}") from error
        return _to_read(path, say, why(error))


def _to_write(path: Path, say: Callable[[str], None], *, upgraded: bool) -> Book:
    connection = connect(path)
    try:
        version = check_owner(connection, path)
        if 0 < version < VERSION and not upgraded:
            check_tables(connection, whole=False)
            connection.close()
            return _to_read(path, say, _EARLIER.format(version=version, now=VERSION))
        journal(connection, path, say)
        if version == 0:  # a power cut came while it was made
            make_tables(connection)
        elif version < VERSION:
            upgrade(connection, path, version, say)
        book = Book(Store(connection, path))
        check_tables(connection, whole=bool(book.note_the_dead()))
    except BaseException:
        connection.close()
        raise
    return book


def _to_read(path: Path, say: Callable[[str], None], reason: str) -> Book:
    """Open a book that is not to be written, ``reason`` says why."""
    try:
        connection = connect_to_read(path)
        check_owner(connection, path)
    except sqlite3.Error as again:
        raise BookError(f"{path}: the book cannot be read: {why(again)}") from again
    say(f"note: {path}: the book can only be read: {reason}")
    return Book(Store(connection, path))
