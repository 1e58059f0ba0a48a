"""Curves from truth and scores: sensitivity over false positives, and how often a score means an infected cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.types import FloatArray
from edge.verdict.interval import clopper_pearson

_POINTS = 240  # of a curve that is drawn
BINS = 10  # of the calibration plot


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Sensitivity over false positives.

    Attributes:
        false: share of the uninfected cells at or above the threshold, rising, float [k].
        found: share of all infected cells, lost ones included, float [k].
        least: the smallest share of false positives that so many uninfected cells can show: one of them.
        top: the sensitivity that no threshold exceeds, for what the finder lost.
    """

    false: np.ndarray
    found: np.ndarray
    least: float
    top: float


def curve(infected: np.ndarray, scores: FloatArray, lost: int = 0) -> RocCurve:
    """The ROC curve at points even on a linear and on a logarithmic axis.

    Args:
        infected: bool [n], with both kinds in it.
        scores: float [n].
        lost: infected cells that no threshold reaches.
    """
    healthy, sick = np.sort(scores[~infected]), np.sort(scores[infected])
    least = 1 / len(healthy)
    rates = np.concatenate([[0.0], np.geomspace(least, 1, _POINTS), np.linspace(least, 1, _POINTS)])
    allowed = np.unique(np.floor(rates * len(healthy) + 1e-9).astype(int))
    # With k false positives allowed, what counts as positive scores above the k+1-th highest uninfected cell.
    limit = np.append(healthy, -np.inf)[len(healthy) - 1 - np.minimum(allowed, len(healthy))]
    above = len(sick) - np.searchsorted(sick, limit, side="right")
    total = len(sick) + lost
    return RocCurve(allowed / len(healthy), above / total, least, len(sick) / total)


@dataclass(frozen=True, slots=True)
class Bin:
    """Cells whose score lies in one tenth: their mean score, how many, the share infected and its exact interval."""

    score: float
    cells: int
    share: float
    low: float
    high: float


def reliability(infected: np.ndarray, scores: FloatArray, bins: int = BINS) -> list[Bin]:
    """Bins of even width that hold cells; a score of 1 is in the last."""
    number = np.minimum((scores * bins).astype(int), bins - 1)
    out = []
    for i in np.unique(number):
        mine = number == i
        hits, cells = int(infected[mine].sum()), int(mine.sum())
        interval = clopper_pearson(hits, cells)
        out.append(Bin(float(scores[mine].mean()), cells, hits / cells, interval.low, interval.high))
    return out


def calibration_error(parts: list[Bin]) -> float:
    """Expected calibration error: the mean distance between score and share infected, over cells."""
    cells = np.array([one.cells for one in parts])
    return float(np.sum(cells * np.abs([one.score - one.share for one in parts])) / cells.sum())
