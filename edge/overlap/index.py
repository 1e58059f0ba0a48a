"""Remembers where keys were seen: a table of fixed size, filled field by field.

Each key has a row of ``DEPTH`` places. A full row forgets its oldest entry, so memory stays bounded and what is common, and
so tells nothing, is forgotten first. An entry is one uint64: 16 bits of the key, 20 of the field, 14 each of x and y.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.types import FloatArray

DEPTH = 8  # places per row of the table
ROW_BITS = 19  # the table has 2**19 rows
LAST_FIELD = (1 << 20) - 1
"""Highest number that a field may have."""

_PLACE_BITS = 14  # per coordinate
_PLACE_STEPS = (1 << _PLACE_BITS) - 1
_FIELD = np.uint64(2 * _PLACE_BITS)
_TAGGED = np.uint64(1 << 48)
_FULL = np.uint64((1 << 2 * _PLACE_BITS) - 1)  # an entry's field is never 0: that is an empty place
_ROW = np.uint64(64 - ROW_BITS)


class Hits(NamedTuple):
    """Entries found: which of the keys asked for (int64 [m]), the field (int64 [m]), the place (float32 [m, 2])."""

    asked: NDArray[np.int64]
    field: NDArray[np.int64]
    place: FloatArray


class KeyIndex:
    """Remembers keys with the field and the place they were seen at.

    Args:
        extent: places are 0 to this, x and y, in the unit that places are given in.
    """

    def __init__(self, extent: tuple[float, float]) -> None:
        self._entries = np.zeros((1 << ROW_BITS, DEPTH), np.uint64)  # touched, and so in memory, only as it fills
        self._next = np.zeros(1 << ROW_BITS, np.uint8)
        self._steps = (_PLACE_STEPS / np.array(extent, np.float32)).astype(np.float32)

    def add(self, keys: NDArray[np.uint64], places: FloatArray, field: int) -> None:
        """Remember keys, uint64 [k], with their places, float32 [k, 2], as of field ``field`` (from 0)."""
        rows = (keys >> _ROW).astype(np.int64)
        x, y = np.clip(places * self._steps, 0, _PLACE_STEPS).astype(np.uint64).T
        entries = _tag(keys) | (np.uint64(field + 1) << _FIELD) | (x << np.uint64(_PLACE_BITS)) | y
        turn = self._next[rows]  # of keys in one row the last one stays
        self._entries[rows, turn] = entries
        self._next[rows] = (turn + 1) % DEPTH

    def find(self, keys: NDArray[np.uint64]) -> Hits:
        """All entries of these keys, uint64 [k]."""
        found = self._entries.take((keys >> _ROW).astype(np.int64), axis=0)
        found ^= _tag(keys)[:, None]
        hits = np.flatnonzero(found < _TAGGED)  # the tags are the same: what is left is without one
        entries = found.ravel()[hits]
        filled = entries > _FULL
        hits, entries = hits[filled], entries[filled]
        steps = np.stack([entries >> np.uint64(_PLACE_BITS), entries], 1) & np.uint64(_PLACE_STEPS)
        places = (steps.astype(np.float32) + np.float32(0.5)) / self._steps
        return Hits(hits // DEPTH, (entries >> _FIELD).astype(np.int64) - 1, places)


def _tag(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """16 bits of the key that do not choose its row, at the top."""
    return (keys & np.uint64(0xFFFF)) << np.uint64(48)
