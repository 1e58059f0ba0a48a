from __future__ import annotations

from itertools import pairwise
from math import exp, factorial

import pytest

from edge.verdict.poisson import gamma_below, poisson_limits, student_quantile

# Garwood's 95 % limits, as tables print them
GARWOOD = {0: (0.0, 3.689), 1: (0.0253, 5.572), 5: (1.623, 11.668), 10: (4.795, 18.390), 100: (81.364, 121.627)}


@pytest.mark.parametrize("count", GARWOOD)
def test_the_limits_are_garwoods(count: int) -> None:
    assert poisson_limits(count) == pytest.approx(GARWOOD[count], abs=6e-4)


@pytest.mark.parametrize("count", [1, 3, 40, 300])
def test_the_limits_are_means_that_the_exact_tests_just_do_not_reject(count: int) -> None:
    low, high = poisson_limits(count)

    def at_most(k: int, mean: float) -> float:
        term = total = exp(-mean)
        for i in range(1, k + 1):
            term *= mean / i
            total += term
        return total

    assert 1 - at_most(count - 1, low) == pytest.approx(0.025, rel=1e-6)
    assert at_most(count, high) == pytest.approx(0.025, rel=1e-6)


@pytest.mark.parametrize("count", [0.01, 0.3, 0.5, 2.5, 17.25, 640.5, 999.9, 5e5])
def test_between_whole_numbers_they_are_quantiles_of_gamma_distributions(count: float) -> None:
    gamma = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with").gamma
    want = gamma.ppf(0.025, count), gamma.ppf(0.975, count + 1)
    assert poisson_limits(count) == pytest.approx(want, rel=1e-6, abs=1e-200)


def test_limits_rise_with_the_count_and_hold_it() -> None:
    steps = [poisson_limits(k / 10) for k in range(200)]
    assert all(low < k / 10 + 1e-9 and high > k / 10 for k, (low, high) in enumerate(steps))
    assert all(a[0] <= b[0] and a[1] < b[1] for a, b in pairwise(steps))


def test_a_wider_level_gives_wider_limits() -> None:
    assert poisson_limits(7, 0.99)[0] < poisson_limits(7)[0]
    assert poisson_limits(7, 0.99)[1] > poisson_limits(7)[1]


@pytest.mark.parametrize(("shape", "x"), [(1, 0.5), (3, 2.0), (3, 9.0), (20, 30.0)])
def test_for_whole_shapes_it_is_a_sum_of_poisson_terms(shape: int, x: float) -> None:
    want = 1 - sum(exp(-x) * x**k / factorial(k) for k in range(shape))
    assert gamma_below(shape, x) == pytest.approx(want, abs=1e-13)


@pytest.mark.parametrize(
    ("freedom", "want"), [(1, 12.7062), (2, 4.30265), (9, 2.26216), (30, 2.04227), (10**6, 1.95997)]
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, want: float) -> None:
    assert student_quantile(freedom) == pytest.approx(want, abs=2e-5)


def test_student_needs_a_degree_of_freedom() -> None:
    with pytest.raises(ValueError, match="1 degree of freedom"):
        student_quantile(0)
