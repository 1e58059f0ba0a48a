"""Which way is taken, which follow, and that no way is made in vain; the making is played, no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from convert.classify import candidate as making
from convert.classify import choice as choosing
from convert.classify.candidate import Candidate, QuantizePlan
from convert.classify.choice import WayChoice, WayOption
from convert.classify.passing import as_good
from convert.classify.ways import Way
from convert.errors import UnsupportedError
from convert.measure.operating import Operating
from convert.net.values import RANGES
from tests.convert.classify.test_accuracy_gate import CARD, cells, scores

CELLS = cells(600)
PLAN = QuantizePlan(CELLS, CELLS, RANGES["0..1"], CARD, 0.5, Operating(None, "one half"), scores=scores(CELLS))
COSTS = {"distill": 1, "rebuild": 5, "upscale": 20}


class Workshop:
    """Plays the making of ways: each is wrong on so many of the cells; -1: it cannot be made."""

    def __init__(
        self, patch: pytest.MonkeyPatch, wrong: dict[str, int], plan: QuantizePlan = PLAN, *, last: str = ""
    ) -> None:
        self.made: list[str] = []
        self.wrong, self.plan = wrong, plan
        patch.setattr(making, "make", self._make)
        patch.setattr(choosing, "macs", lambda file: COSTS[file.decode()])
        options = [WayOption(name, COSTS[name], self._way(name), last=name == last) for name in wrong]
        self.choice = WayChoice(options, plan, lambda *_: None)

    def _way(self, name: str) -> Callable[[], list[Way]]:
        return lambda: [Way(name, lambda _batch, _bytes: None, logits=False)]

    def _make(self, way: Way, _plan: QuantizePlan, _progress: object) -> Candidate:
        self.made.append(way.name)
        wrong = self.wrong[way.name]
        if wrong < 0:
            raise UnsupportedError("no such op")
        known = self.plan.scores is not None
        share = 1 - wrong / len(CELLS)
        lost = {"agreement": 0.0}
        said = scores(CELLS, wrong) if known else None
        return Candidate(
            way.name, "int8", b"", way.name.encode(), CARD, share if known else None, lost, 9, "0..1", scores=said
        )

    def order(self) -> list[str]:
        return [one.way for one in self.choice.in_order()]


@pytest.mark.parametrize(
    ("wrong", "first", "made"),
    [
        pytest.param(
            {"distill": 0, "rebuild": 0, "upscale": 0},
            "distill",
            ["distill"],
            id="the cheapest is as good: no other is made",
        ),
        pytest.param(
            {"distill": 6, "upscale": 0}, "upscale", ["distill", "upscale"], id="a student that loses a point"
        ),
        pytest.param(
            {"distill": 90, "rebuild": 1, "upscale": 0}, "rebuild", ["distill", "rebuild"], id="one cell is no reason"
        ),
        pytest.param({"distill": 90, "upscale": 12}, "upscale", ["distill", "upscale"], id="none is as good: the best"),
        pytest.param(
            {"distill": 12, "upscale": 12},
            "distill",
            ["distill", "upscale"],
            id="none is as good: the cheaper of equals",
        ),
        pytest.param({"distill": -1, "upscale": 0}, "upscale", ["distill", "upscale"], id="one that cannot be made"),
    ],
)
def test_the_cheapest_that_is_as_good_is_taken(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, int], first: str, made: list[str]
) -> None:
    workshop = Workshop(monkeypatch, wrong)
    assert next(workshop.choice.in_order()).way == first
    assert workshop.made == made


@pytest.mark.parametrize(
    ("wrong", "order"),
    [
        pytest.param(
            {"distill": 0, "rebuild": 90, "upscale": 0}, ["distill", "upscale"], id="those known to be bad are left out"
        ),
        pytest.param(
            {"distill": 5, "rebuild": 1, "upscale": 0}, ["rebuild", "upscale", "distill"], id="as good ones first"
        ),
        pytest.param({"upscale": 300}, ["upscale"], id="the only one, however bad"),
    ],
)
def test_the_order_of_falling_back(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, int], order: list[str]) -> None:
    assert Workshop(monkeypatch, wrong).order() == order


@pytest.mark.parametrize(
    ("wrong", "first", "made"),
    [
        pytest.param({"distill": 0, "upscale": 0}, "upscale", ["upscale"], id="another is as good"),
        pytest.param({"distill": 0, "upscale": 3}, "upscale", ["upscale"], id="of another nobody can tell"),
        pytest.param({"distill": 9, "upscale": 12}, "distill", ["upscale", "distill"], id="all others are worse"),
    ],
)
def test_what_few_cells_cannot_show_to_be_as_good_is_made_where_all_others_are_worse(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, int], first: str, made: list[str]
) -> None:
    workshop = Workshop(monkeypatch, wrong, last="distill")
    assert next(workshop.choice.in_order()).way == first
    assert workshop.made == made


def test_it_is_made_where_the_gate_refuses_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = Workshop(monkeypatch, {"distill": 0, "rebuild": 4, "upscale": 3}, last="distill")
    assert workshop.order() == ["rebuild", "upscale", "distill"]


def test_how_many_could_be_judged_is_known_before_any_is(monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = Workshop(monkeypatch, {"distill": 0, "rebuild": 0, "upscale": 0})
    next(workshop.choice.in_order())
    assert workshop.choice.possible == 3


def test_without_known_classes_the_way_that_keeps_the_function_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = replace(PLAN, scores=None)
    workshop = Workshop(monkeypatch, {"distill": 0, "rebuild": 0, "upscale": 0}, blind)
    assert next(workshop.choice.in_order()).way == "upscale"
    assert workshop.made == ["upscale"]


def test_where_none_can_be_made_all_reasons_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedError, match=r"distill failed: no such op; upscale failed"):
        Workshop(monkeypatch, {"distill": -1, "upscale": -1}).order()


@pytest.mark.parametrize(
    ("limit", "wrong", "first"),
    [(0.0, 1, "upscale"), (0.5, 1, "distill"), (5.0, 12, "distill"), (100.0, 12, "upscale")],
)
def test_the_limit_says_what_cheapness_may_cost(
    monkeypatch: pytest.MonkeyPatch, limit: float, wrong: int, first: str
) -> None:
    workshop = Workshop(monkeypatch, {"distill": wrong, "upscale": 0}, replace(PLAN, limit=limit))
    assert next(workshop.choice.in_order()).way == first


def test_a_way_that_ranks_cells_worse_is_not_as_good_though_it_counts_them_the_same() -> None:
    rng = np.random.default_rng(0)
    p = np.clip(0.8 * CELLS.truth + rng.uniform(0, 0.2, len(CELLS)), 0, 1)
    wrong = (np.arange(len(CELLS)) % 10 < 2) & (CELLS.truth == 1)
    first, second = np.where(wrong, 0.45, p), np.where(wrong, 0.0, p)
    pairs = [np.stack([1 - one, one], axis=1).astype(np.float32) for one in (first, second)]
    assert as_good(pairs[0], pairs[0], CELLS, CARD, 0.5)
    assert not as_good(pairs[0], pairs[1], CELLS, CARD, 0.5)
