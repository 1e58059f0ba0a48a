"""Keys of groups of cells that do not change when the stage moves: fields that overlap have such keys in common.

A constellation is a cell (the anchor) and three of its nearest neighbours to the right. The three difference vectors, in typical
cells, are rounded to a grid, each draws its number from a table, and the numbers are added up: the same three vectors give the
same key in any order, wherever in the field they stand and however bright they are. Four cells make one constellation, for only
one of them is the leftmost. A vector that falls on the other side of a grid line spoils its constellations: a field is looked for
with its keys, and with those that it had if the coordinate nearest to a grid line were beyond it.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.types import FloatArray

STEP = 0.2
"""Side of the grid that vectors are rounded to, in typical cells: a few times the error of a difference."""

MOST_KEYS = 1024
"""Constellations kept of one field: those whose keys are lowest, so that two fields keep the same ones."""


def _scattered(many: int) -> NDArray[np.uint64]:
    """``many`` pseudo-random numbers, the same on every machine (SplitMix64)."""
    numbers = np.arange(1, many + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(numbers ^ (numbers >> np.uint64(31)))


_WINDOW = 32  # cells to the right among which the nearest are sought
_ENOUGH = 1000  # constellations that a field shall have: where there are few cells, more neighbours are combined
_FEWEST, _MOST = 5, 9  # neighbours combined
_ROW, _ONE = np.float32(256), np.float32(1)  # steps up and down that the table tells apart
_PLACES = 1 << 15  # entries of the table of scattered numbers; a power of two
_NUMBERS = _scattered(_PLACES)
_NOBODY = np.full((_WINDOW, 2), np.inf, np.float32)


class ConstellationKeys(NamedTuple):
    """Constellations of one field.

    Attributes:
        keys: uint64 [k]; k is at most ``MOST_KEYS``, and 0 where there are fewer than four cells.
        anchors: int64 [k], which cell each is around.
        asked: uint64 [m], the same, and those beyond the nearest grid line.
        asked_anchors: int64 [m].
    """

    keys: NDArray[np.uint64]
    anchors: NDArray[np.int64]
    asked: NDArray[np.uint64]
    asked_anchors: NDArray[np.int64]


def keys_of(places: FloatArray) -> ConstellationKeys:
    """Keys to remember a field by, and keys to look for it with; places: float32 [n, 2], x, y in typical cells."""
    wanted = neighbours_wanted(len(places))
    trios = _trios(wanted)
    order = places[:, 0].argsort(kind="stable")
    with np.errstate(invalid="ignore"):  # where there is no neighbour: infinitely far away, and left out below
        vectors = to_the_right(places[order], wanted) * np.float32(1 / STEP)
        rounded = np.rint(vectors)
        over = vectors - rounded
        unsure = np.abs(over)
        # Places in the table; the constellation is made from what lies there, so the order of its members does not matter.
        codes = (rounded[0] * _ROW + rounded[1]).astype(np.int64)
        beyond = np.where(unsure[0] > unsure[1], np.copysign(_ROW, over[0]), np.copysign(_ONE, over[1]))
        numbers = _NUMBERS.take(codes & (_PLACES - 1))
        change = _NUMBERS.take((codes + beyond.astype(np.int64)) & (_PLACES - 1)) - numbers
        first, second, third = trios  # from here on: [constellations of an anchor, anchors]
        doubt = np.maximum(unsure[0], unsure[1])
        a, b, c = doubt[first], doubt[second], doubt[third]
        worst = np.maximum(np.maximum(a, b), c)
        sums = numbers[first] + numbers[second] + numbers[third]
        others = sums + np.where(a == worst, change[first], np.where(b == worst, change[second], change[third]))
        real = np.flatnonzero(worst < 1)
    anchors = order.take(real % max(len(order), 1))
    keys, others = sums.take(real), others.take(real)
    if len(keys) <= MOST_KEYS:
        return ConstellationKeys(keys, anchors, np.concatenate([keys, others]), np.concatenate([anchors, anchors]))
    last = np.partition(keys, MOST_KEYS)[MOST_KEYS]
    kept, also = keys < last, others < last
    keys, own = keys[kept], anchors[kept]
    return ConstellationKeys(keys, own, np.concatenate([keys, others[also]]), np.concatenate([own, anchors[also]]))


def neighbours_wanted(cells: int) -> int:
    """How many nearest neighbours are combined in a field with this many cells; sparse fields need more."""
    wanted = _FEWEST
    while wanted < _MOST and cells * _trios(wanted).shape[1] < _ENOUGH:
        wanted += 1
    return wanted


def to_the_right(places: FloatArray, wanted: int) -> FloatArray:
    """Vectors from each cell to the nearest cells on its right, float32 [2, wanted, n]; infinite where there are fewer.

    Args:
        places: float32 [n, 2], in the order of x.
        wanted: how many.
    """
    n = len(places)
    window = min(_WINDOW, max(n, wanted))
    x, y = np.concatenate([places, _NOBODY[:window]]).T.copy()
    beside = np.arange(n)[:, None] + np.arange(1, window + 1)
    right, down = x.take(beside) - places[:, :1], y.take(beside) - places[:, 1:]
    nearest = (right * right + down * down).argpartition(wanted - 1, axis=1)[:, :wanted].T + np.arange(n) * window
    return np.stack([right.take(nearest), down.take(nearest)])


@cache
def _trios(neighbours: int) -> NDArray[np.int64]:
    """Every choice of three neighbours, int64 [3, k]."""
    return np.array(list(combinations(range(neighbours), 3))).T.copy()
