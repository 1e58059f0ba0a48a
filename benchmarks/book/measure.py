"""The figures: what a field costs, how large a million cells are, how long a list of samples and one sample take."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from benchmarks.book.fields import FieldMaker, Telling
from edge.book.book import Book
from edge.book.opening import open_book
from edge.book.records import CropKeeper
from edge.book.writer import GROUP_S
from edge.modelfile import Card

WARM_UP: Final = 20
"""Fields before those that are timed: the first ones fill the galleries."""

_NEARLY: Final = 0.999  # of the cells: fields differ a little
LOOKS: Final = 5
"""Times that a list or a sample is asked for."""


@dataclass(frozen=True, slots=True)
class FieldCost:
    """Per field, means: things found; processor ms of reading and analysing it, and of the book; ms that the book took in all."""

    cells: float
    analysis_ms: float
    book_ms: float
    wall_ms: float

    @property
    def share(self) -> float:
        """The book's processor time over the analysis'."""
        return self.book_ms / self.analysis_ms


@dataclass(frozen=True, slots=True)
class BookSize:
    """A full book.

    Attributes:
        samples, fields, cells: in it.
        size: bytes of the file; ``pictures``: of them in JPEGs.
        samples_s, show_s: seconds until the list of samples, and the newest sample, are read: medians.
        cold_samples_s, cold_show_s: the same when the system holds nothing of the file in memory.
    """

    samples: int
    fields: int
    cells: int
    size: int
    pictures: int
    samples_s: float
    show_s: float
    cold_samples_s: float
    cold_show_s: float


def silent(_: str) -> None:
    """Say nothing."""


def field_cost(
    maker: FieldMaker, path: Path, count: int, keeper: Callable[[Card], CropKeeper] | None, group_s: float = GROUP_S
) -> FieldCost:
    """Analyse fields and write them as ``edge-run`` does, in turns, so that both are timed on the same machine.

    Args:
        maker: of the fields.
        path: of a new book, on the disk that is meant.
        count: fields that are timed.
        keeper: makes who chooses pictures; None: nobody.
        group_s: seconds that fields wait for each other; 0: each is put on the medium as it comes.
    """
    spent, wall, found = [0.0, 0.0], 0.0, 0
    with open_book(path, silent) as book:
        keep = keeper(maker.card) if keeper else None
        writer = book.writer(book.begin_run(maker.about, {}), keep=keep, group_s=group_s)
        telling = Telling(maker.card, "cost")
        for number in range(WARM_UP + count):
            start = time.process_time()
            result, rgb = maker.make(number)
            made = time.process_time()
            event = telling.field(result, rgb)
            begin, told = time.perf_counter(), time.process_time()
            writer.field(event)
            if number < WARM_UP:
                continue
            spent[1] += time.process_time() - told
            wall += time.perf_counter() - begin
            spent[0] += made - start
            found += len(result.cells)
        begin, told = time.perf_counter(), time.process_time()
        writer.settle()
        spent[1] += time.process_time() - told
        wall += time.perf_counter() - begin
        writer.close()
    return FieldCost(found / count, 1e3 * spent[0] / count, 1e3 * spent[1] / count, 1e3 * wall / count)


def full_book(
    maker: FieldMaker, path: Path, cells: int, per_sample: int, keeper: Callable[[Card], CropKeeper] | None
) -> BookSize:
    """Fill a book and ask it.

    Args:
        maker: of the fields, which are told again and again.
        path: of a new book.
        cells: in all, at least.
        per_sample: cells of a sample, at least.
        keeper: makes who chooses pictures; None: nobody.
    """
    fields = [maker.make(number) for number in range(len(maker.shots))]
    found = sum(len(result.cells) for result, _ in fields) / len(fields)
    each = ceil(per_sample / found)
    with open_book(path, silent) as book:
        book.store.connection.execute("PRAGMA synchronous = OFF")  # it is filled, not timed
        run, number = book.begin_run(maker.about, {}), 0
        while _number(book, "total(found) FROM field") < _NEARLY * cells:
            number += 1
            telling = Telling(maker.card, f"S-{number:04d}")
            writer = book.writer(run, keep=keeper(maker.card) if keeper else None, group_s=GROUP_S)
            for n in range(each):
                result, rgb = fields[n % len(fields)]
                writer.field(telling.field(result, rgb if keeper else None))
            writer.sample(telling.end())
    with open_book(path, silent) as book:
        samples, told, things = (_number(book, f"count(*) FROM {table}") for table in ("sample", "field", "cell"))
        pictures = sum(_number(book, f"total(length(jpeg)) FROM {table}") for table in ("crop", "view"))
        newest = book.samples()[0].name
    warm = (_median(lambda: _list(path), None), _median(lambda: _show(path, newest), None))
    cold = (_median(lambda: _list(path), path), _median(lambda: _show(path, newest), path))
    return BookSize(samples, told, things, path.stat().st_size, pictures, *warm, *cold)


def _number(book: Book, what: str) -> int:
    return int(book.store.rows(f"SELECT {what}")[0][0])


def _list(path: Path) -> None:
    with open_book(path, silent, make=False) as book:
        book.samples()


def _show(path: Path, name: str) -> None:
    """All that ``edge show`` reads of a book."""
    with open_book(path, silent, make=False) as book:
        row = book.sample(name)
        book.about(row.run)
        book.event(row.id)
        book.notes(row.id)
        book.pictures(row.id)
        book.store.rows("SELECT count(overlaps) FROM field WHERE sample_id = ?", row.id)


def _median(ask: Callable[[], None], forget: Path | None) -> float:
    spent = []
    for _ in range(LOOKS):
        if forget is not None:
            _out_of_memory(forget)
        start = time.perf_counter()
        ask()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def _out_of_memory(path: Path) -> None:
    """Let the system forget what it holds of a file."""
    with path.open("rb") as stream, suppress(OSError):
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
