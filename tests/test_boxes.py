"""Overlap, suppression and borders of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge.boxes import inside, intersection, iou, median, suppress
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
    assert suppress(boxes(), np.empty(0, np.float32), 0.5).tolist() == []


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
