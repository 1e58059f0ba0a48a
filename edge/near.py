"""Near misses: cells just below the threshold, the likeliest of the infected cells that were not counted.

One definition for every output: what the classifier has seen and called no positive class, and whose positive score is at least
``SHARE`` of the threshold: a cell that is counted, or a narrow white cell that stays set aside (``edge.analysis.NARROW``).
In one field the ``MOST`` highest of them are marked, so that a picture stays a picture.
"""

from __future__ import annotations

import numpy as np

from edge.types import FloatArray, Int32Array

SHARE = 0.5  # of the threshold
MOST = 12  # marked in one field
WORDS = "just below the threshold"


def positive_scores(scores: FloatArray, positive: np.ndarray) -> FloatArray:
    """What the threshold is compared with: the positive classes' scores added up.

    Args:
        scores: float32 [n, k].
        positive: bool [k].

    Returns:
        float32 [n]; 0 in a model without positive classes.
    """
    return np.asarray(scores[:, positive].sum(axis=1), np.float32)


def just_below(
    scores: FloatArray, classes: Int32Array, positive: np.ndarray, threshold: float, most: int | None = None
) -> np.ndarray:
    """Which cells are near misses, int64 [m], highest score first (ties: first come).

    Args:
        scores: float32 [n, k].
        classes: int32 [n], -1 for what is set aside.
        positive: bool [k].
        threshold: of the run.
        most: return at most this many; None: all.
    """
    if not positive.any():
        return np.zeros(0, np.int64)
    total = positive_scores(scores, positive)
    near = np.flatnonzero(~counted_positive(classes, positive) & (total >= lowest(threshold)) & (total > 0))
    return near[np.argsort(-total[near], kind="stable")][:most]


def counted_positive(classes: Int32Array, positive: np.ndarray) -> np.ndarray:
    """Which cells count as a positive class, bool [n]; ``classes``: int32 [n], -1 for what is set aside; ``positive``: bool [k]."""
    return np.append(positive, False)[classes]


def lowest(threshold: float) -> float:
    """The score from which a cell is a near miss."""
    return SHARE * threshold
