from __future__ import annotations

import random

from edge.report.ranking import BestItems


def test_the_best_are_kept_in_order_and_no_more_than_asked_for() -> None:
    best: BestItems[int] = BestItems(5)
    numbers = list(range(1000))
    random.Random(0).shuffle(numbers)
    for number in numbers:
        best.add(number, number)
        assert len(best) <= 5
    assert best.ranked() == [999, 998, 997, 996, 995]


def test_of_equal_ones_the_first_stays() -> None:
    best: BestItems[str] = BestItems(2)
    for name in "abc":
        best.add(0.5, name)
    assert best.ranked() == ["a", "b"]
    assert not best.wants(0.5)
    assert best.wants(0.6)


def test_none_are_kept_where_none_are_wanted() -> None:
    best: BestItems[int] = BestItems(0)
    assert not best.wants(1.0)
    best.add(1.0, 1)
    assert best.ranked() == []
