"""Scores of every cell by the net that never saw it: what is kept of a field, what does not count, what is told meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from edge.card import FinderSpec
from edge.finders import Finder
from edge.modelfile import Card, ModelFile, read_model, write_model
from edge.pixels import Image
from edge.types import Cells
from models.data.fields import load_iml
from models.data.folds import CLASSIFIERS, FINDER
from models.judge.card_table import annotated
from models.judge.finder import finder_lines
from models.judge.finder_thresholds import finder_grid, rewrite
from models.judge.scores import NihCells, limits_of_others, score_all, suspicion
from models.judge.unseen import finds_of, unseen_folds
from tests.models.judge.world import HEALTHY, NOT_RED, SICK, SquareFinder, World, finder_card, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(tmp_path, monkeypatch)


class WithPlatelets(SquareFinder):
    """Calls the first square of each field a platelet."""

    def find(self, image: Image) -> Cells:
        cells = super().find(image)
        return replace(cells, kind=(np.arange(len(cells.boxes)) == 0).astype(np.int32), kinds=("cell", "not-platelet"))


def finder(kind: type[SquareFinder] = SquareFinder) -> SquareFinder:
    return kind(ModelFile(b"", finder_card(), "", Path("squares")))


def test_what_a_finder_sets_aside_is_no_find(world: World) -> None:
    fields = load_iml(world.build().data / "iml_fields")
    assert [len(one.boxes) for one in finds_of(cast("Finder", finder()), fields)] == [8] * 8
    found = list(finds_of(cast("Finder", finder(WithPlatelets)), fields))
    assert [len(one.boxes) for one in found] == [7] * 8
    assert found[3].field is fields[3]
    assert found[3].shape == (240, 320)
    grid = finder_grid(finder(WithPlatelets), fields)  # type: ignore[arg-type]
    assert {(one.hits, one.lost, one.spurious) for matches in grid.values() for one in matches} == {(7, 1, 0)}


def test_a_grid_scores_every_field_at_every_pair_of_thresholds(world: World) -> None:
    world.fields[0] = [(SICK, 0.36, "ring"), (HEALTHY, 0.8, "red blood cell"), (HEALTHY, 0.45, None)]
    fields = load_iml(world.build().data / "iml_fields")[:2]
    grid = finder_grid(finder(), fields)  # type: ignore[arg-type]
    assert {
        pair: [(one.hits, one.spurious, one.infected_lost) for one in matches] for pair, matches in grid.items()
    } == {
        (0.34, 0.25): [(2, 1, 0)] * 2,
        (0.38, 0.25): [(1, 1, 1)] * 2,
        (0.5, 0.25): [(1, 0, 1)] * 2,
    }


def test_other_thresholds_are_written_into_a_finders_card_alone(world: World) -> None:
    world.build()
    path = world.shelf / FINDER / f"{FINDER}.tflite"
    before = read_model(path)
    rewrite(path, (0.41, 0.22), "as told")
    after = read_model(path)
    assert after.flatbuffer == before.flatbuffer
    assert after.card is not None
    assert after.card.finder is not None
    assert after.card.finder.thresholds == (0.41, 0.22, *NOT_RED)
    assert after.card.threshold_origin == "as told"
    no_finder = world.shelf / CLASSIFIERS[0] / f"{CLASSIFIERS[0]}.tflite"
    with pytest.raises(ValueError, match=r"tflite: not a finder$"):
        rewrite(no_finder, (0.41, 0.22), "as told")


def test_boxes_names_and_cards_of_the_scored_cells(world: World) -> None:
    folds = unseen_folds(world.build().folds)
    told: list[tuple[str, float]] = []
    nih, iml, (net,) = score_all(CLASSIFIERS[:1], folds, lambda *progress: told.append(progress))
    assert told == [
        *(("scoring the NIH cells", fold / 5) for fold in range(5)),
        *(("scoring the IML fields", fold / 5) for fold in range(4)),
    ]
    assert len(net.cards) == 5
    assert {card.name for card in net.cards} == {CLASSIFIERS[0]}
    assert iml.name(8) == "field_001.png [12, 12, 40, 40]"
    assert iml.names[-1] == "field_301.png"
    assert iml.stages.tolist() == [*["red blood cell"] * 7, "ring"] * 8
    assert (iml.lost, iml.total) == (0, 8)
    assert nih.second.tolist() == [-1] * 60
    assert not nih.cleaned[nih.slides == "s00"].any()
    assert nih.cleaned[nih.slides == "s05"].all()


def test_the_suspicion_is_that_of_all_positive_classes() -> None:
    card = Card("net", "classify", ("early", "clear", "late"), positive=("early", "late"))
    found = suspicion(np.array([[0.25, 0.25, 0.5], [0.0, 1.0, 0.0]], np.float32), card)
    assert found.tolist() == [0.75, 0.0]
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("infected", "second", "published", "by_both", "cleaned"),
    [
        pytest.param([0, 0, 0, 0], [-1, -1, -1, -1], "aabb", "aabb", [0, 0, 0, 0], id="nobody calls any infected"),
        pytest.param([1, 0, 0, 0], [0, -1, -1, -1], "bb", "bb", [0, 0, 0, 0], id="published as infected: neither way"),
        pytest.param([0, 0, 0, 0], [1, -1, 0, -1], "aabb", "bb", [1, 0, 0, 0], id="second opinion: not to choose on"),
        pytest.param([0, 1, 0, 0], [-1, 1, 1, -1], "bb", "", [0, 1, 1, 0], id="both opinions, another slide each"),
    ],
)
def test_a_slide_with_an_infected_cell_is_no_known_negative(
    infected: list[int], second: list[int], published: str, by_both: str, cleaned: list[int]
) -> None:
    slides = np.array(list("aabb"))
    cells = NihCells(tuple("0123"), np.array(infected, bool), np.array(second), slides, np.zeros(4, int))
    assert "".join(slides[cells.known_negative()]) == published
    assert "".join(slides[cells.known_negative(by_both=True)]) == by_both
    assert cells.cleaned.tolist() == [bool(one) for one in cleaned]


def test_limits_are_those_of_the_uninfected_cells_of_all_other_folds() -> None:
    folds, infected = np.array([0, 0, 1, 1, 2, 2]), np.array([False, True] * 3)
    scores = np.array([0.1, 0.9, 0.2, 0.95, 0.3, 0.99])
    found = limits_of_others(folds, scores.astype(np.float32), infected, 0.0, 3)
    assert found == pytest.approx([0.3, 0.3, 0.2])
    assert (found > np.array([0.3, 0.3, 0.2], np.float32)).all()


def test_annotated_cells_at_the_border_and_unsure_ones_do_not_count(world: World) -> None:
    world.fields[2] += [(HEALTHY, 0.9, "difficult"), (SICK, 0.9, "ring")]
    fields = load_iml(world.build().data / "iml_fields")
    assert annotated(fields) == 66
    shifted = [replace(one, boxes=one.boxes - np.array([5, 0, 0, 0], np.int32)) for one in fields]
    assert annotated(shifted) == 66 - 8 * 2  # the left column is nearer to it than 8 pixels: two cells of each field


def test_a_file_without_a_card_is_not_judged(world: World) -> None:
    folds = unseen_folds(world.build().folds)
    path = folds[1].path(FINDER)
    card = Card(FINDER, "find", ("cell",), finder=FinderSpec(("cell",), (0.5,)))
    write_model(path, read_model(path).flatbuffer, card)
    with pytest.raises(Exception, match=r"does not say that it held out 1 \(held_out_blocks\): it cannot be judged"):
        folds[1].finder()
    assert list(folds[4].finds()) == []


SUMMARY = {
    "fields": 12,
    "cells": 1234,
    "f1": 0.9,
    "precision": 0.8,
    "recall": 0.95,
    "infected": 10,
    "infected_kept": 0.8,
    "count_bias": -0.0125,
    "count_error": 0.05,
}


def test_a_finder_has_a_line_per_group_one_for_all_and_its_intervals() -> None:
    found = {
        "finder": "finder-thin",
        "set": "mine",
        "ms_per_field": 12.345,
        "intervals_over": "fields",
        "groups": {"slide 1": {**SUMMARY, "infected": 0, "infected_kept": None}},
        "figures": {**SUMMARY, "f1_interval": (0.85, 0.95), "recall_interval": (0.9, 0.99)},
        "skipped": ["a.png: torn"],
    }
    assert finder_lines(found) == [
        "finder-thin on mine: 12.3 ms per field (median)",
        "                 fields  cells     F1  prec. recall   infected kept    bias  error",
        "slide 1              12   1234  0.900  0.800  0.950               -  -0.013  0.050",
        "all                  12   1234  0.900  0.800  0.950     0.800 of 10  -0.013  0.050",
        "                95 % over fields: f1 0.850 to 0.950, recall 0.900 to 0.990",
        "  ! a.png: torn",
    ]
