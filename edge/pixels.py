"""Makes fields smaller and touches each pixel once: halves are made on first use and shared.

OpenCV averages 2 x 2 with vector instructions; other factors are several times slower, so they come last.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array

_EVERY_BYTE = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)  # grey
_LIFT = 1 / 2048  # rounds a half up, and is far less than the distance of any other product from one


class Pyramid:
    """A field, its half, its quarter and so on: uint8 [H, W, 3], [H // 2, W // 2, 3], ... Not to be written to.

    Attributes:
        part: x, y, w, h in field pixels of what stands for the field where cells are measured; None: the whole of it.
    """

    def __init__(self, rgb: UInt8Array, part: tuple[int, int, int, int] | None = None) -> None:
        self._levels = [rgb]
        self.part = part

    @property
    def rgb(self) -> UInt8Array:
        """The field itself."""
        return self._levels[0]

    def level(self, number: int) -> UInt8Array:
        """The field halved ``number`` times; an odd last row or column is dropped each time."""
        while len(self._levels) <= number:
            rgb = self._levels[-1]
            height, width = (side // 2 for side in rgb.shape[:2])
            even = rgb[: 2 * height, : 2 * width]
            self._levels.append(np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
        return self._levels[number]


def thinned(rgb: UInt8Array, step: int) -> UInt8Array:
    """Every ``step``-th pixel of a picture both ways, a channel a row: uint8 [H, W, 3] to uint8 [3, n]."""
    return np.stack([channel[:, ::step].reshape(-1) for channel in channels(rgb[::step])])


def channels(rgb: UInt8Array) -> list[UInt8Array]:
    """The three channels of a picture: uint8 [H, W, 3] to three of uint8 [H, W].

    OpenCV parts them with vector instructions, which it does not use to extract one channel.
    """
    # Given no place it copies them once more; in one array they would often lie a multiple of 4,096 bytes apart: bad for caches.
    parts = [np.empty(rgb.shape[:2], np.uint8) for _ in range(3)]
    cv2.split(rgb, parts)
    return parts


def distances(mask: UInt8Array) -> FloatArray:
    """How far each pixel that is not 0 lies from the nearest one that is: uint8 [H, W] to float32 [H, W] in pixels.

    The last bits of OpenCV's roots depend on where in memory the mask lies. Their squares are whole numbers: roots are taken anew.
    """
    found = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(np.square(found, dtype=np.float64))).astype(np.float32)


def looked_up(rgb: UInt8Array, table: UInt8Array, gains: FloatArray) -> UInt8Array:
    """``cv2.LUT`` for a table that multiplies, in a fifth of its instructions.

    OpenCV multiplies with vector instructions and looks up byte by byte. It rounds halves to even, which a table may not do:
    so all 256 bytes are tried first, with halves lifted where that helps, and what no factor gives exactly is looked up.

    Args:
        rgb: uint8 [H, W, 3].
        table: uint8 [1, 256, 3].
        gains: float32 [3], by which the table multiplies.

    Returns:
        uint8 [H, W, 3], to the last bit what the table says.
    """
    factors = np.zeros((3, 4), np.float32)
    factors[:, :3] = np.diag(gains)
    lift = (cv2.transform(_EVERY_BYTE, factors) != table).any(axis=(0, 1))
    factors[lift, 3] = _LIFT
    exact = np.array_equal(cv2.transform(_EVERY_BYTE, factors), table)
    return np.asarray(cv2.transform(rgb, factors) if exact else cv2.LUT(rgb, table), np.uint8)


Image = UInt8Array | Pyramid
"""A field as its pixels, or with its halves."""


def pyramid(image: Image) -> Pyramid:
    """The image with its halves."""
    return image if isinstance(image, Pyramid) else Pyramid(image)


def rescale(image: Image, scale: float) -> UInt8Array:
    """Resize by ``scale``, the same bytes on every processor: uint8 [H, W, 3] to uint8 [h, w, 3], at least 8 pixels a side."""
    levels = pyramid(image)
    height, width = (max(8, round(side * scale)) for side in levels.rgb.shape[:2])
    number = 0
    while min(levels.rgb.shape[0] // height, levels.rgb.shape[1] // width) >= 2 ** (number + 1):
        number += 1
    rgb = levels.level(number)
    if rgb.shape[:2] == (height, width):
        return rgb
    # The other ways of resizing differ from processor to processor in some bytes. Less than a half is left, which hardly aliases.
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)
