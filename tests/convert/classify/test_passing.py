"""As good, worse, or nobody can tell: by how many cells two nets differ on."""

from __future__ import annotations

import numpy as np
import pytest

from convert.classify.passing import as_good, can_be_shown, worse
from tests.convert.classify.test_accuracy_gate import CARD, cells, scores


@pytest.mark.parametrize(
    ("count", "lost", "limit", "good", "bad"),
    [
        pytest.param(600, 0, 0.5, True, False, id="none lost"),
        pytest.param(600, 1, 0.5, True, False, id="one of 600 is no reason"),
        pytest.param(50, 1, 0.5, True, False, id="nor is one of 50, though it is 2 points"),
        pytest.param(600, 1, 0.0, False, False, id="unless nothing may be lost"),
        pytest.param(600, 3, 0.5, False, False, id="half a point of few: nobody can tell"),
        pytest.param(6000, 18, 0.5, True, False, id="0.3 points of many"),
        pytest.param(6000, 30, 0.5, False, False, id="the limit itself: nobody can tell"),
        pytest.param(6000, 42, 0.5, False, True, id="0.7 points of many"),
        pytest.param(600, 12, 0.5, False, True, id="two points"),
        pytest.param(600, 12, 5.0, True, False, id="two points where five may be lost"),
        pytest.param(600, 300, 100.0, True, False, id="no gate"),
    ],
)
def test_loss_and_standard_error_decide(count: int, lost: int, limit: float, good: bool, bad: bool) -> None:
    some = cells(count)
    pair = scores(some), scores(some, lost)
    assert as_good(*pair, some, CARD, limit) is good
    assert worse(*pair, some, CARD, limit) is bad


def test_a_net_that_wins_as_many_cells_as_it_loses_is_as_good_only_where_these_are_few() -> None:
    some = cells(600)
    for differ, good in ((4, True), (40, False)):
        half = differ // 2
        order = np.arange(600)
        first = np.where((order < half)[:, None], scores(some, half), scores(some))
        second = np.where((order >= 600 - half)[:, None], 1 - scores(some), scores(some)).astype(np.float32)
        assert as_good(first.astype(np.float32), second, some, CARD, 0.5) is good


@pytest.mark.parametrize(
    ("count", "limit", "shown"), [(300, 0.5, False), (1000, 0.5, True), (300, 2.0, True), (9000, 0.0, False)]
)
def test_how_many_cells_can_show_that_a_student_is_as_good(count: int, limit: float, shown: bool) -> None:
    assert can_be_shown(0.015, count, limit) is shown
