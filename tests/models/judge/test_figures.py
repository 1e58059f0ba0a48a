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
from models.judge.figures import (
    END_TO_END,
    FIGURES,
    CellScores,
    Measurement,
    agreeing,
    applies,
    exact,
    known_negatives,
    measure,
    two_classes,
    two_sided,
)
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


def of_net(positive: tuple[str, ...], truth: list[int], *, labels: tuple[str, ...] = ("clear", "ill")) -> CellScores:
    """A net whose positive classes are these, on cells of these classes."""
    card = replace(CARD, labels=labels, positive=positive)
    fit = ClassMapping(np.arange(len(labels), dtype=np.int32), np.array([label in positive for label in labels]))
    base = cells(np.array(truth), np.array([f"s{i % 2}" for i in range(len(truth))]))
    return CellScores(card, fit, replace(base, labels=labels), np.eye(len(labels), dtype=np.float32)[truth])


@pytest.mark.parametrize(
    ("positive", "truth", "keys"),
    [
        pytest.param((), [0, 1], set(), id="no class is positive"),
        pytest.param(("clear", "ill"), [0, 1], set(), id="every class is positive"),
        pytest.param(("ill",), [1, 1], {"accuracy", "sensitivity"}, id="positive cells only"),
        pytest.param(("ill",), [0, 0], {"accuracy", "false_positive_rate"}, id="negative cells only"),
    ],
)
def test_a_figure_is_told_only_where_it_means_something(
    positive: tuple[str, ...], truth: list[int], keys: set[str]
) -> None:
    one = of_net(positive, truth)
    assert {key for key, metric in BY_KEY.items() if applies(metric, one)} == keys
    assert set(two_sided(one)) == keys


@pytest.mark.parametrize(("count", "told"), [(999, False), (1000, True)])
def test_one_in_a_thousand_needs_a_thousand_negative_cells(count: int, *, told: bool) -> None:
    one = of_net(("ill",), [0] * count + [1])
    assert applies(BY_KEY["sensitivity_at_0.1_percent_fp"], one) == told
    assert applies(BY_KEY["sensitivity_at_1_percent_fp"], one)


def test_the_suspicion_is_that_of_all_positive_classes_together() -> None:
    one = replace(
        of_net(("early", "late"), [0, 1], labels=("clear", "early", "late")),
        scores=np.array([[0.75, 0.125, 0.125], [0.375, 0.25, 0.375]], np.float32),
    )
    assert one.suspicion.tolist() == [0.25, 0.625]
    assert one.flagged(0.5).tolist() == [False, True]
    assert one.flagged(0.25).tolist() == [True, True]
    assert one.decided().tolist() == [0, 2]
    assert one.truth() is not None
    assert replace(one, fit=replace(one.fit, label_of=None)).truth() is None


@pytest.mark.parametrize(
    ("hits", "total", "value", "low", "high"),
    [
        (0, 100, 0.0, 0.0, 0.0362),
        (5, 10, 0.5, 0.1871, 0.8129),
        (10, 10, 1.0, 0.6915, 1.0),
    ],
)
def test_an_exact_share_has_the_interval_of_independent_cells(
    hits: int, total: int, value: float, low: float, high: float
) -> None:
    found = exact(hits, total)
    assert (found.value, found.n) == (value, total)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_of_nothing_there_is_no_share() -> None:
    found = exact(0, 0)
    assert np.isnan(found.value)
    assert (found.low, found.high, found.n) == (None, None, 0)


def test_scores_alone_are_judged_as_cells_are() -> None:
    positive, suspicion = np.array([False, True, True, False]), np.array([0.25, 0.75, 0.375, 0.625], np.float32)
    one = two_classes(CARD, positive, suspicion, np.array(["b", "b", "a", "a"]))
    assert one.positive.tolist() == positive.tolist()
    assert one.suspicion.tolist() == suspicion.tolist()
    assert one.scores[:, 0].tolist() == (1 - suspicion).tolist()
    assert one.cells.labels == CARD.labels
    assert one.cells.groups.tolist() == ["b", "b", "a", "a"]
    assert one.cells.fields.tolist() == [1, 1, 0, 0]
    assert one.cells.as_found().truth.tolist() == [0, 1, 1, 0]
    assert len(one.lost) == 0
    assert measure(BY_KEY["sensitivity"], one).value == 0.5
    assert measure(BY_KEY["false_positive_rate"], one).value == 0.5
    assert measure(BY_KEY["auc"], one).value == 0.75


def test_two_nets_agree_on_a_cell_where_they_call_it_the_same_at_the_cards_threshold() -> None:
    card = replace(CARD, threshold=0.75)
    one = np.array([[0.5, 0.5], [0.125, 0.875], [0.125, 0.875]], np.float32)
    other = np.array([[0.375, 0.625], [0.375, 0.625], [0.25, 0.75]], np.float32)
    assert agreeing(one, other, card).tolist() == [True, False, True]


def test_known_negative_groups_with_equal_rates_are_in_the_order_of_their_names() -> None:
    groups = np.array(["c", "b", "a", "d"])
    p = np.array([0.0, 0.0, 0.0, 0.9], np.float32)
    one = CellScores(CARD, TWO, cells(np.zeros(4), groups), np.stack([1 - p, p], axis=1))
    assert [k.group for k in known_negatives(one)] == ["d", "a", "b", "c"]


def test_cells_of_a_class_that_is_not_positive_may_be_lost_from_a_known_negative_group() -> None:
    base = cells(np.zeros(2), np.array(["a", "b"]), lost=1)
    one = CellScores(CARD, TWO, replace(base, lost_truth=np.zeros(1, np.int32)), np.zeros((2, 2), np.float32))
    assert [k.group for k in known_negatives(one)] == ["a", "b"]


@pytest.mark.parametrize(
    ("matrix", "recalls", "precisions", "macro", "accuracy"),
    [
        pytest.param([[3, 1, 0], [0, 4, 0]], [0.75, 1.0], [1.0, 0.8], (6 / 7 + 8 / 9) / 2, 7 / 8, id="one mistake"),
        pytest.param([[3, 0, 1], [0, 4, 0]], [0.75, 1.0], [1.0, 1.0], (6 / 7 + 1) / 2, 7 / 8, id="one cell lost"),
        pytest.param([[3, 1, 0], [0, 0, 0]], [0.75, np.nan], [1.0, 0.0], 6 / 7, 3 / 4, id="a class without cells"),
        pytest.param([[0, 2, 0], [0, 2, 0]], [0.0, 1.0], [np.nan, 0.5], (0 + 2 / 3) / 2, 2 / 4, id="never called"),
    ],
)
def test_shares_of_a_confusion_matrix(
    matrix: list[list[int]], recalls: list[float], precisions: list[float], macro: float, accuracy: float
) -> None:
    table = np.array(matrix)
    assert confusion.recalls(table) == pytest.approx(recalls, nan_ok=True)
    assert confusion.precisions(table) == pytest.approx(precisions, nan_ok=True)
    assert confusion.macro_f1(table) == pytest.approx(macro)
    assert confusion.accuracies(table) == pytest.approx(accuracy)
    both = np.stack([table, table[::-1]])
    assert confusion.accuracies(both)[0] == pytest.approx(accuracy)
    assert confusion.recalls(both)[0] == pytest.approx(recalls, nan_ok=True)


def test_a_confusion_matrix_needs_the_nets_own_classes_and_has_intervals_over_several_groups_only() -> None:
    one = three([0, 1, 2, 0], [0, 1, 1, 0])
    with pytest.raises(ValueError, match=r"^the net's classes are not those of the cells$"):
        confusion.tables(replace(one, fit=replace(one.fit, label_of=None)))
    assert confusion.tables(one).shape == (2, 3, 4)
    whole = confusion.figures(one)
    assert whole["labels"] == ["a", "b", "c"]
    assert whole["macro_f1"]["n"] == 3
    assert (whole["recall"]["a"]["low"], whole["recall"]["a"]["n"]) == (1.0, 2)
    assert (whole["precision"]["b"]["value"], whole["precision"]["b"]["n"]) == (0.5, 2)
    alone = confusion.figures(
        replace(one, cells=replace(one.cells, groups=np.full(4, "s"), fields=np.zeros(4, np.int32)))
    )
    assert alone["accuracy"]["low"] is None
    assert alone["recall"]["a"]["low"] is None


@pytest.mark.parametrize(("groups", "interval"), [(1, False), (2, True)])
def test_two_groups_are_enough_for_an_interval(groups: int, *, interval: bool) -> None:
    one = scored(groups=groups, count=100)
    one = replace(one, cells=replace(one.cells, fields=np.zeros(100, np.int32)))
    assert (measure(BY_KEY["auc"], one).low is not None) == interval
    assert (measure(BY_KEY["accuracy"], one).low is not None) == interval
