"""Thresholds: by false positives, and never chosen on what they are reported on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.measure.matching import Match
from models.data.folds import CLASSIFIERS, FINDER
from models.judge import thresholds
from models.judge.finder_thresholds import at_false_positives, best
from models.judge.thresholds import choose_all
from tests.models.judge.world import HEALTHY, NOT_RED, World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(tmp_path, monkeypatch)


def chosen(world: World, name: str) -> list[float]:
    """The thresholds of the folds' classifiers, then of the shipped one, after choosing all."""
    choose_all(world.folds, world.shelf, lambda _: None)
    return [world.card(name, fold).threshold for fold in (*range(5), None)]


@pytest.mark.parametrize(("rate", "passing"), [(0.0, 0), (0.001, 1), (0.01, 10)])
def test_no_more_than_the_rate_of_healthy_cells_passes(rate: float, passing: int) -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(1100).astype(np.float32)
    infected = np.zeros(1100, bool)
    infected[:100] = True
    limit = at_false_positives(scores, infected, rate)
    assert int((scores[~infected] >= limit).sum()) == passing


def test_equal_scores_do_not_slip_through_together() -> None:
    scores = np.full(100, 0.7, np.float32)
    assert (scores >= at_false_positives(scores, np.zeros(100, bool), 0.01)).sum() == 0


@pytest.mark.parametrize(
    ("keen", "shy", "better"),
    [
        pytest.param(Match(95, 5, 5, 10, 0), Match(95, 3, 5, 10, 4), "keen", id="infected cells weigh more than F1"),
        pytest.param(Match(90, 10, 10, 10, 0), Match(95, 5, 5, 10, 0), "shy", id="F1 decides where both keep them"),
        pytest.param(Match(95, 3, 7), Match(95, 5, 5), "shy", id="a count bias weighs a little"),
        pytest.param(Match(95, 3, 5), Match(90, 10, 10), "keen", id="fields without infected cells are judged by F1"),
    ],
)
def test_the_best_pair_weighs_infected_cells_and_bias(keen: Match, shy: Match, better: str) -> None:
    pairs = {"keen": (0.3, 0.1), "shy": (0.5, 0.3)}
    assert best([{pairs["keen"]: [keen], pairs["shy"]: [shy]}]) == pairs[better]


def test_a_classifiers_threshold_is_chosen_on_the_other_folds_only(world: World) -> None:
    world.slides["s02"] = [0.7] * 6  # known to be negative, held out by fold 2, and scored high
    found = chosen(world.build(), CLASSIFIERS[0])
    assert found[2] == pytest.approx(HEALTHY, abs=0.01)
    for fold in (0, 1, 3, 4):
        assert found[fold] == pytest.approx(0.7, abs=0.01)
    assert found[5] == pytest.approx(0.7, abs=0.01)  # the shipped one: all folds


def test_slides_of_infected_patients_are_not_among_the_known_negatives(world: World) -> None:
    world.slides["s06"] = [0.95] * 6
    found = chosen(world.build(), CLASSIFIERS[0])
    assert found == pytest.approx([HEALTHY] * 6, abs=0.01)
    assert "24 cells of 4 NIH slides" in world.card(CLASSIFIERS[0], 0).threshold_origin
    assert "30 cells of 5 NIH slides" in world.card(CLASSIFIERS[0], None).threshold_origin


def test_a_slide_that_only_the_second_opinion_calls_infected_is_no_known_negative_either(world: World) -> None:
    world.slides["s03"] = [0.8] * 6
    world.second[("s03", 1)] = "parasitized"
    found = chosen(world.build(), CLASSIFIERS[0])
    assert found == pytest.approx([HEALTHY] * 6, abs=0.01)
    assert "18 cells of 3 NIH slides" in world.card(CLASSIFIERS[0], 0).threshold_origin


def test_a_finders_thresholds_are_chosen_on_the_other_folds_only(world: World) -> None:
    """In block 1 faint specks are annotated as cells, elsewhere they are not."""
    faint = (HEALTHY, 0.36, "red blood cell")
    for block in range(4):
        world.fields[block] += [faint] * 4 if block == 1 else [(HEALTHY, 0.36, None)] * 4
    choose_all(world.build().folds, world.shelf, lambda _: None)
    limits = [world.card(FINDER, fold).finder for fold in (*range(4), None)]
    cells = [spec.thresholds[0] for spec in limits if spec is not None]
    assert all(cell > 0.36 for cell in cells)
    world.fields = [
        [*row[:8], *([faint] * 4 if block != 1 else [(HEALTHY, 0.36, None)] * 4)]
        for block, row in enumerate(world.fields)
    ]
    choose_all(world.build().folds, world.shelf, lambda _: None)
    limits = [world.card(FINDER, fold).finder for fold in (*range(4), None)]
    assert all(spec is not None and spec.thresholds[0] < 0.36 and spec.thresholds[2:] == NOT_RED for spec in limits)
    assert "3 other folds" in world.card(FINDER, 1).threshold_origin


def test_a_folds_own_blocks_say_nothing_of_its_finders_thresholds(world: World) -> None:
    """Two folds want low thresholds and two want high ones: each gets what the three others want."""
    world.fields = [
        [*row, *([(HEALTHY, 0.36, "red blood cell" if block < 2 else None)] * 4)]
        for block, row in enumerate(world.fields)
    ]
    own = {block: list(row) for block, row in enumerate(world.fields)}
    choose_all(world.build().folds, world.shelf, lambda _: None)
    before = [world.card(FINDER, fold).finder for fold in range(4)]
    world.fields[0] = [(score, 0.36 if kind is None else confidence, None) for score, confidence, kind in own[0]]
    choose_all(world.build().folds, world.shelf, lambda _: None)
    after = [world.card(FINDER, fold).finder for fold in range(4)]
    assert after[0] == before[0]
    assert after[2] != before[2]


def test_the_shipped_card_gets_the_figures_of_the_folds_nets(world: World) -> None:
    choose_all(world.build().folds, world.shelf, lambda _: None)
    accuracy = world.card(CLASSIFIERS[0], None).accuracy
    assert accuracy == {f"trained without fold {fold}": {"of": CLASSIFIERS[0]} for fold in range(5)}


def test_the_shipped_budget_of_false_positives_is_below_one_in_a_hundred() -> None:
    assert 0 < thresholds.FALSE_POSITIVES <= 0.01
