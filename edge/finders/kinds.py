"""What is not a red cell, by the colours of this very field: white cells, platelets, stain.

Nothing here is an absolute colour. Optical density, ``-log(1 - absorbed)``, adds up where things lie on top of each other
(Beer and Lambert), so a nucleus is told from two overlapping cells by being denser than two of *this field's* red
cells in green; and Giemsa's purple is green that rises more than blue does, relative to the red cells.
The thresholds were read off the annotated fields: the dense part of most white cells has 2.7 to 5.3 times a red cell's
density and is wider than one; that of an infected cell rarely passes 2.6, and the few that do are no wider than a red cell. What
is no wider than a red cell is never called a white cell. None of the 363 infected cells there is set aside.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.boxes import intersection
from edge.finders.foreground import Foreground
from edge.types import CELL, FloatArray, Int32Array, UInt8Array
from edge.types import WHITE_CELL as WHITE_KIND

KINDS = (CELL, WHITE_KIND, "not-platelet", "not-debris")
WHITE_CELL, PLATELET, DEBRIS = 1, 2, 3  # indices into ``KINDS``

PURPLE = 0.12
"""A patch of a cell this much more purple than the field's red cells makes the cell suspect."""

_PALEST = 0.5  # darkness that a paler patch is treated as having, so that noise is not divided by little
_DENSE = 1.9  # times a red cell's optical density in green
_NUCLEUS = 2.7  # times a red cell's optical density in green
_REDDER = 0.08  # optical density in red that stain adds and haemoglobin does not
_NEUTRAL = 0.65  # red over green density; above it a thing is grey
_NUCLEUS_AREA = 0.5  # in areas of a red cell
_PLATELET_AREA = (0.03, 0.35)  # in areas of a red cell
_WIDEST_NUCLEUS = 2.6  # in widths of a red cell; wider things are stain or clumps
_CYTOPLASM = 1.3  # a white cell's width over its nucleus's
_COVERED = 0.5  # share of a box under another thing from which on it is that thing
_AROUND = 0.35  # median darkness of the ring around a platelet that stands alone


class SetAside(NamedTuple):
    """What is set aside: boxes float32 [n, 4] (x, y, w, h) in working pixels, kind int32 [n]."""

    boxes: FloatArray
    kind: Int32Array


def purple_patch(view: Foreground, x: Int32Array, y: Int32Array, radius: float) -> FloatArray:
    """How purple the most purple patch within a cell is, float32 [n]; red cells are about 0, in a grey field all are 0.

    Args:
        view: the field.
        x: int32 [n], centres in working pixels.
        y: int32 [n].
        radius: of a typical cell in working pixels.
    """
    _, green, blue = np.maximum(view.typical, np.float32(0.02))
    mix = np.array([[0, 1 / green, -1 / blue]], np.float32)
    patch = 2 * int(radius / 5) + 1
    mixed = cv2.blur(cv2.transform(view.absorbed, mix), (patch, patch))
    # a pale cell's purple is weighed against what little colour it has: gametocytes are paler than a deeply stained cell
    colour = np.clip(cv2.blur(view.darkness, (patch, patch)), _PALEST, 1)
    purple = np.asarray(mixed / colour, np.float32)
    reach = 2 * int(0.6 * radius) + 1
    most = cv2.dilate(purple, np.ones((reach, reach), np.uint8))
    return np.asarray(most[y, x], np.float32)


def set_aside(view: Foreground, radius: float) -> SetAside:
    """Find the nuclei, platelets and stain of a field whose red cells have ``radius`` working pixels."""
    cell_area = np.pi * radius**2
    dense = _dense(view)
    lobes = 2 * int(radius / 4) + 1
    # the lobes of one nucleus are one thing
    joined = cv2.morphologyEx(dense, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (lobes, lobes)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    boxes, kinds = [], []
    for label in range(1, count):
        x, y, width, height, area = (int(v) for v in stats[label])
        if area < _PLATELET_AREA[0] * cell_area:
            continue
        part = np.s_[y : y + height, x : x + width]
        inside = (labels[part] == label) & (dense[part] > 0)
        kind = _kind(view, part, inside, cell_area, max(width, height) / (2 * radius))
        if kind == PLATELET and not _stands_alone(view.darkness, (x, y, width, height), inside):
            continue
        if kind:
            kinds.append(kind)
            grow = (_CYTOPLASM - 1) / 2 if kind == WHITE_CELL else 0.0
            boxes.append((x - grow * width, y - grow * height, width * (1 + 2 * grow), height * (1 + 2 * grow)))
    return SetAside(np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, np.int32))


def covered(boxes: FloatArray, things: SetAside) -> np.ndarray:
    """Which boxes, float32 [n, 4], lie for the most part in something set aside: bool [n]."""
    if len(things.boxes) == 0:
        return np.zeros(len(boxes), bool)
    shared = intersection(boxes, things.boxes)
    return np.asarray((shared > _COVERED * (boxes[:, 2] * boxes[:, 3])[:, None]).any(axis=1))


def _dense(view: Foreground) -> UInt8Array:
    """Where green is denser than about two red cells and red is denser than one: uint8 0 or 1, [h, w]."""
    passed = 1 - np.clip(view.typical, 0.02, 0.98)
    green = view.absorbed[..., 1] > 1 - passed[1] ** _DENSE
    red = view.absorbed[..., 0] > 1 - passed[0] * np.exp(-_REDDER)
    return np.asarray(green & red, np.uint8)


def _kind(view: Foreground, part: tuple[slice, slice], inside: np.ndarray, cell_area: float, widths: float) -> int:
    """Kind of one dense thing that is ``widths`` red cells long, 0 where it is none of ours to name."""
    density = -np.log(np.maximum(1 - view.absorbed[part][inside], 0.02))
    red, green, _ = np.median(density, axis=0)
    if red > _NEUTRAL * green:  # black or grey: a scale bar, a pointer, a fold; cells under it are cells
        return 0
    share = float(inside.sum()) / cell_area
    if share >= _NUCLEUS_AREA and widths > _WIDEST_NUCLEUS:
        return DEBRIS
    nucleus = green >= -_NUCLEUS * np.log(1 - min(float(view.typical[1]), 0.98))
    if share >= _NUCLEUS_AREA and widths >= 1 and nucleus:
        return WHITE_CELL
    return PLATELET if _PLATELET_AREA[0] <= share <= _PLATELET_AREA[1] else 0


def _stands_alone(darkness: FloatArray, box: tuple[int, int, int, int], inside: np.ndarray) -> bool:
    """Whether a dense speck has background around it: one in or on a cell may be a parasite, and stays with the cell."""
    x, y, width, height = box
    frame = 2
    top, left = max(0, y - frame), max(0, x - frame)
    around = darkness[top : y + height + frame, left : x + width + frame]
    grown = np.zeros(around.shape, np.uint8)
    grown[y - top : y - top + height, x - left : x - left + width] = inside
    ring = cv2.dilate(grown, np.ones((5, 5), np.uint8)) > cv2.dilate(grown, np.ones((3, 3), np.uint8))
    return bool(ring.any() and np.median(around[ring]) < _AROUND)
