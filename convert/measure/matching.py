"""How a finder is scored: one-to-one matches at IoU 0.5 (boxes) or by distance (points), borders ignored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.boxes import inside, iou
from edge.types import Int32Array

BORDER = 8
"""Cells whose true box is not this many pixels inside the field neither count for nor against a finder."""


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


def pairs(affinity: np.ndarray, least: float) -> list[tuple[int, int]]:
    """One-to-one pairs by falling affinity [n, m], none below ``least``."""
    rows, columns = np.nonzero(affinity >= least)
    order = np.argsort(-affinity[rows, columns], kind="stable")
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    out = []
    for i in order:
        row, column = int(rows[i]), int(columns[i])
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            out.append((row, column))
    return out


def match_boxes(
    found: Int32Array, truth: Int32Array, infected: np.ndarray, shape: tuple[int, int], least: float = 0.5
) -> Match:
    """Score boxes: int32 [n, 4] found, int32 [m, 4] truth, bool [m] infected.

    Truth within BORDER pixels of the border is ignored: what matches it counts neither way, nor does what matches
    nothing and lies within BORDER pixels of the border itself.
    """
    scored = inside(truth, shape, BORDER)
    matched = pairs(iou(found, truth), least)
    found_ignored = ~inside(found, shape, BORDER)
    hit = np.zeros(len(truth), bool)
    for i, j in matched:
        hit[j] = True
        found_ignored[i] = not scored[j]
    hits = int((hit & scored).sum())
    return Match(
        hits,
        int((~found_ignored).sum()) - hits,
        int((~hit & scored).sum()),
        int((infected & scored).sum()),
        int((infected & scored & ~hit).sum()),
    )


def match_points(found: Int32Array, points: np.ndarray, shape: tuple[int, int]) -> Match:
    """Score box centres against points: a match is nearer than half the median width of the found boxes.

    Points nearer to the border than half that width belong to cut cells and are ignored, as above.
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

    scored = central(points)
    found_ignored = ~central(centres)
    hit = np.zeros(len(points), bool)
    for i, j in pairs(-distance, -reach):
        hit[j] = True
        found_ignored[i] = not scored[j]
    hits = int((hit & scored).sum())
    return Match(hits, int((~found_ignored).sum()) - hits, int((~hit & scored).sum()))


@dataclass(frozen=True, slots=True)
class Summary:
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


def summarise(matches: list[Match]) -> Summary:
    """Pool field scores (cells weigh alike); raises ZeroDivisionError when there is no cell at all."""
    hits = sum(m.hits for m in matches)
    counted = sum(m.counted for m in matches)
    true = sum(m.true for m in matches)
    infected = sum(m.infected for m in matches)
    kept = 1 - sum(m.infected_lost for m in matches) / infected if infected else float("nan")
    errors = [abs(m.counted / m.true - 1) for m in matches if m.true]
    return Summary(
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
