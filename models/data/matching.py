"""What a finder gives on an IML field, against the annotations: for training and for judging alike."""

from __future__ import annotations

import numpy as np

from convert.measure.matching import Assignment, assign
from models.data.fields import UNSURE, ImlField


def match_cells(boxes: np.ndarray, entry: ImlField, shape: tuple[int, int]) -> Assignment:
    """Match finds int32 [n, 4] to annotated boxes; those that the annotators were unsure of do not count."""
    return assign(boxes, entry.boxes, shape, np.array([kind != UNSURE for kind in entry.types], bool))
