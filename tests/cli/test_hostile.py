"""edge-run and people, files and names that mean harm, or are merely careless. Model and finder are stand-ins here."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import edge_run_app
from tests.cli.fake_edge_run import fakes
from tests.fakes import FakeSource, picture

ESCAPES = "\x1b[31mred\x1b]0;owned\x07\nline"


def run(*args: object, source: FakeSource | None = None) -> Any:
    with fakes(source):
        return CliRunner().invoke(edge_run_app(), ["--no-gate", *(str(a) for a in args)])


def refused(got: Any, code: int, *words: str) -> None:
    assert got.exit_code == code, got.stderr
    assert got.stdout == ""
    (line,) = got.stderr.splitlines()
    assert all(word in line for word in words), line


def field(path: Path) -> Path:
    cv2.imwrite(str(path), picture(5)[..., ::-1])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fields = tmp_path / "fields"
    fields.mkdir()
    for i in range(3):
        field(fields / f"f{i}.png")
    return fields


@pytest.mark.parametrize("text", ["", "~nobody-of-this-name/fields", "a" * 5000, "a" * 5000 + "*"])
def test_an_input_that_can_be_no_path_is_one_plain_line(text: str) -> None:
    refused(run(text), 4)


@pytest.mark.parametrize("option", ["--csv", "--detections"])
def test_an_output_never_takes_the_place_of_a_field(folder: Path, option: str) -> None:
    before = (folder / "f1.png").read_bytes()
    refused(run(folder, option, folder / "f1.png"), 7, "f1.png", "will not be written over")
    assert (folder / "f1.png").read_bytes() == before


def test_nor_that_of_an_input_which_has_no_pictures_name(folder: Path, tmp_path: Path) -> None:
    scan = tmp_path / "scan"
    scan.write_bytes((folder / "f0.png").read_bytes())
    refused(run(scan, "--csv", scan), 7, "will not be written over")
    (tmp_path / "link.csv").symlink_to(scan)
    refused(run(scan, "--csv", tmp_path / "link.csv"), 7, "will not be written over")


def test_an_output_of_an_earlier_run_is_written_over(folder: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(folder, "--csv", tmp_path / "t.csv", "--detections", tmp_path / "d.json").exit_code == 0


def test_annotated_images_do_not_become_the_next_runs_fields(folder: Path) -> None:
    for inputs in ((folder,), (folder / "f*.png",), (folder / "f0.png", folder / "f1.png")):
        refused(run(*inputs, "--annotate", folder), 7, "the next run would count")
    refused(run(folder, "--sample-per-folder", "--annotate", folder / "seen"), 7, "the next run would count")
    for _ in range(2):  # a sub-folder is not looked into
        got = run(folder, "--annotate", folder / "seen", "--json")
        assert json.loads(got.stdout.splitlines()[-1])["fields"] == {"kept": 3, "rejected": 0}


@pytest.mark.parametrize("option", ["--csv", "--detections", "--annotate"])
def test_an_outputs_name_that_is_too_long_is_one_plain_line(folder: Path, tmp_path: Path, option: str) -> None:
    refused(run(folder, option, tmp_path / ("a" * 300)), 7, "name too long")


@pytest.mark.parametrize("name", ["", ESCAPES, "two\nlines", "\udcff", "a" * 201])
def test_a_samples_name_is_one_printable_line(name: str) -> None:
    got = run("--camera", "--sample-id", name, source=FakeSource([1]))
    assert got.exit_code == 2
    assert "--sample-id must be printable" in got.stderr


def test_no_model_name_is_no_model(folder: Path) -> None:
    refused(CliRunner().invoke(edge_run_app(), [str(folder), "--model", ""]), 5, "no such model")


def test_names_reach_the_terminal_as_text_only(tmp_path: Path) -> None:
    fields = tmp_path / ESCAPES.replace("\x07", "")
    fields.mkdir()
    field(fields / "good.png")
    (fields / f"{ESCAPES}.png").write_text("not an image")
    (fields / "\udcff\udcfe.png").write_text("nor this")
    got = run(fields, "--csv", tmp_path / "t.csv", "--annotate", tmp_path / "seen")
    assert got.exit_code == 3
    for text in (got.stdout, got.stderr, (tmp_path / "t.csv").read_text()):
        assert all(c.isprintable() or c == "\n" for c in text), text
    refused(run(tmp_path / f"missing{ESCAPES}"), 4, "missing")


def test_a_file_name_is_no_formula_in_the_table(tmp_path: Path) -> None:
    fields = tmp_path / "=fields"
    fields.mkdir()
    names = ["=cmd|'x'!A1.png", "+1.png", "-1.png", "@sum.png", "plain.png"]
    for name in names:
        field(fields / name)
    got = run(fields, "--csv", tmp_path / "t.csv", "--json", "--detections", tmp_path / "d.json")
    with (tmp_path / "t.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["name"] for row in rows} == {"'=cmd|'x'!A1.png", "'+1.png", "'-1.png", "'@sum.png", "plain.png"}
    assert {row["sample"] for row in rows} == {"'=fields"}
    # JSON is no spreadsheet: there they are as they are
    assert {json.loads(line).get("name", "plain.png") for line in got.stdout.splitlines()} == set(names)
    assert {image["file_name"] for image in json.loads((tmp_path / "d.json").read_text())["images"]} == set(names)


def test_an_annotated_images_name_stays_in_its_folder(tmp_path: Path) -> None:
    source = FakeSource([1, 1])
    got = run("--camera", "--annotate", tmp_path / "seen", "--sample-id", "../../up", source=source)
    assert got.exit_code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["seen"]


def test_a_file_that_vanishes_while_it_runs_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.sources.files import FileSource

    iterate = FileSource.__iter__

    def late(self: FileSource) -> Any:
        (folder / "f1.png").unlink()
        return iterate(self)

    monkeypatch.setattr(FileSource, "__iter__", late)
    got = run(folder)
    assert got.exit_code == 3
    assert "f1.png: No such file" in got.stdout


def test_a_field_of_one_pixel_is_a_field() -> None:
    class Speck(FakeSource):
        def _load(self, index: int) -> Any:
            from edge.types import Field

            return Field(np.zeros((1, 1, 3), np.uint8), index, "s", "speck.png")

    assert run("--camera", source=Speck([1])).exit_code == 0
