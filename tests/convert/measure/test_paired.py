"""The loss between two nets on the same cells: exact where few cells differ, by slide where cells of a slide are alike."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from convert.measure.cells import CellSet
from convert.measure.paired import MOST_CELLS, PairedLoss, paired_loss

MANY = 600


def cells(slides: int = 0, count: int = MANY) -> CellSet:
    """``count`` cells in order, on so many slides; 0: slides are not known."""
    names = [f"{n}.png" for n in range(count)]
    groups = np.array([f"s{n * slides // count}" for n in range(count)] if slides else names)
    return CellSet(
        np.zeros((count, 1, 1, 3), np.uint8), np.zeros(count, np.int32), ("a", "b"), groups, tuple(names), slides > 0
    )


def pair(lost: int, won: int, count: int = MANY) -> tuple[np.ndarray, np.ndarray]:
    """Which cells two nets count right: the first cells are lost, the last won, the others both right."""
    first, second = np.ones(count, bool), np.ones(count, bool)
    second[:lost], first[count - won :] = False, False
    return first, second


@pytest.mark.parametrize(("lost", "won"), [(3, 0), (5, 0), (6, 0), (8, 0), (8, 1), (9, 1), (12, 3), (14, 3), (40, 20)])
def test_a_loss_is_sure_exactly_where_mcnemars_test_finds_one(lost: int, won: int) -> None:
    differ = lost + won
    chance = sum(comb(differ, n) for n in range(lost, differ + 1)) / 2**differ
    assert (paired_loss(*pair(lost, won), cells()).low > 0) == (chance < 0.025)


@pytest.mark.parametrize("differ", [0, 1, 4])
def test_what_no_cell_shows_may_still_be_by_the_limits_of_clopper_and_pearson(differ: int) -> None:
    found = paired_loss(*pair(differ, 0), cells())
    wanted = {0: 0.613, 1: 0.925, 4: 1.69}[differ]  # upper limits of 0, 1 and 4 of 600, in percent
    assert found.high == pytest.approx(wanted, abs=0.06)
    assert found.points == pytest.approx(differ / 6)


def test_two_nets_that_change_places_change_the_interval_s_sign() -> None:
    there, back = (paired_loss(*pair(*counts), cells()) for counts in ((9, 2), (2, 9)))
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=0.05)


def test_a_loss_on_one_slide_is_less_sure_than_one_on_many() -> None:
    gathered = paired_loss(*pair(20, 0), cells(slides=10))
    scattered = paired_loss(*pair(20, 0), cells())
    assert gathered.low == 0 < scattered.low  # all 20 cells lie on the first of ten slides
    assert gathered.high > scattered.high
    assert (gathered.groups, scattered.groups) == (10, 0)


def test_a_higher_level_gives_a_wider_interval() -> None:
    usual, shared = (paired_loss(*pair(9, 2), cells(), level) for level in (0.95, 0.98))
    assert shared.low < usual.low
    assert shared.high > usual.high


@pytest.mark.parametrize(
    ("lost", "won", "limit"),
    [
        pytest.param(0, 0, 0.5, id="no loss seen, and too few cells to exclude one"),
        pytest.param(6, 0, 0.5, id="a loss seen that may be chance"),
        pytest.param(4, 4, 2.0, id="far under the limit"),
        pytest.param(2, 0, 0.0, id="strict"),
    ],
)
def test_so_many_cells_settle_it_if_they_go_on_alike(lost: int, won: int, limit: float) -> None:
    found = paired_loss(*pair(lost, won, 200), cells(count=200))
    wanted = found.cells_to_settle(limit)
    assert wanted is not None
    times = wanted / 200

    def settled(factor: float) -> bool:
        count = round(200 * factor)
        more = paired_loss(*pair(round(lost * factor), round(won * factor), count), cells(count=count))
        return more.low > limit or more.high <= limit

    assert settled(times * 1.25)
    assert wanted == 200 or not settled(times * 0.7)


def test_no_number_of_cells_settles_a_loss_that_is_the_limit() -> None:
    assert PairedLoss(3, 0, 600, 0, -0.1, 1.4, 0.95).cells_to_settle(0.5) is None
    assert MOST_CELLS > 10_000
