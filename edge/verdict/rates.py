r"""A rate that differs from slide to slide, from counts on some slides: what the *next* slide's rate may be.

Slide i shows x_i events among n_i cells. Its own rate p_i is drawn from a beta distribution with mean mu and coefficient of
variation c between slides, and x_i is binomial given p_i: the beta-binomial model (Skellam 1948). With
``kappa = (1 - mu) / (mu c^2) - 1``, ``p_i ~ Beta(mu kappa, (1 - mu) kappa)``; c = 0 is the plain binomial.

mu and c are not known either, and on a few slides with a few events they are known badly. So nothing is plugged in: the
posterior over a grid of (mu, c) is taken, and the rate of the next slide is the mixture over it (the posterior predictive
distribution). Priors: ``mu^(-1/2)`` (Jeffreys', for a rare rate), which keeps zero events on few cells from meaning zero; and
c uniform over a range (Gelman 2006, for a spread that few groups tell little of), so that one slide, which cannot show how
slides differ, leaves c open. For false positives 0.2 to 2.5: slides are never all alike, and with a half-Cauchy prior limits were
a fifth lower but 8 % of the blanks were flagged where events were rare and c = 1. For cells missed 0 to 1.

All distributions are held as values with weights. That makes every later step a weighted sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.verdict.tails import Floats

_SPREADS = np.array([0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5])
Range = tuple[float, float]
FALSE_POSITIVES: Range = (0.2, 2.5)  # spread between slides that is thought possible, in logarithms
MISSED_CELLS: Range = (0.0, 1.0)  # the same of lost cells; these may be alike on all slides
_VALUES = 400  # points of the grid over the rate
_MEANS = 60  # points of the grid over the mean rate
_LOWEST, _HIGHEST = 1e-12, 1 - 1e-6  # bounds of the grid: a rate is a probability


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """A rate with its uncertainty, as a distribution.

    Attributes:
        values: float64 [m], rising, 0 to 1.
        weights: float64 [m], adding up to 1.
    """

    values: Floats
    weights: Floats

    @property
    def mean(self) -> float:
        """Its expectation."""
        return float(self.values @ self.weights)

    def quantile(self, level: float) -> float:
        """The lowest value with at least this much weight at or below it."""
        place = int(np.searchsorted(np.cumsum(self.weights), level - 1e-12))
        return float(self.values[min(place, len(self.values) - 1)])

    def thin(self, most: int) -> Rate:
        """The same with at most ``most`` values: neighbours are put together, the mean stays."""
        order = np.cumsum(self.weights) - self.weights / 2
        # half of the bins go by weight and half by value, so that thin tails keep their detail
        by_value = np.linspace(0, most / 2, len(self.values))
        bins = np.unique((order * most / 2 + by_value).astype(int), return_inverse=True)[1]
        weights = np.bincount(bins, self.weights).astype(np.float64)
        keep = weights > 0
        values = np.bincount(bins, self.weights * self.values)[keep] / weights[keep]
        return Rate(values, weights[keep])

    def times(self, factor: Rate) -> Rate:
        """The product of two independent rates, clipped at 1; ``factor`` may hold values above 1."""
        values = np.minimum(np.outer(self.values, factor.values).ravel(), 1)
        order = np.argsort(values, kind="stable")
        return Rate(values[order], np.outer(self.weights, factor.weights).ravel()[order]).thin(2 * len(self.values))

    def complement(self) -> Rate:
        """1 - rate."""
        return Rate(1 - self.values[::-1], self.weights[::-1])


def certain(value: float) -> Rate:
    """A rate that is known: a perfect classifier's, or one from the literature."""
    return Rate(np.array([value]), np.array([1.0]))


@dataclass(frozen=True, slots=True, eq=False)
class RateFit:
    """What some slides say of a rate.

    Attributes:
        next: the rate of the next slide.
        pooled: events per cell over all slides together, (x + 1/2) / n: the one figure where one is wanted. (The mean of
            ``next`` is not: with few slides it is what the prior lets the worst slide be.)
        spread: posterior median of c, the between-slide standard deviation as a share of mu; with its 95 % interval.
    """

    next: Rate
    pooled: float
    spread: float
    spread_low: float
    spread_high: float


def fit(events: Sequence[int], cells: Sequence[int], spreads: Range = FALSE_POSITIVES) -> RateFit:
    """Fit the model of the module's docstring to ``events[i]`` among ``cells[i]`` on slide i; c is within ``spreads``.

    Raises:
        ValueError: no slide has cells, or a slide has more events than cells.
    """
    x, n = np.asarray(events, np.float64), np.asarray(cells, np.float64)
    if len(x) != len(n) or (x < 0).any() or (x > n).any() or n.sum() == 0:
        raise ValueError("a rate needs slides with cells, and no more events than cells")
    logs = _log_values(float(x.sum()), float(n.sum()))
    means, trials, prior = _grid(logs, _SPREADS[(spreads[0] <= _SPREADS) & (spreads[1] >= _SPREADS)])
    mixing = _mixing(logs, means, trials)
    slides = x[:, None] * logs + (n - x)[:, None] * np.log1p(-np.exp(logs))
    slides -= slides.max(axis=1, keepdims=True)
    likelihood = np.log(np.maximum(mixing @ np.exp(slides).T, _TINY)).sum(axis=1) + prior
    posterior = np.exp(likelihood - likelihood.max())
    posterior /= posterior.sum()
    c = _marginal(trials, posterior)
    pooled = float((x.sum() + 0.5) / (n.sum() + 1))
    return RateFit(
        Rate(np.exp(logs), posterior @ mixing), pooled, c.quantile(0.5), c.quantile(0.025), c.quantile(0.975)
    )


_TINY = 1e-300  # keeps a logarithm finite


def _log_values(events: float, cells: float) -> Floats:
    """Logarithms of trial rates: from far below what the pooled counts allow to far above."""
    low = max(events + 0.5 - 4 * (events + 0.5) ** 0.5, 0.002) / cells
    high = (events + 3.5 + 5 * (events + 2) ** 0.5) / cells
    return np.linspace(np.log(max(low / 100, _LOWEST)), np.log(min(high * 20, _HIGHEST)), _VALUES)


def _grid(logs: Floats, allowed: Floats) -> tuple[Floats, Floats, Floats]:
    """Every (mu, c) that makes a beta distribution, with the logarithm of its prior weight."""
    mu = np.exp(np.linspace(logs[0] + np.log(5), min(logs[-1], np.log(0.98)), _MEANS))
    means, spreads = (axis.ravel() for axis in np.meshgrid(mu, allowed, indexing="ij"))
    width = np.tile(np.gradient(allowed), len(mu))
    possible = means * spreads**2 < 1 - means
    prior = 0.5 * np.log(means) + np.log(width)  # the grid is even in log mu: mu^(-1/2) d mu
    return means[possible], spreads[possible], prior[possible]


def _mixing(logs: Floats, means: Floats, spreads: Floats) -> Floats:
    """The distribution of a slide's rate over the trial rates for each (mu, c): float64 [grid, values]."""
    out = np.zeros((len(means), len(logs)))
    varied = spreads > 0
    mu, c = means[varied], spreads[varied]
    kappa = (1 - mu) / (mu * c**2) - 1
    density = (mu * kappa)[:, None] * logs + ((1 - mu) * kappa - 1)[:, None] * np.log1p(-np.exp(logs))
    density = np.exp(density - density.max(axis=1, keepdims=True))
    out[varied] = density / density.sum(axis=1, keepdims=True)
    same = np.flatnonzero(~varied)
    place = (np.log(means[same]) - logs[0]) / (logs[1] - logs[0])
    below = np.clip(place.astype(int), 0, len(logs) - 2)
    out[same, below] = 1 - (place - below)
    out[same, below + 1] = place - below
    return out


def _marginal(values: Floats, weights: Floats) -> Rate:
    distinct, where = np.unique(values, return_inverse=True)
    return Rate(distinct, np.bincount(where, weights).astype(np.float64))
