"""The contract between workshop and device: a flatbuffer with its card, hash checked, nothing guessed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import tracemalloc
import warnings
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelError, OutputError
from edge.modelfile import MAX_CARD_BYTES, Card, CropSpec, FinderSpec, parse_card, read_model, write_model

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
        ({"colour": "cmyk"}, "colour"),
        ({"output": "entropy"}, "output"),
        ({"crop": {"size": 100_000}}, "crop"),
        ({"crop": {"normalise": "magic"}}, "crop"),
        (
            {"crop": {"normalise": "bounded", "reach": 0.1, "target": 128}},
            "in their own colours, which this version no longer",
        ),
        (
            {"crop": {"normalise": "cell", "target": 128}},
            "take the net of the same name from the shelf, or train yours anew",
        ),
        ({"crop": {"normalise": "typical", "mask": "black"}}, "compares cells takes them in rgb and unmasked"),
        ({"crop": {"normalise": "typical"}, "colour": "grey"}, "compares cells takes them in rgb and unmasked"),
        ({"task": "find", "finder": None}, "threshold per kind"),
        ({"name": "two\nlines"}, "name"),
        ({"name": 7}, "name"),
        ({"licence": None}, "licence"),
        ({"threshold_origin": "\x1b]0;owned\x07"}, "threshold_origin"),
        ({"labels": "cells"}, "labels is not a list"),
        ({"labels": [1, 2]}, "labels"),
        ({"labels": ["good", "\x1b[31mred\x1b[0m"]}, "labels"),
        ({"labels": ["a", ""]}, "labels"),
        ({"labels": ["a", "b" * 5000]}, "labels"),
        ({"labels": ["red cell", "not-platelet"], "positive": []}, "not-"),
        ({"labels": [f"c{i}" for i in range(5000)], "positive": []}, "labels"),
        ({"positive": {"trichomonad": 1}}, "positive is not a list"),
        ({"threshold": "0.5"}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": 10**400}, "threshold"),
        ({"accuracy": [1]}, "accuracy"),
        ({"calibration": "yes"}, "calibration"),
        ({"crop": 3}, "crop"),
        ({"crop": {"size": 32.5}}, "crop's size"),
        ({"crop": {"size": "32"}}, "crop's size"),
        ({"crop": {"margin": -1}}, "crop's margin"),
        ({"crop": {"margin": float("inf")}}, "crop's margin"),
        ({"crop": {"mask": ["black"]}}, "crop"),
        ({"crop": {"shape": "round"}}, "crop this version does not know"),
        ({"crop": {"shape": "stretch", "mask": "black"}}, "cannot be masked"),
        ({"version": "9" * 100_000}, "version"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused_with_the_reason(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_card({**asdict(CARD), **change})


@pytest.mark.parametrize(
    "change",
    [
        {"kinds": []},
        {"kinds": "cell"},
        {"kinds": ["not-cell", "cell"]},
        {"kinds": ["cell", "other"]},
        {"kinds": ["cell", "cell"]},
        {"kinds": ["cell", "not-\n"]},
        {"thresholds": [0.4]},
        {"thresholds": [0.4, 0]},
        {"thresholds": [0.4, float("nan")]},
        {"thresholds": [0.4, "high"]},
        {"cell_px": 0},
        {"cell_px": float("inf")},
        {"stride": 0},
        {"stride": 4.5},
        {"overlap": -1},
    ],
)
def test_a_finders_card_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    spec = {"kinds": ["cell", "not-white-cell"], "thresholds": [0.4, 0.4], **change}
    with pytest.raises(ValueError, match=r"kind|threshold|cell_px|stride|overlap"):
        parse_card({"version": 1, "name": "f", "task": "find", "labels": ["cell"], "finder": spec})


@pytest.mark.parametrize("key", ["name", "task", "labels"])
def test_what_a_card_must_say_is_missed_by_name(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key} is missing"):
        parse_card({k: v for k, v in asdict(CARD).items() if k != key})


def test_no_card_is_written_that_would_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="labels"):
        write_model(tmp_path / "m.tflite", FLATBUFFER, replace(CARD, labels=("a", "a")))
    assert list(tmp_path.iterdir()) == []


def with_cards(path: Path, *cards: bytes, how: int = zipfile.ZIP_STORED) -> Path:
    """A model file with this for a card, or with several."""
    path.write_bytes(FLATBUFFER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, of the same name twice
        with zipfile.ZipFile(path, "a", how) as archive:
            for card in cards:
                archive.writestr("card.json", card)
    return path


@pytest.mark.parametrize(
    ("card", "complaint"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[" * 200_000, "cannot be read"),
        (b'{"version": ' + b"9" * 10_000 + b"}", "cannot be read"),
        (b" " * (MAX_CARD_BYTES + 1), "too large"),
    ],
)
def test_garbage_for_a_card_is_one_known_error(tmp_path: Path, card: bytes, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint) as caught:
        read_model(with_cards(tmp_path / "m.tflite", card))
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 1000


def test_two_cards_are_refused_since_readers_would_disagree_which_holds(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="more than one card"):
        read_model(with_cards(tmp_path / "m.tflite", b"{}", b"{}"))


def test_a_bomb_that_claims_to_be_small_is_not_unpacked(tmp_path: Path) -> None:
    bomb = 200 * 2**20
    path = with_cards(tmp_path / "m.tflite", bytes(bomb), how=zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    assert data.count(bomb.to_bytes(4, "little")) == 2  # the local header and the directory
    path.write_bytes(data.replace(bomb.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    tracemalloc.start()
    with pytest.raises(ModelError, match="cannot be read"):
        read_model(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_card_packed_in_ways_that_cannot_be_bounded_is_refused(tmp_path: Path, how: int) -> None:
    with pytest.raises(ModelError, match="compressed"):
        read_model(with_cards(tmp_path / "m.tflite", b"{}", how=how))


def test_an_encrypted_card_is_refused(tmp_path: Path) -> None:
    path = with_cards(tmp_path / "m.tflite", b"{}")
    data = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(mark) + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="cannot be read"):
        read_model(path)


def test_no_damage_to_the_tail_is_more_than_a_known_error(model: Path) -> None:
    whole = model.read_bytes()
    rng = random.Random(0)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(FLATBUFFER), len(data))] = rng.randrange(256)
        model.write_bytes(data)
        with contextlib.suppress(ModelError):
            read_model(model)


def test_a_device_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    for path in (Path("/dev/zero"), tmp_path / "pipe.tflite", tmp_path):
        with pytest.raises(ModelError, match="not a regular file"):
            read_model(path)


def test_keys_of_a_newer_writer_are_ignored() -> None:
    assert parse_card({**asdict(CARD), "mood": "sunny"}) == CARD


def test_a_card_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="not a JSON object"):
        parse_card([1, 2])


def test_an_unwritable_place_is_one_known_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_model(tmp_path / "nowhere" / "m.tflite", FLATBUFFER, CARD)


def test_writing_leaves_no_half_file_beside_it(model: Path) -> None:
    assert list(model.parent.iterdir()) == [model]


def rewritten(model: Path, **change: Any) -> None:
    """The same file with another card, as an editor of ZIP files would leave it."""
    data = model.read_bytes()
    with zipfile.ZipFile(model) as archive:
        start = min(info.header_offset for info in archive.infolist())
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["card.json"] = json.dumps(json.loads(entries["card.json"]) | change).encode()
    model.write_bytes(data[:start])
    with zipfile.ZipFile(model, "a") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("the positive class swapped", {"positive": ["red cell"]}),
        ("a threshold of nothing", {"threshold": 0.0}),
        ("another margin", {"crop": {"margin": 3.0}}),
        ("ranges taken out", {"reference": {"colour": [0, None]}}),
    ],
)
def test_a_card_that_was_changed_afterwards_is_refused(model: Path, name: str, change: dict[str, Any]) -> None:
    assert len(read_model(model).card_sha256) == 64, name
    rewritten(model, **change)
    with pytest.raises(ModelError, match="changed after the model was made"):
        read_model(model)


def test_a_file_of_an_earlier_version_is_read_and_known_by_its_missing_hash(model: Path) -> None:
    data = model.read_bytes()
    with zipfile.ZipFile(model) as archive:
        start = min(info.header_offset for info in archive.infolist())
        kept = {name: archive.read(name) for name in ("labels.txt", "card.json")}
    model.write_bytes(data[:start])
    with zipfile.ZipFile(model, "a") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    read = read_model(model)
    assert read.card is not None
    assert read.card_sha256 == ""


@pytest.mark.parametrize(
    "reference", [{"colour": [0.3]}, {"colour": "x"}, {"colour": [0.3, float("nan")]}, {"": [0, 1]}, [1]]
)
def test_ranges_that_are_none_are_refused(reference: Any) -> None:
    with pytest.raises(ValueError, match=r"range|reference|list"):
        parse_card({"version": 1, "name": "x", "task": "classify", "labels": ["a"], "reference": reference})
