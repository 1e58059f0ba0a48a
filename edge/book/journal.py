"""The journal of a book, read by a thread of its own: what others are to learn, and how much of it a broker has acknowledged.

Each call opens the book, and lets go of it: who counts into it, compacts it or renames it is not held up. Reading takes no lock that
a writer waits for; ``acknowledge`` is one small transaction, which does not wait for the disk where the log is a write-ahead log:
after a power cut what was acknowledged last is sent once more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge.book import cells, rows
from edge.book.file import (
    BrokenBookError,
    check_header,
    check_owner,
    connect,
    connect_to_read,
    is_new,
    read_errors,
    write_errors,
)
from edge.book.messages import field_part, run_part, sample_part
from edge.book.rows import read_row
from edge.book.schema import JOURNAL_FROM
from edge.book.unnamed import event_without_names, field_without_names, run_without_names, sample_name
from edge.errors import BookError
from edge.journal import JournalEntry, JournalMessage

_ENTRIES = (
    "SELECT journal.number, uuid, field FROM journal LEFT JOIN sample ON sample.id = sample_id "
    "WHERE journal.number >= ? ORDER BY journal.number LIMIT ?"
)
_RUNS = (
    "SELECT * FROM run WHERE id IN (SELECT run_id FROM sample WHERE id = :id UNION SELECT held_by FROM sample WHERE id = :id "
    "UNION SELECT run_id FROM field WHERE sample_id = :id) ORDER BY id"
)


class Journal:
    """The journal of the book in this file. May be used from any thread.

    Args:
        path: of the book.

    Raises:
        BookError: there is no book, or none of this version (``edge.book.opening.open_book`` brings it up to date); from every
            method also where it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if is_new(path):
            raise BookError(f"{path}: there is no book: nothing was counted into it yet (--book FILE names another)")
        try:
            check_header(path)
        except BrokenBookError as damage:
            raise BookError(f"{path}: it is damaged ({damage}): edge book check") from damage
        with self._reading() as connection:
            version = check_owner(connection, path)
            if version < JOURNAL_FROM:
                raise BookError(
                    f"{path}: of version {version}, which has no journal: a count into it brings it up to date"
                )
            self._origin = _origin_of(connection)

    @property
    def origin(self) -> str:
        """Of the book: 32 hexadecimal digits that no other book has; a copy of its file has the same."""
        return self._origin

    def newest(self) -> int:
        """Number of the newest entry; 0: nothing was counted yet."""
        with self._same() as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM journal").fetchone()[0])

    def cursor(self) -> int:
        """Number of the last entry that a broker acknowledged with all before it; 0: none."""
        with self._same() as connection:
            return int(connection.execute("SELECT acknowledged FROM origin").fetchone()[0])

    def acknowledge(self, number: int) -> None:
        """Move the cursor; also back, where a collector asks for entries again. Raises OutputError."""
        with write_errors(self._path), closing(connect(self._path)) as connection:
            mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0]).lower()
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
            connection.execute("UPDATE origin SET acknowledged = ? WHERE uuid = ?", (number, self._origin))

    def entries(self, first: int, most: int) -> tuple[JournalEntry, ...]:
        """Entries from a number on, in order.

        Args:
            first: number of the first one.
            most: of them.

        Returns:
            Entries without a gap; empty where there is none of that number yet. ``sample`` is empty where the sample is not in the
            book any more.
        """
        first = max(first, 1)
        with self._same() as connection:
            found = connection.execute(_ENTRIES, (first, most)).fetchall()
            end = connection.execute("SELECT max(number) FROM journal").fetchone()[0] or 0
        if [row[0] for row in found] != list(range(first, first + len(found))) or (not found and first <= end):
            raise BookError(f"{self._path}: the journal has a gap after entry {first - 1:,}: edge book check")
        return tuple(JournalEntry(number, uuid or "", field) for number, uuid, field in found)

    def message(self, entry: JournalEntry, scope: str, *, names: bool) -> JournalMessage:
        """What an entry stands for, as the book has it now.

        Args:
            entry: from ``entries``.
            scope: name of the microscope.
            names: with the names of sample, files and settings; else without (``edge.book.unnamed``). Readers' answers, a person's
                notes and pictures are never part of it.

        Returns:
            The message. Its ``sample`` is empty where the sample, or the field, was deleted: then there is nothing to tell.

        Raises:
            BookError: the field is damaged; nothing after it should be sent before ``edge book check --repair``.
        """
        with self._same() as connection:
            try:
                sample, field = _EntryReading(connection, entry, scope, names=names).parts()
            except (ValueError, TypeError) as error:
                raise BookError(f"{self._path}: {error}: edge book check") from error
        return JournalMessage(self._origin, scope, entry.number, sample, field)

    @contextmanager
    def _same(self) -> Iterator[sqlite3.Connection]:
        """The same, of the same journal: a book that was recovered meanwhile has another one."""
        with self._reading() as connection:
            if _origin_of(connection) != self._origin:
                raise BookError(
                    f"{self._path}: another book has taken its place: its journal begins anew with the next run"
                )
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the book, whoever writes it meanwhile."""
        with read_errors(self._path), closing(connect_to_read(self._path)) as connection:
            connection.execute("BEGIN")
            yield connection


def _origin_of(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT uuid FROM origin").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("the book has no origin")
    return str(row[0])


class _EntryReading:
    """Reads what one entry stands for."""

    def __init__(self, connection: sqlite3.Connection, entry: JournalEntry, scope: str, *, names: bool) -> None:
        self._connection = connection
        self._entry = entry
        self._scope = scope
        self._names = names

    def parts(self) -> tuple[dict[str, object], dict[str, object] | None]:
        """The sample and the field; nothing of either where they were deleted."""
        sample = self._row("SELECT * FROM sample WHERE uuid = ?", self._entry.sample)
        if sample is None:
            return {}, None
        field = None
        if self._entry.field is not None:
            field = self._field(sample["id"], self._entry.field)
            if field is None:
                return {}, None
        return self._sample(sample), field

    def _sample(self, row: sqlite3.Row) -> dict[str, object]:
        later = self._row(
            "SELECT 1 FROM journal WHERE number > ? AND sample_id = ? LIMIT 1", self._entry.number, row["id"]
        )
        runs: list[dict[str, object]] = []
        if self._entry.field is None:
            runs = [run_part(run) for run in self._connection.execute(_RUNS, {"id": row["id"]})]
        part = sample_part(row, self._run(row["run_id"]), runs, newest=later is None)
        if self._names:
            return part
        part |= {"name": sample_name(self._scope, row["uuid"]), "runs": [run_without_names(run) for run in runs]}
        if part["event"] is not None:
            query = "SELECT number, name FROM field WHERE sample_id = ? ORDER BY number"
            fields = [(number, name) for number, name in self._connection.execute(query, (row["id"],))]
            part["event"] = event_without_names(str(part["event"]), str(part["name"]), row["name"], fields)
        return part

    def _field(self, sample: int, number: int) -> dict[str, object] | None:
        row = self._row(f"{rows.SELECT} WHERE sample_id = ? AND number = ?", sample, number)
        if row is None:
            return None
        made = read_row(row, self._connection.execute(cells.SELECT, (row["id"],)).fetchall())
        return field_part(row, made if self._names else field_without_names(made), self._run(row["run_id"]))

    def _run(self, run: int) -> str:
        row = self._row("SELECT uuid FROM run WHERE id = ?", run)
        if row is None:
            raise ValueError("the run of a sample is not there")
        return str(row["uuid"])

    def _row(self, query: str, *values: object) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
        return found
