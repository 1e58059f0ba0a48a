"""A grid instead of a finder: the field in square tiles, each classified as a cell would be.

For what has no cells to find: thick films, sediments, other organisms. Tiles cover the whole field, the last row and column
are pushed back inside it. With ``overlap`` an object cut by one tile's edge lies whole in the next, but is seen by both:
``merge_tiles`` keeps the best of overlapping positive tiles, so that it counts once (greedy non-maximum suppression).
"""

from __future__ import annotations

import numpy as np

from edge.boxes import intersection
from edge.pixels import Image, pyramid
from edge.types import CELL, Cells, FloatArray, Int32Array

MODEL_PX = 32
"""Tile side where none is given: the side of the crops the shipped models take, so that no pixel is resampled."""

MOST_OVERLAP = 0.9  # as a share of the tile; beyond it the tiles of a field run into thousands


class GridFinder:
    """Cuts a field in square tiles and calls each of them a cell.

    Attributes:
        tile_px: side of a tile in field pixels.
        overlap: share of a tile's side that the next tile covers again, 0 to 0.9.
    """

    name = "grid"

    def __init__(self, tile_px: int | None = None, overlap: float = 0.0) -> None:
        """Tiles of ``tile_px`` field pixels (None: MODEL_PX); raises ValueError for a size or overlap that makes no grid."""
        tile_px = MODEL_PX if tile_px is None else tile_px
        if tile_px < 1:
            raise ValueError(f"a tile of {tile_px} pixels: the side must be 1 or more")
        if not 0 <= overlap <= MOST_OVERLAP:
            raise ValueError(f"overlap {overlap}: must be from 0 to {MOST_OVERLAP}")
        self.tile_px = tile_px
        self.overlap = overlap

    def find(self, image: Image) -> Cells:
        """uint8 [H, W, 3] to tiles, row by row, confidence 1; in a field narrower than a tile the tiles are as wide as the field."""
        height, width = pyramid(image).rgb.shape[:2]
        side = min(self.tile_px, height, width)
        stride = max(1, round(side * (1 - self.overlap)))
        y, x = np.meshgrid(_starts(height, side, stride), _starts(width, side, stride), indexing="ij")
        boxes = np.stack([x.ravel(), y.ravel(), np.full(x.size, side), np.full(x.size, side)], axis=1).astype(np.int32)
        return Cells(boxes, np.ones(len(boxes), np.float32), np.zeros(len(boxes), np.int32), (CELL,))


def _starts(length: int, side: int, stride: int) -> Int32Array:
    """First pixels of tiles that cover ``length``: every ``stride``, the last one ending where the field ends."""
    if side == 0:
        return np.zeros(0, np.int32)
    count = -(-(length - side) // stride) + 1
    return np.asarray(np.minimum(np.arange(count) * stride, length - side), np.int32)


def merge_tiles(cells: Cells, classes: Int32Array, scores: FloatArray, positive: np.ndarray) -> np.ndarray:
    """Keep one positive tile per object: of positive tiles that overlap, the best by the score of its own class.

    Tiles that only touch share no pixel and never merge. Two positive classes on one object are one hit, the surer one. A
    tile goes when it overlaps a better one *that stays*, so a chain of positive tiles longer than one tile's reach keeps
    more than one: two objects side by side do not become one.

    Args:
        cells: the tiles, as ``GridFinder`` gives them.
        classes: int32 [n], the class each tile is counted as; -1 for what is set aside.
        scores: float32 [n, k], in the model's class order.
        positive: bool [k], which classes are hits.

    Returns:
        bool [n], which tiles to keep; negative tiles and what is set aside are always kept. Ties: the first tile stays.
    """
    keep = np.ones(len(cells), bool)
    hits = np.flatnonzero((classes >= 0) & np.asarray(positive, bool)[classes])
    order = hits[np.argsort(-scores[hits, classes[hits]], kind="stable")]
    boxes = cells.boxes[order]
    # row by row: all pairs of a large field's tiles at once would be hundreds of megabytes
    for i, tile in enumerate(order):
        if keep[tile]:
            shared = intersection(boxes[i : i + 1], boxes[i + 1 :])[0]
            keep[order[i + 1 :][shared > 0]] = False
    return keep
