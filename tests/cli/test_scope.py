"""edge scope settle and edge-run --settled as their user meets them. Model and finder are stand-ins here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import edge_app
from edge.modelfile import Card
from edge.scope.file import read_settled
from tests.cli.fake_edge_run import fakes
from tests.fakes import CARD, COMPARING


def call(*args: object, card: Card = COMPARING) -> Any:
    with fakes(card=card):
        return CliRunner().invoke(edge_app(), [str(a) for a in args])


def slide(folder: Path, *things: int, light: int = 200) -> Path:
    """A field for each number: the stand-in finds as many things in it, the last of them no red cell."""
    folder.mkdir(parents=True)
    for i, many in enumerate(things):
        image = np.full((240, 320, 3), light, np.uint8)
        image[0, 0] = (light, light, many)
        for n in range(many):
            cv2.circle(image, (20 + 25 * n, 20), 8, (light // 2, light // 3, light // 2), -1)
        cv2.imwrite(str(folder / f"f{i}.png"), image)
    return folder


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    return slide(tmp_path / "fields", 11, 12, 11, 12, 11, 12)


@pytest.fixture
def known(fields: Path, tmp_path: Path) -> Path:
    out = tmp_path / "settled.json"
    got = call("scope", "settle", "--fields", fields, "--no-gate", "--scope", "scope-3", "-o", out)
    assert got.exit_code == 0, got.stderr
    return out


def test_it_says_what_it_learned_and_writes_it(fields: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.json"
    got = call("scope", "settle", "--fields", fields, "--no-gate", "-o", out)
    assert got.exit_code == 0, got.stderr
    assert "settled on  6 fields with 63 cells" in got.stdout
    assert "red 200, green 200, blue 200; brightness 200, fits from 156 to 255" in got.stdout
    assert f"written: {out}" in " ".join(got.stdout.split())  # a long path has a line of its own
    made = read_settled(out)
    assert (made.fields, made.cells, made.used.finder) == (6, 63, "fake-finder")
    assert made.typical.cells[0, 16, 16].tolist() == [100, 66, 100]


def test_on_a_folder_of_slides_all_of_them_count(tmp_path: Path) -> None:
    for name in ("a", "b"):
        slide(tmp_path / "slides" / name, 12, 12, 5)
    got = call("scope", "settle", "--fields", tmp_path / "slides", "--no-gate", "-o", tmp_path / "s.json")
    assert "settled on  4 fields with 44 cells; 2 more with too few cells\n" in got.stdout
    assert "5 fields or more would tell what they differ by" in got.stdout


def test_fields_that_do_not_count_are_numbered_and_one_field_is_no_fields(tmp_path: Path) -> None:
    folder = slide(tmp_path / "fields", 12)
    cv2.imwrite(str(folder / "grey.png"), np.full((240, 320, 3), 200, np.uint8))
    got = call("scope", "settle", "--fields", folder, "-o", tmp_path / "s.json")
    assert got.exit_code == 0, got.stderr
    assert "settled on  1 field with 11 cells; 1 more rejected\n" in got.stdout


def test_json_is_what_is_written(fields: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.json"
    got = call("scope", "settle", "--fields", fields, "--no-gate", "-o", out, "--json")
    assert json.loads(got.stdout) == json.loads(out.read_text())


@pytest.mark.parametrize(
    ("things", "card", "code", "text"),
    [
        pytest.param((5, 6), COMPARING, 8, "no field that counts holds 9 cells or more", id="too few cells"),
        pytest.param((), COMPARING, 4, "no", id="no fields"),
        pytest.param((12,), CARD, 8, "fake looks at each cell alone", id="a net that looks at each cell alone"),
    ],
)
def test_what_cannot_be_settled_is_said_and_nothing_is_written(
    tmp_path: Path, things: tuple[int, ...], card: Card, code: int, text: str
) -> None:
    folder, out = slide(tmp_path / "fields", *things), tmp_path / "s.json"
    got = call("scope", "settle", "--fields", folder, "--no-gate", "-o", out, card=card)
    assert got.exit_code == code
    assert text in got.stderr
    assert len(got.stderr.strip().splitlines()) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["fields"]


def test_a_run_says_how_many_fields_have_few_cells_and_what_to_do(tmp_path: Path) -> None:
    folder = slide(tmp_path / "sample", 12, 5, 4)
    got = call("run", folder, "--no-gate")
    assert got.exit_code == 0
    assert "note       - 2 of 3 fields have fewer than 9 cells" in got.stdout
    assert "edge scope settle --fields DIR -o FILE" in got.stdout
    assert "note" not in call("run", folder, "--no-gate", card=CARD).stdout  # a net that compares nothing


def test_with_what_was_settled_fields_of_few_cells_are_compared_with_it(known: Path, tmp_path: Path) -> None:
    folder = slide(tmp_path / "sample", 12, 5)
    got = call("run", folder, "--no-gate", "--settled", known, "--json", "--report", tmp_path / "out")
    assert got.exit_code == 0, got.stderr
    (sample,) = [event for event in map(json.loads, got.stdout.splitlines()) if event["event"] == "sample"]
    (note,) = sample["notes"]
    assert note == (
        "1 of 2 fields has fewer than 9 cells, too few to tell what a typical cell looks like: compared with the settled one."
    )
    page = (tmp_path / "out" / "sample.html").read_text()
    assert note in page
    assert f"settled = {json.dumps(str(known))}" in page.replace("&quot;", '"').replace("&#34;", '"')


def test_a_field_that_looks_otherwise_is_named_once_while_it_runs_and_in_the_end(known: Path, tmp_path: Path) -> None:
    folder = slide(tmp_path / "sample", 12, 12, light=120)
    got = call("run", folder, "--no-gate", "--settled", known)
    assert got.exit_code == 0
    assert got.stderr.count("the paper is 40 % darker than when this microscope was settled") == 1
    assert "edge-run: f0.png: the paper is 40 % darker" in got.stderr
    assert (
        "- 2 of 2 fields have another look than when this microscope was settled: the paper is 40 % darker"
        in got.stdout
    )


def test_another_microscopes_file_is_refused(known: Path, fields: Path) -> None:
    got = call("run", fields, "--settled", known, "--scope", "scope-4")
    assert got.exit_code == 8
    assert "scope-3 was settled, and this microscope is scope-4" in got.stderr


@pytest.mark.parametrize(
    "case",
    [
        pytest.param((("--tiling", "grid"), COMPARING, 2, "leave it out with --tiling grid"), id="tiles are no cells"),
        pytest.param(
            ((), CARD, 8, "fake looks at each cell alone: leave --settled out"),
            id="a net that looks at each cell alone",
        ),
    ],
)
def test_where_it_is_of_no_use_it_is_refused(
    known: Path, fields: Path, case: tuple[tuple[str, ...], Card, int, str]
) -> None:
    args, card, code, text = case
    got = call("run", fields, "--settled", known, *args, card=card)
    assert got.exit_code == code
    assert text in got.stderr
