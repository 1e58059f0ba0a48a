"""The share of infected cells behind a count of positive ones, with an interval that carries every uncertainty.

Rogan and Gladen (1978): of a share v infected, ``q = f + v (s - f)`` come out positive, so ``v = (q - f) / (s - f)``. Three
things are uncertain: q (k of n cells), f and s (this slide's own rates). Each has a distribution; v's is what follows
from them:

    P(v <= t) = sum over f, s of  P(q <= f + t (s - f)),   q ~ Beta(k + 1/2, n - k + 1/2)

and the interval holds its middle 95 %. These are melded confidence distributions (Fay, Proschan and Brittain 2015; Bayer,
Fay and Graubard 2023 for this very use) with the mid-P-like Beta(k + 1/2, n - k + 1/2) (Jeffreys; Brown, Cai and DasGupta 2001) in
place of the exact pair, which would be wider than it need be. The one-sided upper bound, on which "negative" rests, takes
the exact Beta(k + 1, n - k): none found among n leaves 3 / n, not 1.9 / n. The interval never ends below it. The Wald
interval fails where counts are small (Lang and Reiczigel 2014). What coverage this has: docs/verdict-simulation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.types import Interval
from edge.verdict.interval import LEVEL
from edge.verdict.limits import ErrorRates
from edge.verdict.tails import Floats, beta_cdf

_TABLE = 400  # shares at which the confidence distribution is tabulated
_STEPS = 60  # most halvings of an interval; the search ends earlier, at four digits
_LEAST = 1e-3  # of a beta distribution's parameters: all of the cells, or none of them


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of infected cells.

    Attributes:
        raw: ``(k / n - f) / (s - f)`` at the pooled f and the expected s; negative where a count is below the false
            positives expected. None where nothing was counted or the rates tell nothing (s <= f).
        share: the same kept within 0 to 1, with its two-sided interval.
        most: one-sided upper bound at the same level.
    """

    raw: float | None
    share: Interval
    most: float


UPPER, MIDDLE, LOWER = 1.0, 0.5, 0.0
"""Which Beta(k + side, n - k + 1 - side): the exact one of an upper bound, the middle, the exact one of a lower bound."""


class ShareOf:
    """The distribution of the share v behind ``k`` of ``n``: call it with t for ``P(v <= t)``.

    Args:
        side: ``UPPER`` or ``LOWER``: on the safe side for a bound of that kind; ``MIDDLE``: between them.
    """

    def __init__(self, k: int, n: int, errors: ErrorRates, side: float = MIDDLE) -> None:
        a, b = max(k + side, _LEAST), max(n - k + 1 - side, _LEAST)
        mean = a / (a + b)
        reach = (a * b / (a + b + 1)) ** 0.5 / (a + b)
        low, high = max(mean - 9 * reach, 0.0), min(mean + 9 * reach + 12 / (a + b), 1.0)
        self._at = np.linspace(low, high, _TABLE)
        self._cdf = beta_cdf(a, b, self._at)
        self._false, self._found, self._weights = errors.pairs()

    def __call__(self, t: float) -> float:
        """The probability that v is ``t`` or less."""
        q: Floats = self._false + t * (self._found - self._false)
        return float(np.interp(q, self._at, self._cdf, left=0.0, right=1.0) @ self._weights)

    def quantile(self, level: float) -> float:
        """The share with this much probability below it, kept within 0 to 1."""
        if self(0.0) >= level:
            return 0.0
        low, high = 0.0, 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            if self(middle) < level:
                low = middle
            else:
                high = middle
            if high - low < 1e-4 * high:
                break
        return high


def estimate(k: int, n: int, errors: ErrorRates, level: float = LEVEL) -> Estimate:
    """The share of infected cells behind ``k`` positives among ``n`` cells.

    Raises:
        ValueError: ``k`` of ``n`` is not a share.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a share")
    f, s = errors.false.mean if errors.pooled is None else errors.pooled, errors.found.mean
    if n == 0 or s <= f:
        return Estimate(None, Interval(None, 0.0, 1.0), 1.0)
    raw = (k / n - f) / (s - f)
    share = ShareOf(k, n, errors)
    tail = (1 - level) / 2
    most = at_most(k, n, errors, level)
    low, high = share.quantile(tail), max(share.quantile(1 - tail), most)
    return Estimate(raw, Interval(min(max(raw, low), high), low, high), most)


def at_most(k: int, n: int, errors: ErrorRates, level: float = LEVEL) -> float:
    """The one-sided upper bound alone: the share at which ``k`` or fewer of ``n`` would come with probability 1 - ``level``."""
    return ShareOf(k, n, errors, UPPER).quantile(level)


def at_least(k: int, n: int, errors: ErrorRates, level: float = LEVEL) -> float:
    """The one-sided lower bound: the share at which ``k`` or more of ``n`` would come with probability 1 - ``level``."""
    return ShareOf(k, n, errors, LOWER).quantile(1 - level)
