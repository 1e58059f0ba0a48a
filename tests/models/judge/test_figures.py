"""Figures: known answers, intervals over groups, lost cells as missed, known negatives, and what is no real difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.modelfile import Card
from models.data.cells import LabelledCells
from models.data.classes import ClassMapping
from models.judge import confusion
from models.judge.evaluate import FigureDifference, differences
from models.judge.figures import END_TO_END, FIGURES, CellScores, Measurement, applies, known_negatives, measure
from models.judge.words import class_lines, known_lines

CARD = Card("net", "classify", ("clear", "ill"), positive=("ill",), threshold=0.5)
TWO = ClassMapping(np.array([0, 1], np.int32), np.array([False, True]))
BY_KEY = {metric.key: metric for metric in (*FIGURES, *END_TO_END)}


def cells(truth: np.ndarray, groups: np.ndarray, lost: int = 0) -> LabelledCells:
    count = len(truth)
    return LabelledCells(
        np.zeros((count, 1, 1, 3), np.uint8),
        truth.astype(np.int32),
        ("clear", "ill"),
        groups,
        np.unique(groups, return_inverse=True)[1].astype(np.int32),
        np.zeros(count, np.int8),
        np.ones(lost, np.int32),
        np.full(lost, str(groups[0])),
        np.zeros(lost, np.int32),
    )


def scored(seed: int = 0, *, apart: float = 2.0, lost: int = 0, groups: int = 20, count: int = 3000) -> CellScores:
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.3
    p = 1 / (1 + np.exp(-(apart * (truth - 0.5) * 2 + rng.normal(0, 1, count))))
    scores = np.stack([1 - p, p], axis=1).astype(np.float32)
    names = np.array([f"s{i % groups}" for i in range(count)])
    return CellScores(CARD, TWO, cells(truth, names, lost), scores)


def test_each_figure_lies_in_its_interval_and_rests_on_its_cells() -> None:
    one = scored()
    positive = int(one.positive.sum())
    for metric in FIGURES:
        found = measure(metric, one)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
        assert found.n == {"all": 3000, "positive": positive, "negative": 3000 - positive}[metric.of]


def test_shares_at_the_threshold_are_counted() -> None:
    one = scored()
    flagged = one.scores[:, 1] >= 0.5
    assert measure(BY_KEY["sensitivity"], one).value == pytest.approx(flagged[one.positive].mean())
    assert measure(BY_KEY["false_positive_rate"], one).value == pytest.approx(flagged[~one.positive].mean())


@pytest.mark.parametrize(
    ("key", "without"), [("found", "sensitivity"), ("found_at_1_percent_fp", "sensitivity_at_1_percent_fp")]
)
def test_a_cell_the_finder_lost_counts_as_missed_end_to_end(key: str, without: str) -> None:
    one = scored(lost=100)
    positive = int(one.positive.sum())
    whole, found = measure(BY_KEY[without], one), measure(BY_KEY[key], one)
    assert found.n == positive + 100
    assert found.value == pytest.approx(whole.value * positive / (positive + 100))


def test_single_cells_cannot_be_lost() -> None:
    assert not applies(BY_KEY["found"], scored())
    assert applies(BY_KEY["found"], scored(lost=1))


def test_one_in_a_thousand_is_not_told_of_few_cells() -> None:
    assert not applies(BY_KEY["sensitivity_at_0.1_percent_fp"], scored(count=900))


def test_on_known_negatives_only_false_positives_are_told() -> None:
    one = scored()
    healthy = replace(one, cells=one.cells.take(~one.positive), scores=one.scores[~one.positive])
    keys = {metric.key for metric in (*FIGURES, *END_TO_END) if applies(metric, healthy)}
    assert keys == {"accuracy", "false_positive_rate"}
    assert measure(BY_KEY["false_positive_rate"], healthy).n == len(healthy.cells)


def test_one_group_has_no_interval() -> None:
    assert measure(BY_KEY["auc"], scored(groups=1)).low is None


def test_with_few_groups_intervals_are_over_fields() -> None:
    one = scored(groups=1)
    fields = np.arange(len(one.cells), dtype=np.int32) % 50
    assert measure(BY_KEY["auc"], replace(one, cells=replace(one.cells, fields=fields))).low is not None


def test_known_negative_groups_are_listed_the_worst_first() -> None:
    truth = np.array([0] * 10 + [0] * 10 + [0, 1])
    groups = np.array(["a"] * 10 + ["b"] * 10 + ["c"] * 2)
    p = np.zeros(22)
    p[[12, 13, 20]] = 0.9
    one = CellScores(CARD, TWO, cells(truth, groups), np.stack([1 - p, p], axis=1).astype(np.float32))
    known = known_negatives(one)
    assert [(k.group, k.cells, k.flagged) for k in known] == [("b", 10, 2), ("a", 10, 0)]
    assert known[0].per_1000 == 200
    assert "100.00 false positives per 1,000" in known_lines(known)[0]


def test_a_group_whose_only_positive_cell_was_lost_is_no_known_negative() -> None:
    one = CellScores(
        CARD, TWO, cells(np.zeros(4), np.array(["a", "a", "b", "b"]), lost=1), np.zeros((4, 2), np.float32)
    )
    assert [k.group for k in known_negatives(one)] == ["b"]


def test_a_net_is_not_different_from_itself_or_from_noise() -> None:
    one = scored()
    again = replace(one, scores=np.clip(one.scores + np.random.default_rng(1).normal(0, 0.005, one.scores.shape), 0, 1))
    for other in (one, replace(again, scores=again.scores.astype(np.float32))):
        found = {d.key: d for d in differences(one, other)}
        assert found["auc"].verdict == "no real difference shown"


def test_a_worse_net_is_called_worse_in_every_figure() -> None:
    for found in differences(scored(apart=2.5), scored(apart=0.8)):
        assert found.verdict == "worse", found


def test_fewer_false_positives_are_better() -> None:
    assert FigureDifference("false_positive_rate", "", 0.02, 0.01, -0.015, -0.005).verdict == "better"
    assert FigureDifference("auc", "", 0.9, 0.95, -0.01, 0.06).verdict == "no real difference shown"


def three(truth: list[int], called: list[int], lost: int = 0) -> CellScores:
    card = Card("net", "classify", ("a", "b", "c"))
    scores = np.eye(3, dtype=np.float32)[called]
    groups = np.array([f"s{i % 2}" for i in range(len(truth))])
    base = cells(np.array(truth), groups, lost)
    return CellScores(
        card,
        ClassMapping(np.arange(3, dtype=np.int32), np.zeros(3, bool)),
        replace(base, labels=("a", "b", "c")),
        scores,
    )


def test_recall_precision_and_macro_f1_are_those_of_the_matrix() -> None:
    found = confusion.figures(three([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0]))
    assert found["confusion"] == [[2, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0]]
    assert found["recall"]["a"]["value"] == pytest.approx(2 / 3)
    assert found["precision"]["b"]["value"] == pytest.approx(2 / 3)
    assert found["precision"]["c"] is None
    assert found["macro_f1"]["value"] == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert found["accuracy"]["n"] == 6


def test_a_lost_cell_lowers_the_recall_of_its_class_and_has_its_own_column() -> None:
    found = confusion.figures(three([0, 0, 1, 1], [0, 0, 1, 1], lost=2))
    assert found["recall"]["b"] == {
        "value": 0.5,
        "low": found["recall"]["b"]["low"],
        "high": found["recall"]["b"]["high"],
        "n": 4,
    }
    assert "lost" in "\n".join(class_lines(found))


def test_a_figure_reads_as_a_value_with_its_interval() -> None:
    assert Measurement(0.9612, 0.951, 0.97, 7).text() == "96.12 % (95.1 to 97.0)"
    assert Measurement(0.9612, None, None, 7).text(percent=False) == "0.9612"
