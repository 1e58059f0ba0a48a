"""What a finder gives on an annotated field, against the annotations: for training and for judging alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convert.measure.matching import BORDER, pairs
from edge.boxes import inside, iou
from models.data.fields import UNSURE, ImlField


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Finds of one field against its annotations.

    Attributes:
        use: bool [n], finds that count: those within the border margin, and those whose annotation does not count, do not.
        of: int [n], the annotated box that each find matches; -1: none.
        lost: int [m], infected boxes that count and that no find matches.
    """

    use: np.ndarray
    of: np.ndarray
    lost: np.ndarray

    def infected(self, entry: ImlField) -> np.ndarray:
        """Whether each find matches an infected cell, bool [n]."""
        return np.asarray((self.of >= 0) & np.append(entry.infected, [False])[self.of])


def match_cells(boxes: np.ndarray, entry: ImlField, shape: tuple[int, int]) -> Matched:
    """Match finds int32 [n, 4] to annotated boxes; unsure truth, and truth within the border margin, does not count."""
    scored = inside(entry.boxes, shape, BORDER) & np.array([t != UNSURE for t in entry.types])
    use = inside(boxes, shape, BORDER)
    of = np.full(len(boxes), -1)
    hit = np.zeros(len(entry.boxes), bool)
    for i, j in pairs(iou(boxes, entry.boxes), 0.5):
        hit[j] = True
        use[i] = scored[j]
        of[i] = j
    return Matched(np.asarray(use), of, np.flatnonzero(entry.infected & scored & ~hit))
