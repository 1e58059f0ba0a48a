"""Infected cells kept against others discarded, at thresholds fixed beforehand and at the best one.

A triage hands a person the cells whose score reaches a threshold and discards the others. What the finder lost is never kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.judge.figures import Measurement, exact, share
from models.judge.microscope_figures import CalledCells

KEPT, DISCARDED = 0.999, 0.85
"""What the founding notes ask for: of the infected cells, and of the others."""

THRESHOLDS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
"""Scores from which on a cell is kept."""


@dataclass(frozen=True, slots=True)
class TriagePoint:
    """One threshold on one microscope.

    Attributes:
        threshold: a cell whose score reaches it is kept.
        kept: share of the infected cells, lost ones included; None: there are none.
        kept_of_found: the same of those that the finder found.
        discarded: share of the other cells; None: there are none.
    """

    threshold: float
    kept: Measurement | None
    kept_of_found: Measurement | None
    discarded: Measurement | None


def point(cells: CalledCells, threshold: float) -> TriagePoint:
    """What one threshold does."""
    reached, infected = cells.suspicion >= threshold, cells.infected
    lost = np.zeros(0, str) if cells.lost_units is None else cells.lost_units
    hits = np.concatenate([reached[infected], np.zeros(len(lost), bool)])
    units = np.concatenate([cells.units[infected], lost])
    return TriagePoint(
        threshold,
        safe_share(hits, units),
        safe_share(reached[infected], cells.units[infected]),
        safe_share(~reached[~infected], cells.units[~infected]),
    )


def safe_share(values: np.ndarray, units: np.ndarray) -> Measurement | None:
    """A share with the wider of two intervals: the exact one of as many cells, and that of the units they are in; None of nothing.

    Cells of one slide are alike, which only the second allows for; where all or none are hits, only the first is wider than nothing.
    """
    if not len(values):
        return None
    alone, together = exact(int(values.sum()), len(values)), share(values, units)
    low = min(end for end in (alone.low, together.low) if end is not None)
    high = max(end for end in (alone.high, together.high) if end is not None)
    return Measurement(alone.value, low, high, len(values))


def best_threshold(cells: CalledCells, kept: float = KEPT) -> float:
    """The highest score that keeps this share of the infected cells that were found, of which there is at least one.

    It is chosen on the very cells that it is shown on, so it flatters.
    """
    scores = np.sort(cells.suspicion[cells.infected])[::-1]
    return float(scores[int(np.ceil(kept * len(scores) - 1e-9)) - 1])


def verdict(at: TriagePoint) -> str:
    """Whether a point meets the founding notes' targets, in words."""
    if at.kept is None or at.discarded is None:
        return "no infected cells"
    missed = []
    if at.kept.value < KEPT:
        missed.append("**missed**: kept")
    if at.discarded.value < DISCARDED:
        missed.append("**missed**: discarded" if not missed else "discarded")
    if missed:
        return ", ".join(missed)
    if at.kept.low is None or at.kept.low < KEPT:
        return f"not shown: {at.kept.n:,} infected cells are too few"
    return "met"
