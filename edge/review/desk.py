"""A book as the people who review it see it: opened for one question or one answer at a time, on the thread that asks.

Whoever counts into the book meanwhile, and other readers, wait for each other's transactions; nothing else is shared.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from edge.book.book import Book
from edge.book.file import check_header, check_owner, connect, connect_to_read, is_new, journal, read_errors, why
from edge.book.opening import open_book
from edge.book.records import SampleRow
from edge.book.schema import VERSION
from edge.book.store import Store
from edge.boxes import MATCHED, iou
from edge.errors import BookError, OutputError, ReviewError
from edge.review.consensus import readings_of
from edge.review.pictures import ReviewPictures
from edge.review.plan import SampleCells, planned
from edge.review.records import (
    CellPlace,
    CellReading,
    ReaderAddition,
    ReaderDecision,
    ReviewPicture,
    ReviewPlan,
)
from edge.review.state import ReviewState, state_of_cells

_REMEMBERED = 4  # samples whose cells stay in memory
_BOXES = (
    "SELECT n, x, y, w, h FROM field JOIN cell ON field_id = field.id "
    "WHERE sample_id = ? AND number = ? AND class >= 0 AND NOT seen"
)


class BookDesk:
    """A ``ReviewDesk`` on a book's file.

    Args:
        path: of the book.
        say: takes a line for a person: what opening the book to answer did to it.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._say = say
        self._pictures = ReviewPictures(path)
        self._lock = Lock()
        self._known: OrderedDict[int, tuple[SampleCells, ReviewPlan]] = OrderedDict()
        self._states: OrderedDict[int, tuple[object, ReviewState]] = OrderedDict()

    def plan(self, sample_id: int) -> ReviewPlan:
        """See ``ReviewDesk``."""
        with self._reading() as book:
            return self._cells(book, sample_id)[1]

    def readings(self, sample_id: int) -> tuple[CellReading, ...]:
        """See ``ReviewDesk``."""
        with self._reading() as book:
            known, plan = self._cells(book, sample_id)
            return readings_of(book.decisions(sample_id), known.stratum, plan.positive)

    def state(self, sample_id: int, *, advise: bool = True) -> ReviewState:
        """How the review stands: counts, both verdicts, what to look at next; see ``edge.review.state``."""
        with self._reading() as book:
            known, plan = self._cells(book, sample_id)
            key = (_stand(known.row), book.answered(sample_id), advise)
            with self._lock:
                if sample_id in self._states and self._states[sample_id][0] == key:
                    return self._states[sample_id][1]
            state = state_of_cells(book, known, plan, advise=advise)
            with self._lock:
                self._states[sample_id] = key, state
                while len(self._states) > _REMEMBERED:
                    self._states.popitem(last=False)
            return state

    def additions(self, sample_id: int) -> tuple[ReaderAddition, ...]:
        """All marks of cells that the machine has not, in the order they came, those that were withdrawn too."""
        with self._reading() as book:
            return book.additions(sample_id)

    def decide(self, sample_id: int, decisions: Sequence[ReaderDecision]) -> tuple[ReaderDecision, ...]:
        """See ``ReviewDesk``."""
        return self.answer(sample_id, decisions)[0]

    def add(self, sample_id: int, additions: Sequence[ReaderAddition]) -> tuple[ReaderAddition, ...]:
        """See ``ReviewDesk``."""
        return self.answer(sample_id, (), additions)[1]

    def answer(
        self, sample_id: int, decisions: Sequence[ReaderDecision], additions: Sequence[ReaderAddition] = ()
    ) -> tuple[tuple[ReaderDecision, ...], tuple[ReaderAddition, ...]]:
        """Answers and marks in one transaction, all or none; raises as ``decide`` does."""
        with self._writing() as book:
            _check_marks(book, sample_id, additions)
            return book.answer(sample_id, decisions, additions)

    def cell_picture(self, sample_id: int, cell: CellPlace, side: int, around: float) -> ReviewPicture | None:
        """See ``ReviewDesk``."""
        with self._reading() as book:
            return self._pictures.cell(book, sample_id, cell, side, around)

    def field_picture(self, sample_id: int, field: int, longest: int) -> ReviewPicture | None:
        """See ``ReviewDesk``."""
        with self._reading() as book:
            return self._pictures.field(book, sample_id, field, longest)

    @contextmanager
    def _reading(self) -> Iterator[Book]:
        if is_new(self._path):
            raise BookError(f"{self._path}: there is no book: nothing was counted into it yet")
        with read_errors(self._path):
            connection = connect_to_read(self._path)
            with Book(Store(connection, self._path)) as book:
                check_owner(connection, self._path)
                yield book

    @contextmanager
    def _writing(self) -> Iterator[Book]:
        """The book to be written: as it is where it is up to date, else as ``open_book`` makes it."""
        if is_new(self._path):
            raise BookError(f"{self._path}: there is no book: nothing was counted into it yet")
        check_header(self._path)
        try:
            connection = connect(self._path)
        except sqlite3.Error as error:
            raise OutputError(f"{self._path}: the book cannot be written: {why(error)}") from error
        try:
            version = check_owner(connection, self._path)
            if version == VERSION:
                journal(connection, self._path, self._say)
        except sqlite3.Error as error:
            connection.close()
            raise OutputError(f"{self._path}: the book cannot be written: {why(error)}") from error
        except BaseException:
            connection.close()
            raise
        if version == VERSION:
            with Book(Store(connection, self._path)) as book:
                yield book
            return
        connection.close()
        with open_book(self._path, self._say) as book:
            yield book

    def _cells(self, book: Book, sample_id: int) -> tuple[SampleCells, ReviewPlan]:
        """What is known of a sample; read anew where fields came."""
        row = book.row(sample_id)
        with self._lock:
            known = self._known.get(sample_id)
            if known is None or _stand(known[0].row) != _stand(row):
                cells = SampleCells.read(book, row)
                known = self._known[sample_id] = cells, planned(book, cells)
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(sample_id)
            return known


def _stand(row: SampleRow) -> tuple[object, ...]:
    return row.uuid, row.state, row.fields, row.cells, row.touched, row.lost


def _check_marks(book: Book, sample_id: int, marks: Sequence[ReaderAddition]) -> None:
    """Raise ReviewError for a mark where the machine has a cell: it would be counted twice."""
    for field in sorted({mark.field for mark in marks}):
        rows = book.store.rows(_BOXES, sample_id, field)
        mine = [mark for mark in marks if mark.field == field and not mark.withdrawn]
        if not rows or not mine:
            continue
        shared = iou(
            np.array([mark.box for mark in mine], np.float32), np.array([tuple(row)[1:] for row in rows], np.float32)
        )
        for mark, over in zip(mine, shared, strict=True):
            if over.max() >= MATCHED:
                cell = CellPlace(field, rows[int(over.argmax())]["n"])
                raise ReviewError(
                    f"field {field}: the machine has cell {cell} at {mark.box}: answer that, mark nothing"
                )
