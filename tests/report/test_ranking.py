from __future__ import annotations

import random
from collections import Counter

import pytest

from edge.report.ranking import BestItems, Reservoir


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


@pytest.mark.parametrize("portion", [1, 7, 500])
def test_a_reservoir_holds_a_fair_sample_however_it_is_fed(portion: int) -> None:
    hits: Counter[int] = Counter()
    for seed in range(600):
        reservoir: Reservoir[int] = Reservoir(10, seed)
        for first in range(0, 100, portion):
            count = min(portion, 100 - first)
            reservoir.add(count, lambda places, first=first: [first + place for place in places])  # type: ignore[misc]
        assert len(reservoir.items) == len(set(reservoir.items)) == 10
        hits.update(reservoir.items)
    # 60 expected each, standard deviation 7.3: five of them
    assert all(60 - 37 < hits[i] < 60 + 37 for i in range(100)), hits


def test_a_reservoir_makes_few_items_and_repeats_itself() -> None:
    made: list[int] = []

    def make(places: list[int]) -> list[int]:
        made.extend(places)
        return places

    samples = []
    for _ in range(2):
        reservoir: Reservoir[int] = Reservoir(36, 7)
        reservoir.add(1_000_000, make)
        samples.append(reservoir.items)
    assert samples[0] == samples[1]
    assert len(made) < 2 * 1000  # about 36 (1 + ln(1,000,000 / 36)) = 400 each time


def test_fewer_than_it_holds_are_all_kept() -> None:
    reservoir: Reservoir[int] = Reservoir(10, 0)
    reservoir.add(0, lambda places: places)
    reservoir.add(3, lambda places: places)
    assert reservoir.items == [0, 1, 2]
