"""Looks at a sample: one at the end, or one after every field and a last one that may spend what is left of the error.

``--until decided`` looks after every field, with bounds that hold at every look (``sequential``), and stops when they decide.
Where they do not, and the sample ends for a reason that does not depend on its positives (the fields end, or the budget of
cells, fields or seconds that was fixed beforehand), one more test of the whole sample is sound: by the union bound

    P(wrong) <= P(wrong at some look) + P(wrong at the last look)

A blank is flagged with probability alpha in all, so the last look tests at alpha less what the other looks spend; the same for
a negative where the share is the target. What they spend is bounded over *all* schedules of looks from ``FEWEST`` cells on,
so that no schedule has to be known, and it may depend on anything. Cells fall into blocks n_1 < n_2 < ... < N. With
c(n) the count above which 0 is excluded at n cells, which rises with n, a look within the block from n_i to n_{i+1}
excludes 0 only if the count at the block's end is above c(n_i); the target only if the count at its beginning is not above
d(n_{i+1}), the highest count that excludes it. Both are walks of a binomial count past a boundary: added up exactly for each
rate that the slide may have, and averaged over those rates.

Ctrl-C and failures end a sample when somebody or something chooses to, perhaps for what it showed: then there is no last look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from math import lgamma, log, log1p

import numpy as np

from edge.verdict.interval import LEVEL
from edge.verdict.limits import ErrorRates, detected, limit_of_blank
from edge.verdict.rates import Rate
from edge.verdict.sequential import FEWEST, FINE, AnyTime
from edge.verdict.tails import Floats

_RATES = 60  # points to which the distribution of a rate is thinned
_BLOCK = 1.08  # growth of the blocks of cells between which a boundary may be crossed
_REACH = 9.0  # standard deviations
_TINY = 1e-18  # probability below which a count is dropped


class Look(StrEnum):
    """Which test a finding rests on.

    ``ONE``: the sample is looked at once, at its end. ``EVERY``: bounds that hold at every look. ``LAST``: the whole sample,
    after looks that did not decide it.
    """

    ONE = "one"
    EVERY = "every"
    LAST = "last"


def spent_on_blanks(bounds: AnyTime, errors: ErrorRates, cells: int) -> float:
    """Upper bound of the share of blank samples that exclude 0 at any look up to ``cells`` cells."""
    ends = _blocks(cells)
    if not ends:
        return 0.0
    above = _limits(bounds.limit, ends)
    highest = [above[0], *above[:-1]]
    return min(_average(errors.false, lambda q: _past_upper(q, ends, highest)), 1.0)


def spent_on_target(bounds: AnyTime, errors: ErrorRates, target: float, cells: int, level: float) -> float:
    """Upper bound of the share of samples at the target that are called negative at any look on the way.

    No look calls a sample negative whose cells could not have shown the target (row "detection" of the table, at the limit of
    blank of ``level``), so blocks in which no number of cells could are passed over.
    """
    ends = _blocks(cells)
    start = next((i for i, block in enumerate(pairwise(ends)) if _may_show(errors, target, *block, level)), None)
    if start is None:
        return 0.0
    ends = ends[start:]
    below = _limits(bounds.clean, ends)
    if below[-1] < 0:
        return 0.0
    highest = [*below[1:], below[-1]]
    f, s, weights = errors.pairs(*FINE)
    q = f + target * (s - f)
    order = np.argsort(q)
    return min(_average(Rate(q[order], weights[order]), lambda rate: _past_lower(rate, ends, highest)), 1.0)


def _may_show(errors: ErrorRates, target: float, start: int, end: int, level: float) -> bool:
    """Whether some number of cells from ``start`` to ``end`` may show the target: more cells do, and a lower limit does."""
    if detected(errors, end, 0, target) < LEVEL:
        return False
    return detected(errors, end, limit_of_blank(errors.false, start, level), target) >= LEVEL


def _limits(limit: Callable[[int, int], int], ends: Sequence[int]) -> list[int]:
    """The boundary at the end of each block; it is made to rise where rounding would have it fall."""
    out = [limit(0, ends[0])]
    for n in ends[1:]:
        out.append(max(limit(max(out[-1], 0), n), out[-1]))
    return out


def _blocks(cells: int) -> list[int]:
    ends = [FEWEST] if cells >= FEWEST else []
    while ends and ends[-1] < cells:
        ends.append(min(int(ends[-1] * _BLOCK) + 1, cells))
    return ends


def _average(rate: Rate, chance: Callable[[float], float]) -> float:
    thin = rate.thin(_RATES)
    return float(sum(w * chance(float(q)) for q, w in zip(thin.values, thin.weights, strict=True)))


def _past_upper(q: float, ends: Sequence[int], highest: Sequence[int]) -> float:
    """The chance that the count is above ``highest`` at the end of some block."""
    within = _Counts()
    for (start, end), most in zip(pairwise([0, *ends]), highest, strict=True):
        within = within.plus(q, end - start, most)
    return 1 - float(within.chance.sum())


def _past_lower(q: float, ends: Sequence[int], highest: Sequence[int]) -> float:
    """The chance that the count is not above ``highest`` at the end of some block; counts that never can be again are dropped."""
    open_, crossed = _Counts(), 0.0
    for (start, end), most in zip(pairwise([0, *ends]), highest, strict=True):
        open_ = open_.plus(q, end - start, highest[-1])
        here = max(most + 1 - open_.first, 0)
        crossed += float(open_.chance[:here].sum())
        open_.chance[:here] = 0
    return crossed


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """The probability of each count from ``first`` on; those that hardly can be are left out at both ends."""

    first: int = 0
    chance: Floats = field(default_factory=lambda: np.ones(1))

    def plus(self, q: float, n: int, most: int) -> _Counts:
        """With the events among ``n`` more cells; counts above ``most`` are dropped."""
        more = _binomial(q, n)
        first = self.first + more.first
        if not len(self.chance) or first > most:
            return _Counts(first, np.zeros(0))
        chance: Floats = np.convolve(self.chance, more.chance)[: most - first + 1]
        held = np.flatnonzero(chance > _TINY)
        return (
            _Counts(first + int(held[0]), chance[held[0] : held[-1] + 1]) if len(held) else _Counts(first, np.zeros(0))
        )


def _binomial(q: float, n: int) -> _Counts:
    q = min(max(q, 1e-300), 1 - 1e-12)
    reach = _REACH * (n * q * (1 - q)) ** 0.5 + 12
    first, last = max(int(n * q - reach), 0), min(int(n * q + reach), n)
    k = np.arange(first, last)
    start = lgamma(n + 1) - lgamma(first + 1) - lgamma(n - first + 1) + first * log(q) + (n - first) * log1p(-q)
    steps = np.log((n - k) / (k + 1)) + log(q) - log1p(-q)
    return _Counts(first, np.asarray(np.exp(start + np.concatenate([[0.0], np.cumsum(steps)])), np.float64))
