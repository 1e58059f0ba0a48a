"""What is left of a folder when a run goes on: files are known by their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import UnreadableFieldError
from edge.sources.files import FileSource
from edge.types import CountedField, FieldIdentity
from edge.workers import Workers


def paint(path: Path, shade: int) -> None:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), np.full((80, 80, 3), shade, np.uint8))


def folder(tmp_path: Path, *names: str) -> Path:
    for shade, name in enumerate(names, 10):
        paint(tmp_path / "s" / name, shade)
    return tmp_path / "s"


def counted(source: FileSource, n: int) -> list[CountedField]:
    """The first n fields of a source, as a run would have them in the book."""
    fields = []
    for shot in list(source)[:n]:
        try:
            identity = shot.load().identity
        except UnreadableFieldError as error:
            identity = error.identity
        fields.append(CountedField(shot.index, shot.sample, shot.name, identity))
    return fields


def left(place: Path, before: list[CountedField], *complete: str) -> tuple[list[tuple[int, str]], list[str]]:
    source = FileSource([str(place)], sample_per_folder=bool(complete))
    notes = source.go_on(before, complete)
    return [(shot.index, shot.name) for shot in source], list(notes)


Change = Callable[[Path], object]
NAMES = ("1.png", "2.png", "3.png", "4.png")
CHANGES: dict[str, tuple[Change, list[tuple[int, str]], list[str]]] = {
    "nothing": (lambda _: None, [(2, "3.png"), (3, "4.png")], []),
    "a counted file is renamed": (
        lambda at: (at / "1.png").rename(at / "z.png"),
        [(2, "3.png"), (3, "4.png")],
        ["z.png (was 1.png): known by content under another name, not counted again"],
    ),
    "two counted files change names": (
        lambda at: [(at / a).rename(at / b) for a, b in (("1.png", "x"), ("2.png", "1.png"), ("x", "2.png"))],
        [(2, "3.png"), (3, "4.png")],
        [
            "1.png (was 2.png), 2.png (was 1.png): known by content under another name, not counted again",
        ],
    ),
    "a counted file has another content": (
        lambda at: paint(at / "1.png", 200),
        [(2, "1.png"), (3, "3.png"), (4, "4.png")],
        ["1.png: changed since counted, so taken for further fields"],
    ),
    "a counted file is gone": (
        lambda at: (at / "2.png").unlink(),
        [(2, "3.png"), (3, "4.png")],
        ["2.png: counted, and not there any more: the counts stay"],
    ),
    "a copy of a counted file": (
        lambda at: (at / "5.png").write_bytes((at / "1.png").read_bytes()),
        [(2, "3.png"), (3, "4.png"), (4, "5.png")],
        [],
    ),
    "a new file sorts before the counted ones": (
        lambda at: paint(at / "0.png", 90),
        [(2, "0.png"), (3, "3.png"), (4, "4.png")],
        [],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_left_after_two_of_four_files(name: str, tmp_path: Path) -> None:
    change, fields, notes = CHANGES[name]
    place = folder(tmp_path, *NAMES)
    before = counted(FileSource([str(place)]), 2)
    change(place)
    assert left(place, before) == (fields, notes)


def test_a_file_that_could_not_be_read_is_known_by_content_too(tmp_path: Path) -> None:
    place = folder(tmp_path, "1.png", "2.png")
    (place / "1.png").write_bytes(b"half a picture")
    before = counted(FileSource([str(place)]), 1)
    assert left(place, before) == ([(1, "2.png")], [])
    paint(place / "1.png", 50)  # the copy was completed since
    assert left(place, before)[0] == [(1, "1.png"), (2, "2.png")]


def test_nothing_is_added_to_a_sample_that_is_complete(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/1.png", "b/2.png"):
        paint(tmp_path / name, len(name) + ord(name[0]))
    before = counted(FileSource([str(tmp_path)], sample_per_folder=True), 2)
    paint(tmp_path / "a" / "2.png", 77)
    assert left(tmp_path, before, "a") == ([(3, "2.png")], ["2.png: new in a sample that is complete, left out"])


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    place = folder(tmp_path, "1.png", "1.tif", "2.jpg")
    fields = [shot.load() for shot in FileSource([str(place)])]
    for field in fields:
        data = (place / field.name).read_bytes()
        expected = FieldIdentity(os.fspath(place / field.name), len(data), hashlib.sha256(data).hexdigest())
        assert field.identity == expected


def test_fields_of_one_tiff_share_a_hash_and_are_told_apart_by_their_number(tmp_path: Path) -> None:
    pages = [np.full((80, 80, 3), shade, np.uint8) for shade in (50, 90, 130)]
    place = tmp_path / "s"
    place.mkdir()
    assert cv2.imwritemulti(str(place / "all.tif"), pages)
    source = FileSource([str(place)])
    fields = [shot.load().identity for shot in source]
    assert [one.path.rpartition("/")[2] for one in fields if one] == ["all.tif#1", "all.tif#2", "all.tif#3"]
    assert len({one.sha256 for one in fields if one}) == 1
    assert left(place, counted(source, 2)) == ([(2, "all.tif#3")], [])


def test_only_files_of_a_known_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder(tmp_path, "1.png", "2.png")
    before = counted(FileSource([str(place)]), 1)
    (place / "2.png").write_bytes(b"another size")
    read: list[str] = []
    whole = hashlib.file_digest

    def noted(file: Any, name: str) -> Any:
        read.append(file.name)
        return whole(file, name)

    monkeypatch.setattr(hashlib, "file_digest", noted)
    assert left(place, before)[0] == [(1, "2.png")]
    assert read == [str(place / "1.png")]


def test_an_unreadable_input_comes_out_with_its_content(tmp_path: Path) -> None:
    place = folder(tmp_path, "1.png")
    (place / "1.png").write_bytes(b"no picture")
    with Workers(FileSource([str(place)]), [lambda field: pytest.fail("nothing to analyse")]) as workers:
        (outcome,) = workers
    assert outcome.identity is not None  # type: ignore[union-attr]
    assert outcome.identity.sha256 == hashlib.sha256(b"no picture").hexdigest()  # type: ignore[union-attr]
