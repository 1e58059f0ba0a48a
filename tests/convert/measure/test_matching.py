"""How finders are scored: one to one, borders ignored, cells pooled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.measure.matching import Match, assign, match_boxes, match_points, summarise
from edge.boxes import pairs
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


@pytest.mark.parametrize(
    ("found", "scored", "of", "counts", "lost"),
    [
        pytest.param([(50, 50, 40, 40)], [1, 1], [0], [True], [1], id="a find on a cell"),
        pytest.param([(50, 50, 40, 40)], [0, 1], [0], [False], [1], id="a find on a cell that does not count"),
        pytest.param([(200, 100, 40, 40)], [1, 1], [-1], [True], [0, 1], id="a spurious find"),
        pytest.param([(2, 100, 40, 40)], [1, 1], [-1], [False], [0, 1], id="a spurious find at the border"),
        pytest.param([], [1, 0], [], [], [0], id="a lost cell that does not count is not lost"),
        pytest.param([(60, 50, 40, 40), (52, 50, 40, 40)], [1, 1], [-1, 0], [True, True], [1], id="the better of two"),
    ],
)
def test_finds_are_assigned_to_cells(
    found: list[tuple[int, int, int, int]], scored: list[int], of: list[int], counts: list[bool], lost: list[int]
) -> None:
    truth = boxes((50, 50, 40, 40), (120, 50, 40, 40))
    got = assign(boxes(*found), truth, SHAPE, np.array(scored, bool))
    assert got.of.tolist() == of
    assert got.counts.tolist() == counts
    assert np.flatnonzero(got.lost).tolist() == lost
    assert got.of_finds(["a", "b"], "none").tolist() == ["none" if i < 0 else "ab"[i] for i in of]


def test_a_part_that_does_not_count_is_neither_hit_nor_lost_nor_spurious() -> None:
    truth = boxes((50, 50, 40, 40), (120, 50, 40, 40))
    sure = np.array([True, False])
    infected = np.array([False, True])
    assert assign(truth, truth, SHAPE, sure).match(infected) == Match(1, 0, 0, 0, 0)
    assert assign(boxes(), truth, SHAPE, sure).match(infected) == Match(0, 0, 1, 0, 0)


@pytest.mark.parametrize(("least", "hits"), [(0.5, 0), (0.4, 1)])
def test_a_match_needs_the_least_overlap(least: float, hits: int) -> None:
    found, truth = boxes((66, 50, 40, 40)), boxes((50, 50, 40, 40))  # 24 of 56 columns
    assert assign(found, truth, SHAPE, least=least).match(np.zeros(1, bool)).hits == hits


@pytest.mark.parametrize(
    ("matches", "error", "bias"),
    [
        pytest.param([Match(80, 0, 20)], 0.2, -0.2, id="too few"),
        pytest.param([Match(100, 20, 0)], 0.2, 0.2, id="too many"),
        pytest.param([Match(80, 0, 20), Match(100, 20, 0)], 0.2, 0.0, id="errors of both signs do not cancel out"),
        pytest.param([Match(90, 0, 10), Match(0, 3, 0)], 0.1, -0.07, id="a field without cells has no error"),
    ],
)
def test_the_count_error_is_absolute_and_the_bias_is_not(matches: list[Match], error: float, bias: float) -> None:
    summary = summarise(matches)
    assert summary.count_error == pytest.approx(error)
    assert summary.count_bias == pytest.approx(bias)


@pytest.mark.parametrize("x", [19, 281])
def test_points_nearer_to_the_border_than_half_a_cell_do_not_count(x: int) -> None:
    found = boxes((80, 80, 40, 40))
    assert match_points(found, f32([[x, 100]]), SHAPE) == Match(0, 1, 0)
    assert match_points(found, f32([[21 if x < 150 else 279, 100]]), SHAPE) == Match(0, 1, 1)


@pytest.mark.parametrize(
    ("point", "field"),
    [
        pytest.param((20, 100), (0, 1, 1), id="exactly half a cell from the left border: counts"),
        pytest.param((280, 100), (0, 1, 1), id="from the right border"),
        pytest.param((150, 20), (0, 1, 1), id="from the upper border"),
        pytest.param((150, 180), (0, 1, 1), id="from the lower border"),
        pytest.param((150, 19), (0, 1, 0), id="nearer to the upper border: does not"),
        pytest.param((150, 181), (0, 1, 0), id="nearer to the lower border"),
        pytest.param((100, 120), (1, 0, 0), id="exactly half a cell from the find: matches"),
        pytest.param((100, 121), (0, 1, 1), id="farther: does not"),
    ],
)
def test_where_a_point_counts_and_where_it_matches(point: tuple[int, int], field: tuple[int, int, int]) -> None:
    found = boxes((80, 85, 40, 30))  # its centre is (100, 100), its longer side 40
    assert match_points(found, f32([point]), SHAPE) == Match(*field)


def test_the_reach_of_a_point_is_that_of_the_median_cell() -> None:
    found = boxes((80, 90, 40, 20), (30, 95, 10, 10), (180, 60, 80, 80))
    assert match_points(found, f32([[100, 119], [35, 119], [220, 121]]), SHAPE) == Match(2, 1, 1)


def test_a_find_at_the_border_that_matches_no_point_does_not_count() -> None:
    assert match_points(boxes((80, 80, 40, 40), (0, 80, 30, 40)), f32([[100, 100]]), SHAPE) == Match(1, 0, 0)
    assert match_points(boxes((80, 80, 40, 40), (80, 165, 40, 30)), f32([[100, 100]]), SHAPE) == Match(1, 1, 0)
    assert match_points(boxes((80, 80, 40, 40), (80, 168, 40, 30)), f32([[100, 100]]), SHAPE) == Match(1, 0, 0)


def test_a_cell_counts_from_eight_pixels_off_the_border_on() -> None:
    for row, counted in (((8, 50, 40, 40), 1), ((7, 50, 40, 40), 0), ((252, 50, 40, 40), 1), ((253, 50, 40, 40), 0)):
        assert match(boxes(), boxes(row)).lost == counted, row


def test_equal_affinities_are_paired_in_order_and_one_at_the_limit_counts() -> None:
    assert pairs(np.array([[0.5, 0.5], [0.5, 0.5]]), 0.5) == [(0, 0), (1, 1)]
    assert pairs(np.array([[0.49]]), 0.5) == []


def test_a_match_adds_up_to_what_is_counted_and_what_is_there() -> None:
    one = Match(10, 3, 4)
    assert (one.counted, one.true, one.infected, one.infected_lost) == (13, 14, 0, 0)


def test_a_summary_of_known_matches() -> None:
    found = summarise([Match(6, 2, 2, 4, 1), Match(3, 0, 1, 0, 0), Match(0, 1, 0)])
    assert (found.fields, found.cells, found.infected) == (3, 12, 4)
    assert found.f1 == pytest.approx(18 / 24)
    assert found.precision == pytest.approx(9 / 12)
    assert found.recall == pytest.approx(9 / 12)
    assert found.infected_kept == pytest.approx(3 / 4)
    assert found.count_bias == 0
    assert found.count_error == pytest.approx((0 + 0.25) / 2)


def test_a_summary_of_nothing_found_and_of_nothing_infected() -> None:
    found = summarise([Match(0, 0, 5)])
    assert (found.f1, found.precision, found.recall, found.count_bias) == (0, 0, 0, -1)
    assert np.isnan(found.infected_kept)
    with pytest.raises(ZeroDivisionError):
        summarise([Match(0, 0, 0)])
