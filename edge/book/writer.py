"""Writes a run into the book: the output that comes before all others. One transaction per field, whatever became of it.

When ``field`` returns the field is on the medium, so nothing is shown as counted that a power cut could take away.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from uuid import uuid4

from edge.book.codec import to_text
from edge.book.records import COMPLETE, COUNTING, INTERRUPTED, CropKeeper, Kept
from edge.book.rows import FieldRow, decide_again, insert, row_of
from edge.book.schema import stored
from edge.book.store import Store, now
from edge.book.tally import write_tally
from edge.errors import BookError, OutputError
from edge.events import FieldEvent, SampleEvent


class BookWriter:
    """An ``edge.events.Output``. Every method raises OutputError when the book cannot be written.

    Args:
        store: the book's.
        run: its id, from ``Book.begin_run``.
        keep: chooses the pictures that stay; None: none.

    Attributes:
        sample_id: the sample at work; None between samples.
        replayed: fields of it that were in the book already and came again.
    """

    def __init__(self, store: Store, run: int, keep: CropKeeper | None = None) -> None:
        self._store = store
        self._run = run
        self._keep = keep
        self._resumed: dict[str, int] = {}
        self._name = ""
        self._last = -1
        self._holes = False
        self.sample_id: int | None = None
        self.replayed = 0

    def resume(self, sample_id: int) -> None:
        """Go on with an interrupted sample: its fields, which come first once more, are compared and not written again.

        Raises:
            BookError: there is no such sample, or it is not interrupted.
        """
        with self._store.writing() as connection:
            change = "UPDATE sample SET state = ?, held_by = ?, flag = NULL, event = NULL WHERE id = ? AND state = ? RETURNING name"
            found = connection.execute(change, (COUNTING, self._run, sample_id, INTERRUPTED)).fetchall()
            if not found:
                raise BookError("the sample is not interrupted: there is nothing to go on with")
            self._store.note(sample_id, "resumed", "gone on with")
        self._resumed[found[0]["name"]] = sample_id

    def field(self, event: FieldEvent) -> None:
        """Put a field on the medium. Raises BookError where a replayed one comes out in another way than it was counted."""
        row = row_of(event)
        if event.sample != self._name or self.sample_id is None:
            self._turn_to(event.sample)
        kept = self._keep.field(event) if self._keep is not None else Kept()
        if self.sample_id is not None and event.index <= self._last:
            self._compare(self.sample_id, row)
            if self._holes:
                with self._store.writing() as connection:
                    write_tally(connection, self.sample_id, event.tally, event.seconds)
            return
        with self._store.writing() as connection:
            sample = self.sample_id
            if sample is None:
                sample = self._begin(connection, event.sample)
            field = insert(connection, row, sample, self._run, now())
            write_tally(connection, sample, event.tally, event.seconds)
            self._pictures(connection, sample, field, kept)
        self.sample_id = sample
        self._last = event.index

    def sample(self, event: SampleEvent) -> None:
        """Put the sample's end on the medium."""
        if self.sample_id is None:  # no field of it came
            return
        state = INTERRUPTED if event.interrupted else COMPLETE
        change = (
            "UPDATE sample SET state = ?, held_by = NULL, flag = ?, event = ?, seconds = ?, touched = ? WHERE id = ?"
        )
        with self._store.writing() as connection:
            told = (state, event.verdict.flag, to_text(event), float(event.seconds), now(), self.sample_id)
            connection.execute(change, told)
        self.sample_id = None

    def close(self) -> None:
        """The run has ended; what it has not completed is interrupted."""
        self._store.end_run(self._run)

    def discard(self) -> None:
        """The same after a failure; a book that cannot be written now notices at its next opening."""
        with suppress(OutputError):
            self.close()

    def _turn_to(self, name: str) -> None:
        """The sample of this name: one that is gone on with, or a new one, made with its first field."""
        self._name, self._last, self.replayed = name, -1, 0
        self.sample_id = self._resumed.pop(name, None)
        if self.sample_id is not None:
            query = "SELECT max(number), lost FROM field JOIN sample ON sample.id = sample_id WHERE sample_id = ?"
            last, lost = self._store.rows(query, self.sample_id)[0]
            self._last, self._holes = -1 if last is None else last, bool(lost)

    def _begin(self, connection: sqlite3.Connection, name: str) -> int:
        stored_name, at = stored(name), now()
        of_name = "SELECT coalesce(max(count), 0) + 1 FROM sample WHERE name = CAST(? AS TEXT)"
        count = int(connection.execute(of_name, (stored_name,)).fetchone()[0])
        new = (
            "INSERT INTO sample (uuid, run_id, held_by, name, count, state, began, touched) "
            "VALUES (?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?)"
        )
        told = (str(uuid4()), self._run, self._run, stored_name, count, COUNTING, at, at)
        sample = connection.execute(new, told).lastrowid or 0
        if count > 1:
            self._store.note(sample, "again", f"counted again: there were {count - 1} of this name")
        return sample

    @staticmethod
    def _pictures(connection: sqlite3.Connection, sample: int, field: int, kept: Kept) -> None:
        of = "(SELECT id FROM field WHERE sample_id = ? AND number = ?)"
        connection.executemany(
            f"DELETE FROM crop WHERE field_id = {of} AND n = ?",
            [(sample, number, n) for number, n in kept.dropped],
        )
        connection.executemany(
            f"DELETE FROM view WHERE field_id = {of}",
            [(sample, number) for number in kept.dropped_views],
        )
        connection.executemany(
            "INSERT INTO crop VALUES (?, ?, ?)", [(field, n, jpeg) for n, jpeg in kept.crops.items()]
        )
        if kept.view is not None:
            view = (field, kept.view.width, kept.view.height, kept.view.jpeg)
            connection.execute("INSERT INTO view VALUES (?, ?, ?, ?)", view)
        if kept.picture is not None:
            file, size, suspicious = kept.picture
            told = (field, stored(file), size, int(suspicious))
            connection.execute("INSERT INTO picture VALUES (?, CAST(? AS TEXT), ?, ?)", told)

    def _compare(self, sample: int, row: FieldRow) -> None:
        """A replayed field must come out as it was counted: gate and register in the same state, or a wrong number.

        Where damage took fields of the sample, those after them may be decided anew.
        """
        number = row.values["number"]
        query = "SELECT id, checksum, reason FROM field WHERE sample_id = ? AND number = ?"
        found = self._store.row(query, sample, number)
        if found is None:
            raise BookError(
                f"field {number} of {self._name} is not in the book, which goes on after it: edge book check"
            )
        self.replayed += 1
        if found["checksum"] == row.checksum:
            return
        if self._holes:
            with self._store.writing() as connection:
                decide_again(connection, found["id"], row)
        else:
            was, would = found["reason"] or "kept", row.values["reason"] or "kept"
            changed = f"was {was}, would be {would} now" if was != would else "would be counted in another way now"
            raise BookError(
                f"field {number} of {self._name} {changed}: this version decides differently. Count the sample again: --again"
            )
