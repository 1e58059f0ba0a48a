"""The rates and limits against SciPy, the literature and the project's own reference figures."""

from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.limits import CountTail, ErrorRates, cells_needed, detected, limit_of_blank, limit_of_detection
from edge.verdict.plan import at, cell_negative_at_most, cell_sensitivity, cell_specificity, plan
from edge.verdict.rates import Rate, certain, fit
from edge.verdict.tails import at_most, beta_cdf

stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")


def beta_rate(mean: float, spread: float) -> Rate:
    """A rate with a known mean and spread, on a fine grid."""
    kappa = (1 - mean) / (mean * spread**2) - 1
    values = mean * np.linspace(1e-4, 12, 20_000)
    weights = stats.beta.pdf(values, mean * kappa, (1 - mean) * kappa)
    return Rate(values, weights / weights.sum())


@pytest.mark.parametrize(
    ("a", "b"), [(0.5, 3.5), (1, 1), (7, 2000), (30.5, 4.5), (350, 90_000), (5000.5, 80_000.5), (0.5, 1e6), (1e6, 3.0)]
)
def test_the_beta_distribution_is_scipys(a: float, b: float) -> None:
    x = np.linspace(0, 1, 41) ** 2
    x = np.concatenate([x, stats.beta.ppf([0.001, 0.025, 0.5, 0.975, 0.999], a, b)])
    assert beta_cdf(a, b, x) == pytest.approx(stats.beta.cdf(x, a, b), abs=2e-5)


@pytest.mark.parametrize(("limit", "n"), [(0, 5), (4, 5), (5, 5), (-1, 5), (3, 2000), (900, 2000), (4000, 10**6)])
def test_binomial_counts_are_scipys(limit: int, n: int) -> None:
    p = np.clip((limit + np.linspace(-3, 3, 13) * max(limit, 1) ** 0.5) / n, 0, 1)
    assert at_most(limit, n, p) == pytest.approx(stats.binom.cdf(limit, n, p), abs=2e-5)
    assert CountTail(limit, n)(p) == pytest.approx(stats.binom.cdf(limit, n, p), abs=2e-3)


@pytest.mark.parametrize(
    ("mean", "spread", "cells"), [(1e-3, 0.5, 20_000), (1e-4, 0.5, 50_000), (1e-2, 1.0, 2000), (1e-3, 0.2, 350)]
)
def test_the_limit_of_blank_is_the_quantile_of_the_beta_binomial(mean: float, spread: float, cells: int) -> None:
    kappa = (1 - mean) / (mean * spread**2) - 1
    want = stats.betabinom.ppf(0.95, cells, mean * kappa, (1 - mean) * kappa)
    assert abs(limit_of_blank(beta_rate(mean, spread), cells) - want) <= max(1, 0.01 * want)


@pytest.mark.parametrize(
    ("false", "sensitivity", "cells", "per_ul"),
    [(1e-3, 0.85, 20_000, 11_400), (1e-4, 0.7, 50_000, 1960), (1e-5, 0.5, 200_000, 420)],
)
def test_reference_limits_of_detection(false: float, sensitivity: float, cells: int, per_ul: float) -> None:
    # EP17's arithmetic (mean + 1.645 SD) at 50 % spread, 5e6 cells/µL; exact quantiles come out a few per cent above it
    errors = ErrorRates(beta_rate(false, 0.5), certain(sensitivity))
    lowest = limit_of_detection(errors, cells, limit_of_blank(errors.false, cells))
    assert lowest is not None
    assert per_ul * 0.97 <= lowest * 5e6 <= per_ul * 1.06


def test_at_three_per_cent_false_positives_no_number_of_cells_helps() -> None:
    errors = ErrorRates(beta_rate(0.033, 0.5), certain(0.9))
    for cells in (20_000, 1_000_000):
        lowest = limit_of_detection(errors, cells, limit_of_blank(errors.false, cells))
        assert lowest is not None
        assert lowest * 5e6 > 200_000
    assert cells_needed(errors, 0.01) is None


def test_a_perfect_classifier_needs_three_over_the_share() -> None:
    needed = cells_needed(ErrorRates(certain(0.0), certain(1.0)), 0.001)
    assert needed == pytest.approx(2995, rel=0.01)  # 0.999^n = 0.05


def test_more_cells_or_more_sensitivity_never_raise_the_limit_of_detection() -> None:
    false = fit([1, 0, 2, 1], [5000] * 4).next

    def lowest(cells: int, found: float) -> float:
        return limit_of_detection(ErrorRates(false, certain(found)), cells, limit_of_blank(false, cells)) or 1.0

    assert lowest(1000, 0.8) > lowest(10_000, 0.8) > lowest(100_000, 0.8)
    assert lowest(10_000, 0.5) > lowest(10_000, 0.9)


def test_the_fit_finds_mean_and_spread_of_many_slides() -> None:
    rng = np.random.default_rng(3)
    rates = rng.gamma(4, 1e-3 / 4, 200)  # mean 1e-3, spread 50 %
    got = fit(rng.binomial(20_000, rates).tolist(), [20_000] * 200)
    assert got.pooled == pytest.approx(1e-3, rel=0.1)
    assert got.spread_low <= 0.5 <= got.spread_high
    assert got.next.mean == pytest.approx(1e-3, rel=0.1)


def test_equal_rates_show_little_spread_and_unequal_ones_much() -> None:
    assert fit([20] * 10, [20_000] * 10).spread <= 0.3
    assert fit([0, 0, 60, 1, 0, 2, 0, 0, 40, 0], [20_000] * 10).spread >= 1.0


def test_no_false_positive_is_not_a_rate_of_zero() -> None:
    few, many = fit([0] * 3, [500] * 3).next, fit([0] * 3, [50_000] * 3).next
    assert few.quantile(0.95) > 3 / 1500 > many.quantile(0.95) > 0


def test_one_blank_claims_less_than_ten_with_the_same_cells() -> None:
    one, ten = fit([10], [100_000]).next, fit([1] * 10, [10_000] * 10).next
    assert limit_of_blank(one, 20_000) > 2 * limit_of_blank(ten, 20_000)


@pytest.mark.parametrize(("events", "cells"), [([], []), ([0], [0]), ([3], [2]), ([-1], [5])])
def test_impossible_slides_are_refused(events: list[int], cells: list[int]) -> None:
    with pytest.raises(ValueError, match="slides with cells"):
        fit(events, cells)


def test_thinning_keeps_weight_and_mean() -> None:
    rate = fit([1, 0, 2, 1], [5000] * 4).next
    thin = rate.thin(40)
    assert len(thin.values) <= 41
    assert thin.mean == pytest.approx(rate.mean)
    assert thin.weights.sum() == pytest.approx(1)


def test_the_notebooks_own_case() -> None:
    # 350 cells, one positive cell means infected, 95 % sensitivity and 85 % specificity per sample
    assert cell_specificity(350, 0.85) == pytest.approx(0.999536, abs=5e-7)
    assert cell_negative_at_most(350, 0.95) == pytest.approx(0.991477, abs=5e-7)


def test_what_the_notebook_asks_of_infected_cells_depends_on_how_many_there_are() -> None:
    needed = cell_sensitivity(350, 0.95, 0.85, 0.01)
    false = 1 - cell_specificity(350, 0.85)
    assert (1 - (0.01 * needed + 0.99 * false)) ** 350 == pytest.approx(0.05)
    assert cell_sensitivity(350, 0.95, 0.85, 0.005) > 1  # 1.75 infected cells on average: often there is none


def test_a_plan_gives_what_was_asked_for() -> None:
    errors = ErrorRates(fit([1, 0, 2, 1, 0, 1, 1, 0], [20_000] * 8).next, certain(0.9))
    made = plan(errors, 0.002, 0.95, 0.9)
    assert made.enough
    assert made.missed <= 0.05
    assert made.flagged_blanks <= 0.1
    fewer = at(errors, made.cells // 2, 0.002, 0.9)
    assert fewer.missed > 0.05
    assert detected(errors, made.cells, made.limit, 0.002) == pytest.approx(1 - made.missed)


def test_a_plan_that_cannot_work_says_so() -> None:
    errors = ErrorRates(fit([100, 2, 40, 0], [5000] * 4).next, certain(0.9))
    assert not plan(errors, 0.0001, 0.95, 0.95).enough
