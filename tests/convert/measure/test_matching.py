"""How finders are scored: one to one, borders ignored, cells pooled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.measure.matching import Match, match_boxes, match_points, pairs, summarise
from edge.types import FloatArray

SHAPE = (200, 300)


def f32(values: list[Any]) -> FloatArray:
    return np.array(values, np.float32)


def boxes(*rows: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(rows, np.int32).reshape(-1, 4)


def match(found: np.ndarray, truth: np.ndarray, infected: list[int] | None = None) -> Match:
    flags = np.zeros(len(truth), bool)
    flags[infected or []] = True
    return match_boxes(found, truth, flags, SHAPE)


def test_a_perfect_finder_hits_all() -> None:
    truth = boxes((50, 50, 40, 40), (120, 50, 40, 40))
    assert match(truth, truth, [1]) == Match(2, 0, 0, 1, 0)


def test_two_boxes_on_one_cell_are_one_hit_and_one_spurious() -> None:
    assert match(boxes((50, 50, 40, 40), (52, 50, 40, 40)), boxes((50, 50, 40, 40))) == Match(1, 1, 0)


def test_a_lost_infected_cell_is_counted_as_such() -> None:
    assert match(boxes(), boxes((50, 50, 40, 40)), [0]) == Match(0, 0, 1, 1, 1)


def test_cells_near_the_border_count_neither_way() -> None:
    truth = boxes((3, 50, 40, 40))
    assert match(truth, truth) == Match(0, 0, 0)
    assert match(boxes(), truth) == Match(0, 0, 0)


def test_a_find_that_straddles_the_margin_still_hits_its_cell() -> None:
    assert match(boxes((6, 50, 40, 40)), boxes((9, 50, 40, 40))) == Match(1, 0, 0)


def test_a_spurious_find_near_the_border_is_ignored() -> None:
    assert match(boxes((2, 100, 40, 40)), boxes()) == Match(0, 0, 0)


def test_pairs_takes_the_strongest_first_and_each_once() -> None:
    affinity = np.array([[0.9, 0.8], [0.85, 0.1]])
    assert pairs(affinity, 0.5) == [(0, 0)]
    assert pairs(affinity, 0.05) == [(0, 0), (1, 1)]


def test_points_match_the_nearest_box_within_half_a_cell() -> None:
    found = boxes((80, 80, 40, 40), (180, 80, 40, 40))
    points = f32([[103, 99], [150, 150]])
    assert match_points(found, points, SHAPE) == Match(1, 1, 1)


def test_a_finder_that_finds_nothing_loses_every_point() -> None:
    assert match_points(boxes(), f32([[100, 100]]), SHAPE).lost == 1


def test_a_summary_pools_cells_not_fields() -> None:
    summary = summarise([Match(90, 10, 10, 4, 1), Match(10, 0, 0)])
    assert summary.precision == pytest.approx(100 / 110)
    assert summary.recall == pytest.approx(100 / 110)
    assert summary.infected_kept == pytest.approx(0.75)
    assert summary.count_bias == pytest.approx(0)
