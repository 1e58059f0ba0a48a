"""The figures of a microscope, on hand-made fields and cells."""

from __future__ import annotations

import numpy as np
import pytest

from convert.measure.matching import Match
from models.judge.device_fields import JudgedField, JudgedFields
from models.judge.microscope_figures import CalledCells, figures_of_cells, figures_of_fields, triage
from tests.models.judge.world import classifier_card

CARD = classifier_card("net")

TRIAGE = {
    "all below the infected": ([0.9, 0.8], [0.1, 0.7], 0.995, 1.0),
    "half below the lowest infected": ([0.9, 0.3], [0.1, 0.7], 0.995, 0.5),
    "equal to the lowest infected": ([0.9, 0.3], [0.3, 0.1], 0.995, 0.5),
    "one of two infected may be lost": ([0.9, 0.3], [0.1, 0.7], 0.5, 1.0),
    "an infected cell was lost by the finder": ([0.9, -1.0], [0.1, 0.7], 0.995, 0.0),
}


@pytest.mark.parametrize("name", TRIAGE)
def test_a_triage_discards_what_lies_below_the_infected_cells_it_keeps(name: str) -> None:
    sick, others, kept, wanted = TRIAGE[name]
    infected = np.array([True] * len(sick) + [False] * len(others))
    assert triage(infected, np.array([*sick, *others]), kept) == wanted


def some(match: Match, scores: list[float], infected: list[bool], white: tuple[int, int] = (0, 0)) -> JudgedField:
    values = np.array(scores, np.float32)
    return JudgedField(match, values, np.array(infected, bool), values >= 0.5, white)


def fields(*each: JudgedField) -> JudgedFields:
    return JudgedFields(CARD, each, np.array([f"field {i}" for i in range(len(each))]))


def test_the_finders_figures_are_those_of_all_fields_together() -> None:
    one = some(Match(8, 2, 0, 2, 0), [0.9, 0.1], [True, False], (3, 1))
    other = some(Match(1, 0, 9, 2, 1), [0.9, 0.1], [True, False], (1, 0))
    found = figures_of_fields(fields(one, other))
    assert found["red_f1"].value == pytest.approx(2 * 9 / (11 + 18))
    assert found["red_precision"].value == pytest.approx(9 / 11)
    assert found["red_recall"].value == pytest.approx(0.5)
    assert (found["infected_kept"].value, found["infected_kept"].n) == (0.75, 4)
    assert (found["white_counted"].value, found["white_counted"].n) == (0.25, 4)
    assert "platelets_counted" not in found
    low, high = found["infected_kept"].low, found["infected_kept"].high
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(1.0)


def test_what_the_finder_lost_counts_as_missed_end_to_end_and_not_among_the_cells_found() -> None:
    sick = some(Match(2, 0, 2, 4, 2), [0.9, 0.8], [True, True])
    others = [some(Match(2, 0, 0), [0.1, 0.2], [False, False]) for _ in range(3)]
    found = figures_of_fields(fields(sick, *others))
    assert (found["at_1"].value, found["found_at_1"].value) == (1.0, 0.5)
    assert (found["found"].value, found["found"].n) == (0.5, 4)
    assert (found["triage_kept"].value, found["triage"].value) == (1.0, 0.0)
    assert found["auc"].value == 1.0
    assert "at_01" not in found  # six others say nothing of one in a thousand
    assert found["called"].value == 0


def test_a_finder_that_loses_nothing_has_the_figures_of_whole_fields_too() -> None:
    sick = some(Match(1, 0, 0, 1, 0), [0.9], [True])
    found = figures_of_fields(fields(sick, some(Match(1, 0, 0), [0.6], [False])))
    assert found["found_at_1"].value == found["triage"].value == 1.0
    assert (found["called"].value, found["called"].n) == (1.0, 1)


def test_without_parasites_only_false_positives_are_left() -> None:
    found = figures_of_fields(fields(some(Match(2, 0, 0), [0.6, 0.1], [False, False])))
    assert found["called"].value == 0.5
    assert not {"auc", "found", "found_at_1", "infected_kept", "triage", "accuracy"} & set(found)


def test_where_nothing_is_called_infected_the_interval_is_exact() -> None:
    each = [some(Match(50, 0, 0), [0.1] * 50, [False] * 50) for _ in range(10)]
    called = figures_of_fields(fields(*each))["called"]
    assert (called.value, called.low, called.n) == (0.0, 0.0, 500)
    assert called.high == pytest.approx(1 - 0.025 ** (1 / 500))


def test_single_cells_have_no_figures_of_a_finder_and_each_is_held_against_its_own_nets_threshold() -> None:
    infected = np.array([True, True, False, False])
    scores = np.array([0.9, 0.4, 0.3, 0.2], np.float32)
    called = np.array([True, True, False, True])  # two nets, whose thresholds differ
    found = figures_of_cells(CalledCells(CARD, infected, scores, called, np.array(["a", "b", "a", "b"])))
    assert (found["found"].value, found["called"].value) == (1.0, 0.5)
    assert found["accuracy"].value == 0.75
    assert not {"found_at_1", "triage", "red_f1"} & set(found)
