"""The contract between workshop and device: a flatbuffer with its card, hash checked, nothing guessed."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelError, OutputError
from edge.modelfile import Card, CropSpec, FinderSpec, parse_card, read_model, write_model

FLATBUFFER = b"\x1c\x00\x00\x00TFL3" + bytes(range(256)) * 8
CARD = Card(
    "toy", "classify", ("red cell", "trichomonad", "toxoplasma"), positive=("trichomonad",), crop=CropSpec(margin=1.25)
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "toy.tflite"
    write_model(path, FLATBUFFER, CARD)
    return path


def test_what_is_written_is_read_back(model: Path) -> None:
    read = read_model(model)
    assert read.flatbuffer == FLATBUFFER
    assert read.card == replace(CARD, sha256=read.sha256)


def test_the_same_inputs_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tflite"
    write_model(again, FLATBUFFER, CARD)
    assert again.read_bytes() == model.read_bytes()


def test_any_unzip_reads_labels_and_card(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        assert archive.read("labels.txt").decode().split("\n")[:3] == list(CARD.labels)
        assert json.loads(archive.read("card.json"))["name"] == "toy"


def test_a_finders_card_survives_too(tmp_path: Path) -> None:
    spec = FinderSpec(("cell", "not-white-cell"), (0.4, 0.5), 18.5)
    written = write_model(tmp_path / "f.tflite", FLATBUFFER, Card("f", "find", ("cell", "not-white-cell"), finder=spec))
    assert read_model(tmp_path / "f.tflite").card == written


def test_one_changed_byte_of_the_flatbuffer_is_refused(model: Path) -> None:
    data = bytearray(model.read_bytes())
    data[500] ^= 1
    model.write_bytes(data)
    with pytest.raises(ModelError, match="does not match the hash"):
        read_model(model)


@pytest.mark.parametrize("cut", [1, 30, 300])
def test_a_file_cut_off_in_its_card_is_refused(model: Path, cut: int) -> None:
    model.write_bytes(model.read_bytes()[:-cut])
    with pytest.raises(ModelError, match=r"truncated|cannot be read"):
        read_model(model)


def test_a_file_without_a_card_is_read_without_one(tmp_path: Path) -> None:
    path = tmp_path / "bare.tflite"
    path.write_bytes(FLATBUFFER)
    assert read_model(path).card is None


@pytest.mark.parametrize("content", [b"", b"PK", b"not a model at all, not even nearly"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a TFLite model"):
        read_model(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.tflite"):
        read_model(tmp_path / "gone.tflite")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 99}, "version"),
        ({"task": "dream"}, "task"),
        ({"labels": []}, "labels"),
        ({"labels": ["a", "a"]}, "labels"),
        ({"positive": ["nobody"]}, "positive"),
        ({"threshold": 1.5}, "threshold"),
        ({"colour": "hsv"}, "colour"),
        ({"output": "entropy"}, "output"),
        ({"crop": {"size": 100_000}}, "crop"),
        ({"crop": {"normalise": "magic"}}, "crop"),
        ({"task": "find", "finder": None}, "threshold per kind"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused_with_the_reason(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_card({**asdict(CARD), **change})


def test_keys_of_a_newer_writer_are_ignored() -> None:
    assert parse_card({**asdict(CARD), "mood": "sunny"}) == CARD


def test_a_card_that_is_no_object_is_refused() -> None:
    with pytest.raises(TypeError):
        parse_card([1, 2])  # type: ignore[arg-type]


def test_an_unwritable_place_is_one_known_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_model(tmp_path / "nowhere" / "m.tflite", FLATBUFFER, CARD)


def test_writing_leaves_no_half_file_beside_it(model: Path) -> None:
    assert list(model.parent.iterdir()) == [model]
