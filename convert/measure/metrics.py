"""How a classifier is judged: rank statistics and fixed false-positive rates. ``models`` uses these too."""

from __future__ import annotations

import numpy as np

from edge.decision import TOLERANCE


def auc(infected: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve (Mann-Whitney, ties half): bool [n] and float [n]."""
    order = np.argsort(scores, kind="stable")
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    positives = int(infected.sum())
    negatives = len(scores) - positives
    return float((ranks[infected].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def sensitivity_at(infected: np.ndarray, scores: np.ndarray, rate: float) -> float:
    """Share of infected cells above the score that at most ``rate`` of the uninfected ones exceed (same cells)."""
    negatives = np.sort(scores[~infected])
    limit = negatives[len(negatives) - 1 - int(rate * len(negatives))]
    return float((scores[infected] > limit).mean())


def threshold_at(infected: np.ndarray, scores: np.ndarray, rate: float) -> float:
    """The lowest threshold that at most ``rate`` of the uninfected cells reach: bool [n], scores float [n] in 0..1.

    It lies half way to the next score above them, and at least the device's tolerance (1e-6) from either. Where no cell
    scores higher it lies just above them all, at most at 1: cells that share a score of 1 all count as positive.
    """
    exact = np.asarray(scores, np.float64)
    negatives = np.sort(exact[~infected])
    limit = negatives[len(negatives) - 1 - int(rate * len(negatives))]
    above = exact[exact > limit + 4 * TOLERANCE]
    return float(min(1.0, round((limit + above.min()) / 2 if len(above) else limit + 4 * TOLERANCE, 7)))


def accuracy(infected: np.ndarray, scores: np.ndarray) -> float:
    """Share of cells on the right side of one half."""
    return float(((scores >= 0.5) == infected).mean())
