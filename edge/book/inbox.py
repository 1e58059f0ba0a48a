"""A collected book: what microscopes say of their journals, put into one book, each entry once and in order per microscope.

| number of the entry | what happens |
|---|---|
| the next one | it is applied, and the next one is the one after it, in one transaction |
| below that | it came twice: nothing, where its sample and field are here; else it is of a copy of that book: it is applied too |
| above that | entries before it are missing: nothing, it comes once more |

A microscope that speaks of a sample this book has never heard of is asked for all of its journal again: what is here already changes
nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.book import cells, rows
from edge.book.book import Book
from edge.book.collected import collected_scopes
from edge.book.messages import check_sample, row_of_part
from edge.book.opening import open_book
from edge.book.records import COUNTING
from edge.book.rows import FieldRow, insert, read_row
from edge.book.schema import stored
from edge.book.store import now
from edge.book.tally import add_to_tally
from edge.description import RunDescription
from edge.journal import CollectedScope, JournalMessage, Taken
from edge.record_json import from_text


class Inbox:
    """A book that collects. Use it from one thread, as a context manager or with ``close``.

    Args:
        path: of the book; it is made where there is none.
        say: takes a line for a person: what opening the book did to it.

    Raises:
        BookError: another program's file, or a newer version's.
        OutputError: it cannot be made or written; from every method too: then nothing of the messages given to it was taken.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self.book: Book = open_book(path, say)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the book."""
        self.book.close()

    def take(self, message: JournalMessage) -> Taken:
        """Take a message, in one transaction. Raises ValueError for one that makes no sense: nothing of it is taken."""
        (taken,) = self.take_all((message,))
        if isinstance(taken, ValueError):
            raise taken
        return taken

    def take_all(self, messages: Sequence[JournalMessage]) -> tuple[Taken | ValueError, ...]:
        """Take several in one transaction, which costs the disk no more than one does.

        Returns:
            For each what became of it; ValueError: it makes no sense, and nothing of it was taken.
        """
        ready: list[FieldRow | ValueError | None] = []
        for message in messages:
            try:
                ready.append(_prepared(message))
            except ValueError as error:
                ready.append(error)
        taken: list[Taken | ValueError] = []
        with self.book.store.writing() as connection:
            for message, prepared in zip(messages, ready, strict=True):
                if isinstance(prepared, ValueError):
                    taken.append(prepared)
                    continue
                connection.execute("SAVEPOINT message")
                try:
                    taken.append(_Taking(self.book, connection, message.origin, message.scope).take(message, prepared))
                except ValueError as error:
                    connection.execute("ROLLBACK TO message")
                    taken.append(error)
                connection.execute("RELEASE message")
        return tuple(taken)

    def scopes(self) -> tuple[CollectedScope, ...]:
        """The microscopes that were ever heard, by name."""
        return collected_scopes(self.book.store)

    def next(self, origin: str) -> int:
        """Number of the entry of this origin that comes next; 1 for one that was never heard."""
        row = self.book.store.row("SELECT next FROM microscope WHERE origin = ?", origin)
        return 1 if row is None else int(row["next"])

    def heard(self, name: str, origin: str, *, online: bool, newest: int | None = None, at: str | None = None) -> None:
        """Note what a microscope said of itself.

        Args:
            name: of it.
            origin: of its book.
            online: whether it is there.
            newest: number of the newest entry it has; None: it did not say.
            at: when, UTC, ISO 8601; None: now.
        """
        with self.book.store.writing() as connection:
            taking = _Taking(self.book, connection, origin, name)
            change = "UPDATE microscope SET name = CAST(? AS TEXT), online = ?, newest = coalesce(?, newest), heard = ? WHERE id = ?"
            connection.execute(change, (stored(name), int(online), newest, at or now(), taking.id))


def _prepared(message: JournalMessage) -> FieldRow | None:
    """The field's row, checked; raises ValueError."""
    if message.sample:
        check_sample(message.sample)
    return None if message.field is None else row_of_part(message.field)


class _Taking:
    """Takes messages of one origin, inside a transaction of the caller's."""

    def __init__(self, book: Book, connection: sqlite3.Connection, origin: str, scope: str) -> None:
        self._book = book
        self._connection = connection
        self._scope = scope
        new = (
            "INSERT INTO microscope (origin, name, next, newest, heard, online) VALUES (?, CAST(? AS TEXT), 1, 0, ?, 1) "
            "ON CONFLICT (origin) DO NOTHING"
        )
        connection.execute(new, (origin, stored(scope), now()))
        self.id, self._next = connection.execute(
            "SELECT id, next FROM microscope WHERE origin = ?", (origin,)
        ).fetchone()

    def take(self, message: JournalMessage, row: FieldRow | None) -> Taken:
        number = message.number
        newest = "UPDATE microscope SET newest = max(newest, ?), heard = ? WHERE id = ?"
        self._connection.execute(newest, (number, now(), self.id))
        if number > self._next:
            return Taken.AHEAD
        known = number < self._next
        sample = self._sample_id(message.sample)
        if not message.sample or (known and self._is_here(sample, message.sample, row)):
            return self._done(number, known=known)
        if message.field is not None and (sample is None or self._run_id(message.field["run"]) is None):
            self._goes_on_with(1)  # it was deleted here, or is of a copy of that book
            return Taken.AHEAD
        self._apply(sample, message, row)
        self._done(number, known=known)
        return Taken.NEW

    def _apply(self, sample: int | None, message: JournalMessage, row: FieldRow | None) -> None:
        told = message.sample
        for run in _runs(told):
            self._take_run(run)
        new = sample is None
        if sample is None:
            sample = self._begin(told)
        mine = (
            "INSERT INTO collected (sample_id, microscope_id) VALUES (?, ?) "
            "ON CONFLICT (sample_id) DO UPDATE SET microscope_id = excluded.microscope_id"
        )
        self._connection.execute(mine, (sample, self.id))
        changed = False
        if row is not None and message.field is not None:
            changed = self._field(sample, message.field, row)
        if told["newest"]:
            ends = "UPDATE sample SET state = ?, flag = ?, event = ?, lost = ?, seconds = ?, touched = ? WHERE id = ?"
            values = (told["state"], told["flag"], told["event"], told["lost"], told["seconds"], told["touched"])
            self._connection.execute(ends, (*values, sample))
        elif changed and not new:
            self._connection.execute(
                "UPDATE sample SET state = 'counting', flag = NULL, event = NULL WHERE id = ?", (sample,)
            )

    def _begin(self, told: Mapping[str, Any]) -> int:
        name, run = stored(told["name"]), self._run_id(told["run"])
        if run is None:
            raise ValueError("a sample without the run that began it")
        new = (
            "INSERT INTO sample (uuid, run_id, name, count, state, began, touched) "
            "SELECT ?, ?, CAST(? AS TEXT), coalesce(max(count), 0) + 1, 'counting', ?, ? FROM sample WHERE name = CAST(? AS TEXT)"
        )
        values = (told["uuid"], run, name, told["began"], told["began"], name)
        return self._connection.execute(new, values).lastrowid or 0

    def _field(self, sample: int, part: Mapping[str, Any], row: FieldRow) -> bool:
        """Put a field into its sample; returns whether anything changed."""
        number = row.values["number"]
        there = self._connection.execute(
            f"{rows.SELECT} WHERE sample_id = ? AND number = ?", (sample, number)
        ).fetchone()
        if there is not None:
            if self._says_the_same(there, row):
                return False
            self._connection.execute("DELETE FROM field WHERE id = ?", (there["id"],))
        run = self._run_id(part["run"])
        insert(self._connection, row, sample, run or 0, part["at"])
        labels = self._book.about(self._book.run_of(sample)).card.labels
        add_to_tally(self._book.store, sample, row, labels, part["at"], again=there is not None)
        return True

    def _says_the_same(self, there: sqlite3.Row, row: FieldRow) -> bool:
        if there["checksum"] == row.checksum:
            return True
        try:
            here = read_row(there, self._connection.execute(cells.SELECT, (there["id"],)).fetchall())
        except (ValueError, TypeError):  # it is damaged here, and comes whole now
            return False
        return here.counted == row.counted

    def _take_run(self, run: Mapping[str, Any]) -> None:
        if self._run_id(run["uuid"]) is not None:
            return
        about = from_text(RunDescription, run["about"], "the run")
        told = (run["uuid"], run["began"], about.model.name, about.bound.scope or self._scope, about.unit)
        new = "INSERT INTO run (uuid, began, model, scope, unit, about, binding) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._connection.execute(new, (*told, run["about"], run["binding"]))

    def _run_id(self, uuid: object) -> int | None:
        found = self._connection.execute("SELECT id FROM run WHERE uuid = ?", (uuid,)).fetchone()
        return None if found is None else int(found["id"])

    def _sample_id(self, told: Mapping[str, Any]) -> int | None:
        found = self._connection.execute("SELECT id FROM sample WHERE uuid = ?", (told.get("uuid"),)).fetchone()
        return None if found is None else int(found["id"])

    def _is_here(self, sample: int | None, told: Mapping[str, Any], row: FieldRow | None) -> bool:
        if sample is None:
            return False
        if row is None:  # that it ended may be what a copy of that book has to say
            ended = told["newest"] and told["state"] != COUNTING
            query, value = "SELECT 1 FROM sample WHERE id = ? AND (? OR state != 'counting')", int(not ended)
        else:
            query, value = "SELECT 1 FROM field WHERE sample_id = ? AND number = ?", row.values["number"]
        return self._connection.execute(query, (sample, value)).fetchone() is not None

    def _done(self, number: int, *, known: bool) -> Taken:
        if known:
            return Taken.KNOWN
        self._goes_on_with(number + 1)
        return Taken.NEW

    def _goes_on_with(self, number: int) -> None:
        self._next = number
        self._connection.execute("UPDATE microscope SET next = ? WHERE id = ?", (number, self.id))


def _runs(told: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    runs: Sequence[Mapping[str, Any]] = told["runs"]
    return runs
