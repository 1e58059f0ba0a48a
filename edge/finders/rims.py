"""Rims: where darkness rises, and in which direction. Every rim pixel votes for the centre of the cell it may belong to.

Gradient voting is the core of the circular Hough transform (Ballard 1981) and of the fast radial symmetry transform
(Loy and Zelinsky 2003): a rim pixel votes one radius along its gradient, which points into the cell. Votes of one rim
meet in its centre, also where a neighbour hides half of it, because the rim of a translucent cell shows through.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.types import FloatArray

FAINTEST_RIM = 0.1
"""Least rise of darkness per pixel (a typical cell is 1) that counts as a rim."""

_STRONGEST = 0.15  # edge strength above which a rim votes no stronger
_DARKEST = 1.4  # darkness above which an edge is inside a nucleus, not a rim


class Rims(NamedTuple):
    """Rim pixels of one field; all float32 [m], positions and unit directions in pixels, x right, y down."""

    x: FloatArray
    y: FloatArray
    into_x: FloatArray
    into_y: FloatArray
    weight: FloatArray


def rims(darkness: FloatArray) -> Rims:
    """Find rim pixels in ``Foreground.darkness``, float32 [h, w].

    Darkness is cut off a little above that of a cell: two cells on top of each other still show both rims, a nucleus or a stain
    speck does not outvote the rim around it.
    """
    clipped = cv2.GaussianBlur(np.clip(darkness, 0, _DARKEST), (3, 3), 0)
    dx = cv2.Sobel(clipped, cv2.CV_32F, 1, 0, scale=1 / 8)
    dy = cv2.Sobel(clipped, cv2.CV_32F, 0, 1, scale=1 / 8)
    rise = cv2.magnitude(dx, dy)
    on_rim = (rise > FAINTEST_RIM).view(np.uint8)
    # a rim is two or three pixels wide: every other pixel, as on a chessboard, says the same in half the time
    on_rim[::2, ::2] = 0
    on_rim[1::2, 1::2] = 0
    at = np.flatnonzero(on_rim)
    y, x = np.divmod(at, np.int64(darkness.shape[1]))
    strength = rise.reshape(-1)[at]
    return Rims(
        x.astype(np.float32),
        y.astype(np.float32),
        np.asarray(dx.reshape(-1)[at] / strength, np.float32),
        np.asarray(dy.reshape(-1)[at] / strength, np.float32),
        np.asarray(np.minimum(strength, _STRONGEST), np.float32),
    )


def votes(found: Rims, radii: FloatArray, shape: tuple[int, int], bin_px: float = 1.0) -> FloatArray:
    """Add up the votes for centres at ``radii`` (float32 [k], pixels) from the rims.

    Args:
        found: the rim pixels.
        radii: every rim pixel votes once at each of these distances.
        shape: (h, w) of the image the rims come from.
        bin_px: side of one bin of the answer in pixels.

    Returns:
        float32 [h / bin_px, w / bin_px] (rounded up), summed weights.
    """
    height, width = int(np.ceil(shape[0] / bin_px)), int(np.ceil(shape[1] / bin_px))
    per_bin = np.float32(1 / bin_px)
    half = np.float32(0.5)
    # one bin of frame all round takes the votes that fall outside, instead of a mask over all of them
    x = (found.x + half + np.multiply.outer(radii, found.into_x)) * per_bin + 1
    y = (found.y + half + np.multiply.outer(radii, found.into_y)) * per_bin + 1
    column = np.clip(x, 0, width + 1).astype(np.int32)
    row = np.clip(y, 0, height + 1).astype(np.int32)
    where = (row * np.int32(width + 2) + column).reshape(-1)
    weight = np.broadcast_to(found.weight, column.shape).reshape(-1)
    total = np.bincount(where, weight, minlength=(height + 2) * (width + 2))
    return np.asarray(total.reshape(height + 2, width + 2)[1:-1, 1:-1], np.float32)
