"""How wide a red cell is in this field, from the field itself.

The radius is the one at which the rims' votes meet (see ``edge.finders.rims``): for each radius r on a geometric
ladder the votes are gathered in bins of r/4, and their sharpness is the energy of what stands out of its surroundings,

    S(r) = sum((G * V - B * V)^2) / (r^0.75 * sum(weights)),

with G a Gaussian of one bin and B a mean over nine by nine. At the cells' radius it is 3 to 14 times its median.
(Perfect circles raise the sum as r^2, chance meetings leave it flat: the exponent lies between, so that neither the largest
nor the smallest radius wins by being so.) No cell needs to stand alone for that, so it works in dense fields where the
sizes of connected components say nothing. Between the rungs: a parabola.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.finders.foreground import Foreground, foreground
from edge.finders.rims import Rims, rims, votes
from edge.pixels import Image, pyramid
from edge.types import UInt8Array

PROBE_PX = 400
"""The field is halved until its longer side is no more than this; the radius is looked for there."""

LEAST_RADIUS = 3.5
"""Smallest radius looked for, in pixels of the halved field; below it a cell's rim is a blur."""

_RATIO = 1.2  # from one radius tried to the next
_BINS_PER_RADIUS = 4  # of the table of votes
_SHORTEST = 8  # pixels; a smaller picture shows no cell
_FEWEST_RIMS = 30  # with fewer rim pixels no scale is believed
_FLATTEN = 0.75  # exponent that keeps large radii from winning by their longer rims
_MOST_RIMS = 3000  # rim pixels that vote; more cost time and change nothing


class Probe(NamedTuple):
    """A first look at a field.

    Attributes:
        cell_px: width of a typical cell in field pixels, rim to rim, without margin.
        halvings: how often the field was halved for ``view``.
        view: the foreground at that resolution.
        whole: whether ``view`` shows the whole field or only its middle.
    """

    cell_px: float
    halvings: int
    view: Foreground
    whole: bool


def estimate_cell_px(image: Image) -> float | None:
    """Width in field pixels of a typical red cell (rim to rim, no margin) in uint8 [H, W, 3]; None: nothing to judge by."""
    found = probe(image)
    return found.cell_px if found else None


def probe(image: Image) -> Probe | None:
    """Look for the typical cell in the whole field at low resolution, then nearer in its middle; None: nothing found.

    Cells that are a few pixels wide in the whole field (a low magnification, a large sensor) wash out or show up as the
    smallest radius there is: then a window in the middle is looked at, four times nearer each time.
    """
    levels = pyramid(image)
    height, width = levels.rgb.shape[:2]
    halvings = 0
    while max(height, width) >> halvings > PROBE_PX and min(height, width) >> halvings >= 2 * _SHORTEST:
        halvings += 1
    while True:
        view = levels.level(halvings)
        window = _middle(_part(view, levels.part, halvings), PROBE_PX)
        found = _look(window, halvings, window.shape == view.shape)
        if halvings == 0 or (found and found.cell_px > 2 * LEAST_RADIUS * _RATIO * 2**halvings):
            return found
        halvings = max(0, halvings - 2)


def _part(rgb: UInt8Array, part: tuple[int, int, int, int] | None, halvings: int) -> UInt8Array:
    if part is None:
        return rgb
    x, y, width, height = part
    ends = slice(y >> halvings, (y + height) >> halvings), slice(x >> halvings, (x + width) >> halvings)
    return rgb[ends] if min(rgb[ends].shape[:2]) >= _SHORTEST else rgb


def _middle(rgb: UInt8Array, side: int) -> UInt8Array:
    """The middle of a field, no more than ``side`` pixels wide and high."""
    top, left = (max(0, (length - side) // 2) for length in rgb.shape[:2])
    return rgb[top : top + side, left : left + side]


def _look(rgb: UInt8Array, halvings: int, whole: bool) -> Probe | None:
    view = foreground(rgb)
    if view is None:
        return None
    radius = _radius(rims(view.darkness), (view.darkness.shape[0], view.darkness.shape[1]))
    return None if radius is None else Probe(2 * radius * 2**halvings, halvings, view, whole)


def _radius(found: Rims, shape: tuple[int, int]) -> float | None:
    if len(found.x) < _FEWEST_RIMS:
        return None
    step = 1 + len(found.x) // _MOST_RIMS
    found = Rims(*(part[::step] for part in found))
    ladder = LEAST_RADIUS * _RATIO ** np.arange(30)
    ladder = ladder[ladder < min(shape) / 2]
    if len(ladder) < 3:
        return None
    sharpness = np.array([_sharpness(found, float(radius), shape) for radius in ladder])
    top = int(sharpness.argmax())
    if not 0 < top < len(ladder) - 1:
        return float(ladder[top])
    below, peak, above = sharpness[top - 1 : top + 2]
    between = 0.5 * (below - above) / min(below - 2 * peak + above, -1e-12)
    return float(ladder[top] * _RATIO**between)


def _sharpness(found: Rims, radius: float, shape: tuple[int, int]) -> float:
    gathered = votes(found, np.array([radius], np.float32), shape, radius / _BINS_PER_RADIUS)
    ridge = cv2.GaussianBlur(gathered, (5, 5), 1) - cv2.blur(gathered, (9, 9))
    energy = float(np.square(ridge).sum())
    return energy / (float(found.weight.sum()) * float(radius**_FLATTEN))
