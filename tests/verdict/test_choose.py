"""Choosing the operating threshold, and asking blanks whether they are what they are said to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge.verdict.calibration import Blank, Calibration, KnownSlide
from edge.verdict.choose import _CANDIDATES as TRUE_CANDIDATES
from edge.verdict.choose import (
    SlideScores,
    blanks_at,
    choose_threshold,
    flagged_by_others,
    limits_of,
    outliers,
    positives,
    with_more_blanks,
    worst,
)  # fmt: skip
from edge.verdict.limits import limit_of_blank, limit_of_detection
from edge.verdict.rates import fit
from tests.verdict.made import BOUND, calibration

stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")

LABEL = "parasitized"
SCORES = np.array(
    [[0.4, 0.35, 0.25], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.5, 0.1, 0.4], [0.1, 0.8, 0.1], [0.0, 0.45, 0.45]],
    np.float32,
)


@pytest.mark.parametrize(
    ("name", "positive", "threshold", "counts"),
    [
        ("the sum of the positive classes reaches it, the larger one counts", [1, 2], 0.5, [3, 2]),
        ("a higher one", [1, 2], 0.7, [2, 1]),
        ("none reaches it", [1, 2], 0.95, [0, 0]),
        ("one positive class", [2], 0.5, [1]),
        ("in the order asked for", [2, 1], 0.5, [3, 2]),  # of equal scores the first counts
        ("all are positive", [0, 1, 2], 0.5, [3, 2, 1]),
    ],
)
def test_a_cell_counts_as_its_likeliest_positive_class(
    name: str, positive: list[int], threshold: float, counts: list[int]
) -> None:
    got = positives(SCORES, positive, threshold)
    assert got.tolist() == counts, name
    assert got.dtype == np.int64


def test_blanks_carry_their_counts_their_fields_and_their_looks() -> None:
    slides = [SlideScores("a", 3, SCORES, {"size": 80.0}), SlideScores("b", 4, SCORES[:2])]
    got = blanks_at(slides, ("red", "ring", "tropho"), ("tropho", "ring"), 0.5)
    assert got == (
        Blank("a", 6, 3, {"tropho": 3, "ring": 2}, {"size": 80.0}),
        Blank("b", 2, 4, {"tropho": 0, "ring": 1}),
    )


def of_two(first: list[int], second: list[int], cells: int = 20_000, *, infected: bool = True) -> Calibration:
    blanks = tuple(
        Blank(f"b{i}", cells, 9, {"p": a, "q": b}) for i, (a, b) in enumerate(zip(first, second, strict=True))
    )
    known = (KnownSlide("k", {"p": 90, "q": 60}, {"p": 100, "q": 100}),) if infected else ()
    return Calibration(BOUND, ("p", "q"), 0.5, "test", blanks, known)


FEW, MANY = [2, 0, 1, 3, 1], [50, 60, 40, 55, 52]


def test_the_limits_of_one_of_two_classes_share_the_error_with_the_other() -> None:
    made = of_two(FEW, MANY)
    for label, events in (("p", FEW), ("q", MANY)):
        got = limits_of(made, label, 5000)
        false = fit(events, [20_000] * 5)
        assert (got.false.pooled, got.false.spread) == (false.pooled, false.spread)
        assert got.found == made.found(label).mean
        assert got.blank == limit_of_blank(false.next, 5000, 0.975)
        assert got.detection == limit_of_detection(made.errors(label), 5000, got.blank)
    assert limits_of(of_two(FEW, MANY, infected=False), "p", 5000).detection is None
    assert limits_of(calibration(), LABEL, 200_000).blank == limit_of_blank(
        calibration().errors(LABEL).false, 200_000, 0.95
    )


def test_a_calibration_is_as_good_as_the_worst_of_its_classes() -> None:
    made = of_two(FEW, MANY)
    assert worst(made, 5000) == limits_of(made, "q", 5000).detection
    assert worst(of_two(MANY, FEW), 5000) == max(
        limits_of(of_two(MANY, FEW), label, 5000).detection or 9 for label in "pq"
    )
    assert worst(made, 0) is None
    half = replace(made, known=(KnownSlide("k", {"p": 90}, {"p": 100}),))
    assert worst(half, 5000) is None  # nobody knows how many of q are found


def ladder(
    counts: dict[float, tuple[int, int]], cells: int = 20_000
) -> tuple[Callable[[float], tuple[Blank, ...]], Callable[[float], tuple[KnownSlide, ...]]]:
    """False positives on each of six blanks, and infected cells found of 100, from each threshold on."""

    def step(threshold: float) -> tuple[int, int]:
        return counts[max(t for t in counts if t <= threshold)]

    return (
        lambda t: tuple(Blank(f"b{i}", cells, 9, {LABEL: step(t)[0]}) for i in range(6)),
        lambda t: (KnownSlide("k", {LABEL: step(t)[1]}, {LABEL: 100}),),
    )


CARD = calibration()  # its threshold is 0.5
CANDIDATES = [0.5, 0.75, 0.9, 0.99]


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.verdict.choose._CANDIDATES", np.array(CANDIDATES))


def test_thresholds_to_choose_from_are_even_in_their_logit_up_to_one_in_ten_thousand() -> None:
    assert TRUE_CANDIDATES[0] == 0.5
    assert np.diff(np.log(TRUE_CANDIDATES / (1 - TRUE_CANDIDATES))) == pytest.approx(
        np.full(len(TRUE_CANDIDATES) - 1, 0.4)
    )
    assert 0.9998 < TRUE_CANDIDATES[-1] < 1


def test_the_threshold_with_the_lowest_limit_of_detection_is_chosen() -> None:
    blanks, known = ladder({0.0: (400, 100), 0.9: (10, 95), 0.99: (9, 40)})
    chosen = choose_threshold(CARD, blanks, known, 5000, None)
    assert chosen.threshold == min(t for t in CANDIDATES if t >= 0.9)
    assert chosen.threshold_origin == "lowest limit of detection at 5,000 cells"
    assert (chosen.blanks, chosen.known) == (blanks(chosen.threshold), known(chosen.threshold))
    assert chosen.bound == CARD.bound
    tiles = choose_threshold(replace(CARD, unit="tile"), blanks, known, 5000, None)
    assert tiles.threshold_origin == "lowest limit of detection at 5,000 tiles"


def test_the_cards_own_threshold_is_among_those_tried() -> None:
    blanks, known = ladder({0.0: (400, 100), 0.92: (1, 95), 0.94: (400, 50)})
    assert choose_threshold(replace(CARD, threshold=0.93), blanks, known, 5000, None).threshold == 0.93


def test_of_equally_good_thresholds_the_lowest_is_chosen() -> None:
    blanks, known = ladder({0.0: (400, 100), 0.9: (3, 95)})
    assert choose_threshold(CARD, blanks, known, 5000, None).threshold == min(t for t in CANDIDATES if t >= 0.9)


def test_thresholds_at_which_nobody_knows_what_is_found_are_passed_over() -> None:
    blanks, known = ladder({0.0: (400, 100), 0.9: (3, 95)})
    chosen = choose_threshold(CARD, blanks, lambda t: known(t) if t < 0.8 else None, 5000, None)
    assert chosen.threshold < 0.8
    assert "lowest limit of detection" in chosen.threshold_origin


@pytest.mark.parametrize("start", [0.5, 0.77])
def test_the_cards_threshold_stays_where_there_is_nothing_to_choose_by(start: float) -> None:
    blanks, known = ladder({0.0: (400, 100), 0.9: (3, 95)})
    card = replace(CARD, threshold=start)
    for known_at in (lambda _: None, lambda t: known(t) if t == start else None, lambda _: ()):
        got = choose_threshold(card, blanks, known_at, 5000, None)
        assert got.threshold == start
        assert got.threshold_origin == "the card's: there is nothing to choose by"
        assert got.blanks == blanks(start)
    only = choose_threshold(card, blanks, lambda t: known(t) if t == start else None, 5000, None)
    assert only.known == known(start)


@pytest.mark.parametrize(
    ("name", "budget", "lowest"),
    [
        ("a wide one is met by the lowest threshold", 1.0, 0.5),
        ("met from 0.9 on", 1e-3, 0.9),
        ("met exactly", (6 * 10 + 0.5) / (6 * 20_000 + 1), 0.9),
        ("hardly not met", (6 * 10 + 0.5) / (6 * 20_000 + 1) * 0.999, 0.99),
    ],
)
def test_within_a_budget_of_false_positives_the_lowest_threshold_is_chosen(
    name: str, budget: float, lowest: float
) -> None:
    blanks, known = ladder({0.0: (400, 100), 0.9: (10, 95), 0.99: (1, 40)})
    for known_at in (known, lambda _: None):  # what is found is not asked for
        got = choose_threshold(CARD, blanks, known_at, 5000, budget)
        assert got.threshold == min(t for t in CANDIDATES if t >= lowest), name
        assert got.threshold_origin == f"the lowest within {budget * 1e6:,.3g} false positives per million cells"
        assert got.known == (known_at(got.threshold) or ())


def test_a_budget_is_of_all_positive_classes_together() -> None:
    start = of_two(FEW, FEW)
    half = lambda t: of_two([5 if t >= 0.9 else 10] * 6, [5 if t >= 0.9 else 10] * 6).blanks  # noqa: E731
    one_class = (60 + 0.5) / 120_001
    assert choose_threshold(start, half, lambda _: None, 5000, one_class * 1.01).threshold >= 0.9
    assert choose_threshold(start, half, lambda _: None, 5000, one_class * 2.01).threshold == 0.5


@pytest.mark.parametrize("start", [0.5, 0.99999])
def test_a_budget_that_is_met_nowhere_leaves_the_highest_threshold_and_says_so(start: float) -> None:
    blanks, known = ladder({0.0: (400, 100)})
    got = choose_threshold(replace(CARD, threshold=start), blanks, known, 5000, 1e-6)
    assert got.threshold == max(start, 0.99)
    assert got.threshold_origin == "the highest: the budget of false positives is not met at any"
    assert (got.blanks, got.known) == (blanks(1.0), known(1.0))
    assert choose_threshold(CARD, blanks, lambda _: None, 5000, 1e-6).known == ()


def chance_of_so_many(count: int, cells: int, others: list[int], their_cells: list[int]) -> float:
    rate = fit(others, their_cells, (0.0, 1.0)).next
    return float(rate.weights @ stats.binom.sf(count - 1, cells, rate.values))


@pytest.mark.parametrize(
    ("name", "counts", "cells", "accused"),
    [
        ("one slide of an infected patient among the blanks", [2, 0, 1, 3, 1, 150, 0, 1], 20_000, ["blank-5"]),
        ("a few positives where all others have none", [0, 0, 0, 0, 0, 0, 5], 1500, ["blank-6"]),
        ("two of an infected patient among many", [1] * 20 + [300, 400], 20_000, ["blank-20", "blank-21"]),
        ("blanks like each other", [2, 0, 1, 3, 1, 4, 0, 1], 20_000, []),
        ("two slides would accuse each other", [0, 5000], 20_000, []),
        ("three can tell", [0, 0, 50], 20_000, ["blank-2"]),
        ("no positives at all", [0, 0, 0, 0], 20_000, []),
        ("a blank with fewer than the others", [50, 52, 0, 49, 51], 20_000, []),
    ],
)
def test_a_blank_that_the_others_do_not_explain_is_named(
    name: str, counts: list[int], cells: int, accused: list[str]
) -> None:
    found = outliers(calibration(counts, cells))
    assert [outlier.name for outlier in found] == accused, name
    for outlier in found:
        place = int(outlier.name.removeprefix("blank-"))
        others = counts[:place] + counts[place + 1 :]
        assert (outlier.label, outlier.count, outlier.cells) == (LABEL, counts[place], cells)
        assert outlier.chance == pytest.approx(
            chance_of_so_many(counts[place], cells, others, [cells] * len(others)), abs=1e-3
        )
        assert outlier.usual == limit_of_blank(fit(others, [cells] * len(others), (0.0, 1.0)).next, cells)
        assert outlier.usual < outlier.count


def test_a_blank_is_accused_where_its_chance_is_below_1_per_cent_shared_by_all() -> None:
    told = []
    for count in (4, 9, 14, 24):
        counts = [1, 0, 2, 1, count]
        chance = chance_of_so_many(count, 20_000, counts[:-1], [20_000] * 4)
        if abs(chance * 5 / 0.01 - 1) > 0.1:  # far enough from the edge for the table of the tail
            told.append(chance < 0.01 / 5)
            assert bool(outliers(calibration(counts))) == told[-1], count
    assert set(told) == {True, False}


def test_slides_without_cells_accuse_nobody() -> None:
    made = calibration([5, 0, 0])
    empty = tuple(replace(blank, cells=0, positives={LABEL: 0}) for blank in made.blanks[1:])
    assert outliers(replace(made, blanks=(made.blanks[0], *empty))) == []
    assert flagged_by_others(replace(made, blanks=(made.blanks[0], *empty))) == 0


def test_each_class_is_asked_and_a_blank_may_be_named_for_each() -> None:
    assert [(o.name, o.label) for o in outliers(of_two([*FEW[:4], 200], [*FEW[:4], 300]))] == [("b4", "p"), ("b4", "q")]


@pytest.mark.parametrize(
    ("name", "made", "wrong"),
    [
        ("alike", calibration(FEW), 0),
        ("one far off", calibration([1, 0, 2, 1, 90]), 1),
        ("a blank far off in one of two classes counts once", of_two([*FEW[:4], 90], FEW), 1),
        ("and in both classes once too", of_two([*FEW[:4], 90], [*FEW[:4], 90]), 1),
        ("two blanks, each in another class", of_two([90, 0, 1, 3, 1], [2, 0, 1, 3, 90]), 2),
        ("one blank has no others", calibration([5]), 0),
    ],
)
def test_blanks_that_a_calibration_on_the_others_would_flag(name: str, made: Calibration, wrong: int) -> None:
    assert flagged_by_others(made) == wrong, name


def test_a_blank_is_flagged_by_the_others_from_one_above_their_limit_on_at_the_shared_level() -> None:
    limit = limit_of_blank(fit(FEW[:4], [20_000] * 4).next, 20_000, 0.95)
    assert flagged_by_others(calibration([*FEW[:4], limit])) == 0
    assert flagged_by_others(calibration([*FEW[:4], limit + 1])) == 1
    shared = limit_of_blank(fit(FEW[:4], [20_000] * 4).next, 20_000, 0.975)
    assert shared > limit
    assert flagged_by_others(of_two([*FEW[:4], shared], FEW)) == 0


def test_more_blanks_like_these_are_the_same_ones_again() -> None:
    made = calibration()
    assert with_more_blanks(made, 3).blanks == made.blanks * 3
    assert replace(with_more_blanks(made, 3), blanks=made.blanks) == made
