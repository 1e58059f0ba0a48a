"""Binomial tails and the beta distribution against SciPy: exact by the fraction, and close by the approximations."""

from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.tails import at_least, at_most, beta_cdf

stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")

BY_FRACTION, BY_GAMMA, BY_GAMMA_WORST, BY_NORMAL = 4e-12, 1e-5, 3e-4, 1e-6
"""How far from SciPy: the continued fraction, the gamma series for few among many (its worst: hundreds), the normal approximation."""


@pytest.mark.parametrize(
    ("name", "a", "b", "off"),
    [
        ("half an event among none", 0.5, 0.5, BY_FRACTION),
        ("even", 1, 1, BY_FRACTION),
        ("few of few", 0.5, 3.5, BY_FRACTION),
        ("most of few", 30.5, 4.5, BY_FRACTION),
        ("few of thousands", 7, 2000, BY_FRACTION),
        ("the largest pair that is not approximated", 400, 400, BY_FRACTION),
        ("the most that is not approximated", 3, 20_000, BY_FRACTION),
        ("the most, mirrored", 20_000, 3, BY_FRACTION),
        ("just above the most", 3, 20_001, BY_GAMMA),
        ("just above the most, mirrored", 20_001, 3, BY_GAMMA),
        ("half an event among a million", 0.5, 1e6, BY_GAMMA),
        ("all but three of a million", 1e6, 3, BY_GAMMA),
        ("as many as the series takes", 400, 21_000, BY_GAMMA_WORST),
        ("just above the largest pair", 401, 401, BY_NORMAL),
        ("large, lopsided", 401, 9000, BY_NORMAL),
        ("large, lopsided the other way", 9000, 401, BY_NORMAL),
        ("large and many", 5000.5, 80_000.5, BY_NORMAL),
    ],
)
def test_the_beta_distribution_is_scipys(name: str, a: float, b: float, off: float) -> None:
    levels = [1e-9, 1e-6, 0.001, 0.025, 0.3, 0.5, 0.7, 0.975, 0.999, 1 - 1e-6]
    x = np.concatenate([np.linspace(0, 1, 21) ** 2, stats.beta.ppf(levels, a, b), [a / (a + b)]])
    assert beta_cdf(a, b, x) == pytest.approx(stats.beta.cdf(x, a, b), abs=off), name


@pytest.mark.parametrize(("a", "b"), [(2, 3), (2, 30_000), (500, 600)])
def test_beyond_0_and_1_there_is_nothing_and_all(a: float, b: float) -> None:
    assert beta_cdf(a, b, [-1.0, 0.0, 1.0, 1.5]).tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(("a", "b"), [(2, 3), (2, 30_000), (30_000, 2), (500, 600)])
def test_as_many_come_out_as_went_in_in_the_same_shape(a: float, b: float) -> None:
    x = np.linspace(0, 1, 12).reshape(3, 2, 2)
    assert beta_cdf(a, b, x).shape == (3, 2, 2)
    assert beta_cdf(a, b, x).ravel().tolist() == [float(beta_cdf(a, b, v)) for v in x.ravel().tolist()]


def test_the_normal_approximation_is_whole_where_its_bend_is_0_over_0() -> None:
    # Peizer and Pratt's bend is 0 / 0 where (a - 1/2) = (a + b - 1) x: at the middle of a symmetric distribution
    x = 0.5 + np.array([-1e-5, -1e-9, 0.0, 1e-9, 1e-5])
    assert beta_cdf(1000, 1000, x) == pytest.approx(stats.beta.cdf(x, 1000, 1000), abs=1e-7)


@pytest.mark.parametrize(
    ("name", "limit", "n", "off"),
    [
        ("none of five", 0, 5, BY_FRACTION),
        ("all but one of five", 4, 5, BY_FRACTION),
        ("three of thousands", 3, 2000, BY_FRACTION),
        ("hundreds of thousands", 900, 3000, BY_NORMAL),
        ("thousands of a million", 4000, 10**6, BY_NORMAL),
        ("few of a million", 12, 10**6, BY_GAMMA),
    ],
)
def test_counts_at_most_are_scipys(name: str, limit: int, n: int, off: float) -> None:
    p = np.clip((limit + np.linspace(-3, 3, 13) * max(limit, 1) ** 0.5) / n, 0, 1)
    assert at_most(limit, n, p) == pytest.approx(stats.binom.cdf(limit, n, p), abs=off), name


@pytest.mark.parametrize(
    ("name", "limit", "n", "chance"),
    [
        ("fewer than none", -1, 5, 0.0),
        ("all of them", 5, 5, 1.0),
        ("more than all", 6, 5, 1.0),
        ("none of none", 0, 0, 1.0),
    ],
)
def test_counts_that_cannot_be_or_must_be(name: str, limit: int, n: int, chance: float) -> None:
    assert at_most(limit, n, [[0.0, 0.3, 1.0]]).tolist() == [[chance] * 3], name


@pytest.mark.parametrize("p", [1e-9, 1e-4, 0.01, 0.3, 0.334, 0.5, 0.97, 1 - 1e-6])
@pytest.mark.parametrize(
    ("k", "n"), [(1, 1), (1, 300), (100, 300), (299, 300), (300, 300), (5, 20_000), (9000, 20_000)]
)
def test_counts_at_least_are_scipys(k: int, n: int, p: float) -> None:
    assert at_least(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-8, abs=1e-13)


@pytest.mark.parametrize(
    ("name", "k", "n", "p", "chance"),
    [
        ("none or more, always", 0, 5, 0.3, 1.0),
        ("none or more of what never happens", 0, 5, 0.0, 1.0),
        ("less than none or more", -1, 5, 0.3, 1.0),
        ("all, when each is sure", 5, 5, 1.0, 1.0),
        ("all, when each is surer than sure", 5, 5, 1.5, 1.0),
        ("one of what never happens", 1, 5, 0.0, 0.0),
        ("one of what happens less than never", 1, 5, -0.5, 0.0),
        ("more than there are", 6, 5, 0.3, 0.0),
        ("all of them", 5, 5, 0.5, 1 / 32),
        ("one of one", 1, 1, 0.25, 0.25),
    ],
)
def test_the_ends_of_counts_at_least(name: str, k: int, n: int, p: float, chance: float) -> None:
    assert at_least(k, n, p) == pytest.approx(chance, abs=1e-15), name
