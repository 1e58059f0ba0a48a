"""A cell finder without a model: for any scope, and the fallback on unknown material.

In steps, all at the resolution at which a typical cell is 14 to 28 pixels wide (``edge.finders.scale`` says which):

1. darkness against the field's own background (``edge.finders.foreground``);
2. seeds: the rims vote for centres (``edge.finders.rims``), joined with the distance to the background, which finds
   the pale and the odd-shaped; peaks are seeds;
3. outline: along 24 rays from each seed the strongest fall of darkness near the typical radius (star-convex outlines,
   as in Schmidt et al. 2018, here without a net);
4. a seed is a cell when enough of its rim is there to be seen. Two seeds on one cell: the better one stays;
5. things whose colours in this field are not those of a red cell are set aside (``edge.finders.kinds``).
"""

from __future__ import annotations

import numpy as np

from edge.boxes import suppress
from edge.finders.foreground import Foreground, foreground
from edge.finders.kinds import KINDS, PURPLE, covered, purple_patch, set_aside
from edge.finders.outlines import find_outlines
from edge.finders.scale import Probe, probe
from edge.finders.seeds import find_seeds
from edge.pixels import Image, Pyramid, pyramid
from edge.types import Cells, FloatArray, Int32Array

MARGIN = 1.23
"""A box is this much wider than the outline found, as the annotated boxes are (median over 1,401 lone cells; against the
thresholded cell's bounding box it is 1.17, so an outline, a mean over rays, is about 5 % narrower than its cell)."""

WORKING_PX = 14
"""A field is halved as long as a typical cell stays at least this wide."""

LEAST_CONFIDENCE = 0.62
"""Confidence from which a seed is a cell: chosen where as many cells are found as the annotators marked."""

SUSPECT_CONFIDENCE = 0.3
"""The same for a cell that holds something purple: losing an infected one costs more than a box too many."""

SEEN_SHARE = 0.75
"""How much the share of the rim that is seen weighs in a cell's confidence; the rest are the votes for its centre."""

OVERLAP = 0.4
"""Boxes with more intersection over union than this are one cell."""


class ClassicalFinder:
    """Finds stained cells in a bright field of any size by their rims; needs no model and no settings."""

    name = "classical"

    def find(self, image: Image) -> Cells:
        """uint8 [H, W, 3] to Cells in field pixels; boxes carry MARGIN and may overrun the border. No cells: an empty field."""
        levels = pyramid(image)
        first = probe(levels)
        if first is None:
            return _cells(np.zeros((0, 4), np.int32), np.zeros(0, np.float32), np.zeros(0, np.int32))
        view, scale = _working_view(levels, first)
        radius = np.float32(first.cell_px / scale / 2)
        seeds = find_seeds(view.darkness, radius)
        outlines = find_outlines(view.darkness, seeds, radius)
        confidence = np.asarray(SEEN_SHARE * outlines.seen + (1 - SEEN_SHARE) * np.minimum(seeds.rim, 1), np.float32)
        suspect = purple_patch(view, seeds.x, seeds.y, float(radius)) > PURPLE
        things = set_aside(view, float(radius))
        enough = confidence > np.where(suspect, SUSPECT_CONFIDENCE, LEAST_CONFIDENCE)
        likely = np.flatnonzero(enough & ~covered(outlines.boxes, things))
        boxes = _field_boxes(outlines.boxes[likely], scale)
        keep = suppress(boxes, confidence[likely], OVERLAP)
        others = _field_boxes(things.boxes, scale)
        return _cells(
            np.concatenate([boxes[keep], others]),
            np.concatenate([confidence[likely][keep], np.ones(len(others), np.float32)]),
            np.concatenate([np.zeros(len(keep), np.int32), things.kind]),
        )


def _cells(boxes: Int32Array, confidence: FloatArray, kind: Int32Array) -> Cells:
    return Cells(boxes, confidence, kind, KINDS)


def _working_view(levels: Pyramid, first: Probe) -> tuple[Foreground, float]:
    """The whole field where a cell is at least WORKING_PX wide, and field pixels per pixel of it."""
    halvings = 0
    while first.cell_px / 2 ** (halvings + 1) >= WORKING_PX:
        halvings += 1
    if halvings == first.halvings and first.whole:
        return first.view, float(2**halvings)
    view = foreground(levels.level(halvings))
    # the middle showed cells but the whole field does not stand out: the middle's word is all there is
    return (view, float(2**halvings)) if view else (first.view, float(2**first.halvings))


def _field_boxes(tight: FloatArray, scale: float) -> Int32Array:
    """Boxes float32 [n, 4] in working pixels to int32 [n, 4] in field pixels, with their margin."""
    size = tight[:, 2:] * np.float32(MARGIN)
    corner = tight[:, :2] - (size - tight[:, 2:]) / 2
    return np.asarray(np.rint(np.concatenate([corner, size], axis=1) * scale), np.int32)
