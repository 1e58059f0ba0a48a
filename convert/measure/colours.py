"""The colour that cells of one field are brought to: that of its median cell."""

from __future__ import annotations

import numpy as np

from edge.boxes import median
from edge.crops import centre_colours
from edge.types import FloatArray, Int32Array, UInt8Array


def middle(crops: UInt8Array, size: int) -> UInt8Array:
    """The middle of crops: uint8 [n, s, s, 3] to [n, size, size, 3]."""
    edge = (crops.shape[1] - size) // 2
    return crops[:, edge : edge + size, edge : edge + size]


def own_colours(crops: UInt8Array, size: int) -> FloatArray:
    """Each cell's own colour, float32 [n, 3], from the middle ``size`` pixels of crops uint8 [n, s, s, 3]."""
    if not len(crops):
        return np.empty((0, 3), np.float32)
    return centre_colours(np.ascontiguousarray(middle(crops, size)))


def middle_colour(own: FloatArray) -> FloatArray:
    """Median colour, float32 [3], of cells float32 [n, 3]."""
    return np.array([median(channel) for channel in own.T], np.float32)


def field_reference(own: FloatArray, fields: Int32Array) -> FloatArray:
    """The colour of each cell's field, float32 [n, 3]: the median of its cells' colours, as ``edge.crops`` has it.

    Args:
        own: float32 [n, 3], see ``own_colours``.
        fields: int32 [n], what each cell is from.
    """
    out = np.empty((len(own), 3), np.float32)
    for number in np.unique(fields):
        mine = fields == number
        out[mine] = middle_colour(own[mine])
    return out
