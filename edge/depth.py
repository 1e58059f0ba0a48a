"""Pixels of any depth to 8 bits, by a scale that is known and never guessed from how bright one picture happens to be.

A camera of 10, 12 or 14 bits is often kept in 16. A dim field of a 12-bit camera then looks like a bright one of a 10-bit
camera, so the brightest pixel settles nothing, with one exception: a value of 2**14 or more can only stand in 16 bits.
Otherwise the depth is what the file declares, else what the first field of its sample has, else it is asked for.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.refusal import DepthUnknownError, RefusedError
from edge.types import UInt8Array

_CERTAIN = 1 << 14  # a value from here on shows that all 16 bits count


def settle(top: int, depth: int | None) -> int:
    """The depth of 16-bit pixels whose largest value is ``top``; ``depth`` is what is known of it.

    Raises:
        DepthUnknownError: nothing is known and the values do not tell.
        RefusedError: a value does not fit into the depth.
    """
    if depth is None:
        if top < _CERTAIN:
            raise DepthUnknownError(top)
        return 16
    if top >= 1 << depth:
        raise RefusedError(f"its values reach {top:,}, more than the {depth} bits of its sample hold: see --depth")
    return depth


def check_kind(pixels: NDArray[Any]) -> None:
    """Raise RefusedError for pixels that are neither uint8 nor uint16: floats and 32 bits have no known scale."""
    if pixels.dtype not in (np.uint8, np.uint16):
        raise RefusedError(
            f"its pixels are {pixels.dtype}, whose scale is unknown: save it with 8 bits per channel"
            " (ImageJ: Image > Type > 8-bit or RGB Color)"
        )


def to_8_bit(pixels: NDArray[Any], depth: int | None) -> tuple[UInt8Array, int | None]:
    """Scale to 8 bits.

    Args:
        pixels: uint8 or uint16, any shape.
        depth: bits that count of uint16 pixels, where known.

    Returns:
        uint8 of the same shape, and the depth it was scaled by (None: it had 8 bits).

    Raises:
        RefusedError: see ``settle`` and ``check_kind``.
    """
    check_kind(pixels)
    if pixels.dtype == np.uint8:
        return pixels, None
    depth = settle(int(pixels.max()), depth)
    return (pixels >> (depth - 8)).astype(np.uint8) if depth >= 8 else (pixels << (8 - depth)).astype(np.uint8), depth


def frame_to_rgb(frame: NDArray[Any], depth: int | None, *, bgr: bool) -> UInt8Array:
    """A camera's or a video's frame as a field: uint8 [H, W, 3] RGB in memory of its own.

    Args:
        frame: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], uint8 or uint16.
        depth: bits that count of uint16 frames, where known.
        bgr: blue comes first.

    Raises:
        RefusedError: another number of channels, floats, 32 bits, or a depth that is not known.
    """
    frame = np.asarray(frame)
    if frame.ndim not in (2, 3) or (frame.ndim == 3 and frame.shape[2] not in (1, 3, 4)) or frame.size == 0:
        raise RefusedError(f"frames of shape {'x'.join(map(str, frame.shape))} are neither grey nor colour")
    pixels, _ = to_8_bit(frame, depth)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    colour = pixels[..., :3]
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2RGB), np.uint8) if bgr else np.array(colour, np.uint8)


SMALLEST = 64
"""Pixels a side below which a picture is no field of view: there a cell is a speck and a speck a cell."""


def check_size(rgb: UInt8Array) -> UInt8Array:
    """Return the field; RefusedError when it is too small to be one."""
    height, width = rgb.shape[:2]
    if min(height, width) < SMALLEST:
        raise RefusedError(f"{width}x{height} pixels are too few for a field: {SMALLEST} a side at least")
    return rgb
