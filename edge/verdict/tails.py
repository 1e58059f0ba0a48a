"""Tails of binomial counts without SciPy: the regularised incomplete beta function.

``I_x(a, b)`` from its continued fraction (modified Lentz; DLMF 8.17.22) and ``math.lgamma``. It is a binomial tail,
``P(X >= k | n, p) = I_p(k, n - k + 1)`` (DLMF 8.17.5), and the distribution function of a beta variable.
"""

from __future__ import annotations

from math import erfc, exp, lgamma, log, log1p, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_TINY = 1e-300  # keeps a logarithm and a division finite
_CONVERGED = 1e-14  # relative change at which a series or fraction is done
_MOST_STEPS = 100_000  # of a series or fraction; reached by none of the arguments in use
_LARGE = 400  # both parameters above it: the approximation is exact enough
_MANY = 20_000  # one parameter above it: the approximation for one large parameter is exact enough


def at_least(k: int, n: int, p: float) -> float:
    """The probability of ``k`` or more among ``n`` when each has probability ``p``."""
    if k <= 0 or p >= 1:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    a, b = float(k), float(n - k + 1)
    if p < (a + 1) / (a + b + 2):  # the fraction converges fast on this side of the mean only
        return exp(_front(a, b) + a * log(p) + b * log1p(-p)) * float(_fraction(a, b, p)) / a
    return 1 - exp(_front(a, b) + a * log(p) + b * log1p(-p)) * float(_fraction(b, a, 1 - p)) / b


def beta_cdf(a: float, b: float, x: ArrayLike) -> Floats:
    """``I_x(a, b)`` for positive ``a`` and ``b`` and any number of ``x`` in 0 to 1 (values beyond are clipped), same shape out.

    By approximations from ``_LARGE`` and ``_MANY`` on, where the fraction takes hundreds of steps.
    """
    given = np.clip(np.asarray(x, np.float64), 0.0, 1.0)
    flat = given.ravel()
    out = (flat >= 1).astype(np.float64)
    inner = (flat > 0) & (flat < 1)
    if min(a, b) > _LARGE:
        out[inner] = _normal_cdf(a, b, flat[inner])
        return out.reshape(given.shape)
    if max(a, b) > _MANY:
        out[inner] = _few_of_many(a, b, flat[inner]) if b > a else 1 - _few_of_many(b, a, 1 - flat[inner])
        return out.reshape(given.shape)
    left = inner & (flat < (a + 1) / (a + b + 2))
    right = inner & ~left
    out[left] = _side(a, b, flat[left])
    out[right] = 1 - _side(b, a, 1 - flat[right])
    return out.reshape(given.shape)


def at_most(limit: int, n: int, p: ArrayLike) -> Floats:
    """The probability of ``limit`` or fewer among ``n``, one for each p, same shape out."""
    shares = np.asarray(p, np.float64)
    if limit < 0 or limit >= n:
        return np.full(shares.shape, float(limit >= n))
    return 1 - beta_cdf(limit + 1.0, float(n - limit), shares)


def _normal_cdf(a: float, b: float, x: Floats) -> Floats:
    """Peizer and Pratt's approximation (1968) of I_x(a, b), 0 < x < 1: right to 1e-6 for large a and b, and as quick as for small."""
    k, n, q = a - 1, a + b - 1, 1 - x
    d = k + 2 / 3 - (n + 1 / 3) * x + 0.02 * (q / (k + 1) - x / (n - k) + (q - 0.5) / (n + 1))
    bend = 1 + q * _bend((k + 0.5) / (n * x)) + x * _bend((n - k - 0.5) / (n * q))
    z = d / np.sqrt((n + 1 / 6) * x * q) * np.sqrt(np.maximum(bend, 0))
    return np.array([0.5 * erfc(v / sqrt(2)) for v in z.tolist()])


def _few_of_many(a: float, b: float, x: Floats) -> Floats:
    """Wise's approximation (1950) of I_x(a, b) for large b: a gamma distribution function, by its series; right to 1e-5."""
    y = -(b + (a - 1) / 2) * np.log1p(-x)
    out = np.ones_like(y)
    inner = y < a + 12 * a**0.5 + 40
    y = y[inner]
    term = np.ones_like(y)
    total = term.copy()
    for k in range(1, _MOST_STEPS):
        term = term * y / (a + k)
        total += term
        if not len(y) or float(term.max()) <= _CONVERGED:
            break
    out[inner] = np.exp(a * np.log(np.maximum(y, _TINY)) - y - lgamma(a + 1)) * total
    return np.minimum(out, 1)


def _bend(x: Floats) -> Floats:
    near = np.abs(x - 1) < 1e-4  # the quotient below is 0 / 0 at 1, where its limit is 0
    safe = np.where(near, 2.0, x)
    return np.where(near, (1 - x) / 3, (1 - safe**2 + 2 * safe * np.log(safe)) / (1 - safe) ** 2)


def _side(a: float, b: float, x: Floats) -> Floats:
    if not len(x):
        return x
    return np.asarray(np.exp(_front(a, b) + a * np.log(x) + b * np.log1p(-x)) * _fraction(a, b, x) / a)


def _front(a: float, b: float) -> float:
    return lgamma(a + b) - lgamma(a) - lgamma(b)


def _fraction(a: float, b: float, x: Any) -> Any:
    """The continued fraction for one x (a float is a hundred times quicker than an array of one) or for many."""
    one = isinstance(x, float)
    c, d = 1.0 + 0 * x, 1 / (1 - (a + b) * x / (a + 1) + _TINY)
    value = d
    for m in range(1, _MOST_STEPS):
        for factor in (
            m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            term = factor * x
            d = 1 / (1 + term * d + _TINY)  # TINY counts only where the rest is zero
            c = 1 + term / c + _TINY
            step = c * d
            value = value * step
        error = abs(step - 1)
        if (error if one else error.max()) <= _CONVERGED:
            break
    return value
