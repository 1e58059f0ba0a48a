"""The order in which cells are drawn: random, the same for everybody, and known while a sample still runs.

A cell's key is a hash of its place. Places have nothing to do with what a cell shows, so the first k cells of any part, by key, are
a simple random sample of that part; the next ones extend it (permanent random numbers: Ohlsson 1995, Coordination of samples
using permanent random numbers, in Business Survey Methods). Whoever keeps the lowest k keys of a stream keeps that sample (bottom-k).
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from edge.review.records import CellPlace
from edge.types import Int32Array

_SCALE = 2.0**-64  # of 64 bits to 0 to 1
_EMPTY = blake2b(digest_size=8, person=b"edge.review")


def draw_key(cell: CellPlace) -> float:
    """The key of a cell, 0 to 1, uniform over cells."""
    return int.from_bytes(_digest(str(cell).encode()), "big") * _SCALE


def draw_keys(field: Int32Array, n: Int32Array) -> NDArray[np.float64]:
    """The keys of many cells, float64 [m]; ``field``, ``n``: int32 [m], their places."""
    places = zip(field.tolist(), n.tolist(), strict=True)
    data = b"".join([_digest(b"%d-%d" % place) for place in places])
    return np.frombuffer(data, ">u8").astype(np.float64) * _SCALE


def _digest(place: bytes) -> bytes:
    hashing = _EMPTY.copy()  # which takes two thirds of the time of a new one
    hashing.update(place)
    return hashing.digest()
