from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge import shelf
from edge.errors import ModelError
from edge.modelfile import write_model
from tests.fakes import CARD

FLATBUFFER = b"\x1c\0\0\0TFL3" + bytes(64)


@pytest.fixture
def own_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("beta", "alpha"):
        (tmp_path / name).mkdir()
        write_model(tmp_path / name / f"{name}.tflite", FLATBUFFER, CARD)
    (tmp_path / "alpha" / "other.tflite").write_bytes(b"not listed: not named after its folder")
    monkeypatch.setenv(shelf.ENVIRONMENT, str(tmp_path))
    return tmp_path


def test_models_are_listed_by_name(own_shelf: Path) -> None:
    assert [entry.name for entry in shelf.entries()] == ["alpha", "beta"]
    assert shelf.has("alpha")
    assert not shelf.has("other")


def test_a_model_is_loaded_by_name_or_by_path(own_shelf: Path) -> None:
    assert shelf.load("alpha").card == shelf.load(str(own_shelf / "alpha" / "alpha.tflite")).card


def test_an_unknown_name_is_answered_with_what_there_is(own_shelf: Path) -> None:
    with pytest.raises(ModelError, match=r"gamma: no such model on the shelf \(there: alpha, beta\)"):
        shelf.load("gamma")


def test_a_missing_path_is_one_plain_line(own_shelf: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the model: No such file"):
        shelf.load("nowhere/model.tflite")


def test_the_shipped_shelf_is_found_without_importing_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(shelf.ENVIRONMENT, raising=False)
    before = set(sys.modules)
    assert [folder.name for folder in shelf.folders()] == ["shelf"]
    assert not [m for m in set(sys.modules) - before if m.startswith("models")]


def test_without_the_package_there_is_no_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(shelf.ENVIRONMENT, raising=False)
    monkeypatch.setattr("edge.shelf.find_spec", lambda _name: None)
    assert shelf.entries() == []
