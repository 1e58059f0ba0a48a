"""What lies inside a field's lit region: as a mask, as boxes, and as a picture in which nothing else is dark.

Finders see a copy. Beyond the rim it goes on as the mirror image of what is inside, so that a cell the rim cuts becomes one that
overruns it, as at the frame's border, and not a smaller one with a straight side; further out it fades to the paper.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.finders.foreground import background
from edge.pixels import distances
from edge.types import FloatArray, Int32Array, Region, UInt8Array

_PAINTED = 640  # pixels of the longer side in which the surround is painted: finders look at it no nearer
_MIRRORED = (
    0.18  # of the longer side: so far the inside goes on beyond the rim, fading over the second half: a sudden end
)
# of the cells would be a round edge, and the search for the cells' size would take it for a very large cell
_FRAME = 8
_INNER = 0.004  # of the longer side: what lies this close to the rim is not mirrored, a sharp rim has a dark fringe


def scaled(region: Region, scale: float) -> Region:
    """The region in a copy of its field that is ``scale`` times as large."""
    return Region(region.outline * np.float32(scale), region.rim * scale)


def extent(region: Region, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """The smallest box, x, y, w, h, of whole pixels around the region in a field of (H, W) pixels."""
    left, top = (max(0, int(low)) for low in region.outline.min(axis=0))
    right, bottom = (
        min(end, int(np.ceil(high))) for end, high in zip(shape[::-1], region.outline.max(axis=0), strict=True)
    )
    return left, top, right - left, bottom - top


def mask_of(region: Region, shape: tuple[int, int]) -> UInt8Array:
    """The region as a mask over a picture of (H, W) pixels, which it may overrun: uint8 0 or 1 [H, W]."""
    corners = np.rint((region.outline - np.float32(0.5)) * 16).astype(np.int32)  # in sixteenths of a pixel
    return np.asarray(cv2.fillConvexPoly(np.zeros(shape, np.uint8), corners, 1, shift=4), np.uint8)


def beyond(region: Region, boxes: Int32Array, *, corners: bool = False) -> FloatArray:
    """How far each box reaches beyond the region's outline, float32 [n] in pixels; negative: so far inside.

    Args:
        region: of the field.
        boxes: int32 [n, 4], x, y, w, h.
        corners: the whole box counts; else the ellipse in it, as a cell does not fill its box.
    """
    start = region.outline
    side = np.roll(start, -1, axis=0) - start
    outward = np.stack([side[:, 1], -side[:, 0]], axis=1) / np.maximum(np.linalg.norm(side, axis=1), 1e-6)[:, None]
    if float((outward * (start - start.mean(axis=0))).sum()) < 0:
        outward = -outward
    half = boxes[:, 2:].astype(np.float32) / 2
    centre = boxes[:, :2] + half
    reach = half[:, None] * np.abs(outward)[None]
    spread = reach.sum(axis=2) if corners else np.sqrt(np.square(reach).sum(axis=2))
    off = centre @ outward.T - (start * outward).sum(axis=1) + spread
    return np.asarray(off.max(axis=1), np.float32)


def painted(rgb: UInt8Array, region: Region) -> UInt8Array:
    """A copy of a field, uint8 [H, W, 3], whose dark surround shows the mirrored inside and, further out, paper."""
    scale = max(1.0, max(rgb.shape[:2]) / _PAINTED)
    height, width = (max(8, round(side / scale)) for side in rgb.shape[:2])
    field = (rgb.shape[0], rgb.shape[1])
    small = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    inside = lit_mask(scaled(region, 1 / scale), (height, width))
    frame = _FRAME
    wider = cv2.copyMakeBorder(1 - inside, frame, frame, frame, frame, cv2.BORDER_REPLICATE)
    distance = distances(np.asarray(wider, np.uint8))
    mirrored = _mirrored(small, distance)
    distance = distance[frame:-frame, frame:-frame]
    paper = background(small, _light(small, inside))
    far = _MIRRORED * max(height, width)
    share = np.clip(2 * (1 - distance / far), 0, 1)[..., None]
    surround = np.asarray(np.rint(share * mirrored + (1 - share) * paper).clip(0, 255), np.uint8)
    surround = np.asarray(cv2.resize(surround, field[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    kept = lit_mask(region, field)
    return np.asarray(cv2.copyTo(rgb, kept, surround), np.uint8)


def lit_mask(region: Region, shape: tuple[int, int], fringe: int = 0) -> UInt8Array:
    """The region less its rim and a fringe of ``fringe`` pixels, at least 1: uint8 0 or 1 [H, W]; the frame's border is no rim."""
    off = int(np.ceil(region.rim)) + max(fringe, 1, round(_INNER * max(shape)))
    mask = mask_of(region, shape)
    return np.asarray(
        cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * off + 1, 2 * off + 1))), np.uint8
    )


def _mirrored(rgb: UInt8Array, distance: FloatArray) -> UInt8Array:
    """Every pixel shows what lies as far within the nearest rim as it lies beyond: uint8 [h, w, 3], same shape out.

    ``distance`` to the rim, float32, is 0 inside and has a frame of _FRAME pixels all round, for its slope at the border.
    """
    smooth = cv2.GaussianBlur(distance, (0, 0), 1.5)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, x, 1 - x) for x in (1, 0))
    # OpenCV's magnitude differs in its last bits with where in memory its arguments lie
    twice = 2 * distance / np.maximum(np.sqrt(dx * dx + dy * dy), 1e-6)
    middle = np.s_[_FRAME:-_FRAME, _FRAME:-_FRAME]
    y, x = np.indices(rgb.shape[:2], dtype=np.float32)
    from_x, from_y = x - (twice * dx)[middle], y - (twice * dy)[middle]
    return np.asarray(cv2.remap(rgb, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _light(rgb: UInt8Array, inside: UInt8Array) -> FloatArray:
    """Where the paper shows inside the region, float32 0 or 1 [h, w]: the lighter side of Otsu's threshold in green."""
    green = rgb[..., 1]
    values = green[inside > 0].reshape(1, -1)
    level = (
        cv2.threshold(np.ascontiguousarray(values), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0] if values.size else 0
    )
    return np.asarray((green > level) & (inside > 0), np.float32)
