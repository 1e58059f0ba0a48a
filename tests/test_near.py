from __future__ import annotations

import numpy as np
import pytest

from edge.near import SHARE, just_below, lowest, positive_scores

ONE = np.array([False, True])
TWO = np.array([False, True, True])


def near(total: list[float], classes: list[int], threshold: float = 0.9, most: int | None = None) -> list[int]:
    scores = np.array([[1 - p, p] for p in total], np.float32).reshape(-1, 2)
    return [int(n) for n in just_below(scores, np.array(classes, np.int32), ONE, threshold, most)]


@pytest.mark.parametrize(
    ("total", "classes", "found"),
    [
        ([0.89, 0.1, 0.95, 0.5], [0, 0, 1, 0], [0, 3]),
        ([0.5, 0.89, 0.6], [0, 0, 0], [1, 2, 0]),  # highest first
        ([0.45, 0.44], [0, 0], [0]),  # half of the threshold is the end
        ([0.5, 0.8, 0.4], [0, -1, -1], [1, 0]),  # a white cell that the classifier was asked about
        ([], [], []),
    ],
)
def test_near_misses_are_no_positive_cells_and_have_at_least_half_the_threshold(
    total: list[float], classes: list[int], found: list[int]
) -> None:
    assert near(total, classes) == found


def test_of_many_the_highest_are_marked() -> None:
    assert near([0.5 + i / 1000 for i in range(50)], [0] * 50, most=3) == [49, 48, 47]


def test_positive_classes_count_together() -> None:
    scores = np.array([[0.4, 0.3, 0.3], [0.8, 0.1, 0.1]], np.float32)
    assert positive_scores(scores, TWO) == pytest.approx([0.6, 0.2])
    assert just_below(scores, np.zeros(2, np.int32), TWO, 0.9).tolist() == [0]


@pytest.mark.parametrize("threshold", [0.0, 0.9])
def test_without_positive_classes_or_scores_there_are_none(threshold: float) -> None:
    scores = np.array([[0.1, 0.9], [1.0, 0.0]], np.float32)
    assert just_below(scores, np.array([1, 0], np.int32), np.array([False, False]), threshold).tolist() == []
    assert just_below(scores[1:], np.array([0], np.int32), ONE, threshold).tolist() == []
    assert lowest(threshold) == SHARE * threshold
