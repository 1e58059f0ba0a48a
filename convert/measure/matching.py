"""How a finder is scored: one-to-one matches at IoU 0.5 (boxes) or by distance (points), borders ignored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.boxes import MATCHED, inside, iou, pairs
from edge.types import Int32Array

BORDER = 8
"""Pixels. Cells whose annotated box is nearer to the border neither count for nor against a finder."""


@dataclass(frozen=True, slots=True)
class Match:
    """One field's score: matched, spurious and lost cells; infected cells in all and lost."""

    hits: int
    spurious: int
    lost: int
    infected: int = 0
    infected_lost: int = 0

    @property
    def counted(self) -> int:
        """Cells the finder reports where the truth is scored."""
        return self.hits + self.spurious

    @property
    def true(self) -> int:
        """Cells there are."""
        return self.hits + self.lost


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Which find stands for which annotated cell of one field.

    Attributes:
        of: int [n], the annotated cell that each find matches; -1: none.
        counts: bool [n], finds that count. One that matches a cell counts if the cell does, any other if it lies inside.
        scored: bool [m], annotated cells that count.
        hit: bool [m], annotated cells that a find matches.
    """

    of: NDArray[np.int64]
    counts: NDArray[np.bool_]
    scored: NDArray[np.bool_]
    hit: NDArray[np.bool_]

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Annotated cells that count and that no find matches, bool [m]."""
        return self.scored & ~self.hit

    def of_finds(self, values: np.ndarray | Sequence[str], otherwise: Any) -> np.ndarray:
        """What is annotated for each find, [n]: ``values`` [m] of the cells, ``otherwise`` where a find matches none."""
        return np.array([*values, otherwise])[self.of]

    def match(self, infected: np.ndarray) -> Match:
        """The field's score; bool [m]: annotated as infected."""
        hits = int((self.hit & self.scored).sum())
        return Match(
            hits,
            int(self.counts.sum()) - hits,
            int(self.lost.sum()),
            int((infected & self.scored).sum()),
            int((infected & self.lost).sum()),
        )


def assign(
    found: Int32Array,
    truth: Int32Array,
    shape: tuple[int, int],
    scored: np.ndarray | None = None,
    least: float = MATCHED,
) -> Assignment:
    """Match found boxes to annotated ones.

    Annotated cells within BORDER pixels of the border do not count: what matches them counts neither way, nor does what matches
    nothing and lies there itself.

    Args:
        found: int32 [n, 4].
        truth: int32 [m, 4].
        shape: height and width of the field in pixels.
        scored: bool [m], annotated cells that may count; None: all.
        least: intersection over union of a find and its cell.
    """
    counts = inside(truth, shape, BORDER) & (True if scored is None else scored)
    return _assigned(iou(found, truth), least, inside(found, shape, BORDER), counts)


def _assigned(affinity: np.ndarray, least: float, inside_finds: np.ndarray, scored: np.ndarray) -> Assignment:
    of, counts, hit = np.full(len(inside_finds), -1), inside_finds.copy(), np.zeros(len(scored), bool)
    for i, j in pairs(affinity, least):
        of[i], counts[i], hit[j] = j, scored[j], True
    return Assignment(of, counts, np.asarray(scored, bool), hit)


def match_boxes(found: Int32Array, truth: Int32Array, infected: np.ndarray, shape: tuple[int, int]) -> Match:
    """Score found boxes int32 [n, 4] against annotated ones int32 [m, 4], of which bool [m] are infected (``assign``)."""
    return assign(found, truth, shape).match(infected)


def match_points(found: Int32Array, points: np.ndarray, shape: tuple[int, int]) -> Match:
    """Score box centres against points: a match is nearer than half the median width of the found boxes.

    Points nearer to the border than half that width belong to cut cells and do not count, as in ``assign``.
    """
    if len(found) == 0:
        return Match(0, 0, len(points))
    reach = float(np.median(found[:, 2:].max(axis=1))) / 2
    centres = found[:, :2] + found[:, 2:] / 2
    distance = np.linalg.norm(centres[:, None] - points[None], axis=2)
    height, width = shape

    def central(p: np.ndarray) -> np.ndarray:
        return np.asarray(
            (p[:, 0] >= reach) & (p[:, 1] >= reach) & (p[:, 0] <= width - reach) & (p[:, 1] <= height - reach)
        )

    return _assigned(-distance, -reach, central(centres), central(points)).match(np.zeros(len(points), bool))


@dataclass(frozen=True, slots=True)
class FinderSummary:
    """Many fields' scores together; rates 0 to 1, ``count_error`` is the median over fields of abs(counted/true - 1)."""

    fields: int
    cells: int
    f1: float
    precision: float
    recall: float
    infected: int
    infected_kept: float
    count_bias: float
    count_error: float


def summarise(matches: list[Match]) -> FinderSummary:
    """Pool field scores (cells weigh alike); raises ZeroDivisionError when there is no cell at all."""
    hits = sum(m.hits for m in matches)
    counted = sum(m.counted for m in matches)
    true = sum(m.true for m in matches)
    infected = sum(m.infected for m in matches)
    kept = 1 - sum(m.infected_lost for m in matches) / infected if infected else float("nan")
    errors = [abs(m.counted / m.true - 1) for m in matches if m.true]
    return FinderSummary(
        len(matches),
        true,
        2 * hits / (counted + true),
        hits / max(counted, 1),
        hits / true,
        infected,
        kept,
        counted / true - 1,
        float(np.median(errors)),
    )
