"""Bounds that hold at every look (anytime-valid), so that a run may stop as soon as its sample is decided.

A test at 5 % that is repeated after every field is wrong far more often than 5 % of the time. Here the share v of infected
cells is bounded by a confidence sequence: with all counts up to now,

    P_v(k of n) = mean over f, s of  q^k (1 - q)^(n - k),   q = f + v (s - f)
    kept are the v with  sum over u of g(u) P_u(k of n) < P_v(k of n) / alpha

For the true v the ratio is a martingale with mean 1, whatever the weights g, so the chance that it *ever* reaches 1 / alpha is
at most alpha (Ville 1939; mixtures: Robbins 1970; Wald's weight functions, 1945; Ramdas, Grunwald, Vovk and Shafer 2023). No
schedule of looks need be fixed beforehand, and the binomial coefficients cancel. Half of g lies on v = 0, where blanks
are, the other half is spread evenly over the logarithm of v. The slide's own rates f and s are drawn once and stay the
slide's: that is why they are averaged inside P_v and not between looks.

Positive: 0 is no longer kept. Negative: no v from the target up is kept. These two rest on P_v at 0 and at the target, where f
and s are resolved finely; the other v, whose weights may be anything, are compared with the count coarsely. Both hold at once for
all looks, and for whatever reason the sample ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.verdict.limits import ErrorRates
from edge.verdict.rates import Rate
from edge.verdict.tails import Floats

FEWEST = 100
"""Cells before the first look: a single positive among the first few cells must not end a sample."""

_STEPS = 48  # points of the mixture over the alternative's distance
_FALSE, _FOUND = 40, 12  # after every field: fewer pairs than elsewhere
FINE = (60, 100)
"""How finely the two rates are resolved at the target."""

_LOWEST = 1e-6  # smallest distance the mixture looks for
_BELOW_TARGET = 30.0  # the mixture begins at this fraction of the target
_HALVINGS = 30  # halvings of an interval: a billionth of it is left


@dataclass(frozen=True, slots=True, eq=False)
class _Rates:
    """What a slide's rates f and s may be (float64 [m] each, with their weights), and the shares to be compared with a count."""

    false: Floats
    found: Floats
    weights: Floats
    shares: Floats
    log_q: Floats = field(init=False)
    log_rest: Floats = field(init=False)

    def __post_init__(self) -> None:
        q = np.clip(self.false + self.shares[:, None] * (self.found - self.false), 1e-300, 1 - 1e-12)
        object.__setattr__(self, "log_q", np.log(q))
        object.__setattr__(self, "log_rest", np.log1p(-q))

    def log_p(self, k: int, n: int) -> Floats:
        """Log of P_v(k of n) for each share, but for the binomial coefficient."""
        logs = k * self.log_q + (n - k) * self.log_rest
        top = logs.max(axis=1)
        return np.asarray(top + np.log(np.exp(logs - top[:, None]) @ self.weights))

    def at(self, share: float) -> _Rates:
        """The same rates with one other share."""
        return _Rates(self.false, self.found, self.weights, np.array([share]))


def finer(rate: Rate) -> Rate:
    """A rate on four times as many values: between two of them a count of thousands would seem to fit no blank."""
    logs, places = np.log(np.maximum(rate.values, 1e-300)), np.arange(len(rate.values))
    between = np.linspace(0, len(places) - 1, 4 * len(places) - 3)
    weights = np.interp(between, places, rate.weights)
    return Rate(np.exp(np.interp(between, places, logs)), weights / weights.sum())


class AnyTime:
    """Bounds of one share, valid at every look.

    Args:
        errors: the rates of the slide under test.
        target: the share that a negative must be below, or None.
        alpha: chance of ever excluding the true share.
    """

    def __init__(self, errors: ErrorRates, target: float | None, alpha: float = 0.05) -> None:
        lowest = max((target or 1e-3) / _BELOW_TARGET, _LOWEST)
        spread = np.geomspace(lowest, 1.0, _STEPS)
        self._shares: Floats = np.unique(np.concatenate([[0.0], spread, [] if target is None else [target]]))
        self._target = len(self._shares) if target is None else int(np.searchsorted(self._shares, target))
        weights = np.full(len(self._shares), 0.5 / (len(self._shares) - 1))
        weights[0] = 0.5
        self._log_g = np.log(weights)
        self._coarse = _Rates(*errors.pairs(_FALSE, _FOUND), self._shares)
        self._fine = _Rates(*errors.pairs(*FINE), np.array([0.0 if target is None else target]))
        blank = finer(errors.false)
        self._exact = {0: _Rates(blank.values, blank.values, blank.weights, self._shares[:1])}
        if target is not None:
            self._exact[self._target] = self._fine
        self._limit = float(np.log(1 / alpha))

    def excludes(self, k: int, n: int) -> tuple[bool, bool]:
        """Whether 0, and whether the target and all above it, are not kept after ``k`` positives among ``n`` cells."""
        if n < FEWEST:
            return False, False
        kept, _ = self._kept(k, n)
        return bool(kept[0] > 0), bool(kept[-1] < self._target < len(self._shares))

    def bounds(self, k: int, n: int) -> tuple[float, float]:
        """The lowest and the highest share that are kept after ``k`` positives among ``n`` cells."""
        if n < FEWEST:
            return 0.0, 1.0
        kept, log_mix = self._kept(k, n)
        shares, first, last = self._shares, kept[0], kept[-1]
        low = 0.0 if first == 0 else self._edge(float(shares[first]), float(shares[first - 1]), k, n, log_mix)
        high = (
            1.0 if last + 1 == len(shares) else self._edge(float(shares[last]), float(shares[last + 1]), k, n, log_mix)
        )
        return low, high

    def limit(self, k: int, n: int) -> int:
        """The count among ``n`` cells above which 0 is not kept; ``n``: none is. ``k``, the count seen, is on its right side."""
        return _last(lambda count: not self.excludes(count, n)[0], k, n)

    def clean(self, k: int, n: int) -> int:
        """The highest count among ``n`` cells at which the target and all above are not kept; -1: none. ``k`` as above."""
        return _last(lambda count: self.excludes(count, n)[1], k, n)

    def _kept(self, k: int, n: int) -> tuple[NDArray[np.intp], float]:
        log_p = self._coarse.log_p(k, n)
        for place, rates in self._exact.items():
            log_p[place] = rates.log_p(k, n)[0]
        mixed = log_p + self._log_g
        log_mix = float(mixed.max() + np.log(np.exp(mixed - mixed.max()).sum()))
        return np.flatnonzero(log_mix - log_p < self._limit), log_mix

    def _edge(self, kept: float, not_kept: float, k: int, n: int, log_mix: float) -> float:
        """Where between two shares the kept ones end."""
        for _ in range(_HALVINGS):
            middle = (kept + not_kept) / 2
            if log_mix - self._fine.at(middle).log_p(k, n)[0] < self._limit:
                kept = middle
            else:
                not_kept = middle
        return (kept + not_kept) / 2


def _last(holds: Callable[[int], bool], k: int, n: int) -> int:
    """The last count, from -1 to ``n``, for which it holds: it does up to some count. Searched from ``k`` on, in growing steps."""
    step = 1
    if holds(k):
        low, high = k, k + 1
        while high <= n and holds(high):
            low, high, step = high, high + 2 * step, 2 * step
    else:
        low, high = k - 1, k
        while low >= 0 and not holds(low):
            low, high, step = low - 2 * step, low, 2 * step
    low, high = max(low, -1), min(high, n + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
