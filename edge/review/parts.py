"""The counted cells of a sample, each in one part: as arrays, so that a million of them are quick and small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge import near
from edge.book.book import Book
from edge.book.file import read_errors
from edge.errors import BookError
from edge.modelfile import Card
from edge.review.order import draw_keys
from edge.review.records import CellPlace, Stratum
from edge.types import FloatArray, Int32Array

TOP_SIZE = 60
"""Suspects that are looked at one after the other, highest score first: what a person does in two minutes."""

STRATA = tuple(Stratum)
"""The parts in their order; ``CountedCells.part`` is a place in it."""

_AT_ONCE = 10_000  # rows
_CELLS = (
    "SELECT number, n, class, scores FROM field JOIN cell ON field_id = field.id "
    "WHERE sample_id = ? AND reason IS NULL AND readable AND class >= 0 AND NOT seen ORDER BY number, n"
)


@dataclass(frozen=True, slots=True, eq=False)
class CountedCells:
    """The counted cells of a sample in the order they were counted, n of them.

    Attributes:
        field, n: int32 [n], their places.
        classes: int32 [n], places in the model's labels.
        scores: float32 [n], the positive classes' scores added up.
        part: int8 [n], places in ``STRATA``.
    """

    field: Int32Array
    n: Int32Array
    classes: Int32Array
    scores: FloatArray
    part: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.field)

    def place(self, i: int) -> CellPlace:
        """Where the i-th is."""
        return CellPlace(int(self.field[i]), int(self.n[i]))

    def find(self, place: CellPlace) -> int | None:
        """Where in the arrays a cell is; None: it is not counted."""
        first, last = np.searchsorted(self.field, [place.field, place.field + 1]).tolist()
        i = first + int(np.searchsorted(self.n[first:last], place.n))
        return i if i < last and self.n[i] == place.n else None

    def size(self, stratum: Stratum) -> int:
        """Cells of a part."""
        return int((self.part == STRATA.index(stratum)).sum())

    def of(self, stratum: Stratum) -> NDArray[np.int64]:
        """The places in these arrays of a part's cells."""
        return np.flatnonzero(self.part == STRATA.index(stratum))


def counted_cells(book: Book, sample_id: int, card: Card) -> CountedCells:
    """Read the counted cells of a sample; ``card``: of its run, at its threshold. Raises BookError."""
    positive = card.positive_mask
    field, n, classes, scores = _read(book, sample_id, len(positive))
    total = near.positive_scores(scores, positive) if len(scores) else np.zeros(0, np.float32)
    part = np.full(len(field), STRATA.index(Stratum.REST), np.int8)
    part[near.just_below(scores, classes, positive, card.threshold)] = STRATA.index(Stratum.NEAR)
    suspects = np.flatnonzero(near.counted_positive(classes, positive))
    part[suspects] = STRATA.index(Stratum.SUSPECTS)
    part[suspects[_highest(total[suspects])]] = STRATA.index(Stratum.TOP)
    return CountedCells(field, n, classes, total, part)


def by_score(cells: CountedCells) -> NDArray[np.int64]:
    """The cells of ``TOP`` in the order they are looked at: highest score first, of equal ones the one counted first."""
    top = cells.of(Stratum.TOP)
    return np.asarray(top[np.argsort(-cells.scores[top], kind="stable")], np.int64)


def _highest(scores: FloatArray) -> NDArray[np.int64]:
    return np.argsort(-scores, kind="stable")[:TOP_SIZE]


class DrawOrder:
    """The cells of each part but ``TOP`` in random order, as far as it was asked for.

    Args:
        cells: of the sample.
    """

    def __init__(self, cells: CountedCells) -> None:
        self._cells = cells
        self._ranked = dict[Stratum, NDArray[np.int64]]()

    def whole(self, stratum: Stratum) -> NDArray[np.int64]:
        """The places in the arrays of all cells of a part, in the order they are drawn."""
        if stratum not in self._ranked:
            cells = self._cells.of(stratum)
            keys = draw_keys(self._cells.field[cells], self._cells.n[cells])
            self._ranked[stratum] = cells[np.argsort(keys, kind="stable")]
        return self._ranked[stratum]


def _read(book: Book, sample_id: int, classes: int) -> tuple[Int32Array, Int32Array, Int32Array, FloatArray]:
    """Field, place in it, class and scores of each counted cell, in chunks: lists of a million rows take a gigabyte."""
    blank = bytes(4 * classes)
    whole: list[NDArray[np.int32]] = []
    scores: list[FloatArray] = []
    with read_errors(book.store.path):
        cursor = book.store.connection.execute(_CELLS, (sample_id,))
        while rows := cursor.fetchmany(_AT_ONCE):
            number, n, klass, raw = zip(*rows, strict=True)
            whole.append(np.array((number, n, klass), np.int32))
            data = b"".join(blank if one is None else one for one in raw)
            if len(data) != len(rows) * len(blank) or max(klass) >= classes:
                raise BookError(f"{book.store.path}: a cell is of no class of the model: edge book check")
            scores.append(np.frombuffer(data, "<f4").reshape(-1, classes).astype(np.float32))
    if not whole:
        none = np.zeros(0, np.int32)
        return none, none, none, np.zeros((0, classes), np.float32)
    field, n_, klass_ = np.concatenate(whole, axis=1)
    return field, n_, klass_, np.concatenate(scores)
