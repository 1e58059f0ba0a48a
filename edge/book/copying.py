"""Fields and samples from one book into another, each field checked against its checksum on the way: for merging and for recovery."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cached_property
from typing import Any

from edge.book import cells, rows
from edge.book.file import number, why
from edge.book.reviews import COLUMNS, insert_answer, values_of
from edge.book.rows import FieldRow, insert, outcome_of, read_row
from edge.book.schema import ANSWERS_FROM, stored
from edge.book.store import Store
from edge.book.tally import tally_of, write_tally
from edge.description import RunDescription
from edge.record_json import from_text

_RUN = ("uuid", "began", "model", "scope", "unit", "about", "binding")
_SAMPLE = ("uuid", "state", "began", "touched", "seconds", "flag", "event", "lost")


class Copier:
    """Copies into ``target``, inside transactions of the caller's.

    Args:
        source: read from; may be damaged: what cannot be read raises ValueError.
        target: written to.
    """

    def __init__(self, source: sqlite3.Connection, target: Store) -> None:
        self._source = source
        self._target = target
        self._runs: dict[int, int] = {}

    def run(self, run: int) -> int:
        """The target's id of a run of the source's, which is copied where it is not there."""
        if run not in self._runs:
            found = self._rows("SELECT * FROM run WHERE id = ?", run)
            if not found:
                raise ValueError("the run of a sample is not there")
            row = found[0]
            from_text(RunDescription, row["about"], "the run")
            there = self._target.row("SELECT id FROM run WHERE uuid = ?", row["uuid"])
            self._runs[run] = self._insert("run", {c: row[c] for c in _RUN}) if there is None else int(there["id"])
        return self._runs[run]

    def sample(self, row: sqlite3.Row, uuid: str, count: int | None = None, *, counting: bool = False) -> int:
        """Make a sample like this one, without fields; returns its id in the target.

        Args:
            row: the source's.
            uuid: of the new one.
            count: which of the counts of this name; None: the next that is free.
            counting: it may be under way, at another microscope; else one that was is interrupted.
        """
        name = stored(row["name"])
        if count is None:
            of_name = "SELECT coalesce(max(count), 0) + 1 FROM sample WHERE name = CAST(? AS TEXT)"
            count = self._target.rows(of_name, name)[0][0]
        values = {column: row[column] for column in _SAMPLE}
        values |= {"uuid": uuid, "name": name, "count": count, "run_id": self.run(row["run_id"])}
        if values["state"] == "counting" and not counting:
            values["state"] = "interrupted"
        return self._insert("sample", values)

    def read(self, field: int) -> tuple[sqlite3.Row, FieldRow] | None:
        """A field of the source's, checked, with the row it came from; None: there is none of this id."""
        found = self._rows(f"{rows.SELECT} WHERE id = ?", field)
        if not found:
            return None
        made = read_row(found[0], self._rows(cells.SELECT, field))
        outcome_of(made, "")
        return found[0], made

    def write(self, row: sqlite3.Row, made: FieldRow, sample: int) -> int:
        """Put a field that was read into a sample of the target's; returns its id there."""
        return insert(self._target.connection, made, sample, self.run(row["run_id"]), row["at"])

    def pictures(self, field: int, copy: int, tables: tuple[str, ...] = ("crop", "view", "picture")) -> None:
        """Copy the crops and the view of a field, and the row of its kept picture."""
        for table in tables:
            for row in self._rows(f"SELECT * FROM {table} WHERE field_id = ?", field):
                values = {name: row[name] for name in row.keys()} | {"field_id": copy}  # noqa: SIM118 - not a dict
                if table == "picture":
                    values["file"] = stored(values["file"])
                self._insert(table, values)

    def notes(self, sample: int | None, copy: int | None) -> None:
        """Copy the notes of a sample, or of the book, that are not there yet."""
        for row in self._rows("SELECT at, kind, text FROM note WHERE sample_id IS ? ORDER BY id", sample):
            same = "SELECT 1 FROM note WHERE sample_id IS ? AND at = ? AND kind = ? AND text = CAST(? AS TEXT)"
            values = {"sample_id": copy, "at": row["at"], "kind": row["kind"], "text": stored(row["text"])}
            if self._target.row(same, *values.values()) is None:
                self._insert("note", values)

    def answers(self, sample: int, copy: int) -> int:
        """Copy what people answered about a sample and what went out of it, as far as it is not there yet, in the order it came.

        Returns:
            Answers and marks that are new in the target.
        """
        new = 0
        for table in COLUMNS if self._holds_answers else ():
            for row in self._rows(f"SELECT * FROM {table} WHERE sample_id = ? ORDER BY id", sample):
                new += self._answer(table, row, copy) and table != "bundle"
        return new

    def one_answer(self, table: str, number: int, sample_of: Callable[[int], int | None]) -> bool | None:
        """Copy one row of a table of answers, for recovery, which goes by ids.

        Args:
            table: one of ``edge.book.reviews.COLUMNS``.
            number: the row's id.
            sample_of: the target's sample of one of the source's; None: it is not there.

        Returns:
            Whether it was copied; None: there is no row of this id.
        """
        found = self._rows(f"SELECT * FROM {table} WHERE id = ?", number)
        if not found:
            return None
        copy = sample_of(found[0]["sample_id"])
        if copy is None:
            return False
        self._answer(table, found[0], copy)
        return True

    def _answer(self, table: str, row: sqlite3.Row, copy: int) -> bool:
        """Copy a row that is not there yet; returns whether it was not."""
        values = values_of(table, row)
        if (
            self._target.row(f"SELECT 1 FROM {table} WHERE sample_id = ? AND uuid = ?", copy, values["uuid"])
            is not None
        ):
            return False
        insert_answer(self._target.connection, table, copy, tuple(values.values()))
        return True

    @cached_property
    def _holds_answers(self) -> bool:
        return number(self._source, "user_version") >= ANSWERS_FROM

    def sums(self, sample: int, touched: str, seconds: float) -> None:
        """Add a sample of the target's up again and put the sums beside it."""
        name, about = self._target.rows(
            "SELECT name, about FROM sample JOIN run ON run.id = run_id WHERE sample.id = ?", sample
        )[0]
        labels = from_text(RunDescription, about, "the run").card.labels
        write_tally(self._target.connection, sample, tally_of(self._target, sample, name, labels), seconds, touched)

    def _rows(self, query: str, value: int | None) -> list[sqlite3.Row]:
        try:
            return self._source.execute(query, (value,)).fetchall()
        except sqlite3.DatabaseError as error:
            raise ValueError(why(error)) from error

    def _insert(self, table: str, values: dict[str, Any]) -> int:
        cast = (f"CAST(:{c} AS TEXT)" if c in ("name", "text", "file") else f":{c}" for c in values)
        new = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(cast)})"
        return self._target.connection.execute(new, values).lastrowid or 0
