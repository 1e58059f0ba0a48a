"""Books of earlier versions: copied aside first, then brought to this version's tables in one transaction.

Each step leads from one version to the next. A step that fails leaves the book as it was.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge.book.file import copy_whole, number, why
from edge.book.holding import is_alive
from edge.book.schema import VERSION, make_answers, make_journal
from edge.errors import BookError, OutputError

STEPS: Final[Mapping[int, Callable[[sqlite3.Connection], None]]] = {1: make_answers, 2: make_journal}
"""From a version to the one after it."""

_ROOM = 2.2  # times the book's size that writing it anew may need


def upgrade(connection: sqlite3.Connection, path: Path, version: int, say: Callable[[str], None]) -> None:
    """Bring a book up to date.

    Args:
        connection: to it, outside a transaction.
        path: of its file; the copy is put beside it.
        version: of its tables.
        say: takes a line for a person.

    Raises:
        BookError: a step failed, or a version has none; the book is as it was.
        OutputError: there is no room for the copy, the book cannot be written, or a run is counting into it.
    """
    if any(step not in STEPS for step in range(version, VERSION)):
        raise BookError(
            f"{path}: of version {version}, which this program cannot bring up to date: it is left as it is"
        )
    held = connection.execute("SELECT uuid FROM run WHERE id IN (SELECT held_by FROM sample WHERE state = 'counting')")
    if any(is_alive(path, uuid) for (uuid,) in held.fetchall()):
        raise OutputError(f"{path}: a run of an earlier version is counting into it: wait for its end")
    aside = path.with_name(f"{path.name}.version-{version}")
    copy_whole(connection, aside)
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.execute("BEGIN EXCLUSIVE")
        if number(connection, "user_version") == version:  # nobody else was quicker
            for step in range(version, VERSION):
                STEPS[step](connection)
            if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise sqlite3.IntegrityError("rows that belong together came apart")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise OutputError(
                f"{path}: cannot be brought up to date while another program is at it: {why(error)}"
            ) from error
        raise BookError(
            f"{path}: could not be brought from version {version} to {VERSION}: {why(error)}. It is as it was; a copy is {aside}"
        ) from error
    finally:
        connection.execute("PRAGMA foreign_keys = ON")
    _write_anew(connection, path)
    say(f"note: {path}: brought from version {version} to {VERSION}; the book as it was: {aside}")


def _write_anew(connection: sqlite3.Connection, path: Path) -> None:
    """Give the tables the places they have in a new book, which is what a lost first page is replaced by; else it is as sound."""
    with suppress(OSError, sqlite3.Error):
        if shutil.disk_usage(path.parent).free > _ROOM * path.stat().st_size:
            connection.execute("VACUUM")
