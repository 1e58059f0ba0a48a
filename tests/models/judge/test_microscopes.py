"""Microscopes left out: no net is judged on what it may have learned from, and every row says what judged it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convert.errors import CellsError
from edge.analysis import Analyser
from edge.errors import ModelError
from edge.modelfile import Card, ModelFile
from models.data import sets
from models.data.folds import CLASSIFIER, FINDER, path_without
from models.judge.device_fields import judge_fields
from models.judge.microscopes import MicroscopeRow, NetPlaces, judge_microscopes
from models.judge.thresholds import choose_all
from models.judge.unseen import unseen_model
from tests.models.judge.world import (
    HEALTHY,
    SICK,
    RedNet,
    SquareFinder,
    World,
    classifier_card,
    finder_card,
    make_world,
)

LEFT_OUT = (("nih_cells", "iml_fields"), ("raabin_fields",))
SICK_PIECE = [(HEALTHY, 0.8, "red blood cell")] * 5 + [
    (SICK, 0.8, "white blood cell"),
    (HEALTHY, 0.1, "red blood cell"),
]
"""Five red cells, a white one that is found and called infected, and a red cell that the finder loses."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = make_world(tmp_path, monkeypatch).build()
    world.write_coco("raabin_fields", [SICK_PIECE] * 10)
    return world


def trained(card: Card, *data: str, held_out: tuple[str, ...] = ()) -> Card:
    """The card of a net that learned from these sets."""
    return replace(card, training={"data": list(data), "held_out_sets": list(held_out)})


def ship(world: World, *data: str) -> None:
    """Shipped nets that learned from these sets."""
    for card in (finder_card(), classifier_card(CLASSIFIER)):
        world.write_net(trained(card, *data), world.shelf / card.name / f"{card.name}.tflite")


def leave_out(world: World, microscope: tuple[str, ...], *data: str) -> None:
    """Nets that were trained without a microscope, on these sets."""
    for card in (finder_card(), classifier_card(CLASSIFIER)):
        world.write_net(trained(card, *data, held_out=microscope), path_without(world.folds, card.name, microscope))


def judged(world: World, *only: str) -> dict[str, MicroscopeRow]:
    rows = judge_microscopes(NetPlaces(world.folds, world.shelf), LEFT_OUT, lambda *_: None, only)
    return {row.name: row for row in rows}


OPENED: dict[str, tuple[dict[str, Any], dict[str, Any] | None, str | None]] = {
    "the shipped net did not learn from it": ({"data": ["nih_cells"]}, None, "shelf"),
    "the shipped net did, as an older card says in words": (
        {"data": ["IML fields", "Raabin fields on paper"]},
        None,
        None,
    ),
    "the shipped net did, and none is trained without": ({"data": ["raabin_fields"]}, None, None),
    "a card that does not say what it learned from": ({}, None, None),
    "a net without it": (
        {"data": ["raabin_fields"]},
        {"data": ["nih_cells"], "held_out_sets": ["raabin_fields"]},
        "folds",
    ),
}


@pytest.mark.parametrize("name", OPENED)
def test_only_a_net_that_did_not_learn_from_a_microscope_is_opened(name: str, world: World) -> None:
    shipped, without, wanted = OPENED[name]
    world.write_net(replace(finder_card(), training=shipped), world.shelf / FINDER / f"{FINDER}.tflite")
    if without is not None:
        path = path_without(world.folds, FINDER, ("raabin_fields",))
        world.write_net(replace(finder_card(), training=without), path)
    found = unseen_model(FINDER, ("raabin_fields",), world.folds, world.shelf)
    assert (None if found is None else "shelf" if found.path.is_relative_to(world.shelf) else "folds") == wanted


@pytest.mark.parametrize(
    "training",
    [
        {"data": ["nih_cells"], "held_out_sets": []},
        {"data": ["nih_cells"]},
        {"data": ["raabin_fields"], "held_out_sets": ["raabin_fields"]},
        {"held_out_sets": ["raabin_fields"]},
    ],
)
def test_a_file_that_does_not_say_that_it_held_the_microscope_out_is_refused(
    training: dict[str, Any], world: World
) -> None:
    ship(world, "raabin_fields")
    card = replace(finder_card(), training=training)
    world.write_net(card, path_without(world.folds, FINDER, ("raabin_fields",)))
    with pytest.raises(ModelError, match=r"does not say that it held out raabin_fields \(held_out_sets\)"):
        unseen_model(FINDER, ("raabin_fields",), world.folds, world.shelf)


def test_a_microscope_that_the_shipped_nets_never_saw_is_judged_by_them(world: World) -> None:
    ship(world, "nih_cells", "iml_fields")
    row = judged(world, "raabin_fields")["raabin_fields"]
    assert row.nets == (f"{FINDER}.tflite", f"{CLASSIFIER}.tflite")
    assert row.held_out == "raabin_fields"
    assert row.figures["red_precision"].value == pytest.approx(5 / 6)
    assert row.figures["red_recall"].value == pytest.approx(5 / 6)
    assert (row.figures["white_counted"].value, row.figures["white_counted"].n) == (1.0, 10)
    assert row.figures["called"].value == pytest.approx(1 / 6)


def test_a_microscope_that_nobody_left_out_yet_has_no_figures_and_says_the_commands(world: World) -> None:
    ship(world, "nih_cells", "iml_fields", "raabin_fields")
    row = judged(world, "raabin_fields")["raabin_fields"]
    assert not row.figures
    commands = [f"python -m models train {net} --without raabin_fields" for net in (FINDER, CLASSIFIER)]
    assert row.missing == f"not trained: {'; '.join(commands)}"


def test_the_sets_of_one_microscope_are_judged_by_nets_that_saw_neither(world: World) -> None:
    ship(world, "nih_cells", "iml_fields")
    leave_out(world, LEFT_OUT[0], "raabin_fields")
    rows = judged(world, "nih_cells", "iml_fields")
    assert rows["iml_fields"].nets == (f"{FINDER}-without-nih-iml.tflite", f"{CLASSIFIER}-without-nih-iml.tflite")
    assert rows["nih_cells"].nets == rows["iml_fields"].nets[1:]
    assert rows["iml_fields"].figures["infected_kept"].value == 1.0
    assert rows["nih_cells"].figures["auc"].value == 1.0


def test_blocks_and_slides_of_the_nets_own_microscopes_are_judged_by_the_folds(world: World) -> None:
    ship(world, "nih_cells", "iml_fields")
    rows = judged(world)
    assert list(rows) == [
        "nih_cells",
        "iml_fields",
        "raabin_fields",
        "iml_fields, unseen blocks",
        "iml_fields, unseen blocks, what is no red cell set aside",
        "nih_cells, unseen slides",
    ]
    assert rows["iml_fields, unseen blocks"].figures["found"].n == 8
    assert rows["nih_cells, unseen slides"].figures["accuracy"].n == 60


def test_iml_finds_are_held_against_their_second_reading(world: World) -> None:
    ship(world, "raabin_fields")
    read = {12: "infected", 82: "notred", 152: "uninfected"}  # three of the first field's uninfected cells, by their x
    lines = [f"field_000.png,{x},12,40,40,red blood cell,{opinion}" for x, opinion in read.items()]
    (world.data / "iml_fields" / "second_reading.csv").write_text(
        "\n".join(["image_name,x,y,w,h,annotated,both", *lines])
    )
    counts = {name: row.figures["called"].n for name, row in judged(world, "iml_fields").items()}
    assert counts == {
        "iml_fields": 56 - 1,
        "iml_fields, unseen blocks": 56 - 1,
        "iml_fields, unseen blocks, what is no red cell set aside": 56 - 2,
    }


@pytest.mark.parametrize(
    ("groups", "wanted"),
    [
        (["one"] * 5 + ["two"] * 5, [f"field {number}" for number in range(10)]),
        ([f"slide {number}" for number in range(10)], [f"slide {number}" for number in range(10)]),
    ],
)
def test_the_bootstrap_draws_groups_or_fields_where_groups_are_few(
    groups: list[str], wanted: list[str], world: World
) -> None:
    card = classifier_card(CLASSIFIER)
    finder = SquareFinder(ModelFile(b"", finder_card(), "", Path("squares")))
    analyse = Analyser(finder, RedNet(ModelFile(b"", card, "", Path("red"))))
    fields = replace(sets.get("raabin_fields").fields(), groups=tuple(groups))
    assert judge_fields(fields, analyse, card, lambda *_: None, name="x").units.tolist() == wanted


def test_the_iml_fields_are_not_judged_without_their_second_reading(world: World) -> None:
    ship(world, "nih_cells", "iml_fields")
    (world.data / "iml_fields" / "second_reading.csv").unlink()
    with pytest.raises(CellsError, match=r"second_reading.csv: no such file"):
        judged(world, "iml_fields")


def test_a_row_that_there_is_not_is_refused(world: World) -> None:
    with pytest.raises(
        CellsError, match="no row is of micro_organisms: there are nih_cells, iml_fields, raabin_fields"
    ):
        judged(world, "micro_organisms")


@pytest.mark.parametrize(
    ("kind", "shipped", "about"),
    [
        pytest.param(
            "red blood cell", SICK, "60 finds of raabin_fields", id="a red cell that looks infected raises it"
        ),
        pytest.param("white blood cell", HEALTHY, "50 finds of raabin_fields", id="a white cell does not count"),
    ],
)
def test_a_threshold_holds_on_every_known_negative_set_but_that_which_the_net_held_out(
    world: World, kind: str, shipped: float, about: str
) -> None:
    piece = [(colour, score, kind if colour == SICK else "red blood cell") for colour, score, _ in SICK_PIECE]
    shutil.rmtree(world.data / "raabin_fields")
    world.write_coco("raabin_fields", [piece] * 10)
    ship(world, "nih_cells", "iml_fields", "raabin_fields")
    for microscope in LEFT_OUT:
        leave_out(world, microscope, "virtual slides")
    choose_all(world.folds, world.shelf, lambda _: None)
    cards = {
        name: world.read(path)
        for name, path in (
            ("shipped", world.shelf / CLASSIFIER / f"{CLASSIFIER}.tflite"),
            *(("-".join(one), path_without(world.folds, CLASSIFIER, one)) for one in LEFT_OUT),
        )
    }
    assert cards["shipped"].threshold == pytest.approx(shipped, abs=0.01)
    assert cards["nih_cells-iml_fields"].threshold == pytest.approx(shipped, abs=0.01)
    assert cards["raabin_fields"].threshold == pytest.approx(HEALTHY, abs=0.01)  # of NIH slides alone
    assert f"30 cells of 5 NIH slides; {about}" in cards["shipped"].threshold_origin
    assert "raabin" not in cards["raabin_fields"].threshold_origin
    assert "NIH" not in cards["nih_cells-iml_fields"].threshold_origin
    assert world.card(CLASSIFIER, 0).threshold == pytest.approx(shipped, abs=0.01)


def test_a_finder_without_the_iml_fields_keeps_the_thresholds_it_was_trained_with(world: World) -> None:
    ship(world, "nih_cells", "iml_fields", "raabin_fields")
    for microscope in LEFT_OUT:
        leave_out(world, microscope, "virtual slides")
    before = finder_card().finder
    choose_all(world.folds, world.shelf, lambda _: None)
    assert world.read(path_without(world.folds, FINDER, LEFT_OUT[0])).finder == before
    shipped = world.read(world.shelf / FINDER / f"{FINDER}.tflite").finder
    assert world.read(path_without(world.folds, FINDER, LEFT_OUT[1])).finder == shipped != before
