"""What looks on the way may spend, against walks of a count whose every step is added up with SciPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from edge.verdict.limits import ErrorRates, limit_of_blank, limit_of_detection
from edge.verdict.looks import (
    _binomial,
    _blocks,
    _Counts,
    _limits,
    _may_show,
    _past_lower,
    _past_upper,
    spent_on_blanks,
    spent_on_target,
)
from edge.verdict.rates import Rate, certain
from edge.verdict.sequential import FEWEST

stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")

TWO = Rate(np.array([1e-3, 8e-3]), np.array([0.75, 0.25]))


@pytest.mark.parametrize("q", [0.0, 1e-6, 0.003, 0.2, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("n", [1, 2, 37, 3000, 40_000])
def test_steps_are_binomial_and_only_what_hardly_can_be_is_left_out(q: float, n: int) -> None:
    got = _binomial(q, n)
    counts = got.first + np.arange(len(got.chance))
    assert got.first >= 0
    assert counts[-1] <= n
    assert got.chance == pytest.approx(stats.binom.pmf(counts, n, min(q, 1 - 1e-12)), rel=1e-7, abs=1e-13)
    assert got.chance.sum() == pytest.approx(1, abs=1e-9)


def test_the_reach_of_a_step_is_nine_standard_deviations_and_a_dozen_counts() -> None:
    got = _binomial(0.3, 40_000)
    deviation = (40_000 * 0.3 * 0.7) ** 0.5
    assert got.first == int(12_000 - 9 * deviation - 12)
    assert got.first + len(got.chance) - 1 == int(12_000 + 9 * deviation + 12)


def test_counts_add_up_and_those_above_the_most_are_dropped() -> None:
    got = _Counts().plus(0.4, 3, 99).plus(0.4, 5, 99)
    assert got.first == 0
    assert got.chance == pytest.approx(stats.binom.pmf(np.arange(9), 8, 0.4))
    cut = _Counts().plus(0.4, 3, 2).plus(0.4, 5, 4)
    want = [sum(stats.binom.pmf(a, 3, 0.4) * stats.binom.pmf(k - a, 5, 0.4) for a in range(3)) for k in range(5)]
    assert cut.chance == pytest.approx(np.array(want))
    assert len(_Counts().plus(0.4, 3, -1).chance) == 0
    assert len(_Counts().plus(0.4, 3, -1).plus(0.4, 3, 9).chance) == 0  # nothing comes of nothing
    assert _Counts(5, np.array([1.0])).plus(0.4, 1, 5).chance == pytest.approx(np.array([0.6]))
    assert len(_Counts(5, np.array([1.0])).plus(0.4, 1, 4).chance) == 0


def test_counts_that_hardly_can_be_are_left_out_at_both_ends() -> None:
    got = _Counts(3, np.array([1e-30, 1e-30, 0.5, 0.5, 1e-30])).plus(0.0, 1, 99)
    assert got.first == 5
    assert got.chance == pytest.approx(np.array([0.5, 0.5]))
    assert len(_Counts(3, np.array([1e-30])).plus(0.0, 1, 99).chance) == 0


def walk(q: float, ends: Sequence[int], limits: Sequence[int], *, upper: bool) -> float:
    """The chance that the count is above (not above) the limit at some end: all counts kept, added up step by step."""
    open_, crossed = np.array([1.0]), 0.0
    for (start, end), limit in zip(pairwise([0, *ends]), limits, strict=True):
        open_ = np.convolve(open_, stats.binom.pmf(np.arange(end - start + 1), end - start, q))
        past = slice(limit + 1, None) if upper else slice(0, max(limit + 1, 0))
        crossed += open_[past].sum()
        open_[past] = 0
    return float(crossed)


ENDS = [100, 109, 180, 400, 950]


@pytest.mark.parametrize("q", [0.0, 0.001, 0.01, 0.05])
@pytest.mark.parametrize("limits", [[1, 1, 3, 5, 11], [0, 0, 0, 0, 0], [4, 5, 6, 7, 8], [9, 9, 90, 90, 90]])
def test_a_walk_is_past_an_upper_boundary_as_often_as_its_steps_add_up_to(q: float, limits: list[int]) -> None:
    assert _past_upper(q, ENDS, limits) == pytest.approx(walk(q, ENDS, limits, upper=True), abs=1e-10)


@pytest.mark.parametrize("q", [0.0, 0.001, 0.01, 0.05])
@pytest.mark.parametrize("limits", [[-1, -1, 0, 1, 4], [-1, -1, -1, -1, 0], [0, 0, 0, 0, 0], [1, 2, 9, 20, 47]])
def test_a_walk_is_past_a_lower_boundary_as_often_as_its_steps_add_up_to(q: float, limits: list[int]) -> None:
    assert _past_lower(q, ENDS, limits) == pytest.approx(walk(q, ENDS, limits, upper=False), abs=1e-10)


@pytest.mark.parametrize("cells", [0, FEWEST - 1, FEWEST, FEWEST + 1, 107, 108, 5000])
def test_blocks_begin_at_the_first_look_grow_by_a_twelfth_and_end_at_the_last_cell(cells: int) -> None:
    ends = _blocks(cells)
    if cells < FEWEST:
        assert ends == []
        return
    assert (ends[0], ends[-1]) == (FEWEST, cells)
    for a, b in pairwise(ends):
        assert a < b <= a * 1.08 + 1
    for a, b in pairwise(ends[:-1]):
        assert b > a * 1.08


@dataclass
class Straight:
    """Boundaries that stand in for the bounds of a confidence sequence: a straight line of counts above and one below."""

    upper: float = 0.01
    lower: float = 0.004

    def limit(self, k: int, n: int) -> int:
        assert 0 <= k <= n
        return int(2 + self.upper * n)

    def clean(self, k: int, n: int) -> int:
        assert 0 <= k <= n
        return int(self.lower * n) - 2


def test_a_boundary_that_falls_by_rounding_is_made_to_rise_and_is_searched_from_where_it_was() -> None:
    searched = []

    def limit(k: int, n: int) -> int:
        searched.append(k)
        return {100: -1, 110: 4, 120: 3, 130: 6}[n]

    assert _limits(limit, [100, 110, 120, 130]) == [-1, 4, 4, 6]
    assert searched == [0, 0, 4, 4]


@pytest.mark.parametrize("cells", [100, 130, 1500])
def test_what_blanks_spend_is_the_walk_past_the_limit_at_each_blocks_beginning(cells: int) -> None:
    ends = _blocks(cells)
    limits = [Straight().limit(0, n) for n in ends]
    at_beginning = [limits[0], *limits[:-1]]
    want = sum(w * walk(q, ends, at_beginning, upper=True) for q, w in zip(TWO.values, TWO.weights, strict=True))
    assert spent_on_blanks(Straight(), ErrorRates(TWO, certain(0.9)), cells) == pytest.approx(want, abs=1e-9)  # type: ignore[arg-type]
    every = range(100, cells + 1)
    exact = sum(
        w * walk(q, every, [Straight().limit(0, n) for n in every], upper=True)
        for q, w in zip(TWO.values, TWO.weights, strict=True)
    )
    assert exact - 1e-12 <= want < 3 * exact + 1e-3  # a look after every single cell spends no more, and not far less


@pytest.mark.parametrize("cells", [0, 99])
def test_before_the_first_look_nothing_is_spent(cells: int) -> None:
    errors = ErrorRates(TWO, certain(0.9))
    assert spent_on_blanks(Straight(), errors, cells) == 0  # type: ignore[arg-type]
    assert spent_on_target(Straight(), errors, 0.02, cells, 0.95) == 0  # type: ignore[arg-type]


def detects(errors: ErrorRates, target: float, cells: int, limit: int) -> bool:
    lowest = limit_of_detection(errors, cells, limit)
    return lowest is not None and lowest <= target


def test_a_block_may_show_the_target_if_its_most_cells_do_at_the_limit_of_its_fewest() -> None:
    errors = ErrorRates(TWO, certain(0.9))
    seen = set()
    for start, end in pairwise(range(40, 1500, 70)):
        for level in (0.0, 0.5, 0.95):
            want = detects(errors, 0.02, end, limit_of_blank(TWO, start, level))
            assert _may_show(errors, 0.02, start, end, level) == want, (start, end, level)
            seen.add((level, want))
    assert len(seen) == 6  # some may and some may not at each level


@pytest.mark.parametrize(
    ("cells", "target", "level", "lower"),
    [
        (1500, 0.01, 0.0, 0.004),
        (1500, 0.01, 0.5, 0.004),
        (1500, 0.03, 0.95, 0.004),
        (900, 0.05, 0.9, 0.004),
        (1500, 0.01, 0.0, 2.5 / 1500),
    ],
)
def test_what_a_target_spends_is_the_walk_at_or_below_the_bound_at_each_blocks_end(
    cells: int, target: float, level: float, lower: float
) -> None:
    errors, ends = ErrorRates(TWO, certain(0.9)), _blocks(cells)
    first = next(
        (i for i, (a, b) in enumerate(pairwise(ends)) if detects(errors, target, b, limit_of_blank(TWO, a, level))),
        None,
    )
    assert first is not None
    bounds = Straight(lower=lower)  # the last of these lets through no count but 0, at its very end
    ends = ends[first:]
    limits = [bounds.clean(0, n) for n in ends]
    at_end = [*limits[1:], limits[-1]]
    want = sum(
        w * walk(f + target * (0.9 - f), ends, at_end, upper=False)
        for f, w in zip(TWO.values, TWO.weights, strict=True)
    )
    assert spent_on_target(bounds, errors, target, cells, level) == pytest.approx(want, abs=1e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "bounds", "target"),
    [
        ("no count is ever low enough", Straight(lower=0.0), 0.05),
        ("no number of cells shows the target", Straight(), 1e-4),
    ],
)
def test_where_no_look_can_say_negative_nothing_is_spent(name: str, bounds: Straight, target: float) -> None:
    assert spent_on_target(bounds, ErrorRates(TWO, certain(0.9)), target, 1500, 0.95) == 0, name  # type: ignore[arg-type]


def test_more_than_everything_is_never_spent() -> None:
    always = Straight(upper=-1.0, lower=1.0)
    assert spent_on_blanks(always, ErrorRates(TWO, certain(0.9)), 300) == pytest.approx(1, abs=1e-9)  # type: ignore[arg-type]
    assert spent_on_target(always, ErrorRates(TWO, certain(0.9)), 0.05, 900, 0.9) == pytest.approx(1, abs=1e-9)  # type: ignore[arg-type]
