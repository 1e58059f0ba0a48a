"""Bounds that hold however often one looks: what lets a run stop as soon as its sample is decided.

A test at 5 % that is repeated after every field is wrong far more often than 5 % of the time. Here the share v of infected
cells is bounded by a confidence sequence: with all counts up to now,

    P_v(k of n) = mean over f, s of  q^k (1 - q)^(n - k),   q = f + v (s - f)
    kept are the v with  sum over u of g(u) P_u(k of n) < P_v(k of n) / alpha

For the true v the ratio is a martingale with mean 1, whatever the weights g, so the chance that it *ever* reaches 1 / alpha is
at most alpha (Ville 1939; mixtures: Robbins 1970; Wald's weight functions, 1945; Ramdas, Grunwald, Vovk and Shafer 2023). No
schedule of looks need be fixed beforehand, and the binomial coefficients cancel. Half of g lies on v = 0, where blanks
are, the other half is spread evenly over the logarithm of v. The slide's own rates f and s are drawn once and stay the
slide's: that is why they are averaged inside P_v and not between looks.

Positive: 0 is no longer kept. Negative: no v from the target up is kept. Both hold at once for all looks.
"""

from __future__ import annotations

import numpy as np

from edge.verdict.limits import Errors
from edge.verdict.tails import Floats

_STEPS = 48
_FALSE, _FOUND = 40, 12  # after every field: fewer pairs than elsewhere
_LOWEST = 1e-6
_BELOW_TARGET = 30.0


class AnyTime:
    """Bounds of one share, valid at every look.

    Args:
        errors: the rates of the slide under test.
        target: the share that a negative must be below, or None.
        alpha: chance of ever excluding the true share.
    """

    def __init__(self, errors: Errors, target: float | None, alpha: float = 0.05) -> None:
        lowest = max((target or 1e-3) / _BELOW_TARGET, _LOWEST)
        spread = np.geomspace(lowest, 1.0, _STEPS)
        self._shares: Floats = np.unique(np.concatenate([[0.0], spread, [] if target is None else [target]]))
        weights = np.full(len(self._shares), 0.5 / (len(self._shares) - 1))
        weights[0] = 0.5
        self._log_g = np.log(weights)
        f, s, self._weights = errors.pairs(_FALSE, _FOUND)
        q = np.clip(f + self._shares[:, None] * (s - f), 1e-300, 1 - 1e-12)
        self._log_q, self._log_rest = np.log(q), np.log1p(-q)
        self._limit = float(np.log(1 / alpha))

    def bounds(self, k: int, n: int) -> tuple[float, float]:
        """The lowest and the highest share that are kept after ``k`` positives among ``n`` cells.

        The upper one is the next trial share above those kept, so that nothing between two of them is lost.
        """
        logs = k * self._log_q + (n - k) * self._log_rest
        top = logs.max(axis=1)
        log_p = top + np.log(np.exp(logs - top[:, None]) @ self._weights)
        mixed = log_p + self._log_g
        log_mix = mixed.max() + np.log(np.exp(mixed - mixed.max()).sum())
        kept = np.flatnonzero(log_mix - log_p < self._limit)
        low = kept[0] if kept[0] == 0 else max(kept[0] - 1, 1)
        return float(self._shares[low]), float(self._shares[min(kept[-1] + 1, len(self._shares) - 1)])
