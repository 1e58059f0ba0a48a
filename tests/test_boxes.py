"""Overlap, suppression and borders of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.boxes import MATCHED, inside, intersection, iou, median, pairs, pairs_of_boxes, suppress
from edge.types import FloatArray


def f32(values: list[Any]) -> FloatArray:
    return np.array(values, np.float32)


def boxes(*rows: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(rows, np.int32).reshape(-1, 4)


def test_a_box_overlaps_itself_wholly_and_a_distant_one_not_at_all() -> None:
    overlap = iou(boxes((0, 0, 10, 10), (50, 50, 4, 4)), boxes((0, 0, 10, 10)))
    assert overlap.tolist() == [[1.0], [0.0]]


def test_half_shifted_boxes_share_a_third_of_their_union() -> None:
    assert np.isclose(iou(boxes((0, 0, 10, 10)), boxes((5, 0, 10, 10)))[0, 0], 1 / 3)


def test_touching_boxes_share_nothing() -> None:
    assert intersection(boxes((0, 0, 10, 10)), boxes((10, 0, 10, 10)))[0, 0] == 0


def test_no_boxes_give_an_empty_table() -> None:
    assert iou(boxes(), boxes((0, 0, 1, 1))).shape == (0, 1)
    none = suppress(boxes(), np.empty(0, np.float32), 0.5)
    assert none.tolist() == []
    assert none.dtype == np.int32


def test_of_two_boxes_on_one_cell_the_surer_stays() -> None:
    kept = suppress(boxes((0, 0, 10, 10), (1, 0, 10, 10), (40, 0, 10, 10)), f32([0.5, 0.9, 0.4]), 0.5)
    assert kept.tolist() == [1, 2]


def test_a_box_already_suppressed_suppresses_no_other() -> None:
    chain = boxes((0, 0, 10, 10), (3, 0, 10, 10), (6, 0, 10, 10))
    assert suppress(chain, f32([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]


def test_inside_asks_for_the_margin_on_every_side() -> None:
    found = inside(
        boxes((8, 8, 10, 10), (7, 8, 10, 10), (8, 7, 10, 10), (83, 8, 10, 10), (8, 33, 10, 10)), (50, 100), 8
    )
    assert found.tolist() == [True, False, False, False, False]


def test_a_negative_margin_lets_boxes_overrun() -> None:
    assert inside(boxes((-3, 0, 10, 10)), (50, 100), -3).all()


def test_the_median_is_numpys_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 8, 101):
        for values in (rng.random(n, np.float32), rng.integers(1, 200, (n, 2)).astype(np.int32)):
            assert median(values) == float(np.median(values))


PAIRS = {
    "unlike sides, one corner shared": ((10, 20, 30, 40), (30, 50, 25, 35), 10 * 10),
    "the other one's far corner shared": ((30, 50, 25, 35), (10, 20, 30, 40), 10 * 10),
    "one within the other": ((0, 0, 100, 50), (10, 20, 7, 3), 7 * 3),
    "a cross": ((0, 40, 100, 10), (45, 0, 5, 100), 5 * 10),
    "apart to the right": ((0, 0, 10, 10), (12, 0, 10, 10), 0),
    "apart below": ((0, 0, 10, 10), (0, 12, 10, 10), 0),
    "apart both ways": ((0, 0, 10, 10), (12, 15, 10, 10), 0),
    "a single pixel shared": ((0, 0, 10, 10), (9, 9, 10, 10), 1),
    "at negative places": ((-20, -30, 15, 15), (-10, -20, 15, 15), 5 * 5),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_area_two_boxes_share(name: str) -> None:
    one, other, shared = PAIRS[name]
    union = one[2] * one[3] + other[2] * other[3] - shared
    assert intersection(boxes(one), boxes(other)).tolist() == [[shared]]
    assert iou(boxes(one), boxes(other))[0, 0] == pytest.approx(shared / union)


def test_every_box_is_compared_with_every_other() -> None:
    rows, columns = boxes((0, 0, 4, 6), (2, 3, 4, 6)), boxes((0, 0, 4, 6), (2, 3, 4, 6), (50, 50, 1, 2))
    assert intersection(rows, columns).tolist() == [[24, 6, 0], [6, 24, 0]]
    assert np.allclose(iou(rows, columns), [[1, 6 / 42, 0], [6 / 42, 1, 0]])
    assert intersection(rows, columns).dtype == iou(rows, columns).dtype == np.float32


def test_boxes_without_area_share_nothing_of_nothing() -> None:
    assert iou(boxes((5, 5, 0, 0)), boxes((5, 5, 0, 0))).tolist() == [[0]]


def test_boxes_of_fractions_of_a_pixel_are_boxes_too() -> None:
    one, other = np.array([[0, 0, 0.5, 1]]), np.array([[0.25, 0, 0.5, 1]])
    assert iou(one, other)[0, 0] == pytest.approx(1 / 3)
    assert iou(one, other).dtype == intersection(one, other).dtype == np.float32


@pytest.mark.parametrize(
    ("confidence", "overlap", "kept"),
    [
        ([0.9, 0.8], 0.5, [0, 1]),  # a third of the union is shared
        ([0.8, 0.9], 0.5, [1, 0]),
        ([0.9, 0.8], 0.3, [0]),
        ([0.8, 0.8], 0.3, [0]),
        ([0.001, 0.8], 0.5, [1, 0]),
        ([0.4, 0.0], 0.5, [0]),
    ],
    ids=["little overlap", "surest first", "much overlap", "first of a tie", "hardly sure", "not sure at all"],
)
def test_which_of_two_boxes_are_kept(confidence: list[float], overlap: float, kept: list[int]) -> None:
    got = suppress(boxes((0, 0, 10, 10), (5, 0, 10, 10)), f32(confidence), overlap)
    assert got.tolist() == kept
    assert got.dtype == np.int32


EDGES = {
    "just inside, left": ((8, 20, 10, 12), True),
    "just inside, top": ((20, 8, 10, 12), True),
    "just inside, right": ((82, 20, 10, 12), True),
    "just inside, bottom": ((20, 30, 10, 12), True),
    "a pixel beyond, left": ((7, 20, 10, 12), False),
    "a pixel beyond, top": ((20, 7, 10, 12), False),
    "a pixel beyond, right": ((83, 20, 10, 12), False),
    "a pixel beyond, bottom": ((20, 31, 10, 12), False),
}


@pytest.mark.parametrize("name", EDGES)
def test_a_margin_of_eight_pixels(name: str) -> None:
    row, expected = EDGES[name]
    assert inside(boxes(row), (50, 100), 8).tolist() == [expected]


@pytest.mark.parametrize(
    ("row", "expected"), [((0, 0, 100, 50), True), ((0, 0, 101, 50), False), ((-1, 0, 9, 9), False)]
)
def test_without_a_margin_a_box_may_touch_the_border(row: tuple[int, int, int, int], expected: bool) -> None:
    assert inside(boxes(row), (50, 100)).tolist() == [expected]


def test_a_box_alone_is_kept() -> None:
    assert suppress(boxes((0, 0, 10, 10)), f32([0.2]), 0.5).tolist() == [0]


def test_many_boxes_are_paired_as_few_are() -> None:
    rng = np.random.default_rng(3)
    some = np.column_stack([rng.integers(0, 900, (700, 2)), rng.integers(30, 60, (700, 2))]).astype(np.int32)
    moved = some[rng.permutation(700)] + rng.integers(-9, 9, (700, 4), np.int32)
    assert pairs_of_boxes(some, moved) == pairs(iou(some, moved), MATCHED)
    assert pairs_of_boxes(boxes(), some) == pairs_of_boxes(some, boxes()) == []
