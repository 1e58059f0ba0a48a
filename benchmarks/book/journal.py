"""What the journal costs: a field in the book with and without it, a field's message, and taking that into a collected book."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.book.fields import FieldMaker, Telling
from benchmarks.book.measure import WARM_UP, silent
from edge.book.book import Book
from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.book.opening import open_book
from edge.book.writer import GROUP_S, BookWriter
from edge.journal import JournalEntry
from edge.network.messages import decode, encode

AT_ONCE: Final = 20
"""Messages that a collector takes in one transaction: as many as a publisher has under way."""

SCOPE: Final = "bench-3"
"""Name of the microscope."""

_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%INSERT INTO journal%'"


@dataclass(frozen=True, slots=True)
class JournalCost:
    """Per field, means.

    Attributes:
        fields, cells: of the run; things found per field.
        without_ms, with_ms: processor time of writing a field into a book without a journal and with one.
        without_bytes, with_bytes: of the file.
        message_ms: processor time of reading an entry and making JSON of it, without names; ``message_bytes``: of that.
        take_ms: processor time of reading the JSON and putting it into a collected book.
    """

    fields: int
    cells: float
    without_ms: float
    with_ms: float
    without_bytes: float
    with_bytes: float
    message_ms: float
    message_bytes: float
    take_ms: float


def journal_cost(maker: FieldMaker, folder: Path, count: int) -> JournalCost:
    """Write the same fields into two books, one after the other in changing order, then tell a third one of them.

    Args:
        maker: of the fields.
        folder: for the books, on the disk that is meant.
        count: fields that are timed.
    """
    made = [maker.make(number) for number in range(len(maker.shots))]
    spent, paths = [0.0, 0.0], [folder / "without.sqlite", folder / "with.sqlite"]
    with open_book(paths[0], silent) as without, open_book(paths[1], silent) as with_:
        for (name,) in without.store.rows(_TRIGGERS):
            without.store.connection.execute(f"DROP TRIGGER {name}")
        writers = [_writer(book, maker) for book in (without, with_)]
        telling, found = Telling(maker.card, "cost"), 0
        for number in range(WARM_UP + count):
            result, _ = made[number % len(made)]
            event = telling.field(result, None)
            found += len(result.cells)
            for one in (0, 1) if number % 2 else (1, 0):
                began = time.process_time()
                writers[one].field(event)
                if number >= WARM_UP:
                    spent[one] += time.process_time() - began
        for one, writer in enumerate(writers):
            began = time.process_time()
            writer.settle()
            spent[one] += time.process_time() - began
            writer.sample(telling.end())
            writer.close()
    sizes = [path.stat().st_size / (WARM_UP + count) for path in paths]
    sent, message_ms = _messages(paths[1])
    take_ms = _taken(sent, folder / "collected.sqlite")
    each = sum(map(len, sent)) / len(sent)
    milliseconds = (1e3 * spent[0] / count, 1e3 * spent[1] / count)
    return JournalCost(count, found / (WARM_UP + count), *milliseconds, sizes[0], sizes[1], message_ms, each, take_ms)


def _writer(book: Book, maker: FieldMaker) -> BookWriter:
    return book.writer(book.begin_run(maker.about, {}), group_s=GROUP_S)


def _messages(path: Path) -> tuple[list[bytes], float]:
    journal = Journal(path)
    entries: tuple[JournalEntry, ...] = journal.entries(1, journal.newest())
    began = time.process_time()
    sent = [encode(journal.message(entry, SCOPE, names=False)) for entry in entries]
    return sent, 1e3 * (time.process_time() - began) / len(sent)


def _taken(sent: list[bytes], path: Path) -> float:
    with closing(Inbox(path)) as inbox:
        began = time.process_time()
        for start in range(0, len(sent), AT_ONCE):
            inbox.take_all([decode(one) for one in sent[start : start + AT_ONCE]])
        return 1e3 * (time.process_time() - began) / len(sent)


def journal_table(machine: str, cost: JournalCost) -> str:
    """The figures as lines of Markdown; ``machine``: what they were measured on, in a few words."""
    more_ms, more_bytes = cost.with_ms - cost.without_ms, cost.with_bytes - cost.without_bytes
    lines = [
        f"By `python -m benchmarks.book --journal` on {machine}: {cost.fields:,} fields of {cost.cells:.0f} things each, in turns.",
        "",
        "| per field | without a journal | with it | it costs |",
        "|---|---:|---:|---:|",
        f"| book, processor ms | {cost.without_ms:.3f} | {cost.with_ms:.3f} | {more_ms:+.3f} |",
        f"| book, bytes | {cost.without_bytes:,.0f} | {cost.with_bytes:,.0f} | {more_bytes:+,.0f} |",
        "",
        "| per message | processor ms | bytes |",
        "|---|---:|---:|",
        f"| read from the book and encoded, without names | {cost.message_ms:.2f} | {cost.message_bytes:,.0f} |",
        f"| decoded, checked and put into a collected book | {cost.take_ms:.2f} | |",
    ]
    return "\n".join(lines) + "\n"
