"""The gate: what is refused, what is let through with a warning, and how ways follow one another; no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from convert.classify.accuracy_gate import GateVerdict, chance_test, judge_in_order, verdict
from convert.classify.candidate import Candidate
from convert.measure.cells import CellSet
from convert.measure.paired import paired_loss
from convert.measure.scoring import plain_card
from edge.types import FloatArray

LABELS = ("clear", "dotted")
CARD = plain_card("net", LABELS, "rgb", logits=False, positive=("dotted",))


def cells(count: int) -> CellSet:
    names = tuple(f"{n}.png" for n in range(count))
    truth = (np.arange(count) % 2).astype(np.int32)
    return CellSet(np.zeros((count, 1, 1, 3), np.uint8), truth, LABELS, np.array(names), names, grouped=False)


def scores(of: CellSet, wrong: int = 0) -> FloatArray:
    """Of a net that is sure, and wrong on the first cells."""
    p = of.truth.astype(np.float32)
    p[:wrong] = 1 - p[:wrong]
    return np.stack([1 - p, p], axis=1)


def candidate(way: str) -> Candidate:
    return Candidate(way, "int8", b"", b"", CARD, None, {"agreement": 0.0}, 0, "0..1")


@pytest.mark.parametrize(
    ("count", "lost", "limit", "said"),
    [
        pytest.param(300, 2, 0.5, GateVerdict.MAYBE, id="two cells of 300 are chance"),
        pytest.param(300, 3, 0.5, GateVerdict.MAYBE, id="three too"),
        pytest.param(300, 12, 0.5, GateVerdict.REFUSED, id="twelve are not"),
        pytest.param(300, 0, 0.5, GateVerdict.MAYBE, id="300 cells cannot exclude half a point"),
        pytest.param(900, 0, 0.5, GateVerdict.PASSED, id="900 can"),
        pytest.param(300, 12, 10.0, GateVerdict.PASSED, id="a larger limit"),
        pytest.param(300, 0, 0.0, GateVerdict.PASSED, id="strict, and nothing lost"),
        pytest.param(300, 3, 0.0, GateVerdict.MAYBE, id="strict, a loss by chance"),
        pytest.param(300, 6, 0.0, GateVerdict.REFUSED, id="strict, a loss that is more than chance"),
        pytest.param(300, 300, 100.0, GateVerdict.PASSED, id="no gate"),
    ],
)
def test_a_file_is_refused_where_the_loss_is_over_the_limit_for_sure(
    count: int, lost: int, limit: float, said: GateVerdict
) -> None:
    all_right, some = np.ones(count, bool), np.arange(count) >= lost
    assert verdict(paired_loss(all_right, some, cells(count)), limit) == said


@pytest.mark.parametrize(
    ("wrong", "judged", "said"),
    [
        pytest.param({"first": 1, "second": 0, "third": 0}, ["first"], GateVerdict.MAYBE, id="the first one passes"),
        pytest.param(
            {"first": 40, "second": 1, "third": 0}, ["first", "second"], GateVerdict.MAYBE, id="falls back to the next"
        ),
        pytest.param(
            {"first": 40, "second": 41, "third": 42},
            ["first", "second", "third"],
            GateVerdict.REFUSED,
            id="all refused",
        ),
    ],
)
def test_ways_are_judged_in_order_and_made_when_they_are_needed(
    wrong: dict[str, int], judged: list[str], said: GateVerdict
) -> None:
    some, made = cells(400), []

    def order() -> Iterator[Candidate]:
        for way in wrong:
            made.append(way)
            yield candidate(way)

    found = judge_in_order(
        order(), lambda one: scores(some, wrong[one.way]), some, np.ones(400, bool), limit=0.5, looks=3
    )
    assert [one.candidate.way for one in found] == made == judged
    assert found[-1].verdict == said
    assert all(one.loss is not None and one.loss.level == pytest.approx(1 - 0.05 / 3) for one in found)


def test_no_more_ways_are_judged_than_the_level_was_divided_among() -> None:
    some = cells(400)
    ways = (candidate(name) for name in "abcd")
    found = judge_in_order(ways, lambda _: scores(some, 40), some, np.ones(400, bool), limit=0.5, looks=2)
    assert len(found) == 2


def test_without_known_classes_nothing_is_refused() -> None:
    some = cells(20)
    (found,) = judge_in_order([candidate("native")], lambda _: scores(some), some, None, limit=0.5, looks=1)
    assert (found.loss, found.verdict, found.cells_to_settle) == (None, GateVerdict.PASSED, None)


@pytest.mark.parametrize(
    ("p", "failed"),
    [
        pytest.param(lambda truth, rng: np.where(truth == 1, 0.8, 0.2), False, id="a net that tells them apart"),
        pytest.param(lambda truth, rng: rng.random(len(truth)), True, id="guessing"),
        pytest.param(lambda truth, rng: np.full(len(truth), 0.9), True, id="always the same answer"),
        pytest.param(
            lambda truth, rng: np.where(truth == 1, 0.3, 0.1), False, id="in the right order, all below one half"
        ),
        pytest.param(lambda truth, rng: np.where(truth == 1, 0.2, 0.8), True, id="the classes the wrong way round"),
        pytest.param(
            lambda truth, rng: np.clip(rng.normal(0.45 + 0.1 * truth, 0.2), 0, 1), False, id="weak, but no chance"
        ),
    ],
)
def test_a_net_is_at_chance_where_neither_accuracy_nor_auc_is_above_it_for_sure(p: object, *, failed: bool) -> None:
    some = cells(400)
    given = np.asarray(p(some.truth, np.random.default_rng(0)), np.float32)  # type: ignore[operator]
    test = chance_test(np.stack([1 - given, given], axis=1), some, CARD)
    assert test.failed == failed
    assert test.chance == 0.5
    assert "guessing gives 50.0%" in str(test)


def test_a_net_that_always_says_the_frequent_class_is_at_chance_though_most_cells_are_counted_right() -> None:
    some = cells(400)
    rare = some.take(np.flatnonzero((some.truth == 0) | (np.arange(400) < 40)))
    same = np.tile(np.array([0.9, 0.1], np.float32), (len(rare), 1))
    test = chance_test(same, rare, CARD)
    assert test.failed
    assert test.accuracy == 0.5
