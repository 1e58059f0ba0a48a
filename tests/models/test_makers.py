"""The commands that make the shelf: what they refuse, in one line each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.__main__ import app


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


@pytest.mark.parametrize("command", ["train-finder", "train-classifier", "held-out"])
def test_without_tensorflow_they_say_what_brings_it(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    code, said = run(command)
    assert code == 11
    assert "pip install 'tensorflow>=2.20'" in said
    assert said.count("\n") == 1


def test_folds_that_there_are_not_are_refused() -> None:
    assert run("train-classifier", "--fold", "5")[0] == 2
    assert run("train-finder", "--fold", "4")[0] == 2
