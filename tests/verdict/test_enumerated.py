"""Limits and shares where each rate is one of a few values, so that every sum can be written down with SciPy's binomial and beta."""

from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.limits import (
    MOST_CELLS,
    CountTail,
    ErrorRates,
    cells_needed,
    detected,
    limit_of_blank,
    limit_of_detection,
)  # fmt: skip
from edge.verdict.plan import at, cell_negative_at_most, cell_sensitivity, cell_specificity, plan
from edge.verdict.prevalence import LOWER, MIDDLE, UPPER, ShareOf, at_least, at_most, estimate
from edge.verdict.rates import Rate, certain

stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")

FALSE = Rate(np.array([2e-4, 1e-3, 4e-3]), np.array([0.5, 0.3, 0.2]))
FOUND = Rate(np.array([0.6, 0.9]), np.array([0.25, 0.75]))
ERRORS = ErrorRates(FALSE, FOUND)
PERFECT = ErrorRates(certain(0.0), certain(1.0))


def pairs(errors: ErrorRates) -> list[tuple[float, float, float]]:
    """Each false-positive rate with each sensitivity, and their chance; where s < f the classifier tells nothing: s is f."""
    return [
        (f, max(s, f), wf * ws)
        for f, wf in zip(errors.false.values, errors.false.weights, strict=True)
        for s, ws in zip(errors.found.values, errors.found.weights, strict=True)
    ]


def chance_at_most(errors: ErrorRates, limit: int, cells: int, share: float = 0.0) -> float:
    return float(sum(w * stats.binom.cdf(limit, cells, f + share * (s - f)) for f, s, w in pairs(errors)))


def share_cdf(errors: ErrorRates, k: float, n: float, side: float, t: float) -> float:
    return float(sum(w * stats.beta.cdf(f + t * (s - f), k + side, n - k + 1 - side) for f, s, w in pairs(errors)))


def rises_to(level: float, of: object, low: float = 0.0, high: float = 1.0) -> float:
    """Where a function that rises from 0 to 1 reaches a level."""
    from scipy.optimize import brentq

    return float(brentq(lambda t: of(t) - level, low, high, xtol=1e-12))  # type: ignore[operator]


def test_every_pair_of_rates_is_there_with_its_weight() -> None:
    errors = ErrorRates(Rate(np.array([0.1, 0.7]), np.array([0.4, 0.6])), FOUND)
    got = sorted(zip(*(axis.tolist() for axis in errors.pairs()), strict=True))
    assert got == [pytest.approx(pair) for pair in sorted(pairs(errors))]
    f, s, weights = ErrorRates(Rate(np.linspace(0, 0.1, 300), np.full(300, 1 / 300)), FOUND).pairs(30, 1)
    assert 20 <= len(f) == len(s) == len(weights) <= 31
    assert set(s.round(6).tolist()) == {0.825}


@pytest.mark.parametrize(("limit", "cells"), [(0, 20), (3, 20), (19, 20), (4, 2000), (150, 2000), (40, 90_000)])
def test_the_tabulated_tail_is_the_binomials(limit: int, cells: int) -> None:
    shares = np.concatenate([[0.0, 1.0], np.linspace(0, 4, 41) * (limit + 1) / cells])
    shares = shares[shares <= 1]
    assert CountTail(limit, cells)(shares) == pytest.approx(stats.binom.cdf(limit, cells, shares), abs=2e-3)


@pytest.mark.parametrize(
    ("limit", "cells", "chance"), [(-1, 5, 0.0), (5, 5, 1.0), (9, 5, 1.0), (0, 0, 1.0), (-1, 0, 0.0)]
)
def test_a_limit_that_every_count_or_none_meets(limit: int, cells: int, chance: float) -> None:
    assert CountTail(limit, cells)(np.array([0.0, 0.5, 1.0])).tolist() == [chance] * 3


@pytest.mark.parametrize("level", [0.5, 0.95, 0.975, 0.99])
@pytest.mark.parametrize("cells", [1, 30, 350, 5000, 20_000, 400_000])
@pytest.mark.parametrize(
    "false", [FALSE, certain(1e-3), certain(0.0), certain(0.4)], ids=["three", "one", "none", "many"]
)
def test_the_limit_of_blank_is_the_lowest_count_that_a_blank_stays_at_or_below(
    false: Rate, cells: int, level: float
) -> None:
    limit = limit_of_blank(false, cells, level)
    errors = ErrorRates(false, FOUND)
    assert chance_at_most(errors, limit, cells) >= level - 2e-3
    assert chance_at_most(errors, limit - 1, cells) < level + 2e-3
    if level == 0.95:
        assert limit == limit_of_blank(false, cells)


@pytest.mark.parametrize("cells", [0, -3])
def test_of_no_cells_the_limit_is_0(cells: int) -> None:
    assert limit_of_blank(FALSE, cells) == 0


@pytest.mark.parametrize("share", [0.0, 1e-3, 0.02, 1.0])
def test_a_share_is_detected_as_often_as_the_count_exceeds_the_limit(share: float) -> None:
    for cells, limit in ((350, 2), (5000, 12), (20_000, 60)):
        assert detected(ERRORS, cells, limit, share) == pytest.approx(
            1 - chance_at_most(ERRORS, limit, cells, share), abs=1e-3
        )


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize(("cells", "limit"), [(350, 2), (5000, 12), (20_000, 90)])
def test_the_limit_of_detection_is_the_share_that_exceeds_the_limit_so_often(
    cells: int, limit: int, level: float
) -> None:
    want = rises_to(level, lambda share: 1 - chance_at_most(ERRORS, limit, cells, share))
    assert limit_of_detection(ERRORS, cells, limit, level) == pytest.approx(want, rel=2e-3)
    if level == 0.95:
        assert limit_of_detection(ERRORS, cells, limit) == limit_of_detection(ERRORS, cells, limit, 0.95)


@pytest.mark.parametrize(
    ("name", "errors", "cells", "limit"),
    [
        ("no cells", ERRORS, 0, 0),
        ("as many cells as the limit", ERRORS, 5, 5),
        ("a classifier that tells nothing", ErrorRates(certain(0.3), certain(0.3)), 100_000, 30_500),
        ("even if all were infected too few are found", ErrorRates(certain(0.0), certain(0.01)), 100, 1),
    ],
)
def test_where_nothing_is_detected_there_is_no_limit(name: str, errors: ErrorRates, cells: int, limit: int) -> None:
    assert limit_of_detection(errors, cells, limit) is None, name


def test_of_one_cell_a_perfect_classifier_detects_a_share_of_95_per_cent() -> None:
    assert limit_of_detection(PERFECT, 1, 0) == pytest.approx(0.95, abs=2e-3)


@pytest.mark.parametrize(
    ("share", "level", "blank_level"), [(0.01, 0.95, 0.95), (0.01, 0.5, 0.95), (0.05, 0.95, 0.99), (0.9, 0.95, 0.95)]
)
def test_so_many_cells_are_needed_that_fewer_do_not_do(share: float, level: float, blank_level: float) -> None:
    errors = ErrorRates(certain(1e-3), FOUND)

    def enough(cells: int) -> bool:
        limit = int(stats.binom.ppf(blank_level, cells, 1e-3))
        return 1 - chance_at_most(errors, limit, cells, share) >= level

    needed = cells_needed(errors, share, level, blank_level)
    assert needed is not None
    assert enough(needed + 1 + needed // 200) or enough(needed)
    assert not enough(needed - 1 - needed // 200)


def test_a_perfect_classifier_needs_the_fewest_cells_of_which_one_is_infected_19_times_in_20() -> None:
    for share in (0.5, 0.1, 0.03):
        want = int(np.ceil(np.log(0.05) / np.log(1 - share)))
        assert want <= (cells_needed(PERFECT, share) or 0) <= want + 1 + want // 200
    assert cells_needed(PERFECT, 1e-7) is None
    assert 0.9 * MOST_CELLS < (cells_needed(PERFECT, 3.0 / 0.95 / MOST_CELLS) or 0) <= MOST_CELLS


@pytest.mark.parametrize("share", [0.001, 0.004])
def test_a_plan_says_how_often_it_is_wrong_either_way(share: float) -> None:
    got = at(ERRORS, 30_000, share, 0.9)
    assert got.limit == limit_of_blank(FALSE, 30_000, 0.9)
    assert got.flagged_blanks == pytest.approx(1 - chance_at_most(ERRORS, got.limit, 30_000), abs=1e-3)
    assert got.missed == pytest.approx(chance_at_most(ERRORS, got.limit, 30_000, share), abs=1e-3)
    assert (got.cells, got.enough) == (30_000, True)


def test_a_plan_is_for_the_cells_that_are_needed_or_the_most_there_may_be() -> None:
    errors = ErrorRates(certain(1e-3), certain(0.9))
    got = plan(errors, 0.003, 0.9, 0.99)
    assert (got.cells, got.enough) == (cells_needed(errors, 0.003, 0.9, 0.99), True)
    assert got.flagged_blanks <= 0.01 < got.missed <= 0.1
    never = plan(ERRORS, 1e-5, 0.9, 0.99)
    assert (never.cells, never.enough) == (MOST_CELLS, False)


def test_the_notebooks_arithmetic_by_hand() -> None:
    assert cell_specificity(2, 0.81) == pytest.approx(0.9)
    assert cell_negative_at_most(2, 0.75) == pytest.approx(0.5)
    # half the cells of a sample must come out positive: 1/10 false ones among the 3/4 healthy, the rest from 1/4 infected
    assert cell_sensitivity(2, 0.75, 0.81, 0.25) == pytest.approx((0.5 - 0.75 * 0.1) / 0.25)


COUNTS = [(0, 1), (0, 350), (3, 350), (7, 5000), (150, 5000), (4999, 5000), (350, 350)]


@pytest.mark.parametrize("side", [UPPER, MIDDLE, LOWER])
@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_the_share_behind_a_count_has_the_melded_distribution(k: int, n: int, side: float) -> None:
    if (k == 0 and side == LOWER) or (k == n and side == UPPER):
        return  # all the weight lies on none, or on all: see below
    share = ShareOf(k, n, ERRORS, side)
    for t in (0.0, 1e-4, 1e-3, 0.01, 0.05, 0.3, 0.9, 1.0):
        # Beta(1/2, n + 1/2) rises infinitely fast from 0 on: the first step of the table is coarse
        off = 3e-4 if k + side >= 1 else 0.02
        assert share(t) == pytest.approx(share_cdf(ERRORS, k, n, side, t), abs=off), t
    for level in (0.025, 0.5, 0.95):
        if share_cdf(ERRORS, k, n, side, 0.0) + 1e-3 < level < share_cdf(ERRORS, k, n, side, 1.0) - 1e-3:
            assert share.quantile(level) == pytest.approx(
                rises_to(level, lambda t: share_cdf(ERRORS, k, n, side, t)), rel=0.01, abs=1e-6
            )


def test_the_middle_is_taken_unless_a_side_is_asked_for() -> None:
    assert (
        ShareOf(3, 350, ERRORS)(0.01) == ShareOf(3, 350, ERRORS, MIDDLE)(0.01) != ShareOf(3, 350, ERRORS, UPPER)(0.01)
    )


def test_of_none_the_lower_bound_is_0_and_of_all_the_upper_is_1() -> None:
    assert at_least(0, 500, PERFECT) == pytest.approx(0, abs=1e-5)
    assert at_most(500, 500, PERFECT) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.975])
@pytest.mark.parametrize(("k", "n"), [(0, 500), (1, 500), (60, 500), (499, 500), (3, 40_000)])
def test_a_perfect_classifiers_bounds_are_clopper_and_pearsons(k: int, n: int, level: float) -> None:
    assert at_most(k, n, PERFECT, level) == pytest.approx(stats.beta.ppf(level, k + 1, n - k), rel=2e-3)
    if k:
        assert at_least(k, n, PERFECT, level) == pytest.approx(stats.beta.ppf(1 - level, k, n - k + 1), rel=0.02)
    two = estimate(k, n, PERFECT, level).share
    assert two.high == pytest.approx(
        max(stats.beta.ppf((1 + level) / 2, k + 0.5, n - k + 0.5), stats.beta.ppf(level, k + 1, n - k)), rel=2e-3
    )
    if k:  # Jeffreys
        assert two.low == pytest.approx(stats.beta.ppf((1 - level) / 2, k + 0.5, n - k + 0.5), rel=0.02)


def test_bounds_and_estimates_are_of_95_per_cent_unless_asked_otherwise() -> None:
    assert at_most(3, 400, ERRORS) == at_most(3, 400, ERRORS, 0.95) < at_most(3, 400, ERRORS, 0.99)
    assert at_least(30, 400, ERRORS) == at_least(30, 400, ERRORS, 0.95) > at_least(30, 400, ERRORS, 0.99)
    assert estimate(3, 400, ERRORS) == estimate(3, 400, ERRORS, 0.95)
    assert estimate(3, 400, ERRORS).most == at_most(3, 400, ERRORS)


@pytest.mark.parametrize(
    ("name", "k", "pooled", "raw", "value"),
    [
        ("Rogan and Gladen's formula", 150, None, 0.125, 0.125),
        ("fewer than the false positives expected", 20, None, -0.0375, 0.0),
        ("more than all infected would show", 900, None, 1.0625, 1.0),
        ("exactly the false positives expected", 50, None, 0.0, 0.0),
        ("the pooled false positives before the mean", 150, 0.1, 1 / 15, None),
        ("pooled false positives of none", 85, 0.0, 0.1, None),
    ],
)
def test_the_estimate_is_kept_as_it_falls_out_and_within_its_interval(
    name: str, k: int, pooled: float | None, raw: float, value: float | None
) -> None:
    got = estimate(k, 1000, ErrorRates(certain(0.05), certain(0.85), pooled))
    assert got.raw == pytest.approx(raw, abs=1e-12), name
    assert got.share.value is not None
    assert got.share.low <= got.share.value <= got.share.high
    if value is not None:
        assert got.share.value == pytest.approx(value, abs=2e-3), name


@pytest.mark.parametrize(
    ("name", "k", "n", "errors"),
    [
        ("nothing was counted", 0, 0, PERFECT),
        ("as many false positives as are found", 5, 100, ErrorRates(certain(0.4), certain(0.4))),
        ("more false positives than are found", 5, 100, ErrorRates(certain(0.5), certain(0.4))),
    ],
)
def test_where_nothing_can_be_estimated_everything_is_possible(name: str, k: int, n: int, errors: ErrorRates) -> None:
    got = estimate(k, n, errors)
    assert (got.raw, got.share.value, got.share.low, got.share.high, got.most) == (None, None, 0.0, 1.0, 1.0), name


@pytest.mark.parametrize(("k", "n"), [(0, 3), (3, 3)])
def test_none_and_all_are_shares(k: int, n: int) -> None:
    assert estimate(k, n, PERFECT).raw == k / n
