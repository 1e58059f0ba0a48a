"""How many more cells are asked for: the fewest that decide, in two digits."""

from __future__ import annotations

import pytest

from edge.verdict.limits import MOST_CELLS
from edge.verdict.short import cells_short, rounded_up


@pytest.mark.parametrize(
    ("n", "rounded"),
    [(0, 0), (1, 1), (9, 9), (10, 10), (99, 99), (100, 100), (101, 110), (1840, 1900), (1900, 1900), (99_001, 100_000)],
)
def test_two_digits_rounded_up(n: int, rounded: int) -> None:
    assert rounded_up(n) == rounded


def never(_: int) -> bool:
    return False


def nothing(_: int, __: int) -> int:
    return 0


@pytest.mark.parametrize("cells", [0, 100, 5000])
@pytest.mark.parametrize("needed", [5, 12, 130, 999, 4000, 77_777, 900_000])
def test_so_many_more_that_every_count_decides(cells: int, needed: int) -> None:
    got = cells_short(0, cells, nothing, lambda n: n >= cells + needed)
    assert got is not None
    assert needed <= got <= max(10, 1.1 * needed + 10)  # two digits, and the last bisection's width
    assert got == rounded_up(got)


def test_the_search_ends_at_the_largest_sample_that_is_planned() -> None:
    assert cells_short(0, 0, nothing, never) is None
    assert cells_short(0, 0, nothing, lambda n: n >= MOST_CELLS * 0.6) is not None
    assert cells_short(0, 0, nothing, lambda n: n > MOST_CELLS) is None


def above_one_in_a_hundred(k: int, n: int) -> int:
    """Positive from 3 more than 1 % on, negative from 3 fewer down."""
    return 1 if k > n / 100 + 3 else -1 if k < n / 100 - 3 else 0


@pytest.mark.parametrize(
    ("name", "count", "cells", "flag"),
    [("a rate well above", 3, 100, 1), ("a rate well below", 1, 300, -1), ("no positive at all", 0, 100, -1)],
)
def test_so_many_more_that_the_present_rate_decides_two_deviations_either_way(
    name: str, count: int, cells: int, flag: int
) -> None:
    got = cells_short(count, cells, above_one_in_a_hundred, never)
    assert got is not None, name

    def decided_by(more: int) -> bool:
        rate = count / cells
        reach = 2 * (more * rate * (1 - rate)) ** 0.5
        low, high = max(more * rate - reach, 0), more * rate + reach
        return all(
            above_one_in_a_hundred(count + k, cells + more) == flag for k in (int(low), min(int(high) + 1, more))
        )

    assert decided_by(got)
    assert not decided_by(int(got * 0.85) - 10)


def test_counts_are_asked_within_what_more_cells_can_show() -> None:
    asked = []

    def decides(k: int, n: int) -> int:
        asked.append((k - 40, n - 50))
        return 1 if k < 0.8 * n else -1

    assert cells_short(40, 50, decides, never) is None
    assert all(0 <= k <= more for k, more in asked)
    assert [k for k, more in asked if more == 10] == [
        5,
        10,
    ]  # 8 less 2 x 1.26, and 8 and 2 x 1.26, but of ten there are ten
    assert [k for k, more in asked if more == 16] == [9, 16]


def test_of_no_cells_there_is_no_rate_to_go_on_at() -> None:
    assert cells_short(0, 0, lambda _, __: 1, never) is None


def test_two_ends_that_decide_differently_decide_nothing() -> None:
    assert cells_short(1, 100, lambda k, n: 1 if k > n / 100 else -1, never) is None
