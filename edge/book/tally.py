"""What a sample adds up to, kept beside it so that a list of samples reads no cells; and made again from them to check it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

from edge.book.rows import UNREADABLE, FieldRow
from edge.book.store import Store, now
from edge.events import SampleEvent
from edge.record_json import from_text, to_text
from edge.types import NOT_NEW, Tally

_WRITE = """
UPDATE sample SET touched = ?, seconds = ?, fields = ?, kept = ?, rejected = ?, unreadable = ?, cells = ?, counts = ?, set_aside = ?
WHERE id = ?
"""
_KINDS = """
SELECT DISTINCT kinds, placed FROM field WHERE sample_id = ? AND reason IS NULL AND readable
"""
_THINGS = """
SELECT kinds, kind, class, seen, count(*) FROM field JOIN cell ON field_id = field.id
WHERE sample_id = ? AND reason IS NULL GROUP BY kinds, kind, class, seen
"""


def write_tally(
    connection: sqlite3.Connection, sample: int, tally: Tally, seconds: float, touched: str | None = None
) -> None:
    """Put the sums beside the sample, inside a transaction of the caller's; ``touched``: None: now."""
    rejected, unreadable = sum(tally.rejected.values()), len(tally.unreadable)
    fields = tally.kept + rejected + unreadable
    texts = (to_text(dict(tally.counts)), to_text(dict(tally.set_aside)))
    sums = (touched or now(), seconds, fields, tally.kept, rejected, unreadable, tally.cells, *texts, sample)
    connection.execute(_WRITE, sums)


def add_to_tally(
    store: Store, sample: int, row: FieldRow, labels: tuple[str, ...], touched: str, *, again: bool = False
) -> None:
    """Add a field that was just put into a sample to the sums beside it, inside a transaction of the caller's.

    Args:
        store: the book's.
        sample: the sample's id.
        row: the field.
        labels: the model's.
        touched: when the field was counted, UTC.
        again: it took the place of another one: all is added up again.

    Raises:
        ValueError: a cell is of a class that there is none of.
    """
    query = "SELECT name, fields, kept, rejected, unreadable, counts, set_aside FROM sample WHERE id = ?"
    (there,) = store.rows(query, sample)
    if again:
        write_tally(store.connection, sample, tally_of(store, sample, there["name"], labels), row.seconds, touched)
        return
    counts: dict[str, int] = dict.fromkeys(labels, 0) | json.loads(there["counts"])
    set_aside: dict[str, int] = json.loads(there["set_aside"])
    counts_as = {"kept": 0, "rejected": 0, "unreadable": 0}
    counts_as[
        "unreadable" if not row.values["readable"] else "rejected" if row.values["reason"] is not None else "kept"
    ] = 1
    if row.values["classes"] not in (0, len(labels)):
        raise ValueError("a field of another model than its run's")
    if counts_as["kept"]:
        _add(row, labels, counts, set_aside)
    numbers = tuple(there[name] + one for name, one in counts_as.items())
    sums = (
        touched,
        row.seconds,
        there["fields"] + 1,
        *numbers,
        sum(counts.values()),
        to_text(counts),
        to_text(set_aside),
    )
    store.connection.execute(_WRITE, (*sums, sample))


def _add(row: FieldRow, labels: tuple[str, ...], counts: dict[str, int], set_aside: dict[str, int]) -> None:
    kinds = json.loads(row.values["kinds"])
    names = [*kinds[1:], *([NOT_NEW] if row.values["placed"] and NOT_NEW not in kinds else [])]
    for name in names:
        set_aside.setdefault(name, 0)
    cells = row.cells
    for kind, n in Counter(cells.kind[~cells.seen & (cells.kind > 0)].tolist()).items():
        set_aside[kinds[kind]] += n
    if cells.seen.any():
        set_aside[NOT_NEW] = set_aside.get(NOT_NEW, 0) + int(cells.seen.sum())
    for klass, n in Counter(cells.classes[~cells.seen & (cells.classes >= 0)].tolist()).items():
        counts[labels[klass]] += n


def agrees(store: Store, sample: int) -> bool:
    """Whether what was said at a sample's end, if it has ended, is what its sums are; raises BookError."""
    (row,) = store.rows("SELECT event, flag, kept, counts FROM sample WHERE id = ?", sample)
    if row["event"] is None:
        return row["flag"] is None
    try:
        event = from_text(SampleEvent, row["event"], "the sample")
    except ValueError:
        return False
    said = (event.verdict.flag, event.tally.kept, dict(event.tally.counts))
    return said == (row["flag"], row["kept"], json.loads(row["counts"]))


def tally_of(store: Store, sample: int, name: str, labels: tuple[str, ...]) -> Tally:
    """Add the sample's fields and cells up again.

    Args:
        store: the book's.
        sample: the sample's id.
        name: its name.
        labels: the classes of its run's model.

    Raises:
        BookError: the book is damaged.
        ValueError: a cell is of a class or a kind that there is none of.
    """
    rejected: Counter[str] = Counter()
    unreadable, kept = [], 0
    for field, reason, readable in store.rows(
        "SELECT name, reason, readable FROM field WHERE sample_id = ? ORDER BY number", sample
    ):
        if not readable:
            unreadable.append((field, str(reason).removeprefix(UNREADABLE)))
        elif reason is None:
            kept += 1
        else:
            rejected[reason] += 1
    counts, set_aside = dict.fromkeys(labels, 0), dict[str, int]()
    for names, placed in store.rows(_KINDS, sample):
        kinds = from_text(tuple[str, ...], names, "the kinds")[1:]
        set_aside |= {kind: 0 for kind in (*kinds, NOT_NEW)[: len(kinds) + bool(placed)] if kind not in set_aside}
    for names, kind, klass, seen, n in store.rows(_THINGS, sample):
        kinds = json.loads(names)
        if not -1 <= klass < len(labels) or not 0 <= kind < len(kinds):
            raise ValueError("a cell is of a class or a kind that there is none of")
        if seen or kind:
            thing = NOT_NEW if seen else kinds[kind]
            set_aside[thing] = set_aside.get(thing, 0) + n
        if klass >= 0 and not seen:
            counts[labels[klass]] += n
    return Tally(name, counts, set_aside, kept, dict(rejected), tuple(unreadable))
