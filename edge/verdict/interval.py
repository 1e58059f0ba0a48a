r"""The exact (Clopper-Pearson) interval of a share.

With k of n cells in a class, the interval holds every share p that would not be rejected by either one-sided exact
test: ``P(X >= k | p_low) = P(X <= k | p_high) = (1 - level) / 2`` for binomial X (Clopper and Pearson 1934). The bounds are
found by bisection. It takes some milliseconds at a million cells and needs no SciPy on the device.
"""

from __future__ import annotations

from edge.types import Interval
from edge.verdict.tails import at_least

LEVEL = 0.95  # of every interval unless said otherwise


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
