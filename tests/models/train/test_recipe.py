"""Recipes: what is read, what is refused in one line, and that weights that ship learn only from what allows it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from models.data import sets
from models.data.dataset import SetKind
from models.data.folds import CLASSIFIERS, FINDER
from models.train.classifier import CellTraining
from models.train.recipe import RECIPES, RecipeError, dump, load, names, parse

CELLS = {"set": "nih_cells", "form": "cells"}
FIELDS = {"set": "iml_fields", "form": "found", "finder": "classical"}
VIRTUAL = {"form": "virtual", "count": 3}
TWO = {"labels": ["uninfected", "parasitized"]}
KINDS = {"labels": ["cell", "suspect", "not-white-cell", "not-platelet", "not-other"]}
FINDER_NET = {"kind": "finder", "widths": [16]}


def table(**more: Any) -> dict[str, Any]:
    return {"name": "mine", "sources": [CELLS], **more}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"sources": [CELLS]}, "name is missing"),
    "an unknown key": (table(colour="red"), "colour is not known"),
    "an unknown key of a table": (table(training={"step": 3}), "training.step is not known"),
    "an unknown key of a source": (table(sources=[{**CELLS, "weight": 2}]), "sources.weight is not known"),
    "a word where a number is wanted": (table(training={"steps": "many"}), "training.steps = 'many': int is wanted"),
    "a truth value where a number is wanted": (table(training={"steps": True}), "int is wanted"),
    "a number where a list is wanted": (table(classes={"labels": 3}), "a list is wanted"),
    "a word among widths": (table(net={"widths": [16, "a", 3, 4]}), "int is wanted"),
    "a table that is none": (table(split=3), "split: a table is wanted"),
    "sources that are no list": ({"name": "mine", "sources": CELLS}, r"\[\[sources\]\]"),
    "no source": ({"name": "mine"}, "no \\[\\[sources\\]\\]"),
    "an unknown set": (table(sources=[{"set": "none", "form": "cells"}]), "no data set is called 'none'"),
    "an unknown form": (table(sources=[{**CELLS, "form": "boiled"}]), "form = 'boiled'"),
    "fields read as cells": (table(sources=[{"set": "iml_fields", "form": "cells"}]), "cannot be had of annotated"),
    "cells read as fields": (table(sources=[{**FIELDS, "set": "nih_cells"}]), "cannot be had of single cells"),
    "composed of cells that are not cut out": (
        table(sources=[{"set": "plymouth_cells", "form": "composed", "count": 2}], classes=TWO),
        "cannot be had",
    ),
    "fields without a finder": (table(sources=[{"set": "iml_fields", "form": "found"}]), "finder says"),
    "virtual slides of a set": (table(sources=[{**VIRTUAL, "set": "nih_cells"}], classes=TWO), "of neither"),
    "a set and a folder": (table(sources=[{**CELLS, "folder": "x"}]), "a set or of a folder"),
    "drawn scenes without a count": (table(sources=[{"form": "virtual"}], classes=TWO), "count says"),
    "scenes for three classes": (table(sources=[VIRTUAL], classes={"labels": ["a", "b", "c"]}), "must be two"),
    "scenes of a folder": (table(sources=[{"folder": "x", "form": "annotated"}], classes=TWO), "not of folders"),
    "a share of nothing": (table(sources=[{**CELLS, "share": 0}]), "share must be positive"),
    "an unknown kind of net": (table(net={"kind": "judge"}), "classifier or finder is wanted"),
    "too few widths": (table(net={"widths": [16]}), "four widths"),
    "a finder that learns from cells": (table(net=FINDER_NET, classes=KINDS), "a finder learns from annotated"),
    "a finder of other kinds": (table(net=FINDER_NET, sources=[VIRTUAL]), "those of a finder"),
    "settings of a classifier for a finder": (
        table(net=FINDER_NET, classes=KINDS, sources=[VIRTUAL], training={"smoothing": 0.1}),
        "training.smoothing is not known",
    ),
    "no step": (table(training={"steps": 0}), "must be positive"),
    "folds of nothing": (table(split={"folds": 5}), "need the sets they divide"),
    "folds and a share": (table(split={"folds": 5, "of": ["nih_cells"], "held_out": 0.2}), "go without held_out"),
    "folds of a set without a rule": (table(split={"folds": 5, "of": ["bbbc_fields"]}), "no rule says"),
    "a microscope without a set": (table(split={"leave_out": [["nih_cells"], []]}), "names no microscope"),
    "a microscope of no known set": (table(split={"leave_out": [["none"]]}), "no data set is called 'none'"),
    "microscopes that are no lists": (table(split={"leave_out": ["nih_cells"]}), "a list is wanted"),
    "a share above one": (table(split={"held_out": 1.5}), "a share from 0"),
    "an unknown rule of the threshold": (table(threshold={"rule": "luck"}), "threshold.rule = 'luck'"),
    "a folder for weights that ship": (
        table(sources=[{"folder": "x", "form": "cells"}], ships=True),
        "not from the folder x",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_recipe_that_makes_no_sense_is_refused_in_one_line(name: str) -> None:
    raw, said = BAD[name]
    with pytest.raises(RecipeError, match=said) as caught:
        parse(raw)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", names())
def test_every_recipe_of_the_repository_is_read_and_survives_being_written(name: str) -> None:
    recipe = load(name)
    assert recipe.name == name
    assert parse(tomllib.loads(dump(recipe))) == recipe


def test_the_shelf_has_a_recipe_for_every_net() -> None:
    assert {*CLASSIFIERS, FINDER, "malaria-stages-32"} <= set(names())


@pytest.mark.parametrize("name", [name for name, one in sets.every().items() if one.kind is not SetKind.MARKED])
def test_weights_that_ship_learn_only_from_sets_that_allow_it(name: str) -> None:
    data = sets.get(name)
    source = {"set": name, "form": "cells"} if data.kind is SetKind.CELLS else {**FIELDS, "set": name}
    assert not parse(table(sources=[source])).ships
    if data.may_teach:
        assert parse(table(sources=[CELLS, source], ships=True)).ships
    else:
        with pytest.raises(RecipeError, match=f"may not learn from {name}"):
            parse(table(sources=[CELLS, source], ships=True))


def test_a_share_may_be_written_without_a_point() -> None:
    recipe = parse(table(sources=[{**CELLS, "share": 2}], training={"rate": 1}))
    assert recipe.sources[0].share == 2.0
    assert isinstance(recipe.training.rate, float)


def test_names_of_merged_classes_become_a_naming() -> None:
    recipe = parse(table(classes={"merge": {"sick": ["Ring", "tropho_zoite"]}, "ignore": ["Difficult"]}))
    assert recipe.classes.naming.of("ring") == "sick"
    assert recipe.classes.naming.of("tropho-zoite") == "sick"
    assert recipe.classes.naming.of("difficult") is None


def test_augmentation_is_part_of_a_classifiers_settings() -> None:
    training = parse(table(augmentation={"platelets": 0.25})).training
    assert isinstance(training, CellTraining)
    assert training.augmentation.platelets == 0.25


@pytest.mark.parametrize(("text", "said"), [("name = ", "no TOML"), ("name = 'x'\n", "x.toml: recipe x: there are no")])
def test_a_file_that_cannot_be_used_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=said):
        load(path)


def test_an_unknown_name_brings_the_names_there_are() -> None:
    with pytest.raises(RecipeError, match="no such recipe: give a path, or one of finder-thin"):
        load("nothing")
    assert (RECIPES / "finder-thin.toml").is_file()
