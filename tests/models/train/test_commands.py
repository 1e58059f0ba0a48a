"""The commands that make the shelf: what they refuse, in one line each."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.cli.recipes import numbers, path_of
from models.places import FOLDS, SHELF
from models.train.recipe import load


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


FOLDERS = [
    ([0], False, False, [0]),
    ([0, 2], False, True, [0, 2, None]),
    ([], True, False, [-1]),
    ([], False, False, [None]),
]


@pytest.mark.parametrize(("fold", "every", "shipped", "wanted"), FOLDERS)
def test_which_nets_are_made(fold: list[int], every: bool, shipped: bool, wanted: list[int | None]) -> None:
    assert numbers(fold, all_folds=every, shipped=shipped) == wanted


@pytest.mark.parametrize(
    ("name", "fold", "wanted"),
    [
        ("finder-thin", None, SHELF / "finder-thin" / "finder-thin.tflite"),
        ("finder-thin", 2, FOLDS / "finder-thin-fold2.tflite"),
        ("malaria-thin-32-no-fields", None, FOLDS / "malaria-thin-32-no-fields.tflite"),
    ],
)
def test_where_the_nets_of_the_shelf_stand(name: str, fold: int | None, wanted: Path) -> None:
    assert path_of(load(name), fold, None) == wanted
    assert path_of(load(name), fold, Path("x")) == Path("x") / wanted.name
