"""The book: what was counted, read back. ``edge.book.opening`` opens it, ``edge.book.writer`` writes runs into it."""

from __future__ import annotations

import difflib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar
from uuid import uuid4

from edge.book import cells, rows
from edge.book.book_answers import BookAnswers
from edge.book.collected import holds_a_journal
from edge.book.holding import Hold, is_alive, sweep
from edge.book.records import (
    COUNTING,
    INTERRUPTED,
    BookNote,
    CropKeeper,
    FieldPicture,
    KeptPicture,
    KnownField,
    SampleRow,
)
from edge.book.rows import FieldRow, outcome_of, read_row
from edge.book.schema import stored
from edge.book.store import now
from edge.book.tally import tally_of
from edge.book.writer import BookWriter
from edge.description import RunDescription
from edge.errors import BookError, OutputError
from edge.events import Outcome, SampleEvent
from edge.record_json import from_text, to_text
from edge.types import FieldIdentity, Tally

R = TypeVar("R")

_SAMPLES = "SELECT sample.*, model, scope, unit FROM sample JOIN run ON run.id = run_id"
_PLAIN = (
    *(
        "id",
        "uuid",
        "name",
        "count",
        "state",
        "began",
        "touched",
        "seconds",
        "fields",
        "kept",
        "rejected",
        "unreadable",
    ),
    *("cells", "flag", "model", "scope", "unit", "lost"),
)
_AT_ONCE = 16  # fields read at once: a replay holds no reader open while the book is written


class Book(BookAnswers):
    """A book that is open. Use it from one thread, as a context manager or with ``close``.

    Every method that reads raises BookError where the book is damaged or was changed to what makes no sense; every one that writes
    raises OutputError.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. What was still being counted becomes interrupted."""
        for run in list(self.store.runs):
            with suppress(OutputError):
                self.store.end_run(run)
        with suppress(sqlite3.Error):
            self.store.connection.close()

    # Runs

    def begin_run(self, about: RunDescription, binding: Mapping[str, str]) -> int:
        """Note a run and hold it as alive.

        Args:
            about: what it counts with.
            binding: name of a setting to its value: what going on with a sample of this run is bound to.

        Returns:
            The run's id in this book.
        """
        uuid = str(uuid4())
        hold = None if self.store.path is None else Hold(self.store.path, uuid)
        told = (uuid, now(), about.model.name, about.bound.scope, about.unit, to_text(about), to_text(dict(binding)))
        new = "INSERT INTO run (uuid, began, model, scope, unit, about, binding) VALUES (?, ?, ?, ?, ?, ?, ?)"
        try:
            with self.store.writing() as connection:
                run = connection.execute(new, told).lastrowid or 0
        except BaseException:
            if hold is not None:
                hold.release()
            raise
        self.store.runs[run] = hold
        return run

    def writer(self, run: int, *, keep: CropKeeper | None = None, group_s: float = 0.0) -> BookWriter:
        """The output that writes this run; ``keep`` chooses the pictures that stay, ``group_s``: see ``BookWriter``."""
        return BookWriter(self.store, run, keep, group_s)

    def about(self, run: int) -> RunDescription:
        """What a run counted with."""
        return self._record(RunDescription, "about", run)

    def binding(self, run: int) -> Mapping[str, str]:
        """What going on with a sample of this run is bound to, as it was given."""
        return self._record(dict[str, str], "binding", run)

    def note_the_dead(self) -> list[int]:
        """Mark samples whose run has died as interrupted; returns their ids."""
        if self.store.path is not None:
            sweep(self.store.path)
        held = "SELECT sample.id, run.uuid FROM sample LEFT JOIN run ON run.id = held_by WHERE state = ?"
        if holds_a_journal(self.store):
            # those of other microscopes: they say themselves what becomes of them
            held += " AND (held_by IS NOT NULL OR sample.id NOT IN (SELECT sample_id FROM collected))"
        dead = [id_ for id_, uuid in self.store.rows(held, COUNTING) if uuid is None or not self._lives(uuid)]
        if not dead:
            return dead
        with self.store.writing() as connection:
            change = "UPDATE sample SET state = ?, held_by = NULL WHERE id = ? AND state = ?"
            for sample in dead:
                connection.execute(change, (INTERRUPTED, sample, COUNTING))
                self.store.note(sample, "interrupted", "its run ended without a word: a crash or a power cut")
        return dead

    def _lives(self, uuid: str) -> bool:
        return self.store.path is not None and is_alive(self.store.path, uuid)

    # Samples

    def samples(self, since: str | None = None, name: str | None = None) -> list[SampleRow]:
        """The samples, newest first: by the order they came in, not by their clocks.

        Args:
            since: only those whose latest field is of this time or later, UTC, ``2026-11-01`` or ``2026-11-01T08:00:00Z``.
            name: only the counts of this sample.
        """
        query, values = _SAMPLES, list[str | bytes]()
        if since is not None:
            query, values = f"{query} WHERE touched >= ?", [since]
        if name is not None:
            query += f" {'AND' if values else 'WHERE'} name = CAST(? AS TEXT)"
            values.append(stored(name))
        return [self._sample(row) for row in self.store.rows(f"{query} ORDER BY sample.id DESC", *values)]

    def sample(self, name: str, count: int | None = None) -> SampleRow:
        """One sample; ``count``: which of several counts, None: the newest. Raises BookError, with names that are near."""
        found = [row for row in self.samples(name=name) if count in (None, row.count)]
        if found:
            return found[0]
        if count is not None:
            raise BookError(f"the book holds no count {count} of {name}")
        names = [
            row["name"] for row in self.store.rows("SELECT DISTINCT name FROM sample ORDER BY id DESC LIMIT 10000")
        ]
        near = difflib.get_close_matches(name, names, 3)
        hint = f": did you mean {' or '.join(near)}?" if near else ": edge samples lists them"
        raise BookError(f"the book holds no sample {name}{hint}")

    def row(self, sample_id: int) -> SampleRow:
        """One sample by its id in this book."""
        found = self.store.row(f"{_SAMPLES} WHERE sample.id = ?", sample_id)
        if found is None:
            raise BookError(f"the book holds no sample of number {sample_id}")
        return self._sample(found)

    def event(self, sample_id: int) -> SampleEvent | None:
        """What was said when the sample ended; None: it has not ended, or a crash ended it."""
        event = self._of(sample_id, "event")
        return None if event is None else self._read(SampleEvent, str(event), "the sample")

    def tally(self, sample_id: int) -> Tally:
        """What the sample adds up to, made again from its fields."""
        labels = self.about(self.run_of(sample_id)).card.labels
        try:
            return tally_of(self.store, sample_id, self.name_of(sample_id), labels)
        except ValueError as error:
            raise BookError(f"{self.store.path}: {error}: edge book check") from error

    def name_of(self, sample_id: int) -> str:
        """The name of a sample."""
        return str(self._of(sample_id, "name"))

    def run_of(self, sample_id: int) -> int:
        """The run that began a sample."""
        return int(self._of(sample_id, "run_id") or 0)

    # Fields

    def field_rows(self, sample_id: int) -> Iterator[FieldRow]:
        """The fields of a sample in field order; memory stays flat."""
        last = -1
        while True:
            query = f"{rows.SELECT} WHERE sample_id = ? AND number > ? ORDER BY number LIMIT ?"
            found = self.store.rows(query, sample_id, last, _AT_ONCE)
            for row in found:
                try:
                    yield read_row(row, self.store.rows(cells.SELECT, row["id"]))
                except (ValueError, TypeError) as error:
                    raise BookError(f"{self.store.path}: {error}: edge book check") from error
                last = row["number"]
            if len(found) < _AT_ONCE:
                return

    def outcomes(self, sample_id: int) -> Iterator[Outcome]:
        """The fields as the workers gave them, in field order, for a replay through a session; memory stays flat.

        Their ``began`` is None and their ``seconds`` are those of the run.
        """
        for _, outcome in self.rows_and_outcomes(sample_id):
            yield outcome

    def rows_and_outcomes(self, sample_id: int) -> Iterator[tuple[FieldRow, Outcome]]:
        """The same, each with its row, which holds what was decided."""
        name = self.name_of(sample_id)
        for row in self.field_rows(sample_id):
            try:
                outcome = outcome_of(row, name)
            except (ValueError, TypeError) as error:
                number = row.values["number"]
                raise BookError(f"{self.store.path}: field {number} of {name}: {error}: edge book check") from error
            yield row, outcome

    def known(self, sample_id: int) -> Mapping[str, tuple[KnownField, ...]]:
        """The files in the sample, by the SHA-256 of their content; several fields may be of one file, or of copies of it."""
        columns = "number, name, path, size, sha256, reason"
        query = f"SELECT {columns} FROM field WHERE sample_id = ? AND sha256 IS NOT NULL ORDER BY number"
        found: defaultdict[str, list[KnownField]] = defaultdict(list)
        for number, name, path, size, sha256, reason in self.store.rows(query, sample_id):
            identity = FieldIdentity(path, size, sha256.hex())
            found[identity.sha256].append(KnownField(number, name, identity, reason))
        return {sha256: tuple(fields) for sha256, fields in found.items()}

    # Pictures

    def crops(self, sample_id: int) -> Mapping[tuple[int, int], bytes]:
        """JPEGs of the cells that were kept, by the field's place in the run and the cell's in the field."""
        query = "SELECT number, n, jpeg FROM crop JOIN field ON field.id = field_id WHERE sample_id = ?"
        return {(number, n): jpeg for number, n, jpeg in self.store.rows(query, sample_id)}

    def views(self, sample_id: int) -> Mapping[int, FieldPicture]:
        """Whole fields that were kept, scaled down, by the field's place in the run."""
        query = "SELECT number, view.width, view.height, jpeg FROM view JOIN field ON field.id = field_id WHERE sample_id = ?"
        return {number: FieldPicture(*view) for number, *view in self.store.rows(query, sample_id)}

    def pictures(self, sample_id: int | None = None) -> list[KeptPicture]:
        """Files in the folder beside the book, in the order they came; None: of all samples."""
        query = (
            "SELECT sample_id, number, file, picture.size, suspicious FROM picture JOIN field ON field.id = field_id"
        )
        where, values = ("", ()) if sample_id is None else (" WHERE sample_id = ?", (sample_id,))
        found = self.store.rows(f"{query}{where} ORDER BY field_id", *values)
        return [KeptPicture(sample, field, file, size, bool(last)) for sample, field, file, size, last in found]

    def forget_pictures(self, pictures: list[KeptPicture]) -> None:
        """Note that these files were removed."""
        gone = "DELETE FROM picture WHERE field_id = (SELECT id FROM field WHERE sample_id = ? AND number = ?)"
        with self.store.writing() as connection:
            connection.executemany(gone, [(one.sample, one.field) for one in pictures])

    # Notes

    def note(self, sample_id: int | None, kind: str, text: str) -> None:
        """Write down what happened to a sample, or to the book."""
        with self.store.writing():
            self.store.note(sample_id, kind, text)

    def notes(self, sample_id: int | None) -> list[BookNote]:
        """What was written down, oldest first; None: of the book itself."""
        query = "SELECT at, kind, text FROM note WHERE sample_id IS ? ORDER BY id"
        return [BookNote(*row) for row in self.store.rows(query, sample_id)]

    def _of(self, sample_id: int, column: str) -> str | int | None:
        row = self.store.row(f"SELECT {column} FROM sample WHERE id = ?", sample_id)
        if row is None:
            raise BookError(f"the book holds no sample of number {sample_id}")
        value: str | int | None = row[column]
        return value

    def _sample(self, row: sqlite3.Row) -> SampleRow:
        counts = self._read(dict[str, int], row["counts"], "the counts of a sample")
        return SampleRow(run=row["run_id"], counts=counts, **{name: row[name] for name in _PLAIN})

    def _record(self, kind: type[R], column: str, run: int) -> R:
        row = self.store.row(f"SELECT {column} FROM run WHERE id = ?", run)
        if row is None:
            raise BookError(f"the book holds no run {run}")
        return self._read(kind, row[column], "the run")

    def _read(self, kind: type[R], text: str, what: str) -> R:
        try:
            return from_text(kind, text, what)
        except ValueError as error:
            raise BookError(f"{self.store.path}: changed by hand, or damaged: {error}: edge book check") from error
