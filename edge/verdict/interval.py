r"""The exact (Clopper-Pearson) interval of a share.

With k of n cells in a class, the interval holds every share p that would not be rejected by either one-sided exact
test: ``P(X >= k | p_low) = P(X <= k | p_high) = (1 - level) / 2`` for binomial X. The tail is a regularised
incomplete beta function, ``P(X >= k | n, p) = I_p(k, n - k + 1)``, computed from its continued fraction (modified
Lentz; DLMF 8.17.22) with ``math.lgamma``; the bounds are found by bisection. It takes some milliseconds at a million
cells and needs no SciPy on the device.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p

from edge.types import Interval

LEVEL = 0.95
_TINY = 1e-300
_CONVERGED = 1e-15


def clopper_pearson(k: int, n: int, level: float = LEVEL) -> Interval:
    """Share of ``k`` among ``n`` with its exact interval; of nothing, no value and the interval 0 to 1."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a share")
    if n == 0:
        return Interval(None, 0.0, 1.0)
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else _share_where(k, n, tail)
    # By symmetry: the upper bound of k is one less the lower bound of the other n - k.
    high = 1.0 if k == n else 1 - _share_where(n - k, n, tail)
    return Interval(k / n, low, high)


def at_least(k: int, n: int, p: float) -> float:
    """The probability of ``k`` or more among ``n`` when each has probability ``p``."""
    if k <= 0 or p >= 1:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    a, b = float(k), float(n - k + 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(p) + b * log1p(-p))
    if p < (a + 1) / (a + b + 2):  # the fraction converges fast on this side of the mean only
        return front * _fraction(a, b, p) / a
    return 1 - front * _fraction(b, a, 1 - p) / b


def _share_where(k: int, n: int, tail: float) -> float:
    """The p at which ``P(X >= k)`` equals ``tail``; it rises with p."""
    low, high = 0.0, 1.0
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if at_least(k, n, middle) < tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    step = 0.0
    m = 0
    while abs(step - 1) > _CONVERGED and m < 100_000:
        m += 1
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            step = c * d
            value *= step
    return value


def _nonzero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
