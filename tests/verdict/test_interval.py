from __future__ import annotations

import time
from math import comb

import pytest

from edge.verdict.interval import clopper_pearson
from edge.verdict.tails import at_least

COUNTS = [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 350), (27, 2013), (0, 2000), (1999, 2000), (700, 100_000)]


@pytest.mark.parametrize(("k", "n"), [*COUNTS, (1, 1_000_000), (333_333, 1_000_000), (999_999, 1_000_000)])
def test_it_equals_scipys_exact_interval(k: int, n: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")
    want = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
    got = clopper_pearson(k, n)
    assert got.value == k / n
    assert got.low == pytest.approx(want.low, abs=1e-9, rel=1e-6)
    assert got.high == pytest.approx(want.high, abs=1e-9)


def test_the_rule_of_three() -> None:
    # nothing found among n: the one-sided 95 % bound is close to 3 / n
    assert clopper_pearson(0, 2000, level=0.9).high == pytest.approx(3 / 2000, rel=0.01)


def test_of_nothing_there_is_no_share_and_no_knowledge() -> None:
    got = clopper_pearson(0, 0)
    assert (got.value, got.low, got.high) == (None, 0.0, 1.0)


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        clopper_pearson(k, n)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 4999, 50_000])
@pytest.mark.parametrize("tenths", range(11))
def test_bounds_enclose_the_share_and_are_mirrored(tenths: int, n: int) -> None:
    k = n * tenths // 10
    got, mirrored = clopper_pearson(k, n), clopper_pearson(n - k, n)
    assert got.value is not None
    assert 0 <= got.low <= got.value <= got.high <= 1
    assert got.low == pytest.approx(1 - mirrored.high, abs=1e-9)


@pytest.mark.parametrize("p", [1e-6, 0.01, 0.3, 0.334, 0.5, 0.97, 1 - 1e-6])
@pytest.mark.parametrize(("k", "n"), [(0, 5), (1, 1), (1, 300), (100, 300), (299, 300), (300, 300), (6, 5)])
def test_the_tail_is_the_sum_of_its_terms(k: int, n: int, p: float) -> None:
    want = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    assert at_least(k, n, p) == pytest.approx(want, abs=1e-10)


def test_a_million_cells_take_no_time() -> None:
    began = time.perf_counter()
    clopper_pearson(10_000, 1_000_000)
    assert time.perf_counter() - began < 0.5
