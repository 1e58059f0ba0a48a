"""Small maps of light, spread over whole frames in whole numbers: the same bytes on every machine.

A map holds *gains less one*: 0 leaves a pixel as it is, ``ONE`` would double it. It is spread by linear interpolation between
the middles of its tiles, and brought to bytes, of which 256 would double. A frame is corrected as

    v + v * gain // 256, at most 255.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Int32Array, UInt8Array

ONE = 4096
"""What stands for 1 in a map. Values stay below it: nothing is made more than twice as light."""

_BITS = 8  # of a weight between two tiles
_HALF = 1 << (_BITS - 1)
"""Half a tile, and half a step where values are rounded."""

_TO_BYTE = 2 * _BITS + 4  # bits that interpolated values are above bytes of which 256 stand for 1
_ROWS = 64  # of a frame that are made at once: what they need stays small
_BYTES = 256  # values of a byte
_ODD_WIDTHS = (1, 7, 13, 17, 31, 33)  # pixels: what vector instructions leave over is tried too
_ROUND_UP = (1 << (_TO_BYTE - 1)) + (5 << _TO_BYTE) // 8
"""Rounds a gain, and makes up for the half level by which products are cut off on average at paper of byte 205 (128 / 205 is 5/8)."""


def spread(tiles: Int32Array, size: tuple[int, int]) -> UInt8Array:
    """A map over a frame.

    Args:
        tiles: int32 [h + 2, w + 2, c], 0 to ``ONE`` - 1: h x w tiles with a ring of tiles around the frame (``ringed``).
        size: width and height of the frame in pixels.

    Returns:
        uint8 [height, width, c], gains less one in 1/256.
    """
    width, height = size
    left, part = _places(width, tiles.shape[1] - 2)
    across = tiles[:, left] * ((1 << _BITS) - part)[None, :, None] + tiles[:, left + 1] * part[None, :, None]
    top, share = _places(height, tiles.shape[0] - 2)
    out = np.empty((height, width, tiles.shape[2]), np.uint8)
    for row in range(0, height, _ROWS):
        rows = slice(row, row + _ROWS)
        above, below = across[top[rows]], across[top[rows] + 1]
        weight = share[rows][:, None, None]
        values = np.asarray(above * ((1 << _BITS) - weight) + below * weight, np.int32)
        out[rows] = np.minimum((values + _ROUND_UP) >> _TO_BYTE, _BYTES - 1)
    return out


def _places(length: int, tiles: int) -> tuple[Int32Array, Int32Array]:
    """For each pixel the tile before it, the ring's being 0, and the weight of the next one: int32 [length] both."""
    middles: NDArray[np.int64] = 2 * np.arange(length, dtype=np.int64) + 1
    at = np.floor_divide(middles * tiles * _HALF, length) + _HALF
    return (at >> _BITS).astype(np.int32), (at & ((1 << _BITS) - 1)).astype(np.int32)


def ringed(tiles: np.ndarray) -> np.ndarray:
    """The tiles, [h, w, c], with a ring around them that goes on as they end: [h + 2, w + 2, c]. A single row is repeated."""
    for axis in (0, 1):
        first, last = (np.take(tiles, [end], axis) for end in (0, -1))
        second, before = (np.take(tiles, [min(1, tiles.shape[axis] - 1) if end else max(0, tiles.shape[axis] - 2)], axis)
                          for end in (1, 0))  # fmt: skip
        tiles = np.concatenate([2 * first - second, tiles, 2 * last - before], axis=axis)
    return tiles


def corrector(gains: UInt8Array) -> Callable[[UInt8Array], UInt8Array]:
    """What corrects frames by these gains, uint8 [H, W, 3]: uint8 [H, W, 3] to a new one. It raises ValueError for another size."""
    times = _times_vectors if _vectors_are_exact() else _times_whole_numbers

    def correct(rgb: UInt8Array) -> UInt8Array:
        if rgb.shape != gains.shape:
            (height, width), (high, wide) = rgb.shape[:2], gains.shape[:2]
            raise ValueError(f"a frame of {width}x{height} pixels, and the flat field is of {wide}x{high}")
        out = np.empty_like(gains)
        for row in range(0, len(out), _ROWS):  # what was multiplied is added while it is in the cache
            rows = slice(row, row + _ROWS)
            cv2.add(rgb[rows], times(rgb[rows], gains[rows], out[rows]), dst=out[rows])
        return out

    return correct


def _times_vectors(values: UInt8Array, gains: UInt8Array, out: UInt8Array) -> UInt8Array:
    """``values * gains // 256`` into ``out`` by OpenCV's vector instructions, which cut off on ARM, and round elsewhere."""
    return np.asarray(cv2.multiply(values, gains, dst=out, scale=1 / 256), np.uint8)


def _times_whole_numbers(values: UInt8Array, gains: UInt8Array, out: UInt8Array) -> UInt8Array:
    """The same in whole numbers, slower: what ``_times_vectors`` is held against, and used where that differs."""
    out[:] = np.multiply(values, gains, dtype=np.uint16) >> np.uint16(_BITS)
    return out


def _vectors_are_exact() -> bool:
    """Whether OpenCV on this machine gives every product of two bytes as whole numbers do, at the ends of rows too."""
    every = np.arange(_BYTES, dtype=np.uint8)
    values, gains = (np.ascontiguousarray(one) for one in np.broadcast_arrays(every[:, None], every[None]))
    tried = [(values, gains)]
    tried += [(values[:, :width].copy(), gains[:, -width:].copy()) for width in _ODD_WIDTHS]
    return all(
        np.array_equal(_times_vectors(*one, np.empty_like(one[0])), _times_whole_numbers(*one, np.empty_like(one[0])))
        for one in tried
    )
