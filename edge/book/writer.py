"""Writes a run into the book: the output that comes before all others. Every field is written, whatever became of it.

A field is shown as counted when it is on the medium (``settled``), so nothing was shown that a power cut could take away. Fields that
come faster than a disk can be sure of them are put there several at once.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

from edge.book.records import COMPLETE, COUNTING, INTERRUPTED, CropKeeper, Kept
from edge.book.rows import FieldRow, decide_again, insert, row_of
from edge.book.schema import stored
from edge.book.store import Store, now
from edge.book.tally import write_tally
from edge.errors import BookError, OutputError
from edge.events import FieldEvent, SampleEvent
from edge.record_json import to_text
from edge.types import Tally

GROUP_S = 0.25
"""Seconds that ``edge-run`` lets fields wait for each other: less than a person notices, and a slow card's sync many times over."""

_MOST_PIXELS = 64 * 2**20  # bytes of the fields that are held back: whoever shows them later holds their pixels


class _Held(NamedTuple):
    """A field that waits: its row, its pictures, the sample up to it, and when it came, UTC."""

    row: FieldRow
    kept: Kept
    tally: Tally
    at: str


class BookWriter:
    """An ``edge.events.Ledger``. Every method raises OutputError when the book cannot be written.

    Args:
        store: the book's.
        run: its id, from ``Book.begin_run``.
        keep: chooses the pictures that stay; None: none.
        group_s: seconds that fields may be held back, to put several on the medium at once; 0: each as it comes.

    Attributes:
        sample_id: the sample at work; None between samples.
        replayed: fields of it that were in the book already and came again.
    """

    def __init__(self, store: Store, run: int, keep: CropKeeper | None = None, group_s: float = 0.0) -> None:
        self._store = store
        self._run = run
        self._keep = keep
        self._group_s = group_s
        self._held: list[_Held] = []
        self._since = 0.0
        self._resumed: dict[str, int] = {}
        self._name = ""
        self._last = -1
        self._holes = False
        self.sample_id: int | None = None
        self.replayed = 0

    def resume(self, sample_id: int) -> None:
        """Go on with an interrupted sample: its fields, which come first once more, are compared and not written again.

        Raises:
            BookError: there is no such sample, it is not interrupted, or it is counted at another microscope.
        """
        with self._store.writing() as connection:
            self._make_it_ours(connection, sample_id)
            change = "UPDATE sample SET state = ?, held_by = ?, flag = NULL, event = NULL WHERE id = ? AND state = ? RETURNING name"
            found = connection.execute(change, (COUNTING, self._run, sample_id, INTERRUPTED)).fetchall()
            if not found:
                raise BookError("the sample is not interrupted: there is nothing to go on with")
            self._store.note(sample_id, "resumed", "gone on with")
        self._resumed[found[0]["name"]] = sample_id

    @staticmethod
    def _make_it_ours(connection: sqlite3.Connection, sample_id: int) -> None:
        """A sample that came by a merge is this book's from now on; one that another microscope tells of stays that one's."""
        query = "SELECT name FROM collected JOIN microscope ON microscope.id = microscope_id WHERE sample_id = ? AND heard != ''"
        told = connection.execute(query, (sample_id,)).fetchone()
        if told is not None:
            raise BookError(f"the sample is counted at the microscope {told['name']}: go on with it there")
        connection.execute("DELETE FROM collected WHERE sample_id = ?", (sample_id,))

    def field(self, event: FieldEvent) -> None:
        """Put a field on the medium, now or with the next ones (``settled``).

        Raises BookError where a replayed one comes out in another way than it was counted.
        """
        row = row_of(event)
        if event.sample != self._name or (self.sample_id is None and not self._held):
            self._turn_to(event.sample)
        kept = self._keep.field(event) if self._keep is not None else Kept()
        if self.sample_id is not None and event.index <= self._last:
            self._compare(self.sample_id, row)
            if self._holes:
                with self._store.writing() as connection:
                    write_tally(connection, self.sample_id, event.tally, event.seconds)
            return
        if not self._held:
            self._since = monotonic()
        self._held.append(_Held(row, kept, event.tally, now()))
        self._last = event.index
        pixels = 0 if event.rgb is None else event.rgb.nbytes
        if monotonic() - self._since >= self._group_s or len(self._held) * max(pixels, 1) > _MOST_PIXELS:
            self.settle()

    @property
    def settled(self) -> bool:
        """Whether every field it was given is on the medium."""
        return not self._held

    def settle(self) -> None:
        """Put on the medium what was held back, in one transaction."""
        if not self._held:
            return
        held = self._held
        with self._store.writing() as connection:
            sample = self._begin(connection, self._name) if self.sample_id is None else self.sample_id
            for one in held:
                field = insert(connection, one.row, sample, self._run, one.at)
                self._pictures(connection, sample, field, one.kept)
            write_tally(connection, sample, held[-1].tally, held[-1].row.seconds)
        self.sample_id = sample
        self._held = []  # not before: what could not be written has not settled

    def sample(self, event: SampleEvent) -> None:
        """Put the sample's end on the medium."""
        self.settle()
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
        self.settle()
        self._store.end_run(self._run)

    def discard(self) -> None:
        """The same after a failure; a book that cannot be written now notices at its next opening."""
        self._held.clear()
        with suppress(OutputError):
            self._store.end_run(self._run)

    def _turn_to(self, name: str) -> None:
        """The sample of this name: one that is gone on with, or a new one, made with its first field."""
        self.settle()
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
