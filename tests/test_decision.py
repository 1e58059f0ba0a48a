"""The decision rule: which class a cell counts as."""

from __future__ import annotations

import numpy as np
import pytest

from edge.decision import TOLERANCE, classes_of, positive_mask, reaches

HEALTHY, RING, TROPHOZOITE = 0, 1, 2
CASES = {
    "the best class where none is positive": ([0.2, 0.5, 0.3], (), 0.1, RING),
    "the best class where all are positive": ([0.5, 0.2, 0.3], (0, 1, 2), 0.9, HEALTHY),
    "the best positive class where their sum reaches the threshold": ([0.4, 0.25, 0.35], (1, 2), 0.6, TROPHOZOITE),
    "the best other class where their sum misses it": ([0.35, 0.25, 0.4], (1, 2), 0.66, HEALTHY),
    "a sum just a rounding error below the threshold reaches it": ([0.5 + 5e-7, 0.25, 0.25 - 5e-7], (1, 2), 0.5, RING),
    "a sum further below the threshold misses it": ([0.500003, 0.25, 0.249997], (1, 2), 0.5, HEALTHY),
}


@pytest.mark.parametrize("name", CASES)
def test_a_cell_counts_as(name: str) -> None:
    scores, positive, threshold, expected = CASES[name]
    mask = np.isin(np.arange(3), positive)
    assert classes_of(np.array([scores], np.float32), mask, threshold).tolist() == [expected]


@pytest.mark.parametrize("positive", [0, 1])
def test_two_classes_follow_the_same_rule_as_many(positive: int) -> None:
    rng = np.random.default_rng(3)
    high = rng.random(500).astype(np.float32)
    scores = np.stack([1 - high, high], axis=1)
    third = np.concatenate([scores, np.full((500, 1), -1, np.float32)], axis=1)  # a class that never wins
    mask = np.arange(3) == positive
    assert np.array_equal(classes_of(scores, mask[:2], 0.7), classes_of(third, mask, 0.7))


@pytest.mark.parametrize(("short", "reached"), [(0, True), (0.4 * TOLERANCE, True), (2.5 * TOLERANCE, False)])
def test_a_score_may_miss_the_threshold_by_the_tolerance(short: float, reached: bool) -> None:
    assert reaches(np.array([0.5 - short], np.float32), 0.5).tolist() == [reached]


def test_positive_labels_make_a_mask() -> None:
    assert positive_mask(("red cell", "ring", "gametocyte"), ("gametocyte", "ring")).tolist() == [False, True, True]
