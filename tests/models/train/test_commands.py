"""The commands that make the shelf: what they refuse, in one line each."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.cli.recipes import NetChoice, chosen_nets, path_of
from models.places import FOLDS, SHELF
from models.train.recipe import RecipeError, load
from models.train.records import Recipe


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.stderr


@pytest.mark.parametrize("command", ["choose-thresholds", "figures"])
def test_without_the_real_images_they_say_which_are_missing(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    code, said = run(command)
    assert code == 9
    assert "EDGE_DATA" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", ["train finder-thin", "held-out"])
def test_without_tensorflow_they_say_what_brings_it(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    code, said = run(*command.split())
    assert code == 11
    assert "pip install 'tensorflow>=2.20'" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("old", ["train-finder", "train-classifier --lite --fold 0", "train-finder --steps 3"])
def test_old_commands_say_what_they_are_called_now(old: str) -> None:
    code, said = run(*old.split())
    assert code == 2
    assert "this is now: python -m models train" in " ".join(said.split())


REFUSED = {
    "a recipe beside folders": ("train finder-thin --cells x", "leave out --cells and --fields"),
    "folds of a user's own images": ("train --cells x -o y --fold 0", "go with a recipe"),
    "own images without a folder to write to": ("train --cells x", "--out DIR is missing"),
    "a microscope left out of a user's own images": ("train --cells x -o y --without pbc_fields", "go with a recipe"),
    "nothing at all": ("train -o y", "give --cells DIR or --fields DIR"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_that_do_not_go_together_are_refused(name: str) -> None:
    words, wanted = REFUSED[name]
    code, said = run(*words.split())
    assert code == 2
    assert wanted in re.sub(r"[\s\u2502]+", " ", said)


WRONG = {
    "an unknown recipe": ("train nothing", "no such recipe"),
    "a fold that there is not": ("train finder-thin --fold 4", "there is no fold 4"),
    "a fold of a recipe without folds": ("train micro-organisms --fold 0 -o {tmp}", "has 0 folds"),
    "a net that does not ship, with nowhere to go": ("train micro-organisms", "-o DIR says where its net goes"),
    "a net that does not ship, into the repository": ("train micro-organisms -o {shelf}", "does not ship"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_recipe_that_cannot_be_made_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.cli.options.need_tensorflow", lambda: None)
    words, wanted = WRONG[name]
    code, said = run(*words.format(tmp=tmp_path, shelf=SHELF).split())
    assert code == 2
    assert wanted in said
    assert said.count("\n") == 1


MICROSCOPES = (("nih_cells", "iml_fields"), ("plymouth_cells",))
"""What the tests' recipe leaves out in turn; it learns nothing of Plymouth."""

CHOICES: dict[str, tuple[dict[str, Any], list[NetChoice]]] = {
    "one fold": ({"fold": [0]}, [NetChoice(0)]),
    "two folds and the net that ships": (
        {"fold": [0, 2], "shipped": True},
        [NetChoice(0), NetChoice(2), NetChoice()],
    ),
    "all folds": ({"all_folds": True}, [NetChoice(number) for number in range(5)]),
    "nothing: the net that ships": ({}, [NetChoice()]),
    "without a microscope, its sets in any order": (
        {"without": ["iml_fields, nih_cells"]},
        [NetChoice(without=MICROSCOPES[0])],
    ),
    "every microscope learned from, and a fold": (
        {"fold": [1], "all_left_out": True},
        [NetChoice(1), NetChoice(without=MICROSCOPES[0])],
    ),
}


def leaving_out() -> Recipe:
    recipe = load("malaria-thin-32")
    kept = tuple(one for one in recipe.sources if one.set != "plymouth_cells")
    return replace(recipe, sources=kept, split=replace(recipe.split, leave_out=MICROSCOPES))


def choose(**options: Any) -> list[NetChoice]:
    none = {"fold": None, "without": None, "all_folds": False, "all_left_out": False, "shipped": False}
    return chosen_nets(leaving_out(), **{**none, **options})


@pytest.mark.parametrize("name", CHOICES)
def test_which_nets_are_made(name: str) -> None:
    options, wanted = CHOICES[name]
    assert choose(**options) == wanted


def test_a_microscope_counts_as_learned_from_if_one_of_its_sets_is() -> None:
    recipe = leaving_out()
    some = replace(recipe, sources=tuple(one for one in recipe.sources if one.set != "iml_fields"))
    assert some.left_out == MICROSCOPES[:1]
    none = replace(recipe, sources=tuple(one for one in recipe.sources if not one.set))
    assert none.left_out == ()
    assert chosen_nets(none, None, None, all_folds=False, all_left_out=True, shipped=False) == []


def test_a_net_without_a_microscope_holds_out_what_its_recipe_holds_out_anyway() -> None:
    recipe = leaving_out()
    recipe = replace(recipe, split=replace(recipe.split, hold_out=("nih_cells/C116",)))
    assert recipe.without(("iml_fields",)).split.hold_out == ("nih_cells/C116", "iml_fields")


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("iml_fields", "no microscope of split.leave_out is iml_fields: there are nih_cells,iml_fields"),
        ("plymouth_cells", "does not learn from plymouth_cells: the net that ships has not seen it"),
    ],
)
def test_a_microscope_that_is_not_left_out_is_refused(without: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        choose(without=[without])


@pytest.mark.parametrize(
    ("name", "net", "wanted"),
    [
        ("finder-thin", NetChoice(), SHELF / "finder-thin" / "finder-thin.tflite"),
        ("finder-thin", NetChoice(2), FOLDS / "finder-thin-fold2.tflite"),
        ("finder-thin", NetChoice(without=("pbc_fields",)), FOLDS / "finder-thin-without-pbc.tflite"),
        ("finder-thin", NetChoice(without=MICROSCOPES[0]), FOLDS / "finder-thin-without-nih-iml.tflite"),
    ],
)
def test_where_the_nets_of_the_shelf_stand(name: str, net: NetChoice, wanted: Path) -> None:
    assert path_of(load(name), net, None) == wanted
    assert path_of(load(name), net, Path("x")) == Path("x") / wanted.name
