"""Weak labels for what annotators left out: nuclei of white cells, platelets and stain, by colour, outside annotated cells.

Optical density relative to the field's own red cells (whose places the annotations give): nuclei absorb far more green and
somewhat more red light; the grey scale bar is excluded by hue. Right nearly always for white cells (looked at on the IML
fields), often silent on pale platelets; good enough to teach the finder what is not a red cell, never used as truth.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.boxes import intersection
from edge.finders.learned import WHITE, whiten
from edge.types import UInt8Array

_WORK_PX = 40.0  # width of a box where this is measured
_WHITE_CELL = 0.3  # nucleus area over red-cell area
_PLATELET = (0.03, 0.2)  # in areas of a red cell


_JOINED = 13
"""Side in working pixels of what closes the gaps between the lobes of one nucleus: a third of a red cell."""


def weak_labels(rgb: UInt8Array, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is certainly not a red cell.

    Args:
        rgb: uint8 [H, W, 3].
        boxes: int or float [n, 4], the annotated cells.

    Returns:
        float32 [m, 4] boxes in pixels of ``rgb`` and int [m]: 2 white cell, 3 platelet or stain, -1 unsure.
    """
    mask, scale = _dense(rgb, boxes)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    out, kinds = [], []
    for x, y, w, h, area in stats[1:]:
        share = area / _cell_area()
        if share < _PLATELET[0]:
            continue
        box = np.asarray(np.array([[x, y, w, h]]) / scale, np.float32)
        if (intersection(box, np.asarray(boxes, np.float32))[0] / (box[0, 2] * box[0, 3])).max() > 0.5:
            continue
        kind, grow = (2, 1.3) if share > _WHITE_CELL else (3, 1.2) if share < _PLATELET[1] else (-1, 1.0)
        centre = box[0, :2] + box[0, 2:] / 2
        side = box[0, 2:] * grow
        out.append(np.concatenate([centre - side / 2, side]))
        kinds.append(kind)
    return np.array(out, np.float32).reshape(-1, 4), np.array(kinds, int)


def look_of(rgb: UInt8Array, cells: np.ndarray, things: np.ndarray) -> np.ndarray:
    """Kinds of boxes that are said to hold no red cell: 2 white cell where a nucleus fills enough of it, else 4 other.

    Args:
        rgb: uint8 [H, W, 3].
        cells: float32 [n, 4], the field's red cells.
        things: float32 [m, 4].
    """
    mask, scale = _dense(rgb, cells)
    kinds = []
    for x, y, w, h in things * scale:
        inside = mask[max(0, int(y)) : int(y + h), max(0, int(x)) : int(x + w)]
        kinds.append(2 if inside.sum() > _WHITE_CELL * _cell_area() else 4)
    return np.array(kinds, int)


def _cell_area() -> float:
    """Area of a red cell in working pixels."""
    return 0.785 * (_WORK_PX / 1.2) ** 2


def _dense(rgb: UInt8Array, boxes: np.ndarray) -> tuple[UInt8Array, float]:
    """Where stain is far denser than in the red cells of these boxes: uint8 0 or 1 at working size, and the scale of that size."""
    scale = _WORK_PX / float(np.median(boxes[:, 2:]))
    small = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    density = -np.log(np.maximum(whiten(small).astype(np.float32), 4) / WHITE)
    red, green = density[..., 0], density[..., 1]
    centres = np.clip(((boxes[:, :2] + boxes[:, 2:] / 2) * scale).astype(int), 0, np.array(red.shape[::-1]) - 1)
    red_limit, green_limit = (np.percentile(c[centres[:, 1], centres[:, 0]], 90) for c in (red, green))
    dark = ((red > red_limit + 0.08) & (green > green_limit + 0.45)) | (red > red_limit + 0.25)
    mask = (dark & (green - red > 0.25)).astype(np.uint8)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((_JOINED, _JOINED), np.uint8))
    return np.asarray(closed, np.uint8), scale
