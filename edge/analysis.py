"""From a field to what it holds: measure, find, set aside what the border cuts, crop, classify.

Pure, apart from the clock: the same field gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Protocol

import numpy as np

from edge.appearance import appearance_of
from edge.boxes import inside, median
from edge.crops import compared, crop_cells
from edge.finders import Finder
from edge.finders.grid import GridFinder
from edge.gate import measure
from edge.inside import beyond, extent, painted
from edge.modelfile import Card
from edge.pixels import Pyramid, pyramid
from edge.region import find_region
from edge.types import (
    HIDDEN,
    NOT_WHOLE,
    WHITE_CELL,
    Cells,
    Field,
    FieldResult,
    FieldTypical,
    FloatArray,
    Int32Array,
    Quality,
    Region,
    Timings,
    UInt8Array,
)
from edge.typical import FEWEST, TypicalCells, typical_cell

OVERRUN = 0.1
"""A box may overrun the border by this share of its side: finders leave about that much margin around a cell."""

RIM_OVERRUN = 0.05
"""The same for the rim of a lit region: half of it, for the last of an eyepiece's light is not sharp, and no ruler's edge."""

NARROW = 2.0
"""A white cell whose width is less than so many times that of its field's red cells may be a red cell that a parasite fills."""

DUPLICATE = "not-again"
"""The kind of a hit that another, overlapping hit stands for (overlapping tiles of a grid): shown, not counted."""

Merge = Callable[[Cells, Int32Array, FloatArray, np.ndarray], np.ndarray]
"""(cells, classes int32 [n], scores float32 [n, k], which classes are positive bool [k]) to which cells stay, bool [n]."""


class Scorer(Protocol):
    """What the analyser needs of a classifier; ``edge.classifier.Classifier`` is the real one."""

    card: Card

    def scores(self, crops: UInt8Array) -> FloatArray:
        """Crops, uint8 [n, size, size, 3 or 6], to scores, float32 [n, k]."""
        ...

    def classes(self, scores: FloatArray) -> Int32Array:
        """The class each cell counts as, int32 [n]."""
        ...


class Analyser:
    """Turns one field into its result. Holds one finder and one classifier, so each worker needs its own.

    Args:
        finder: says where cells are.
        classifier: says what they are.
        merge: for finders whose cells overlap on purpose: says which hits stay once they are classified.
        gauge: takes the gate's measures of a field and its lit region.
        settled: typical cell of this microscope, for fields with fewer than ``edge.typical.FEWEST`` finds; None: those have
            what little they hold.
    """

    def __init__(
        self,
        finder: Finder,
        classifier: Scorer,
        merge: Merge | None = None,
        gauge: Callable[[UInt8Array, Region | None], Quality] = measure,
        settled: TypicalCells | None = None,
    ) -> None:
        self._finder = finder
        self._classifier = classifier
        self._merge = merge
        self._gauge = gauge
        self._settled = settled
        card = classifier.card
        self._positive = card.positive_mask

    def __call__(self, field: Field) -> FieldResult:
        """Analyse one field; the same field gives the same result in any worker."""
        start = perf_counter()
        region = find_region(field.rgb)
        quality = self._gauge(field.rgb, region)
        gated = perf_counter()
        shape = (int(field.rgb.shape[0]), int(field.rgb.shape[1]))
        levels = pyramid(field.rgb) if region is None else Pyramid(painted(field.rgb, region), extent(region, shape))
        cells = set_aside_cut(self._finder.find(levels), shape)
        if region is not None:
            cells = set_aside_outside(cells, region, tiles=isinstance(self._finder, GridFinder))
        cells = set_aside_hidden(cells, field.metadata.get(HIDDEN))
        found = perf_counter()
        whole = np.flatnonzero(cells.kind == 0)
        doubtful = self._doubtful(cells, shape, region)
        appearance = appearance_of(levels, cells)
        crops, own = self._crops(levels, cells, whole, doubtful)
        cropped = perf_counter()
        scores = np.zeros((len(cells), len(self._classifier.card.labels)), np.float32)
        classes = np.full(len(cells), -1, np.int32)
        if len(whole):
            shown = np.concatenate([whole, doubtful])
            scores[shown] = self._classifier.scores(crops)
            classes[shown] = self._classifier.classes(scores[shown])
            cells = self._decided(cells, doubtful, classes)
        if self._merge is not None:
            cells = self._merged(self._merge, cells, classes, scores)
        done = perf_counter()
        spans = (gated - start, found - gated, cropped - found, done - cropped)
        ms = Timings(field.decode_ms, *(span * 1000 for span in spans))
        return FieldResult(
            field.index,
            field.sample,
            field.name,
            shape,
            cells,
            scores,
            classes,
            quality,
            ms,
            field.metadata,
            region,
            appearance,
            own,
            field.identity,
        )

    def _doubtful(self, cells: Cells, shape: tuple[int, int], region: Region | None) -> Int32Array:
        """Rows, int32 [m], of the white cells that the classifier is asked about: narrow ones that neither border nor rim cuts.

        Only a classifier that compares is asked: one that has seen single cells alone takes every nucleus for a parasite.
        """
        compares = self._classifier.card.crop.normalise == "typical" and bool(self._positive.any())
        if not compares or WHITE_CELL not in cells.kinds or not (cells.kind == 0).any():
            return np.zeros(0, np.int32)
        widths = cells.boxes[:, 2:].mean(axis=1)
        narrow = widths < NARROW * median(widths[cells.kind == 0])
        asked = narrow & (cells.kind == cells.kinds.index(WHITE_CELL)) & inside(_core(cells.boxes, OVERRUN), shape)
        if region is not None:
            asked &= beyond(region, _core(cells.boxes, RIM_OVERRUN)) <= 0
        return np.flatnonzero(asked).astype(np.int32)

    def _decided(self, cells: Cells, doubtful: Int32Array, classes: Int32Array) -> Cells:
        """With the doubtful that are called positive among the cells; clears the classes of the others, which keep their scores."""
        called = self._positive[classes[doubtful]]
        classes[doubtful[~called]] = -1
        kind = cells.kind.copy()
        kind[doubtful[called]] = 0
        return replace(cells, kind=kind)

    def _crops(
        self, levels: Pyramid, cells: Cells, whole: np.ndarray, doubtful: Int32Array
    ) -> tuple[UInt8Array, FieldTypical | None]:
        """What the classifier sees, cells first and then the doubtful, and the field's own typical cell where it is looked at."""
        spec = self._classifier.card.crop
        boxes = cells.boxes[np.concatenate([whole, doubtful])]
        if spec.normalise != "typical" or not len(whole):
            return crop_cells(levels, boxes, spec, None if cells.masks is None else cells.masks[whole]), None
        plain = crop_cells(levels, boxes, replace(spec, normalise="none"))
        own = typical_cell(plain[: len(whole)])
        beside = self._settled if self._settled is not None and len(whole) < FEWEST else own
        return compared(plain, spec, beside), FieldTypical(len(whole), own.papers[0], own.cells[0])

    def _merged(self, merge: Merge, cells: Cells, classes: Int32Array, scores: FloatArray) -> Cells:
        """Set aside the hits that do not stay; clears their rows of ``classes`` and ``scores``."""
        repeated = ~merge(cells, classes, scores, self._positive)
        classes[repeated] = -1
        scores[repeated] = 0
        kind = np.where(repeated, len(cells.kinds), cells.kind).astype(np.int32)
        return replace(cells, kind=kind, kinds=(*cells.kinds, DUPLICATE))


def set_aside_cut(cells: Cells, shape: tuple[int, int]) -> Cells:
    """Give the kind ``not-whole`` to every cell that the border of a field of (H, W) pixels cuts.

    The kind is always in the list, found or not, so that kinds are the same for every field of a run.
    """
    kinds = cells.kinds if NOT_WHOLE in cells.kinds else (*cells.kinds, NOT_WHOLE)
    if len(cells) == 0:
        return replace(cells, kinds=kinds)
    cut = (cells.kind == 0) & ~inside(_core(cells.boxes, OVERRUN), shape)
    kind = np.where(cut, kinds.index(NOT_WHOLE), cells.kind).astype(np.int32)
    return replace(cells, kind=kind, kinds=kinds)


def set_aside_outside(cells: Cells, region: Region, *, tiles: bool = False) -> Cells:
    """Give the kind ``not-whole`` to every cell that the lit region's rim cuts, and leave out what is centred beyond it.

    Args:
        cells: as ``set_aside_cut`` gives them.
        region: the field's.
        tiles: they are tiles of a grid: one that is not wholly inside, corners and all, is set aside; none is left out.
    """
    if tiles:
        cut = beyond(region, cells.boxes, corners=True) > 0
    else:
        middle = cells.boxes.copy()
        middle[:, :2] += middle[:, 2:] // 2
        middle[:, 2:] = 0
        stay = np.flatnonzero(beyond(region, middle) <= 0)
        masks = None if cells.masks is None else cells.masks[stay]
        cells = Cells(cells.boxes[stay], cells.confidence[stay], cells.kind[stay], cells.kinds, masks)
        cut = beyond(region, _core(cells.boxes, RIM_OVERRUN)) > 0
    kind = np.where(cut & (cells.kind == 0), cells.kinds.index(NOT_WHOLE), cells.kind).astype(np.int32)
    return replace(cells, kind=kind)


def set_aside_hidden(cells: Cells, hidden: object) -> Cells:
    """Give the kind ``not-whole`` to every cell, red or white, that touches a place which dust hides.

    Args:
        cells: as ``set_aside_cut`` gives them.
        hidden: whole numbers x, y, w, h of each place, one after the other; anything else: there is none.
    """
    if not isinstance(hidden, tuple | list) or not hidden or len(hidden) % 4 or not len(cells):
        return cells
    places = np.array(hidden, np.int32).reshape(-1, 4)[:, None]
    core = _core(cells.boxes, OVERRUN)[None]
    apart = (core[..., :2] >= places[..., :2] + places[..., 2:]) | (places[..., :2] >= core[..., :2] + core[..., 2:])
    touched = (~apart.any(axis=2)).any(axis=0)
    white = cells.kinds.index(WHITE_CELL) if WHITE_CELL in cells.kinds else 0
    shown = touched & ((cells.kind == 0) | (cells.kind == white))
    return replace(cells, kind=np.where(shown, cells.kinds.index(NOT_WHOLE), cells.kind).astype(np.int32))


def _core(boxes: Int32Array, overrun: float) -> Int32Array:
    """Boxes less this share of their sides on every side, int32 [n, 4]."""
    slack = np.rint(boxes[:, 2:] * overrun).astype(np.int32)
    core = boxes.copy()
    core[:, :2] += slack
    core[:, 2:] = np.maximum(core[:, 2:] - 2 * slack, 1)
    return core
