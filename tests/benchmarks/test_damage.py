"""Damaged picture files: how they are damaged, and how it is counted that nobody noticed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.damage import files
from benchmarks.damage.__main__ import app
from benchmarks.damage.files import DAMAGES, cut, flipped, harm, said_by, speed, table, zeroed
from edge.errors import NoInputError, UnreadableFieldError
from edge.types import UInt8Array

DATA = bytes(range(1, 251)) * 80  # 20,000 bytes, none of them zero
JPEG = b"\xff\xd8\xff\xe0" + DATA


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rgb = cv2.resize(np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8), (128, 96))
    cv2.imwrite(str(tmp_path / "b.png"), rgb)
    cv2.imwrite(str(tmp_path / "a.jpg"), rgb)
    (tmp_path / "notes.txt").touch()
    return tmp_path


@pytest.mark.parametrize("seed", range(5))
def test_a_file_that_ends_early_is_the_beginning_of_the_whole_one(seed: int) -> None:
    got = cut(DATA, np.random.default_rng(seed))
    assert DATA.startswith(got)
    assert 0.04 * len(DATA) < len(got) < len(DATA)


def test_a_cut_jpeg_ends_with_its_end_mark_all_the_same() -> None:
    got = cut(JPEG, np.random.default_rng(0))
    assert got.endswith(b"\xff\xd9")
    assert JPEG.startswith(got[:-2])


@pytest.mark.parametrize("seed", range(5))
def test_zeros_are_one_block_behind_the_header_and_the_length_stays(seed: int) -> None:
    got = zeroed(DATA, np.random.default_rng(seed))
    zeros = np.flatnonzero(np.frombuffer(got, np.uint8) == 0)
    assert len(got) == len(DATA)
    assert zeros[0] >= 1024
    assert (np.diff(zeros) == 1).all()
    assert 0.001 * len(DATA) < len(zeros) <= 0.34 * len(DATA)


@pytest.mark.parametrize("seed", range(5))
def test_one_to_twenty_bits_are_flipped_behind_the_header(seed: int) -> None:
    before, after = (np.frombuffer(data, np.uint8) for data in (DATA, flipped(DATA, np.random.default_rng(seed))))
    bits = np.unpackbits(before ^ after)
    assert 1 <= bits.sum() <= 20
    assert not (before[:1024] ^ after[:1024]).any()


@pytest.mark.parametrize("kind", DAMAGES)
def test_the_same_seed_damages_alike(kind: str) -> None:
    first, second, other = (DAMAGES[kind](DATA, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == second != other


@pytest.mark.parametrize(
    ("change", "share"),
    [
        pytest.param(lambda rgb: rgb, 0.0, id="nothing"),
        pytest.param(lambda rgb: rgb + 8, 0.0, id="eight levels cannot be seen"),
        pytest.param(lambda rgb: rgb + 9, 1.0, id="nine can"),
        pytest.param(lambda rgb: rgb - 9, 1.0, id="nine darker can as well"),
        pytest.param(lambda rgb: rgb + np.array([0, 0, 20], np.uint8), 1.0, id="in one channel"),
        pytest.param(lambda rgb: np.concatenate([rgb[:5], rgb[5:] + 50]), 0.5, id="half of the rows"),
        pytest.param(lambda rgb: rgb[:9], 1.0, id="another size"),
    ],
)
def test_harm_is_the_share_of_pixels_that_visibly_changed(
    change: Callable[[UInt8Array], UInt8Array], share: float
) -> None:
    truth = np.full((10, 10, 3), 100, np.uint8)
    assert harm(np.asarray(change(truth), np.uint8), truth) == share


def test_what_native_code_writes_to_stderr_is_heard_and_nothing_else() -> None:
    assert said_by(lambda: os.write(2, b"libpng warning"))
    assert not said_by(lambda: None)


def test_a_refused_file_is_none_and_not_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_path: Path) -> UInt8Array:
        raise UnreadableFieldError("cut off")

    monkeypatch.setattr(files, "decode_image", refuse)
    assert files.ours(tmp_path) is None
    assert files.opencv_alone(tmp_path / "none.png") is None


@pytest.mark.parametrize(
    ("alone", "edge", "counts"),
    [
        pytest.param("harmed", "refused", [4, 4, 0, 0], id="only OpenCV takes it for sound"),
        pytest.param("harmed", "harmed", [4, 4, 4, 0], id="both do"),
        pytest.param("whole", "whole", [4, 0, 0, 0], id="no harm came of it"),
        pytest.param("refused", "loud", [4, 0, 0, 4], id="refused, with words on stderr"),
    ],
)
def test_the_table_counts_what_was_decoded_in_silence_with_visible_harm(
    folder: Path, monkeypatch: pytest.MonkeyPatch, alone: str, edge: str, counts: list[int]
) -> None:
    def decode(how: str, path: Path) -> UInt8Array | None:
        if how == "loud":
            os.write(2, b"warning")
        whole = np.zeros((96, 128, 3), np.uint8)
        return {"harmed": whole + np.uint8(99), "whole": whole}.get(how)

    monkeypatch.setattr(files, "FORMATS", {"PNG": (".png", [])})
    monkeypatch.setattr(files, "decode_image", lambda _path: np.zeros((96, 128, 3), np.uint8))
    monkeypatch.setattr(files, "opencv_alone", lambda path: decode(alone, path))
    monkeypatch.setattr(files, "ours", lambda path: decode(edge, path))
    _, _, *rows = table(files.pictures(folder), 4, 0)
    assert [row[:32].strip() for row in rows] == [f"PNG, {kind}" for kind in DAMAGES]
    assert [[int(word) for word in row[32:].split()] for row in rows] == [counts] * 3


def test_strict_decoding_refuses_what_was_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "DAMAGES", {"cut": cut})
    monkeypatch.setattr(files, "FORMATS", {"JPEG": files.FORMATS["JPEG"]})
    (row,) = list(table(files.pictures(folder), 6, 0))[2:]
    total, alone, edge, _ = (int(word) for word in row[32:].split())
    assert (total, edge) == (6, 0)
    assert alone > 0


def test_pictures_are_those_of_the_folder_by_name(folder: Path, tmp_path: Path) -> None:
    assert [path.name for path in files.pictures(folder)] == ["a.jpg", "b.png"]
    with pytest.raises(NoInputError, match="no JPEG or PNG image in it"):
        files.pictures(tmp_path / "none")


def test_speed_is_of_the_jpegs_alone(folder: Path) -> None:
    assert speed(files.pictures(folder), rounds=1).endswith("of the time (1 files)")
    assert speed([folder / "b.png"], rounds=1) == "no JPEGs in this folder"


def test_the_command_prints_the_table_and_the_ratio(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FORMATS", {"BMP": files.FORMATS["BMP"]})
    got = CliRunner().invoke(app, [str(folder), "1"])
    assert got.exit_code == 0, got.output
    assert [line[:20].strip() for line in got.stdout.splitlines()[2:5]] == [f"BMP, {kind}" for kind in DAMAGES]
    assert "JPEG, strict against OpenCV" in got.stdout
    assert CliRunner().invoke(app, [str(folder / "none")]).exit_code == 4
    assert CliRunner().invoke(app, [str(folder), "0"]).exit_code == 2
