"""The connection that a book and its writer share: transactions, runs that are alive, notes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.book.file import read_errors, write_errors
from edge.book.holding import Hold
from edge.book.records import INTERRUPTED
from edge.book.schema import stored
from edge.errors import OutputError


def now() -> str:
    """UTC by this machine's clock, ``2026-11-29T21:05:03.120Z``: for people, nothing is ordered by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """A database with the tables of ``edge.book.schema``. Use it from one thread.

    Attributes:
        connection: to it.
        path: of its file; None: a throw-away book.
        runs: that this object has begun and not ended, by id, each with its lock.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.connection = connection
        self.path = path
        self.runs: dict[int, Hold | None] = {}
        self._place = self._inode()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on the medium afterwards, or none of it. Raises OutputError."""
        with write_errors(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back by itself
                    self.connection.execute("ROLLBACK")
                raise
        if self._inode() != self._place:
            raise OutputError(
                f"{self.path}: the book was moved or deleted while it was written: put it back, then --resume"
            )

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query; raises BookError."""
        with read_errors(self.path):
            return self.connection.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query; raises BookError."""
        with read_errors(self.path):
            found: sqlite3.Row | None = self.connection.execute(query, values).fetchone()
        return found

    def note(self, sample: int | None, kind: str, text: str) -> None:
        """Write down what happened, inside a transaction of the caller's."""
        note = "INSERT INTO note (sample_id, at, kind, text) VALUES (?, ?, ?, CAST(? AS TEXT))"
        self.connection.execute(note, (sample, now(), kind, stored(text)))

    def end_run(self, run: int) -> None:
        """A run has ended, and what it has not completed is interrupted. Raises OutputError; the run is let go of all the same."""
        if run not in self.runs:
            return
        hold = self.runs.pop(run)
        try:
            with self.writing() as connection:
                change = "UPDATE sample SET state = ?, held_by = NULL WHERE held_by = ?"
                connection.execute(change, (INTERRUPTED, run))
        finally:
            if hold is not None:
                hold.release()

    def _inode(self) -> tuple[int, int] | None:
        if self.path is None:
            return None
        try:
            stat = self.path.stat()
        except OSError:
            return (0, 0)
        return stat.st_dev, stat.st_ino
