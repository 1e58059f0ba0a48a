"""A damaged book as far as it can be read.

The first page says which tables there are and where. Where it alone is lost, one that points to the pages it pointed to stands in for
it; where those cannot be found either, a new book's: all books of a version are made alike.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from edge.book.file import connect, make_file
from edge.book.schema import VERSION, names
from edge.book.schema_pages import HEADER, PAGE, pointing_to, schema_leaves
from edge.safe_file import plain_errors

BESIDE = ("-wal", "-shm", "-journal")
"""Endings of what SQLite keeps beside a database."""


@contextmanager
def readable(path: Path) -> Iterator[sqlite3.Connection]:
    """The damaged book as far as it can be read; with another first page where its own is lost."""
    connection = connect(path, read_only=True)
    try:
        connection.execute("PRAGMA writable_schema = ON")  # what is not as it should be does not keep us from the rest
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            yield connection
            return
    except sqlite3.Error:
        pass
    finally:
        connection.close()
    copy = path.with_name(f".{path.name}.first-page")
    leaves, tables = schema_leaves(path)
    known = next((version for version in range(VERSION, 0, -1) if tables == set(names(version))), None)
    try:
        for version in range(VERSION, 0, -1) if known is None else (known,):
            page = _new_first_page(path, copy, version)
            _put_before(path, copy, page if known is None else pointing_to(leaves, page[:HEADER]))
            with closing(connect(copy, read_only=True, still=True)) as connection:
                if known is not None or _fits(connection, version) or version == 1:
                    yield connection
                    return
    finally:
        remove(copy)


def _new_first_page(path: Path, copy: Path, version: int) -> bytes:
    """The first page of a new book of that version, for a file as long as the damaged one."""
    remove(copy)
    with closing(make_file(copy, lambda _: None, version)):
        pass
    with plain_errors(copy), copy.open("rb") as new:
        first = bytearray(new.read(PAGE))
    first[28:32] = (max(path.stat().st_size // PAGE, 1)).to_bytes(4, "big")  # pages
    first[32:40] = bytes(8)  # no free ones
    return bytes(first)


def _put_before(path: Path, copy: Path, first: bytes) -> None:
    """Copy a damaged book with another first page."""
    with plain_errors(copy), path.open("rb") as old, copy.open("r+b") as new:
        new.write(first)
        old.seek(PAGE)
        shutil.copyfileobj(old, new)


def _fits(connection: sqlite3.Connection, version: int) -> bool:
    """Whether that page says where the tables are: in a book of another version they lie elsewhere."""
    try:
        connection.execute("PRAGMA writable_schema = ON")
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return there == set(names(version))
    except sqlite3.Error:
        return False


def remove(path: Path) -> None:
    """Remove a file and what SQLite keeps beside it."""
    for ending in ("", *BESIDE):
        with suppress(OSError):
            path.with_name(path.name + ending).unlink()
