"""The exact (Garwood 1936) interval of a Poisson count, for counts that are no whole numbers too.

The bounds hold every mean that neither one-sided exact test would reject: quantiles of gamma distributions with shape k (the
lower one) and k + 1. As formulas they go on between whole numbers, which is what counts that come in groups need: a sum ``y`` with
variance ``v`` behaves like ``v / y`` times a Poisson count of ``y**2 / v`` (Fay and Feuer 1997).
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, inf, lgamma, log, sqrt
from statistics import NormalDist

from edge.verdict.interval import LEVEL
from edge.verdict.tails import beta_cdf

_LARGE = 1000.0  # from here on Wilson and Hilferty's cube is right to six digits
_CONVERGED = 1e-14  # relative change at which a series is done
_CLOSE = 1e-11  # relative change at which a quantile is found
_LEAST_LOG = -600.0  # a quantile below exp of it is as good as 0
_ROUGH = 0.3  # below it the cube is no good beginning
_MOST_STEPS = 10_000  # of a series; reached by none of the arguments in use
_KEPT = 4096  # quantiles that are remembered: samples of an archive have the same few counts again and again


def poisson_limits(count: float, level: float = LEVEL) -> tuple[float, float]:
    """Lower and upper bound of the mean of a Poisson count: 0 and 3.69 for 0; ``count`` is 0 or more."""
    tail = (1 - level) / 2
    return (0.0 if count <= 0 else _gamma_quantile(count, tail)), _gamma_quantile(count + 1, 1 - tail)


@lru_cache(maxsize=_KEPT)
def _gamma_quantile(shape: float, below: float) -> float:
    """Where a gamma variable of this shape and scale 1 has probability ``below`` below it."""
    cube = 1 - 1 / (9 * shape) + NormalDist().inv_cdf(below) / (3 * sqrt(shape))
    if shape > _LARGE:
        return shape * cube**3
    # far down only the first term of the series counts
    log_x = (log(below) + lgamma(shape + 1)) / shape if cube < _ROUGH else log(shape * cube**3)
    if log_x < _LEAST_LOG:
        return 0.0
    low, high = -inf, inf
    for _ in range(_MOST_STEPS):  # Newton's steps for the logarithm, halved where they leave what is known to hold it
        x = exp(log_x)
        error = gamma_below(shape, x) - below
        low, high = (log_x, high) if error < 0 else (low, log_x)
        slope = exp(shape * log_x - x - lgamma(shape))
        step = log_x - error / slope
        if not low < step < high:
            step = (low + high) / 2 if high - low < inf else log_x + (1 if error < 0 else -1)
        if abs(step - log_x) <= _CLOSE:
            break
        log_x = step
    return exp(log_x)


def gamma_below(shape: float, x: float) -> float:
    """The regularised incomplete gamma function P(shape, x), by its series or the rest's continued fraction (DLMF 8.7.1, 8.9.2)."""
    if x <= 0:
        return 0.0
    front = exp(shape * log(x) - x - lgamma(shape))
    return front * _series(shape, x) if x < shape + 1 else 1 - front * _fraction(shape, x)


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    for k in range(1, _MOST_STEPS):
        term *= x / (shape + k)
        total += term
        if term <= _CONVERGED * total:
            break
    return total


def _fraction(shape: float, x: float) -> float:
    """Modified Lentz: x is above the shape, where every part of it is positive."""
    b = x + 1 - shape
    c, d = 1e300, 1 / b  # the first c is as good as endless
    value = d
    for k in range(1, _MOST_STEPS):
        factor = -k * (k - shape)
        b += 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        value *= c * d
        if abs(c * d - 1) <= _CONVERGED:
            break
    return value


@lru_cache(maxsize=_KEPT)
def student_quantile(freedom: int, level: float = LEVEL) -> float:
    """How many standard errors a two-sided interval of Student's t with so many degrees of freedom reaches to each side."""
    if freedom < 1:
        raise ValueError(f"Student's t has 1 degree of freedom or more, not {freedom}")
    low, high = 0.0, 1.0
    while high - low > 1e-12:  # bisection for x = f / (f + t**2), of which I_x(f / 2, 1 / 2) is the probability outside
        middle = (low + high) / 2
        if float(beta_cdf(freedom / 2, 0.5, middle)) < 1 - level:
            low = middle
        else:
            high = middle
    x = (low + high) / 2
    return sqrt(freedom * (1 - x) / x)
