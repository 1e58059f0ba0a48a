"""How nets are judged: value ranges, scores of every head, the rule from scores to classes, intervals over slides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convert.classify.compare import MOST, draw_sheet
from convert.errors import CellsError
from convert.measure import scoring
from convert.measure.bootstrap import share_interval
from convert.measure.cells import CellSet
from convert.measure.scoring import as_scores, check_width, decide, figures, per_group
from convert.net.values import RANGES
from edge.classifier import Classifier
from edge.macs import macs
from edge.modelfile import ModelFile
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


@pytest.mark.parametrize(
    ("raw", "logits", "scores"),
    [
        pytest.param([[1.0, 1.0], [2.0, 2.0]], True, [[0.5, 0.5], [0.5, 0.5]], id="equal logits"),
        pytest.param([[0.0, 1000.0], [0.0, 0.0]], True, [[0, 1], [0.5, 0.5]], id="each cell by its own largest logit"),
        pytest.param([[0.25, 0.5]], False, [[0.25, 0.5]], id="scores stay as they are"),
        pytest.param([[1000.0], [-1000.0]], True, [[0, 1], [1, 0]], id="one logit far out"),
        pytest.param([[np.log(3)]], True, [[0.25, 0.75]], id="one logit"),
    ],
)
def test_every_head_gives_one_score_per_class(
    raw: list[list[float]], scores: list[list[float]], *, logits: bool
) -> None:
    found = as_scores(np.array(raw, np.float32), logits=logits)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array(scores), abs=1e-6)


def test_a_single_output_fits_two_classes_only() -> None:
    with pytest.raises(CellsError, match="net tells 2 classes apart, the cells are of 3: a, b, c"):
        check_width(1, ("a", "b", "c"), "net")


def test_the_accuracy_of_each_slide_is_told_where_slides_are_known() -> None:
    scores = np.eye(2, dtype=np.float32)[[0, 1, 1, 1]]
    known = cells([0, 1, 0, 1], ["a", "a", "b", "b"])
    assert per_group(scores, known, ("yes",), 0.5) == {"a": 1.0, "b": 0.5}
    assert per_group(scores, replace(known, grouped=False), ("yes",), 0.5) == {}


def test_figures_at_the_threshold_are_shares_of_the_infected_and_of_the_others() -> None:
    some = cells([0, 0, 0, 0, 1, 1], ["a", "a", "b", "b", "a", "b"])
    p = np.array([0.1, 0.2, 0.3, 0.7, 0.4, 0.9], np.float32)
    found = figures(np.stack([1 - p, p], axis=1), some, ("yes",), 0.35)
    assert found["cells"] == 6
    assert found["threshold"] == 0.35
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert found["recall"] == {"no": 0.75, "yes": 1.0}
    assert (found["sensitivity"], found["false_positive_rate"]) == (1.0, 0.25)
    assert found["auc"] == pytest.approx(7 / 8)
    assert found["sensitivity_at_1_percent_fp"] == 0.5
    assert {key for key in found if key.endswith("_interval")} == {
        "accuracy_interval",
        "auc_interval",
        "sensitivity_at_1_percent_fp_interval",
        "sensitivity_at_0.1_percent_fp_interval",
    }


@pytest.mark.parametrize(
    ("truth", "groups", "positive", "told", "missing"),
    [
        pytest.param([0, 1], ["a", "a"], ("yes",), "auc", "auc_interval", id="one slide: no interval"),
        pytest.param([0, 0], ["a", "b"], ("yes",), "accuracy_interval", "auc", id="nothing infected: no AUC"),
        pytest.param([1, 1], ["a", "b"], ("yes",), "accuracy_interval", "auc", id="all infected: no AUC"),
        pytest.param([0, 1], ["a", "b"], (), "accuracy_interval", "auc", id="nothing is positive: no AUC"),
    ],
)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_figures_that_mean_nothing_are_left_out(
    truth: list[int], groups: list[str], positive: tuple[str, ...], told: str, missing: str
) -> None:
    found = figures(np.eye(2, dtype=np.float32)[truth], cells(truth, groups), positive, 0.5)
    assert told in found
    assert missing not in found


def test_microseconds_per_cell_are_the_median_of_timed_rounds_without_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock runs 1 s in each round of the first file and 2 s in each of the second, but 100 s in the first round."""
    ticks, rounds = [0.0], {"one": 0, "two": 0}

    class SlowNet:
        def __init__(self, model: ModelFile) -> None:
            self._name = model.path.name
            assert model.flatbuffer == MODEL.flatbuffer

        def run(self, batch: np.ndarray) -> None:
            assert batch.shape == (32, 20, 20, 1)
            assert batch.dtype == np.uint8
            rounds[self._name] += 1
            ticks[0] += 100 if rounds[self._name] == 1 else {"one": 1, "two": 2}[self._name]
            assert rounds["one"] - rounds["two"] in {0, 1}  # they take turns

    monkeypatch.setattr(scoring, "Net", SlowNet)
    monkeypatch.setattr("time.perf_counter", lambda: ticks[0])
    found = scoring.latency({"one": MODEL.flatbuffer, "two": MODEL.flatbuffer}, "grey", 20)
    assert found.us == {"one": pytest.approx(1e6 / 32), "two": pytest.approx(2e6 / 32)}
    assert found.ratios == {"one": (0.5, 0.5, 0.5), "two": (1.0, 1.0, 1.0)}


@pytest.mark.parametrize(("macs_of_net", "cells_at_once"), [(10**6, 32), (10**9, 2), (10**12, 1)])
def test_large_nets_are_timed_on_fewer_cells(
    monkeypatch: pytest.MonkeyPatch, macs_of_net: int, cells_at_once: int
) -> None:
    seen: set[int] = set()

    class AnyNet:
        def __init__(self, model: ModelFile) -> None: ...

        def run(self, batch: np.ndarray) -> None:
            seen.add(len(batch))

    monkeypatch.setattr(scoring, "Net", AnyNet)
    monkeypatch.setattr(scoring, "macs", lambda _flatbuffer: macs_of_net)
    scoring.latency({"one": b""}, "rgb", 8)
    assert seen == {cells_at_once}


@pytest.mark.parametrize(
    ("training", "black"), [({"cells": "cut out on black"}, True), ({"cells": "with surroundings"}, False), ({}, False)]
)
def test_a_card_says_whether_its_net_was_trained_on_black(training: dict[str, str], *, black: bool) -> None:
    assert (
        scoring.trained_on_black(scoring.plain_card("net", ("a", "b"), "rgb", logits=False, training=training)) == black
    )


@pytest.mark.parametrize(("logits", "output"), [(True, "logit"), (False, "probability")])
def test_a_plain_card_says_what_the_net_gives(output: str, *, logits: bool) -> None:
    made = scoring.plain_card("net", ("a", "b"), "grey", logits=logits, positive=("b",))
    assert (made.name, made.task, made.labels, made.colour) == ("net", "classify", ("a", "b"), "grey")
    assert (made.output, made.positive) == (output, ("b",))


def test_scores_in_the_devices_runtime_are_the_classifiers() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    one = card()
    assert (scoring.device_scores(MODEL.flatbuffer, one, images) == Classifier(MODEL, one).scores(images)).all()
