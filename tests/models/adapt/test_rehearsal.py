"""What adapted nets rehearse: of what they learned before, never what they held out, what is learned now, or what may not teach."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.measure.fields import FieldSet
from edge.modelfile import Card
from models.adapt import rehearsal, tune
from models.adapt.forgetting import forgetting_line, old_figures
from models.adapt.rehearsal import (
    ListedImage,
    OldCells,
    OldFields,
    Rehearsal,
    RehearsalPlan,
    Rehearse,
    divided,
    gathered,
    old_cells,
    old_fields,
    origins,
    shares,
)
from models.adapt.tune import TuningSettings
from models.data import sets
from models.data.cells import FOUND, LabelledCells
from models.data.crops import LABELS, SPEC
from models.data.scene_sources import VIRTUAL
from models.data.scenes import KINDS
from models.train import recipe as recipes
from models.train.material import CellMaterial
from tests.models import tiny_data

LEARNED = ["iml_fields", "nih_cells", "pbc_fields", "raabin_fields", VIRTUAL]
CLASSIFIER = Card("mine", "classify", LABELS, positive=LABELS[1:], output="logit", crop=SPEC)
FINDER = Card("mine", "find", KINDS, positive=("suspect",))
NOTHING = FieldSet((), (), grouped=False)


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tiny_data.make(tmp_path)))
    monkeypatch.setattr(rehearsal, "_DRAWN", 1)


def learned(card: Card, recipe: str, data: Sequence[str] = LEARNED, held_out: Sequence[str] = ()) -> Card:
    """The card of a net that the recipe made of these sets."""
    held = {"held_out_groups": list(held_out), "held_out_sets": [one for one in held_out if "/" not in one]}
    return replace(card, training={"recipe": recipe, "data": list(data), **held})


def cells_of(card: Card, new: FieldSet = NOTHING, what: Rehearse = Rehearse.AUTO) -> OldCells:
    return old_cells(card, RehearsalPlan(new, what, 0), lambda *_: None, lambda _: None)


def fields_of(card: Card, new: FieldSet = NOTHING) -> OldFields:
    return old_fields(card, RehearsalPlan(new, Rehearse.AUTO, 0), lambda *_: None)


# which images


def images(count: int, per_group: int, cells: int = 10) -> list[ListedImage]:
    return [ListedImage(f"{i}.png", f"mine/g{i // per_group}", cells) for i in range(count)]


def groups_of(names: frozenset[str], listed: list[ListedImage]) -> set[str]:
    return {one.group for one in listed if one.file in names}


@pytest.mark.parametrize("whole", [True, False])
def test_what_shows_forgetting_is_of_other_groups_than_what_is_rehearsed(*, whole: bool) -> None:
    listed = images(40, 4)
    again, apart = divided(listed, frozenset({"mine/g3", "mine/g7"}), 0, whole=whole)
    assert len(again) == len(apart) == 16
    assert not groups_of(again, listed) & groups_of(apart, listed)
    assert not groups_of(again | apart, listed) & {"mine/g3", "mine/g7"}


def test_of_one_group_all_is_rehearsed_and_nothing_shows_forgetting() -> None:
    again, apart = divided(images(5, 5), frozenset(), 0, whole=False)
    assert (len(again), len(apart)) == (5, 0)


def test_a_set_that_was_held_out_is_not_rehearsed() -> None:
    assert divided(images(8, 2), frozenset({"mine"}), 0, whole=False) == (frozenset(), frozenset())


def test_a_large_set_gives_a_sample_and_single_cells_come_slide_by_slide() -> None:
    listed = images(1000, 100)
    scattered, slides = (divided(listed, frozenset(), 0, whole=whole)[0] for whole in (False, True))
    assert len(scattered) == len(slides) == 150
    assert len(groups_of(scattered, listed)) == 5
    assert len(groups_of(slides, listed)) == 2


# what a classifier rehearses


def test_a_classifier_rehearses_each_set_that_it_learned_from_once_and_virtual_slides() -> None:
    old = cells_of(learned(CLASSIFIER, "malaria-thin-32"))
    assert [one.origin for one in old.rehearsed] == LEARNED
    assert [one.origin for one in old.others] == LEARNED[:-1]
    for one in old.others:
        again = next(other for other in old.rehearsed if other.origin == one.origin)
        assert not set(one.cells.groups.tolist()) & set(again.cells.groups.tolist())


@pytest.mark.parametrize(
    ("held_out", "gone"),
    [(["nih_cells", "iml_fields"], {"nih_cells", "iml_fields"}), (["raabin_fields"], {"raabin_fields"}), ([], set())],
)
def test_a_set_that_the_card_holds_out_is_not_seen(held_out: list[str], gone: set[str]) -> None:
    old = cells_of(learned(CLASSIFIER, "malaria-thin-32", held_out=held_out))
    assert set(origins(old.rehearsed)) == set(LEARNED) - gone
    assert set(origins(old.others)) == set(LEARNED) - gone - {VIRTUAL}


def test_slides_and_blocks_that_the_card_holds_out_are_not_seen() -> None:
    held = [f"nih_cells/{slide}" for slide in tiny_data.SLIDES[:4]] + ["iml_fields/block 1"]
    old = cells_of(learned(CLASSIFIER, "malaria-thin-32", held_out=held))
    seen = {group for one in (*old.rehearsed, *old.others) for group in one.cells.groups.tolist()}
    assert not seen & set(held)
    assert {f"nih_cells/{slide}" for slide in tiny_data.SLIDES[4:]} <= seen


def test_the_fields_that_are_learned_now_are_not_rehearsed() -> None:
    old = cells_of(learned(CLASSIFIER, "malaria-thin-32"), sets.get("iml_fields").fields())
    assert "iml_fields" not in origins(old.rehearsed)
    assert "iml_fields" not in origins(old.others)


def test_a_set_that_the_net_did_not_learn_from_or_that_is_not_here_is_not_rehearsed(tmp_path: Path) -> None:
    card = learned(CLASSIFIER, "malaria-thin-32", ["nih_cells", "plymouth_cells", VIRTUAL])
    assert origins(cells_of(card).rehearsed) == ["nih_cells", "plymouth_cells", VIRTUAL]
    shutil.rmtree(tmp_path / "plymouth_cells")
    assert origins(cells_of(card).rehearsed) == ["nih_cells", VIRTUAL]


def test_a_set_that_may_not_teach_weights_that_ship_is_not_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    known, recipe = dict(sets.every()), replace(recipes.load("malaria-thin-32"), ships=False)
    monkeypatch.setattr(recipes, "load", lambda _: recipe)
    monkeypatch.setattr(sets, "every", lambda: known | {"iml_fields": replace(known["iml_fields"], may_teach=False)})
    old = cells_of(learned(CLASSIFIER, "malaria-thin-32"))
    assert set(origins(old.rehearsed)) == set(LEARNED) - {"iml_fields"}


@pytest.mark.parametrize(
    ("card", "what"),
    [
        (learned(CLASSIFIER, "malaria-thin-32"), Rehearse.VIRTUAL),
        (learned(CLASSIFIER, "of somebody else"), Rehearse.AUTO),
        (CLASSIFIER, Rehearse.AUTO),
    ],
    ids=["asked for", "unknown recipe", "no recipe"],
)
def test_everybody_has_virtual_slides(card: Card, what: Rehearse) -> None:
    assert origins(cells_of(card, what=what).rehearsed) == [VIRTUAL]


def test_a_net_of_other_classes_does_not_see_drawn_cells() -> None:
    stages = replace(CLASSIFIER, labels=("healthy", "ring", "gametocyte"), positive=("ring", "gametocyte"))
    assert cells_of(stages).rehearsed == ()


# what a finder rehearses


def test_a_finder_rehearses_scenes_and_shows_what_it_forgets_on_fields_of_other_groups() -> None:
    old = fields_of(learned(FINDER, "finder-thin"))
    assert [one.origin for one in old.rehearsed] == LEARNED
    assert [name for name, _ in old.others] == ["iml_fields", "pbc_fields", "raabin_fields"]
    iml = next(one for one in old.rehearsed if one.origin == "iml_fields")
    others = dict(old.others)["iml_fields"]
    assert not {one.group for one in iml.scenes} & {f"iml_fields/{group}" for group in others.groups}
    assert len(iml.scenes) == len(others) == 4


def test_nothing_is_rehearsed_where_nothing_is_asked_for() -> None:
    plan = RehearsalPlan(NOTHING, Rehearse.NONE, 0)
    old = gathered(learned(FINDER, "finder-thin"), CLASSIFIER, plan, lambda *_: None, lambda _: None)
    assert old.names == []
    assert old.line().endswith(": nothing")
    assert shares(old.cells.rehearsed) == [1.0]
    assert len(old.fields.others) == 3  # what is forgotten is seen all the same


# how it is learned


def cells(count: int = 4) -> LabelledCells:
    truth = np.arange(count, dtype=np.int32) % 2
    crops, groups = np.zeros((count, 4, 4, 3), np.uint8), np.array(["g"] * count)
    return LabelledCells(crops, truth, LABELS, groups, np.zeros(count, np.int32), np.full(count, FOUND, np.int8))


def test_half_of_a_batch_is_rehearsed_by_the_shares_of_the_recipe() -> None:
    old = [CellMaterial("one", "one", 3.0, cells()), CellMaterial("two", "two", 1.0, cells())]
    assert shares(old) == pytest.approx([0.5, 0.375, 0.125])


def test_a_classifier_learns_new_and_old_cells_together(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(tune, "train", lambda sources, mix, *_, **__: seen.append((sources, mix)))
    new, old = cells(2), cells(6)
    start: Any = type("Start", (), {"card": CLASSIFIER, "model": lambda _: None})()
    tune.tuned_cells(start, new, TuningSettings().cell, lambda _: None, [CellMaterial("o", "o", 1.0, old)])
    assert seen == [([new, old], [0.5, 0.5])]


# what is forgotten


def test_what_was_lost_is_said_in_one_line() -> None:
    old = Rehearsal(OldCells(others=(CellMaterial("nih_cells, cells", "nih_cells", 1.0, cells()),)))
    before = {"judged_cells": 40, "auc": {"value": 0.99}, "finder_keeps_positive": None}
    line = forgetting_line(old, before, {**before, "auc": {"value": 0.95}})
    assert line == (
        "on what they learned before (40 cells of nih_cells, none of them rehearsed): classifier, AUC 0.9900 before, 0.9500 after"
    )


def test_where_nothing_of_it_is_here_the_loss_is_said_to_be_unknown() -> None:
    nothing: Any = None
    assert old_figures(Rehearsal(), nothing, b"", CLASSIFIER) == {}
    assert "is not known" in forgetting_line(Rehearsal(), {}, {})
