"""One message of a microscope's journal applied to a book that collects (``edge.book.inbox``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from edge.book import cells, rows
from edge.book.book import Book
from edge.book.messages import check_sample, row_of_part
from edge.book.records import COUNTING
from edge.book.rows import FieldRow, insert, read_row
from edge.book.schema import stored
from edge.book.store import now
from edge.book.tally import add_to_tally, agrees, write_tally
from edge.book.unnamed import event_called
from edge.description import RunDescription
from edge.journal import JournalMessage, Taken
from edge.record_json import from_text
from edge.types import Tally

_AGAIN = "collected again"


def prepared(message: JournalMessage) -> FieldRow | None:
    """The field's row, checked; raises ValueError."""
    if message.sample:
        check_sample(message.sample)
    return None if message.field is None else row_of_part(message.field)


class MessageTaking:
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
        """Take a message of this origin; ``row``: from ``prepared``. Raises ValueError where it makes no sense."""
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
        if not self._apply(sample, message, row):
            self._goes_on_with(1)
            return Taken.AHEAD
        self._done(number, known=known)
        return Taken.NEW

    def _apply(self, sample: int | None, message: JournalMessage, row: FieldRow | None) -> bool:
        """Put it into the book; returns False where its sample must come once more from the first entry on."""
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
            return self._end(sample, told)
        if changed and not new:
            change = "UPDATE sample SET state = 'counting', flag = NULL, event = NULL WHERE id = ?"
            self._connection.execute(change, (sample,))
        return True

    def _end(self, sample: int, told: Mapping[str, Any]) -> bool:
        """How the sample stands by its newest entry; returns whether its fields add up to what was said at its end.

        They do not where the microscope's own book was damaged: it counted again, elsewhere in the run, what it had lost and what
        is here. Then its fields go, and come once more.
        """
        ends = "UPDATE sample SET state = ?, flag = ?, event = ?, lost = ?, seconds = ?, touched = ? WHERE id = ?"
        event = None if told["event"] is None else event_called(told["event"], self._book.name_of(sample))
        values = (told["state"], told["flag"], event, told["lost"], told["seconds"], told["touched"])
        self._connection.execute(ends, (*values, sample))
        if event is None or (agrees(self._book.store, sample) and self._has_as_many_fields(sample)):
            return True
        unfinished = "UPDATE sample SET state = 'interrupted', flag = NULL, event = NULL WHERE id = ?"
        self._connection.execute(unfinished, (sample,))
        again = "SELECT 1 FROM note WHERE sample_id = ? AND kind = ?"
        if self._connection.execute(again, (sample, _AGAIN)).fetchone() is not None:
            return True  # once is enough: it stays without a flag
        self._book.store.note(
            sample, _AGAIN, "its fields were not what its microscope says it adds up to: they come again"
        )
        self._connection.execute("DELETE FROM field WHERE sample_id = ?", (sample,))
        none = Tally(self._book.name_of(sample), {}, {}, 0, {})
        write_tally(self._connection, sample, none, 0.0, told["began"])
        return False

    def _has_as_many_fields(self, sample: int) -> bool:
        event, row = self._book.event(sample), self._book.row(sample)
        if event is None:
            return False
        tally = event.tally
        return row.fields == tally.kept + sum(tally.rejected.values()) + len(tally.unreadable)

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
