"""Small pictures put together to one scene: a piece of film with twenty cells fills a tenth of what the finder is shown."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edge.finders.learned import WHITE, whiten
from models.data.scenes import CELL_PX, Scene

ROWS, COLUMNS = 3, 4
"""Pieces of a mosaic: with four to five cells across each it is somewhat larger than what the finder is shown at once."""

SMALL = 8.0
"""Fields of fewer cells across are put together."""


def mosaic(scenes: Sequence[Scene]) -> Scene:
    """Up to ``ROWS`` x ``COLUMNS`` scenes side by side, their paper brought to one level, their cells to one size."""
    height, width = (max(2 * CELL_PX / one.unit * one.rgb.shape[axis] for one in scenes) for axis in (0, 1))
    canvas = np.full((ROWS * int(height + 1), COLUMNS * int(width + 1), 3), WHITE, np.uint8)
    boxes, kinds, pieces = [], [], []
    for number, one in enumerate(scenes[: ROWS * COLUMNS]):
        scale = 2 * CELL_PX / one.unit
        small = cv2.resize(one.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = (number // COLUMNS) * int(height + 1), (number % COLUMNS) * int(width + 1)
        h, w = small.shape[:2]
        canvas[top : top + h, left : left + w] = whiten(np.asarray(small, np.uint8))
        boxes.append(one.boxes * np.float32(scale) + np.array([left, top, 0, 0], np.float32))
        kinds.append(one.kind)
        pieces.append([left, top, left + w, top + h])
    return Scene(
        canvas,
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(kinds),
        2 * CELL_PX,
        scenes[0].known,
        np.array(pieces, np.float32),
    )


def mosaics(scenes: Sequence[Scene], times: int, rng: np.random.Generator) -> list[Scene]:
    """Mosaics in which every scene appears ``times`` times, each time beside others."""
    order = np.concatenate([rng.permutation(len(scenes)) for _ in range(times)])
    many = ROWS * COLUMNS
    return [mosaic([scenes[int(i)] for i in order[k : k + many]]) for k in range(0, len(order), many)]
