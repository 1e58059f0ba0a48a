"""How nets are judged: value ranges, scores of every head, the rule from scores to classes, intervals over slides."""

from __future__ import annotations

import numpy as np
import pytest

from convert.classify.compare import MOST, draw_sheet
from convert.errors import CellsError
from convert.measure.bootstrap import share_interval
from convert.measure.cells import CellSet
from convert.measure.scoring import as_scores, check_width, decide, figures, per_group
from convert.net.values import RANGES
from edge.classifier import Classifier
from edge.macs import macs
from tests.test_classifier import MODEL, card


def cells(truth: list[int], groups: list[str]) -> CellSet:
    n = len(truth)
    images = np.zeros((n, 32, 32, 3), np.uint8)
    return CellSet(
        images, np.array(truth, np.int32), ("no", "yes"), np.array(groups), tuple(map(str, range(n))), grouped=True
    )


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("0..1", 0, 1), ("-1..1", -1, 1), ("0..255", 0, 255), ("caffe", 0, 255), ("imagenet", 0, 1)],
)
def test_ranges_make_of_bytes_what_training_made(name: str, low: float, high: float) -> None:
    values = RANGES[name].values(np.array([[[[0, 255, 128]]]], np.uint8)).ravel()
    assert values[:2] == pytest.approx([low, high])
    assert RANGES[name].limits == pytest.approx((low, high))


def test_a_single_output_is_the_score_of_the_second_class() -> None:
    assert as_scores(np.array([[0.25]], np.float32), logits=False).tolist() == [[0.75, 0.25]]
    assert as_scores(np.array([[0.0], [-1000.0]], np.float32), logits=True).round(6).tolist() == [[0.5, 0.5], [1, 0]]


def test_logits_of_several_classes_add_up_to_one() -> None:
    scores = as_scores(np.array([[1.0, 2.0, 3.0]], np.float32), logits=True)
    assert scores.sum() == pytest.approx(1)
    assert scores.argmax() == 2


def test_cells_count_as_the_device_would_count_them() -> None:
    scores = np.random.default_rng(0).dirichlet([1, 1, 1], 200).astype(np.float32)
    for change in ({}, {"threshold": 0.3}, {"positive": ()}, {"positive": ("green", "blue"), "threshold": 0.8}):
        one = card(**change)
        assert (decide(scores, one.labels, one.positive, one.threshold) == Classifier(MODEL, one).classes(scores)).all()


def test_a_head_that_does_not_fit_the_classes_is_refused() -> None:
    check_width(1, ("a", "b"), "net")
    check_width(3, ("a", "b", "c"), "net")
    with pytest.raises(CellsError, match="net tells 3 classes apart, the cells are of 2: a, b"):
        check_width(3, ("a", "b"), "net")


def test_figures_of_a_perfect_and_of_a_blind_net() -> None:
    truth, groups = [0, 1] * 50, ["a", "a", "b", "b"] * 25
    right = np.eye(2, dtype=np.float32)[truth]
    perfect = figures(right, cells(truth, groups), ("yes",), 0.5)
    assert perfect["accuracy"] == perfect["auc"] == perfect["sensitivity_at_1_percent_fp"] == 1
    blind = figures(np.full((100, 2), 0.5, np.float32), cells(truth, groups), ("yes",), 0.5)
    assert blind["accuracy"] == blind["auc"] == 0.5
    assert per_group(right, cells(truth, groups), ("yes",), 0.5) == {"a": 1.0, "b": 1.0}


def test_the_interval_is_that_of_slides_not_of_cells() -> None:
    right = np.repeat([True, False], 500)
    by_slide = share_interval(right, np.repeat(["a", "b"], 500))
    by_cell = share_interval(right, np.arange(1000))
    assert by_slide == (0.0, 1.0)
    assert 0.45 < by_cell[0] < by_cell[1] < 0.55


def test_multiply_accumulates_are_counted_from_the_file() -> None:
    assert macs(MODEL.flatbuffer) == 9  # means of three channels, then a dense layer of 3 x 3


def test_a_contact_sheet_has_room_for_all_it_shows() -> None:
    many = draw_sheet(np.full((MOST + 9, 32, 32, 3), 9, np.uint8), [("a > b", "is a")] * (MOST + 9))
    none = draw_sheet(np.empty((0, 32, 32, 3), np.uint8), [])
    assert many.shape[1] == none.shape[1]
    assert many.shape[0] > none.shape[0]
    assert (many == 9).any()
