"""Bounds for every look against their definition: the mixture's likelihood ratio, and the exact chance that it ever is too high."""

from __future__ import annotations

from itertools import pairwise
from math import comb, log

import numpy as np
import pytest

from edge.verdict.limits import ErrorRates
from edge.verdict.rates import Rate, certain
from edge.verdict.sequential import FEWEST, AnyTime, _last, finer

stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")

GOOD = ErrorRates(certain(1e-3), certain(0.9))
SPREAD = ErrorRates(
    Rate(np.array([2e-4, 3e-3]), np.array([0.7, 0.3])), Rate(np.array([0.6, 0.9]), np.array([0.25, 0.75]))
)
TARGET = 0.02


class Definition:
    """The module's docstring written down anew: half of g on 0, half even in log v from a thirtieth of the target to 1."""

    def __init__(self, errors: ErrorRates, target: float | None, alpha: float) -> None:
        lowest = max((1e-3 if target is None else target) / 30, 1e-6)
        grid = {0.0, *np.geomspace(lowest, 1, 48).tolist(), *([] if target is None else [target])}
        self.shares = np.array(sorted(grid))
        self.g = np.where(self.shares == 0, 0.5, 0.5 / (len(self.shares) - 1))
        f, s = errors.false, errors.found
        self.pairs = [
            (a, b, x * y)
            for a, x in zip(f.values, f.weights, strict=True)
            for b, y in zip(s.values, s.weights, strict=True)
        ]
        blank = finer(f)  # a blank's rate is resolved more finely than the rest
        self.blank = [(a, a, x) for a, x in zip(blank.values, blank.weights, strict=True)]
        self.alpha, self.target = alpha, target

    def log_chance(self, k: int, n: int, share: float) -> float:
        terms = []
        for f, s, w in self.pairs if share else self.blank:
            q = min(max(f + share * (s - f), 1e-300), 1 - 1e-12)
            terms.append(log(w) + k * log(q) + (n - k) * np.log1p(-q))
        return float(np.logaddexp.reduce(terms))

    def mixture(self, k: int, n: int) -> float:
        return float(
            np.logaddexp.reduce([log(g) + self.log_chance(k, n, v) for g, v in zip(self.g, self.shares, strict=True)])
        )

    def keeps(self, k: int, n: int, share: float) -> bool:
        return self.mixture(k, n) - self.log_chance(k, n, share) < log(1 / self.alpha)

    def excludes(self, k: int, n: int) -> tuple[bool, bool]:
        above = [v for v in self.shares if self.target is not None and v >= self.target]
        none_kept = bool(above) and not any(self.keeps(k, n, v) for v in above)
        return not self.keeps(k, n, 0.0), none_kept


COUNTS = [
    (0, 100),
    (2, 100),
    (9, 100),
    (0, 300),
    (1, 300),
    (6, 300),
    (3, 2000),
    (16, 2000),
    (60, 2000),
    (40, 9000),
    (9000, 9000),
]


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("target", [TARGET, None, 1e-4])
@pytest.mark.parametrize("errors", [GOOD, SPREAD], ids=["one rate", "rates that differ"])
def test_a_count_excludes_what_its_definition_excludes(errors: ErrorRates, target: float | None, alpha: float) -> None:
    bounds, want = AnyTime(errors, target, alpha), Definition(errors, target, alpha)
    for k, n in COUNTS:
        assert bounds.excludes(k, n) == want.excludes(k, n), (k, n)


@pytest.mark.parametrize("errors", [GOOD, SPREAD], ids=["one rate", "rates that differ"])
def test_the_limits_are_the_last_counts_that_decide_nothing_and_something(errors: ErrorRates) -> None:
    bounds, want = AnyTime(errors, TARGET), Definition(errors, TARGET, 0.05)
    for n in (100, 420, 3000):
        limit, clean = bounds.limit(0, n), bounds.clean(0, n)
        assert not want.excludes(limit, n)[0]
        assert want.excludes(limit + 1, n)[0]
        assert clean < 0 or want.excludes(clean, n)[1]
        assert not want.excludes(clean + 1, n)[1]
    assert bounds.clean(0, 100) == -1  # so few cells exclude the target never
    assert bounds.clean(0, 3000) > 0


def test_alpha_is_5_per_cent_unless_said_otherwise() -> None:
    assert AnyTime(GOOD, TARGET).limit(0, 5000) == AnyTime(GOOD, TARGET, 0.05).limit(0, 5000)
    assert AnyTime(GOOD, TARGET, 0.001).limit(0, 5000) > AnyTime(GOOD, TARGET).limit(0, 5000)


@pytest.mark.parametrize("n", [100, 300])
def test_the_mixture_is_a_probability_so_that_the_ratio_is_a_martingale_with_mean_1(n: int) -> None:
    bounds = AnyTime(SPREAD, TARGET)
    total = sum(comb(n, k) * np.exp(bounds._kept(k, n)[1]) for k in range(n + 1))
    assert total == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("n", [FEWEST - 1, 50, 0])
def test_before_the_first_look_nothing_is_said(n: int) -> None:
    assert AnyTime(GOOD, TARGET).excludes(n, n) == (False, False)
    assert AnyTime(GOOD, TARGET).bounds(n, n) == (0.0, 1.0)
    assert AnyTime(GOOD, TARGET).excludes(FEWEST, FEWEST) == (True, False)
    assert AnyTime(GOOD, TARGET).bounds(FEWEST, FEWEST)[0] > 0.5


@pytest.mark.parametrize("target", [TARGET, None])
@pytest.mark.parametrize(
    ("k", "n"), [(0, 100), (9, 100), (1, 300), (16, 2000), (60, 2000), (1500, 2000), (2000, 2000), (0, 40_000)]
)
def test_the_bounds_are_where_the_ratio_reaches_1_over_alpha(k: int, n: int, target: float | None) -> None:
    low, high = AnyTime(GOOD, target).bounds(k, n)
    want = Definition(GOOD, target, 0.05)
    for bound, inside in ((low, 1.001), (high, 0.999)):
        if 0 < bound < 1:
            assert want.mixture(k, n) - want.log_chance(k, n, bound) == pytest.approx(log(20), abs=1e-5)
            assert want.keeps(k, n, bound * inside)
    assert (low == 0) == want.keeps(k, n, 0.0)
    assert (high == 1) == want.keeps(k, n, 1.0)
    assert low < min(max(k / n / 0.9, 1e-9), 0.999) < high + 1e-9 or k / n < 0.9e-3 or k == n


def ever_excluded(errors: ErrorRates, bounds: AnyTime, share: float, most: int, *, blank: bool) -> float:
    """The exact chance that 0 (the target) is excluded at any look, one every 100 cells, where the share is 0 (the target)."""
    total = 0.0
    for f, wf in zip(errors.false.values, errors.false.weights, strict=True):
        for s, ws in zip(errors.found.values, errors.found.weights, strict=True):
            open_ = np.array([1.0])
            for n in range(100, most + 1, 100):
                open_ = np.convolve(open_, stats.binom.pmf(np.arange(101), 100, f + share * (s - f)))
                if blank:
                    open_[bounds.limit(0, n) + 1 :] = 0
                else:
                    open_[: max(bounds.clean(0, n) + 1, 0)] = 0
            total += wf * ws * (1 - open_.sum())
    return float(total)


@pytest.mark.parametrize("errors", [GOOD, SPREAD], ids=["one rate", "rates that differ"])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_looking_after_every_hundred_cells_is_wrong_at_most_alpha_of_the_time_and_not_far_less(
    errors: ErrorRates, alpha: float
) -> None:
    bounds = AnyTime(errors, TARGET, alpha)
    blanks = ever_excluded(errors, bounds, 0.0, 6000, blank=True)
    assert alpha / 30 < blanks <= alpha
    at_target = ever_excluded(errors, bounds, TARGET, 6000, blank=False)
    assert alpha / 30 < at_target <= alpha


@pytest.mark.parametrize("n", [0, 1, 2, 9, 100])
def test_the_last_count_is_found_from_wherever_it_is_searched(n: int) -> None:
    for last in {-1, 0, 1, n // 3, n - 1, n}:
        if last > n:
            continue
        for start in {0, n // 2, n}:
            tried: list[int] = []

            def holds(count: int, last: int = last, tried: list[int] = tried) -> bool:
                tried.append(count)
                return count <= last

            assert _last(holds, start, n) == last, (last, start)
            assert all(0 <= count <= n for count in tried)
            assert len(tried) <= 2 * n.bit_length() + 4  # a search in growing steps, not a walk


def test_a_finer_rate_has_three_values_more_between_two_even_in_their_logarithm() -> None:
    coarse = Rate(np.array([1e-4, 1e-3, 1e-1]), np.array([0.2, 0.6, 0.2]))
    fine = finer(coarse)
    assert len(fine.values) == 9
    assert fine.values[::4].tolist() == pytest.approx(coarse.values.tolist())
    ratios = [b / a for a, b in pairwise(fine.values.tolist())]
    assert ratios == pytest.approx([10**0.25] * 4 + [100**0.25] * 4)
    want = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.5, 0.4, 0.3, 0.2])
    assert fine.weights.tolist() == pytest.approx((want / want.sum()).tolist())
    assert finer(certain(0.0)).values.tolist() == pytest.approx([0.0], abs=1e-299)
