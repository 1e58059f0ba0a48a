"""The operating threshold, what quantising lost, and how cells are divided: on made-up scores, without TensorFlow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import typer

from convert.classify.candidate import divide
from convert.classify.loss import losses
from convert.measure.cells import CellSet
from convert.measure.metrics import threshold_at
from convert.measure.operating import how
from convert.measure.rates import rate as parse_rate
from convert.measure.scoring import decide, figures, plain_card
from convert.net.compat import too_new

LABELS = ("clear", "dotted")
CARD = plain_card("net", LABELS, "rgb", logits=False, positive=("dotted",))


def cells(count: int, slides: int = 0, *, every: int = 2) -> CellSet:
    """``count`` cells, every second one positive; ``slides`` 0: not grouped."""
    names = np.array([f"{n}.png" for n in range(count)])
    groups = np.array([f"s{n // 2 % slides}" for n in range(count)]) if slides else names
    truth = (np.arange(count) % every == 1).astype(np.int32)
    return CellSet(np.zeros((count, 2, 2, 3), np.uint8), truth, LABELS, groups, tuple(names), slides > 0)


def scores(some: CellSet, apart: float = 2.0, seed: int = 0) -> np.ndarray:
    logit = np.random.default_rng(seed).normal(0, 1.5, len(some)) + np.where(some.truth == 1, apart, -apart)
    p = 1 / (1 + np.exp(-logit))
    return np.stack([1 - p, p], axis=1).astype(np.float32)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_no_more_negatives_reach_the_threshold_than_allowed(rate: float) -> None:
    some = cells(4000)
    given = scores(some)
    threshold = threshold_at(some.truth == 1, given[:, 1], rate)
    flagged = decide(given, LABELS, ("dotted",), threshold)[some.truth == 0]
    assert flagged.mean() <= rate
    lower = decide(given, LABELS, ("dotted",), threshold - 0.05)[some.truth == 0]
    assert lower.mean() > rate


def test_the_threshold_lies_between_the_scores_it_parts() -> None:
    given = np.array([0.1, 0.2, 0.3, 0.7, 0.9])
    infected = np.array([False, False, False, True, True])
    assert threshold_at(infected, given, 0.01) == pytest.approx(0.5)


def test_where_negatives_share_the_topmost_score_the_threshold_is_one() -> None:
    assert threshold_at(np.array([False, False, True]), np.array([1.0, 1.0, 1.0]), 0.01) == 1.0


def test_it_is_chosen_on_negatives_where_there_are_enough_of_them_and_the_card_says_so() -> None:
    some = cells(2000, slides=10)
    rule = how(None, some, CARD, known=True)
    assert rule.rate == 0.01
    assert rule.origin.startswith("1.000% false positives on 1000 negative cells of 10 slides")
    assert rule.threshold(scores(some), some, CARD) != 0.5


@pytest.mark.parametrize(
    ("count", "asked", "positive", "said"),
    [
        (300, None, ("dotted",), "150 negative cells"),
        (3000, 0.001, ("dotted",), "2000 are needed for 0.100%"),
        (3000, 0.01, (), "classes that are positive"),
        (3000, 0.0, ("dotted",), ""),
        (3000, None, (), ""),
    ],
)
def test_otherwise_it_is_one_half_and_that_is_said(
    count: int, asked: float | None, positive: tuple[str, ...], said: str
) -> None:
    card = plain_card("net", LABELS, "rgb", logits=False, positive=positive)
    rule = how(asked, cells(count), card, known=True)
    assert rule.threshold(scores(cells(count)), cells(count), card) == 0.5
    assert rule.origin.startswith("one half")
    assert said in rule.note
    assert bool(said) == bool(rule.note)


def test_figures_are_those_at_the_threshold() -> None:
    some = cells(2000)
    given = scores(some, 1.0)
    at_half, high = (figures(given, some, ("dotted",), threshold) for threshold in (0.5, 0.95))
    assert high["false_positive_rate"] < at_half["false_positive_rate"]
    assert high["sensitivity"] < at_half["sensitivity"]
    assert high["recall"]["dotted"] == high["sensitivity"]
    assert high["auc"] == at_half["auc"]
    low, top = high["sensitivity_at_1_percent_fp_interval"]
    assert low <= high["sensitivity_at_1_percent_fp"] <= top


def test_the_same_scores_lose_nothing() -> None:
    some = cells(3000)
    given = scores(some)
    assert max(losses((given, 0.6), (given, 0.6), some, CARD, 0.5).values()) == 0


def test_one_cell_that_differs_is_no_reason_to_do_anything() -> None:
    some = cells(60)
    given = scores(some, 6.0)
    other = given.copy()
    other[0] = other[0, ::-1]
    lost = losses((given, 0.5), (other, 0.5), some, CARD, 0.5)
    assert lost["agreement"] == lost["accuracy"] == 0


def test_a_topmost_score_that_many_cells_share_is_a_loss_of_sensitivity() -> None:
    some = cells(4000)
    given = scores(some)
    top = np.minimum(given[:, 1], np.quantile(given[some.truth == 0, 1], 0.995)).astype(np.float32)
    lost = losses((given, 0.5), (np.stack([1 - top, top], axis=1), 0.5), some, CARD, 0.5)
    assert lost["agreement"] == 0
    assert lost["sensitivity at 0.1 % FP"] > 1
    few = cells(1000)  # not enough negatives to say anything of one in a thousand
    assert "sensitivity at 0.1 % FP" not in losses((scores(few), 0.5), (scores(few), 0.5), few, CARD, 0.5)


def test_differences_that_may_be_chance_do_not_count() -> None:
    some = cells(500)
    given = scores(some, 1.0)
    noisy = np.clip(given + np.random.default_rng(5).normal(0, 0.002, (500, 1)), 0, 1).astype(np.float32)
    lost = losses((given, 0.5), (noisy, 0.5), some, CARD, 0.5)
    assert lost["AUC"] <= 0
    assert lost["sensitivity at 1 % FP"] <= 0


def test_recipes_are_chosen_on_slides_that_do_not_calibrate() -> None:
    calibration, choose = divide(cells(3000, slides=12), 0)
    assert not set(calibration.groups) & set(choose.groups)
    assert len(calibration) + len(choose) == 3000
    assert 600 <= len(choose) <= 1000


@pytest.mark.parametrize("some", [cells(200), cells(3000, slides=4)])
def test_few_cells_or_slides_are_not_divided(some: CellSet) -> None:
    assert divide(some, 0) == (some, some)


@pytest.mark.parametrize(("text", "rate"), [("1%", 0.01), ("0.1%", 0.001), ("0.005", 0.005), ("0", 0.0), (None, None)])
def test_a_rate_is_read_as_a_share_or_in_percent(text: str | None, rate: float | None) -> None:
    assert parse_rate(text) == (None if rate is None else pytest.approx(rate))


@pytest.mark.parametrize("text", ["", "one", "60%", "-1%", "nan"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="is no rate"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("version", "new"),
    [("2.14.0", False), ("1.5.0", False), (None, False), ("2.15.0", True), ("3.0", True), ("x", True)],
)
def test_a_file_that_the_oldest_runtime_cannot_run_is_known_by_its_version(version: str | None, new: bool) -> None:
    assert too_new(version) is new


def negatives(count: int, positives: int = 10, *, slides: int = 0) -> CellSet:
    """Cells of no positive class, of so many slides (0: not known), and some positive ones of another slide."""
    some = cells(count + positives)
    truth = (np.arange(count + positives) >= count).astype(np.int32)
    groups = np.array([f"s{i % max(slides, 1)}" if i < count else "ill" for i in range(count + positives)])
    return replace(some, truth=truth, groups=groups, grouped=slides > 0)


CHOSEN = " negative cells{}, not those it is judged on"


@pytest.mark.parametrize(
    ("asked", "some", "rate", "origin"),
    [
        pytest.param(None, negatives(200), 0.01, "1.000% false positives on 200" + CHOSEN, id="just enough"),
        pytest.param(None, negatives(199), None, "one half, not chosen on negative cells", id="one too few"),
        pytest.param(0.05, negatives(200), 0.05, "5.000% false positives on 200" + CHOSEN, id="never fewer than 200"),
        pytest.param(0.001, negatives(2000), 0.001, "0.100% false positives on 2000" + CHOSEN, id="two must pass"),
        pytest.param(0.001, negatives(1999), None, "one half, not chosen on negative cells", id="only one would"),
        pytest.param(None, negatives(300, 0), None, "one half, not chosen on negative cells", id="no positive cell"),
        pytest.param(0.0, negatives(300), None, "one half, as asked", id="one half is asked for"),
        pytest.param(
            None, negatives(300, slides=1), 0.01, "1.000% false positives on 300" + CHOSEN + "|of 1 slide", id="one slide"
        ),
        pytest.param(
            None, negatives(300, slides=3), 0.01, "1.000% false positives on 300" + CHOSEN + "|of 3 slides",
            id="slides of positive cells are not counted",
        ),
    ],
)  # fmt: skip
def test_the_threshold_is_chosen_where_two_negatives_at_least_may_pass(
    asked: float | None, some: CellSet, rate: float | None, origin: str
) -> None:
    rule = how(asked, some, CARD, known=True)
    text, _, slides = origin.partition("|")
    assert rule.rate == rate
    assert rule.origin == text.format(f" {slides}" if slides else "")
    assert bool(rule.note) == (rate is None and asked != 0)


@pytest.mark.parametrize(
    ("asked", "positive", "known", "note"),
    [
        pytest.param(None, ("dotted",), False, "", id="classes are not known, and nothing was asked"),
        pytest.param(
            0.02, ("dotted",), False, "--false-positives: needs cells, and classes that are positive", id="but asked"
        ),
        pytest.param(
            0.02, LABELS, True, "--false-positives: needs cells, and classes that are positive", id="all are positive"
        ),
    ],
)
def test_without_known_negatives_nothing_is_chosen(
    asked: float | None, positive: tuple[str, ...], note: str, *, known: bool
) -> None:
    rule = how(asked, negatives(300), replace(CARD, positive=positive), known=known)
    assert (rule.rate, rule.note) == (None, note)
    assert rule.threshold(scores(cells(300)), cells(300), CARD) == 0.5


def test_too_few_negatives_are_told_with_what_is_needed() -> None:
    assert how(None, negatives(150), CARD, known=True).note == (
        "the threshold is one half: 150 negative cells are left to choose it on, 200 are needed for 1.000% false positives"
    )


def test_the_threshold_is_that_of_all_positive_classes_together() -> None:
    card = replace(CARD, labels=("clear", "a", "b"), positive=("a", "b"))
    some = replace(negatives(300), labels=card.labels)
    p = np.where(some.truth == 1, 0.45, 0.1 + np.arange(310) / 10_000)
    given = np.stack([1 - 2 * p, p, p], axis=1).astype(np.float32)
    limit = 2 * (0.1 + 296 / 10_000)
    assert how(0.01, some, card, known=True).threshold(given, some, card) == pytest.approx(limit, abs=2e-4)


@pytest.mark.parametrize(
    ("text", "fits"), [("49.9%", True), ("50%", False), ("0.5", False), ("0%", True), ("-0.1", False)]
)
def test_a_rate_is_below_one_half(text: str, *, fits: bool) -> None:
    if fits:
        assert parse_rate(text) == pytest.approx(float(text[:-1]) / 100)
    else:
        with pytest.raises(
            typer.BadParameter, match=f"--false-positives '{text}' is no rate: give 1% or 0.01, below one half"
        ):
            parse_rate(text)
