"""Limit of blank, limit of detection, and how many cells it takes (CLSI EP17-A2; Linnet and Kondratovich 2004).

The textbook adds 1.645 standard deviations to a mean. Counts on blanks are few and skewed, so the limits here are quantiles
of the count itself: binomial given the slide's own rates, mixed over what those rates may be (``edge.verdict.rates``).

Among the cells of a sample with a share v of infected ones, ``q = f + v (s - f)`` come out positive (Rogan and Gladen
1978): f is the slide's false-positive rate, s the share of its infected cells that are found and called so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.verdict.interval import LEVEL
from edge.verdict.rates import Rate
from edge.verdict.tails import Floats, at_most

MOST_CELLS = 2_000_000
"""Samples larger than this are not planned: 20,000 fields of 100 cells."""

_TABLE = 256  # shares at which a probability is tabulated
_REACH = 8.0  # standard deviations
_FALSE, _FOUND = 80, 20  # values kept of the two rates where pairs of them are summed over


@dataclass(frozen=True, slots=True, eq=False)
class ErrorRates:
    """The two rates a verdict rests on.

    Attributes:
        false: false positives per cell counted, of the next slide.
        found: share of the infected cells that are found and called positive, per cell counted, of the next slide: the
            classifier's sensitivity, the finder's losses and its count error together.
        pooled: false positives per cell over all known slides, for the one estimate that is not an interval; None: the mean.
    """

    false: Rate
    found: Rate
    pooled: float | None = None

    def pairs(self, most_false: int = _FALSE, most_found: int = _FOUND) -> tuple[Floats, Floats, Floats]:
        """All combinations: f, s and their weights, each float64 [m]; those that tell nothing (s <= f) count as s = f."""
        false, found = self.false.thin(most_false), self.found.thin(most_found)
        f, s = (axis.ravel() for axis in np.meshgrid(false.values, found.values, indexing="ij"))
        return f, np.maximum(s, f), np.outer(false.weights, found.weights).ravel()


class CountTail:
    """The probability that a count stays at or below ``limit`` among ``cells``, for any share: tabulated once, then looked up."""

    def __init__(self, limit: int, cells: int) -> None:
        self._trivial = 1.0 if limit >= cells else 0.0 if limit < 0 else None
        centre = (limit + 0.5) / max(cells, 1)
        reach = _REACH * max(limit + 1, 4) ** 0.5 / max(cells, 1) + 8 / max(cells, 1)
        self._at = np.linspace(max(centre - reach, 0.0), min(centre + 2 * reach, 1.0), _TABLE)
        if self._trivial is None:
            self._tail = at_most(limit, cells, self._at)

    def __call__(self, share: Floats) -> Floats:
        """One probability per share."""
        if self._trivial is not None:
            return np.full(np.shape(share), self._trivial)
        return np.interp(share, self._at, self._tail)


def limit_of_blank(false: Rate, cells: int, level: float = LEVEL) -> int:
    """The lowest count that a blank sample of this many cells stays at or below with probability ``level``."""
    if cells <= 0:
        return 0
    rate = false.thin(_FALSE * 2)
    expected = cells * rate.quantile(min(level + (1 - level) / 2, 0.999))
    low, high = -1, min(cells, int(expected + 8 * expected**0.5 + 20))
    while high - low > 1:
        middle = (low + high) // 2
        if float(CountTail(middle, cells)(rate.values) @ rate.weights) >= level:
            high = middle
        else:
            low = middle
    return high


def detected(errors: ErrorRates, cells: int, limit: int, share: float) -> float:
    """The probability that a sample with this share of infected cells shows more than ``limit`` positives."""
    f, s, weights = errors.pairs()
    return 1 - float(CountTail(limit, cells)(f + share * (s - f)) @ weights)


def limit_of_detection(errors: ErrorRates, cells: int, limit: int, level: float = LEVEL) -> float | None:
    """The lowest share of infected cells that shows more than ``limit`` positives with probability ``level``; None: there is none."""
    f, s, weights = errors.pairs()
    at_most = CountTail(limit, cells)

    def missed(share: float) -> float:
        return float(at_most(f + share * (s - f)) @ weights)

    if cells <= 0 or missed(1.0) > 1 - level:
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        if missed(middle) <= 1 - level:
            high = middle
        else:
            low = middle
    return high


def cells_needed(errors: ErrorRates, share: float, level: float = LEVEL, blank_level: float = LEVEL) -> int | None:
    """The fewest cells (within half a per cent) at which this share is detected with probability ``level``.

    None: not even ``MOST_CELLS`` do, since false positives differ too much from slide to slide or cells are lost.
    """

    def enough(cells: int) -> bool:
        return detected(errors, cells, limit_of_blank(errors.false, cells, blank_level), share) >= level

    if not enough(MOST_CELLS):
        return None
    low, high = 0, MOST_CELLS
    while high - low > max(1, high // 200):
        middle = (low + high) // 2 if low == 0 and high < 64 else max(int((max(low, 1) * high) ** 0.5), low + 1)
        if enough(middle):
            high = middle
        else:
            low = middle
    return high
