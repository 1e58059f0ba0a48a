"""Seeds: where the centre of a cell may be.

Two views of the same darkness, added: the rims' votes (``edge.finders.rims``), which tell apart cells that overlap, and the
distance to the background, which finds the pale and the odd-shaped whose rims agree on no centre.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.finders.rims import rims, votes
from edge.types import FloatArray, Int32Array, UInt8Array

_RADII = np.linspace(0.7, 1.2, 5, dtype=np.float32)
_SEED_SCORE = 0.4  # least score of a cell's middle
_SPACING = 0.7  # in radii: the least distance of two middles
_DISTANCE_SHARE = 0.45  # weight of the distance to the background beside that of the rim's votes
_CELL_DARKNESS = 0.38  # darkness from which on a pixel belongs to a cell


class Seeds(NamedTuple):
    """Where cells may be: x, y int32 [n] in working pixels; score float32 [n], votes against a full rim's."""

    x: Int32Array
    y: Int32Array
    rim: FloatArray


def find_seeds(darkness: FloatArray, radius: np.float32) -> Seeds:
    """Seeds of cells of about ``radius`` pixels in ``Foreground.darkness``, float32 [h, w]."""
    height, width = darkness.shape
    gathered = votes(rims(darkness), _RADII * radius, (height, width))
    gathered = np.asarray(cv2.GaussianBlur(gathered, (0, 0), float(0.18 * radius)), np.float32)
    spacing = 2 * int(_SPACING * radius) + 1
    near = np.ones((spacing, spacing), np.uint8)  # a square: OpenCV has no fast maximum over a disc
    solid = _filled((darkness > _CELL_DARKNESS).astype(np.uint8), 2 * float(radius))
    peaks = gathered[(gathered >= cv2.dilate(gathered, near)) & (gathered > 0)]
    if len(peaks) == 0:
        nothing = np.zeros(0, np.int32)
        return Seeds(nothing, nothing, np.zeros(0, np.float32))
    # a full rim's votes, from the field itself: the better half of its clear peaks
    full = np.percentile(peaks[peaks > 0.3 * peaks.max()], 60)
    rim = gathered / np.float32(full)
    depth = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 5)
    depth = cv2.GaussianBlur(depth[1:-1, 1:-1] / radius, (0, 0), max(0.5, float(0.1 * radius)))
    score = (1 - _DISTANCE_SHARE) * np.minimum(rim, 1.3) + _DISTANCE_SHARE * np.minimum(depth, 1.1)
    y, x = np.nonzero((score >= cv2.dilate(score, near)) & (solid > 0) & (score > _SEED_SCORE))
    return Seeds(x.astype(np.int32), y.astype(np.int32), np.asarray(rim[y, x], np.float32))


def _filled(solid: UInt8Array, cell_px: float) -> UInt8Array:
    """Close the pale middles of cells, uint8 0 or 1 [h, w]; the gaps between touching cells are hollow-sided and stay open."""
    contours, tree = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if tree is None:
        return solid
    for contour, links in zip(contours, tree[0], strict=True):
        if links[3] < 0:
            continue
        area = cv2.contourArea(contour)
        if area < 0.02 * cell_px**2 or (
            area < 0.3 * cell_px**2 and area > 0.85 * cv2.contourArea(cv2.convexHull(contour))
        ):
            cv2.drawContours(solid, [contour], -1, 1, -1)
    return solid
