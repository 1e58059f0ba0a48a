"""A drawn slide: cells at random places, none nearer to another than they lie in a film, seen through a field that moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.analysis import set_aside_cut
from edge.types import CELL, Cells, FieldResult, FloatArray
from tests.fakes import quality, result

CELL_PX = 60.0
SIZE = (1280, 960)


@dataclass(frozen=True)
class Slide:
    """Middles of cells in slide pixels, float32 [n, 2], whole numbers, so that borders cut them alike in every field."""

    middles: FloatArray


def slide(seed: int, *, per_field: int = 120, fields: float = 9.0, cell_px: float = CELL_PX) -> Slide:
    """``fields`` fields' area of cells, square, ``per_field`` of them in each field."""
    rng = np.random.default_rng(seed)
    side = (SIZE[0] * SIZE[1] * fields) ** 0.5
    middles: list[np.ndarray] = []
    taken: dict[tuple[int, int], list[np.ndarray]] = {}
    while len(middles) < per_field * fields:
        one = rng.uniform(0, side, 2)
        x, y = int(one[0] // cell_px), int(one[1] // cell_px)
        beside = [p for dx in (-1, 0, 1) for dy in (-1, 0, 1) for p in taken.get((x + dx, y + dy), [])]
        if all(np.hypot(*(one - other)) > 0.8 * cell_px for other in beside):
            taken.setdefault((x, y), []).append(one)
            middles.append(one)
    return Slide(np.rint(np.array(middles, np.float32)))


def view(
    film: Slide,
    at: tuple[float, float],
    *,
    index: int = 0,
    seed: int = 0,
    lost: float = 0.0,
    jitter: float = 0.0,
    turn: float = 0.0,
    scale: float = 1.0,
    dust: FloatArray | None = None,
    cell_px: float = CELL_PX,
) -> FieldResult:
    """What a finder finds in a field of ``SIZE`` whose corner lies at ``at``.

    Args:
        film: the slide.
        at: x, y in slide pixels.
        index: the field's.
        seed: of what is lost and of the jitter.
        lost: share of cells that the finder misses.
        jitter: spread of its places, in pixels.
        turn: degrees around the field's middle.
        scale: the same.
        dust: float32 [m, 2], things at these pixels of the sensor.
        cell_px: a cell's side.
    """
    rng = np.random.default_rng([seed, index])
    middle = np.array(SIZE, np.float32) / 2
    angle = np.radians(turn)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32) * scale
    seen = (film.middles - np.array(at, np.float32) - middle) @ turned.T + middle
    seen = seen[rng.uniform(size=len(seen)) >= lost]
    seen = seen + rng.normal(0, jitter, seen.shape)
    if dust is not None:
        seen = np.concatenate([seen, dust])
    near = ((seen > -cell_px / 2) & (seen < np.array(SIZE) + cell_px / 2)).all(axis=1)
    sides = np.full((int(near.sum()), 2), cell_px)
    boxes = np.rint(np.concatenate([seen[near] - sides / 2, sides], axis=1)).astype(np.int32)
    cells = Cells(boxes, np.full(len(boxes), 0.9, np.float32), np.zeros(len(boxes), np.int32), (CELL, "not-red-cell"))
    cells = set_aside_cut(cells, (SIZE[1], SIZE[0]))
    made = result([], index=index, name=f"field-{index}.png")
    classes = np.where(cells.kind == 0, 0, -1).astype(np.int32)
    scores = np.zeros((len(boxes), 2), np.float32)
    scores[classes == 0] = [0.75, 0.25]
    return FieldResult(
        index, "s", made.name, (SIZE[1], SIZE[0]), cells, scores, classes, quality(), made.ms, made.metadata
    )


def whole_inside(film: Slide, corners: list[tuple[float, float]], cell_px: float = CELL_PX) -> int:
    """How many cells of the slide are whole in at least one of these fields."""
    room = 0.4 * cell_px
    seen = np.zeros(len(film.middles), np.bool_)
    for at in corners:
        inner = film.middles - np.array(at, np.float32)
        seen |= ((inner >= room) & (inner <= np.array(SIZE, np.float32) - room)).all(axis=1)
    return int(seen.sum())
