"""Quantiles of beta distributions without SciPy, and the fixed points at which distributions are put together."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from edge.verdict.tails import Floats

_TINY = 1e-300  # keeps a logarithm finite
_GRID = 1200  # points of the density that a quantile is read from
POINTS = 4096
"""Points at which a distribution of several uncertain numbers is sampled: its 2.5 % quantile is right to about 0.1 %."""

_SEED = 1938  # of the points; they are the same in every run, so that the same counts give the same verdict


def beta_quantile(a: float, b: float, u: Floats) -> Floats:
    """Where Beta(a, b), a and b at least 1/2, has probability ``u`` below it: float64 like ``u``; right to three digits."""
    log_x, _, below = _cumulated(a, b)
    return np.exp(np.interp(u, below, log_x))


def beta_quantile_above(a: float, b: float, u: Floats, floor: Floats) -> Floats:
    """The same of the part of the distribution that is above ``floor``, a value for each ``u``; far out in the tail, too."""
    log_x, above, _ = _cumulated(a, b)
    left = np.interp(np.log(np.maximum(floor, _TINY)), log_x, np.log(np.maximum(above, _TINY)))
    log_above = np.log(np.maximum(above, _TINY))[::-1]
    return np.maximum(np.exp(np.interp(left + np.log1p(-u), log_above, log_x[::-1])), floor)


def _cumulated(a: float, b: float) -> tuple[Floats, Floats, Floats]:
    """Logarithms of values, and the probability above and below each: float64 [grid].

    The density is added up on a grid even in the logit, where it is bell-shaped whatever a and b.
    """
    middle, spread = np.log(a / b), (1 / a + 1 / b) ** 0.5
    z = np.linspace(middle - 9 * spread - 9 / a, middle + 9 * spread + 9 / b, _GRID)
    log_x, log_rest = -np.logaddexp(0, -z), -np.logaddexp(0, z)
    log_density = a * log_x + b * log_rest
    density = np.exp(log_density - log_density.max())
    steps = (density[1:] + density[:-1]) / 2
    whole = steps.sum()
    below = np.concatenate([[0.0], np.cumsum(steps)])
    above = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
    return log_x, above / whole, below / below[-1]


@lru_cache(maxsize=1)
def uniform_points(dimensions: int) -> Floats:
    """A Latin hypercube (McKay, Beckman and Conover 1979): float64 [dimensions, POINTS], each row evenly spread over 0 to 1."""
    rng = np.random.default_rng(_SEED)
    middles = (np.arange(POINTS) + 0.5) / POINTS
    points = np.stack([rng.permutation(middles) for _ in range(dimensions)])
    points.setflags(write=False)
    return points


def weighted_quantile(values: Floats, weights: Floats | None, level: float) -> float:
    """The value with this much weight at or below it; ``weights`` None: all alike."""
    if weights is None:
        place = min(int(np.ceil(level * len(values) - 1e-9)) - 1, len(values) - 1)
        return float(np.partition(values, max(place, 0))[max(place, 0)])
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    place = int(np.searchsorted(total, level * total[-1] - 1e-12))
    return float(values[order][min(place, len(values) - 1)])
