from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.limits import ErrorRates
from edge.verdict.prevalence import estimate
from edge.verdict.rates import MISSED_CELLS, certain, fit
from edge.verdict.sequential import AnyTime

PERFECT = ErrorRates(certain(0.0), certain(1.0))


def test_rogan_and_gladens_own_formula() -> None:
    got = estimate(150, 1000, ErrorRates(certain(0.05), certain(0.85)))
    assert got.raw == pytest.approx((0.15 - 0.05) / (0.85 - 0.05))
    assert got.share.value == got.raw
    assert got.share.low < 0.125 < got.share.high


@pytest.mark.parametrize(("cells", "per_ul"), [(2000, 7500), (100_000, 150)])
def test_none_found_by_a_perfect_classifier_still_leaves_many_per_ul(cells: int, per_ul: float) -> None:
    assert estimate(0, cells, PERFECT).most * 5e6 == pytest.approx(per_ul, rel=0.01)


def test_a_negative_estimate_is_shown_as_such_beside_the_clipped_one() -> None:
    got = estimate(5, 1000, ErrorRates(fit([50] * 8, [5000] * 8).next, certain(0.9)))
    assert got.raw is not None
    assert got.raw < 0
    assert got.share.value == 0
    assert got.share.low == 0 < got.share.high


def test_every_uncertainty_widens_the_interval() -> None:
    false, found = fit([20] * 10, [20_000] * 10), fit([20] * 5, [100] * 5, MISSED_CELLS).next.complement()

    def width(errors: ErrorRates, k: int = 400, n: int = 20_000) -> float:
        share = estimate(k, n, errors).share
        return share.high - share.low

    sure = width(ErrorRates(certain(false.next.mean), certain(found.mean)))
    assert width(ErrorRates(false.next, certain(found.mean))) > sure
    assert width(ErrorRates(certain(false.next.mean), found)) > sure
    assert width(ErrorRates(false.next, found), 40, 2000) > width(ErrorRates(false.next, found))


@pytest.mark.parametrize("n", [1, 350, 20_000, 1_000_000])
@pytest.mark.parametrize("tenths", [0, 1, 5, 10])
def test_bounds_enclose_the_share_and_stay_within_0_and_1(n: int, tenths: int) -> None:
    got = estimate(n * tenths // 10, n, ErrorRates(fit([1, 0, 2], [5000] * 3).next, certain(0.8)))
    assert got.share.value is not None
    assert 0 <= got.share.low <= got.share.value <= got.share.high <= 1
    assert got.most <= got.share.high


def test_of_nothing_nothing_is_known() -> None:
    assert estimate(0, 0, PERFECT).share.value is None
    assert estimate(0, 0, PERFECT).most == 1


def test_a_classifier_that_tells_nothing_gives_no_share() -> None:
    assert estimate(5, 100, ErrorRates(certain(0.5), certain(0.4))).raw is None


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        estimate(k, n, PERFECT)


def test_bounds_for_every_look_are_wider_than_for_one() -> None:
    errors = ErrorRates(fit([1, 0, 2, 1], [20_000] * 4).next, certain(0.9))
    low, high = AnyTime(errors, 0.01).bounds(60, 5000)
    once = estimate(60, 5000, errors).share
    assert low < once.low
    assert once.high < high


def test_looking_fifty_times_is_wrong_less_than_5_times_in_100() -> None:
    rng = np.random.default_rng(0)
    bounds = AnyTime(ErrorRates(certain(1e-3), certain(0.9)), 0.005)
    looks = np.arange(400, 20_001, 400)
    wrong = 0
    for counts in rng.binomial(400, 1e-3, (300, 50)).cumsum(axis=1).tolist():
        wrong += any(bounds.excludes(k, n)[0] for k, n in zip(counts, looks.tolist(), strict=True))
    assert wrong <= 15 + 2 * 4  # 5 % of 300, and two standard errors


def test_a_clear_sample_is_decided_early_and_a_clear_blank_too() -> None:
    bounds = AnyTime(ErrorRates(certain(1e-4), certain(0.9)), 0.005).bounds
    assert bounds(30, 1000)[0] > 0
    assert bounds(0, 1000)[0] == 0
    assert bounds(0, 3000)[1] <= 0.005
