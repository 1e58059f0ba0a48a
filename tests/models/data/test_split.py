"""Whole groups are held out, and every class is on both sides where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from convert.errors import CellsError
from models.data.split import choose_groups


def slides(cells: list[tuple[str, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """(group, class, how many) rows as arrays."""
    groups = np.concatenate([np.full(count, group) for group, _, count in cells])
    truth = np.concatenate([np.full(count, label) for _, label, count in cells])
    return groups, truth


def test_about_the_share_of_each_class_is_held_out() -> None:
    groups, truth = slides([(f"s{i}", label, 10 + i % 5) for i in range(40) for label in ((0, 1) if i % 2 else (0,))])
    held = np.isin(groups, list(choose_groups(groups, truth, 0.2, 0)))
    for label in (0, 1):
        assert held[truth == label].mean() == pytest.approx(0.2, abs=0.06)


def test_a_rare_class_is_on_both_sides_when_it_is_in_two_groups() -> None:
    rows = [(f"s{i}", 0, 50) for i in range(20)] + [("s3", 1, 2), ("s9", 1, 2)]
    groups, truth = slides(rows)
    for seed in range(5):
        held = np.isin(groups, list(choose_groups(groups, truth, 0.2, seed)))
        assert 0 < held[truth == 1].sum() < 4


def test_the_same_seed_holds_out_the_same() -> None:
    groups, truth = slides([(f"s{i}", i % 2, 10) for i in range(20)])
    assert choose_groups(groups, truth, 0.3, 4) == choose_groups(groups, truth, 0.3, 4)
    assert choose_groups(groups, truth, 0.3, 4) != choose_groups(groups, truth, 0.3, 5)


def test_nothing_is_held_out_when_nothing_is_asked() -> None:
    groups, truth = slides([("s1", 0, 5)])
    assert choose_groups(groups, truth, 0.0, 0) == frozenset()


def test_one_slide_cannot_be_split() -> None:
    groups, truth = slides([("s1", 0, 5), ("s1", 1, 5)])
    with pytest.raises(CellsError, match=r"one slide or block \(s1\).*--all"):
        choose_groups(groups, truth, 0.2, 0)


@pytest.mark.parametrize(
    ("rows", "share", "size"),
    [
        pytest.param([("a", 0, 5), ("b", 0, 5)], 0.5, 5, id="two groups are enough"),
        pytest.param([(f"s{i}", 0, 10) for i in range(4)], 0.25, 10, id="one of four equal ones"),
        pytest.param([(f"s{i}", 0, 10) for i in range(4)], 0.75, 30, id="three of four"),
        pytest.param([("small", 0, 10), ("large", 0, 90)], 0.1, 10, id="the one of the wanted size"),
        pytest.param([("small", 0, 10), ("large", 0, 90)], 0.9, 90, id="the other one"),
        pytest.param([("a", 0, 5), ("b", 0, 5), ("c", 2, 5), ("d", 2, 5)], 0.5, 10, id="a class that nobody has"),
        pytest.param([(f"s{i}", 0, 1) for i in range(10)], 0.001, 1, id="always one at least"),
    ],
)
def test_the_choice_comes_as_near_to_the_share_as_whole_groups_can(
    rows: list[tuple[str, int, int]], share: float, size: int
) -> None:
    groups, truth = slides(rows)
    assert int(np.isin(groups, list(choose_groups(groups, truth, share, 0))).sum()) == size


def test_each_class_has_its_share_where_groups_hold_one_class_each() -> None:
    groups, truth = slides([(f"s{i}", int(i >= 8), 10 if i < 8 else 1) for i in range(16)])
    held = np.isin(groups, list(choose_groups(groups, truth, 0.25, 0)))
    assert [int(held[truth == label].sum()) for label in (0, 1)] == [20, 2]


def test_a_class_in_one_group_only_does_not_spoil_the_share_of_the_others() -> None:
    groups, truth = slides(
        [*((f"s{i}", 0, 10) for i in range(10)), *((f"t{i}", 1, 10) for i in range(10)), ("u", 2, 1)]
    )
    held = np.isin(groups, list(choose_groups(groups, truth, 0.2, 0)))
    assert [int(held[truth == label].sum()) for label in (0, 1)] == [20, 20]


@pytest.mark.parametrize(("share", "held"), [(0.5, 1), (0.9, None), (1.0, None)])
def test_a_share_that_takes_every_group_is_refused_and_never_quietly_nothing(share: float, held: int | None) -> None:
    groups, truth = slides([("one", 0, 10), ("one", 1, 10), ("two", 0, 10), ("two", 1, 10)])
    if held is not None:
        assert len(choose_groups(groups, truth, share, 0)) == held
        return
    with pytest.raises(CellsError, match="a smaller share"):
        choose_groups(groups, truth, share, 0)
