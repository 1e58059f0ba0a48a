"""The decision rule: which class a cell counts as. The device, the converter, calibration and every figure use this rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.types import FloatArray, Int32Array

TOLERANCE = 1e-6
"""By how much a score may miss the threshold and still reach it: scores are float32, thresholds are written in decimals."""


def positive_mask(labels: Sequence[str], positive: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the labels are positive, bool [k]."""
    return np.array([label in positive for label in labels], np.bool_)


def reaches(suspicion: FloatArray, threshold: float) -> NDArray[np.bool_]:
    """Which cells count as positive: bool, in the shape of ``suspicion``.

    Args:
        suspicion: float32, the sum of a cell's scores for the positive classes.
        threshold: the operating threshold, 0 to 1.
    """
    return np.asarray(suspicion >= np.float32(threshold) - np.float32(TOLERANCE))


def classes_of(scores: FloatArray, mask: NDArray[np.bool_], threshold: float) -> Int32Array:
    """The class each cell counts as, int32 [n].

    A cell is positive when the scores of the positive classes add up to the threshold; it then counts as the best of
    these, and otherwise as the best of the others. Where no class is positive, or all are, the best class is taken.

    Args:
        scores: float32 [n, k].
        mask: bool [k], the positive classes.
        threshold: the operating threshold, 0 to 1.
    """
    if not mask.any() or mask.all():
        return np.asarray(scores.argmax(axis=1), np.int32)
    if len(mask) == 2:  # one of each: there is nothing to add up and nothing to choose
        one = np.int32(mask.argmax())
        return np.where(reaches(scores[:, one], threshold), one, 1 - one)
    high = reaches(scores[:, mask].sum(axis=1), threshold)
    return np.asarray(np.where(high[:, None] == mask[None, :], scores, -np.inf).argmax(axis=1), np.int32)
