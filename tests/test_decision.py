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


MISSES = {
    "a score above the threshold": (0.9, 0.5, True),
    "a score at the threshold": (0.5, 0.5, True),
    "a rounding error below it": (0.5 - 0.4e-6, 0.5, True),
    "just less than the tolerance below it": (0.1 - 0.9e-6, 0.1, True),
    "exactly the tolerance below it": (float(np.float32(0.1) - np.float32(1e-6)), 0.1, True),
    "just more than the tolerance below it": (0.1 - 1.1e-6, 0.1, False),
    "twice the tolerance below it": (0.5 - 2e-6, 0.5, False),
    "far below it": (0.1, 0.5, False),
    "no score where everything is positive": (0.0, 0.0, True),
}


@pytest.mark.parametrize("name", MISSES)
def test_a_score_may_miss_the_threshold_by_the_tolerance(name: str) -> None:
    score, threshold, reached = MISSES[name]
    assert reaches(np.array([score], np.float32), threshold).tolist() == [reached]


def test_the_tolerance_is_a_millionth() -> None:
    assert TOLERANCE == 1e-6


TWO_CLASSES = {
    "positive at the threshold, the second class": ([0.3, 0.7], 1, 0.7, 1),
    "negative below the threshold though its score is the best": ([0.35, 0.65], 1, 0.7, 0),
    "positive at the threshold though its score is not the best": ([0.7, 0.3], 1, 0.3, 1),
    "positive at the threshold, the first class": ([0.7, 0.3], 0, 0.7, 0),
    "negative below the threshold, the first class": ([0.65, 0.35], 0, 0.7, 1),
    "the best class where none is positive": ([0.6, 0.4], None, 0.3, 0),
    "the other best class where none is positive": ([0.4, 0.6], None, 0.3, 1),
}


@pytest.mark.parametrize("name", TWO_CLASSES)
def test_of_two_classes_a_cell_is(name: str) -> None:
    scores, positive, threshold, expected = TWO_CLASSES[name]
    mask = np.isin(np.arange(2), () if positive is None else (positive,))
    got = classes_of(np.array([scores], np.float32), mask, threshold)
    assert got.tolist() == [expected]
    assert got.dtype == np.int32


@pytest.mark.parametrize("positive", [(), (1,), (1, 2), (0, 1, 2)])
def test_each_cell_is_decided_by_its_own_scores(positive: tuple[int, ...]) -> None:
    scores = np.random.default_rng(5).dirichlet(np.ones(3), 50).astype(np.float32)
    mask = np.isin(np.arange(3), positive)
    together = classes_of(scores, mask, 0.4)
    assert together.dtype == np.int32
    assert together.tolist() == [int(classes_of(row[None], mask, 0.4)[0]) for row in scores]


@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_the_best_class_counts_where_all_or_none_are_positive(classes: int, positive: bool, threshold: float) -> None:
    scores = np.random.default_rng(6).dirichlet(np.ones(classes), 40).astype(np.float32)
    got = classes_of(scores, np.full(classes, positive), threshold)
    assert got.tolist() == scores.argmax(axis=1).tolist()


def test_positive_labels_make_a_mask() -> None:
    assert positive_mask(("red cell", "ring", "gametocyte"), ("gametocyte", "ring")).tolist() == [False, True, True]
    assert positive_mask(("red cell", "ring"), ()).tolist() == [False, False]
    assert positive_mask((), ()).dtype == np.bool_
