"""What people answered, as rows: added one after the other, never changed, each with a checksum of its own.

A row names its cell by the field's place in the run and the cell's in the field, not by the field's row: so an answer outlives damage
that took the field, and stands again when the field was counted once more.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from edge.answers import CellPlace, ReaderAddition, ReaderAnswer, ReaderDecision, Stratum
from edge.book.review_checks import AnswerChecks
from edge.book.schema import ANSWERS_FROM, stored
from edge.book.store import Store
from edge.errors import BookError, ReviewError
from edge.record_json import from_text, to_text

_AT_ONCE = 500  # uuids asked for in one query

_DECISION = (
    *("uuid", "field", "n", "reader", "at", "model", "answer", "label", "stage", "reading", "stratum", "blind"),
    *("seconds", "source"),
)
_ADDITION = (*("uuid", "field", "x", "y", "w", "h", "reader", "at", "model", "label", "stage", "source", "withdrawn"),)
_BUNDLE = ("uuid", "at", "kind", "names")
COLUMNS: Mapping[str, tuple[str, ...]] = {"decision": _DECISION, "addition": _ADDITION, "bundle": _BUNDLE}
"""Of the tables of answers, without ids and checksum: what a row's checksum is of."""

_STANDING = """
SELECT sample_id, count(*) FROM (
    SELECT DISTINCT sample_id, field, n FROM (
        SELECT sample_id, field, n, answer, max(id) FROM decision GROUP BY sample_id, field, n, reader, reading
    ) WHERE answer != 'withdrawn'
) GROUP BY sample_id
"""
"""Beside ``max`` SQLite gives the other columns of that very row."""

A = TypeVar("A", ReaderDecision, ReaderAddition)


@dataclass(frozen=True, slots=True)
class SentBundle:
    """What went out to somebody without its names.

    Attributes:
        uuid: of it in all books.
        at: when it was made, UTC, ISO 8601, for people.
        kind: of the file.
        names: what stands in the file to what it stands for here, as ``FIELD-N`` of a cell, ``FIELD`` of a field.
    """

    uuid: str
    at: str
    kind: str
    names: Mapping[str, str]


def holds_answers(store: Store) -> bool:
    """Whether the book is of a version that holds answers; an earlier one holds none. Raises BookError."""
    row = store.row("PRAGMA user_version")
    return row is not None and int(row[0]) >= ANSWERS_FROM


def checksum(values: Sequence[Any]) -> int:
    """Of a row's values, in the order of ``COLUMNS``."""
    return zlib.crc32(repr(tuple(values)).encode("utf-8", "surrogatepass"))


def insert_answer(connection: sqlite3.Connection, table: str, sample: int, values: Sequence[Any]) -> int:
    """Add a row, inside a transaction of the caller's; returns its id.

    Args:
        connection: to the book.
        table: one of ``COLUMNS``.
        sample: the sample's id.
        values: in the order of ``COLUMNS``.
    """
    names = COLUMNS[table]
    marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, str) else "?" for value in values)
    new = f"INSERT INTO {table} (sample_id, {', '.join(names)}, checksum) VALUES (?, {marks}, ?)"
    told = [stored(value) if isinstance(value, str) else value for value in values]
    return connection.execute(new, (sample, *told, checksum(values))).lastrowid or 0


def decisions(store: Store, sample: int) -> tuple[ReaderDecision, ...]:
    """All answers about cells of a sample, in the order they came, those that were superseded too. Raises BookError."""
    return tuple(_rows(store, "decision", sample, decision_of))


def additions(store: Store, sample: int) -> tuple[ReaderAddition, ...]:
    """All marks of cells that the machine has not, in the order they came. Raises BookError."""
    return tuple(_rows(store, "addition", sample, addition_of))


def bundles(store: Store, sample: int) -> tuple[SentBundle, ...]:
    """What went out of a sample, oldest first. Raises BookError."""
    return tuple(_rows(store, "bundle", sample, bundle_of))


def newest(store: Store, sample: int) -> tuple[int, int]:
    """Numbers of the newest answer and the newest mark of a sample, 0: none. Raises BookError."""
    if not holds_answers(store):
        return (0, 0)
    query = "SELECT coalesce((SELECT max(id) FROM {} WHERE sample_id = ?), 0)"
    first, second = (store.rows(query.format(table), sample)[0][0] for table in ("decision", "addition"))
    return int(first), int(second)


def reviewed(store: Store) -> dict[int, int]:
    """How many cells of each sample, by id, have answers that stand. Raises BookError."""
    if not holds_answers(store):
        return {}
    return {int(sample): int(cells) for sample, cells in store.rows(_STANDING)}


def answer(
    store: Store, sample: int, given: Sequence[ReaderDecision], marks: Sequence[ReaderAddition]
) -> tuple[tuple[ReaderDecision, ...], tuple[ReaderAddition, ...]]:
    """Put answers into the book in one transaction, all or none; those that are in it already change nothing.

    Args:
        store: the book's.
        sample: the sample's id.
        given: about cells.
        marks: of cells that the machine has not.

    Returns:
        Them all as they are in the book, with their numbers.

    Raises:
        ReviewError: one of them cannot be.
        BookError: there is no such sample, or it cannot be read.
        OutputError: the book cannot be written.
    """
    with store.writing() as connection:  # what is checked is what is answered: nobody writes in between
        AnswerChecks(store, sample).all(given, marks)
        adding = _Adding(store, connection, sample)
        told = {one.uuid: one for one in adding.there("decision", given, decision_of)}
        done = adding.put("decision", given, decision_values, told)
        marked = {one.uuid: one for one in adding.there("addition", marks, addition_of)}
        return done, adding.put("addition", marks, addition_values, marked)


def send_out(store: Store, sample: int, sent: SentBundle) -> None:
    """Note what went out. Raises OutputError."""
    with store.writing() as connection:
        insert_answer(connection, "bundle", sample, (sent.uuid, sent.at, str(sent.kind), to_text(dict(sent.names))))


def decision_values(one: ReaderDecision) -> tuple[Any, ...]:
    """Of an answer's row, in the order of ``COLUMNS``."""
    return (
        *(one.uuid, one.cell.field, one.cell.n, one.reader, one.at, one.model, str(one.answer), one.label, one.stage),
        *(one.reading, str(one.stratum), int(one.blind), None if one.seconds is None else float(one.seconds)),
        one.source,
    )


def addition_values(one: ReaderAddition) -> tuple[Any, ...]:
    """Of a mark's row, in the order of ``COLUMNS``."""
    told = (one.reader, one.at, one.model, one.label, one.stage, one.source, int(one.withdrawn))
    return (one.uuid, one.field, *one.box, *told)


def decision_of(row: sqlite3.Row) -> ReaderDecision:
    """An answer from its row; raises ValueError where that was changed."""
    v = values_of("decision", row)
    answer_, stratum = ReaderAnswer(v["answer"]), Stratum(v["stratum"])
    return ReaderDecision(
        *(v["uuid"], CellPlace(v["field"], v["n"]), v["reader"], v["at"], v["model"], answer_, v["label"], v["stage"]),
        *(v["reading"], stratum, bool(v["blind"]), v["seconds"], v["source"], row["id"]),
    )


def addition_of(row: sqlite3.Row) -> ReaderAddition:
    """A mark from its row; raises ValueError where that was changed."""
    v = values_of("addition", row)
    box = (v["x"], v["y"], v["w"], v["h"])
    return ReaderAddition(
        *(v["uuid"], v["field"], box, v["reader"], v["at"], v["model"], v["label"], v["stage"], v["source"]),
        *(bool(v["withdrawn"]), row["id"]),
    )


def bundle_of(row: sqlite3.Row) -> SentBundle:
    """What went out from its row; raises ValueError where that was changed."""
    v = values_of("bundle", row)
    return SentBundle(v["uuid"], v["at"], v["kind"], from_text(dict[str, str], v["names"], "the names of a bundle"))


def values_of(table: str, row: sqlite3.Row) -> dict[str, Any]:
    """A row's values by column; raises ValueError where it was changed or damaged."""
    values = {name: row[name] for name in COLUMNS[table]}
    if checksum(tuple(values.values())) != row["checksum"]:
        raise ValueError(f"{table} {row['id']} is not as it was written: damaged, or changed by hand")
    return values


R = TypeVar("R")


def _rows(store: Store, table: str, sample: int, made: Callable[[sqlite3.Row], R]) -> Iterable[R]:
    if not holds_answers(store):
        return
    for row in store.rows(f"SELECT * FROM {table} WHERE sample_id = ? ORDER BY id", sample):
        yield _made(store, made, row)


def _made(store: Store, made: Callable[[sqlite3.Row], R], row: sqlite3.Row) -> R:
    try:
        return made(row)
    except (ValueError, TypeError) as error:
        raise BookError(f"{store.path}: {error}: edge book check") from error


@dataclass(frozen=True, slots=True)
class _Adding:
    """Adds answers to a sample, inside a transaction of the caller's."""

    store: Store
    connection: sqlite3.Connection
    sample: int

    def there(self, table: str, given: Sequence[A], made: Callable[[sqlite3.Row], A]) -> Iterable[A]:
        """Those that are in the book already."""
        for start in range(0, len(given), _AT_ONCE):
            uuids = [one.uuid for one in given[start : start + _AT_ONCE]]
            query = f"SELECT * FROM {table} WHERE sample_id = ? AND uuid IN ({', '.join('?' * len(uuids))})"
            for row in self.store.rows(query, self.sample, *uuids):
                yield _made(self.store, made, row)

    def put(
        self, table: str, given: Sequence[A], values: Callable[[A], tuple[Any, ...]], there: dict[str, A]
    ) -> tuple[A, ...]:
        """Them all as they are in the book; those that are not there added."""
        done = []
        for one in given:
            if one.uuid not in there:
                there[one.uuid] = replace(one, number=insert_answer(self.connection, table, self.sample, values(one)))
            elif _said(there[one.uuid]) != _said(one):
                raise ReviewError(
                    f"answer {one.uuid} is in the book already, and says something else: give it a new uuid"
                )
            done.append(there[one.uuid])
        return tuple(done)


def _said(one: ReaderDecision | ReaderAddition) -> tuple[Any, ...]:
    """What an answer says: the same one given again says the same, whenever that is."""
    if isinstance(one, ReaderDecision):
        return one.cell, one.reader, one.answer, one.label, one.stage, one.reading
    return one.field, one.box, one.reader, one.label, one.stage, one.withdrawn
