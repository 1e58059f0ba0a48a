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
