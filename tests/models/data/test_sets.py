"""Data sets: one small file each, found by the registry, and what the README of the images says of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from convert.errors import CellsError
from edge.modelfile import CropSpec
from models.__main__ import app
from models.data import sets
from models.data.classes import Naming, make_scheme
from models.data.fields import data_dir
from tests.models import tiny_data

NAMES = sorted(sets.every())
FOLDER = Path(sets.__file__).parent


def test_every_file_of_the_folder_is_a_set_of_that_name() -> None:
    assert sorted(path.stem for path in FOLDER.glob("[!_]*.py")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_one_small_file_that_says_all(name: str) -> None:
    one = sets.get(name)
    copied = "mutants" in FOLDER.parts  # mutmut's copy of a file is longer
    assert copied or len((FOLDER / f"{name}.py").read_text().splitlines()) <= 60
    for said in (one.source, one.licence, one.groups, one.reason, *one.classes, *one.classes.values()):
        assert said.strip()


def test_an_unknown_set_brings_the_names_there_are() -> None:
    with pytest.raises(CellsError, match="no data set is called 'moon': there are bbbc_fields"):
        sets.get("moon")


def test_sets_that_are_not_here_are_listed_without_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["data", "--json"])
    assert done.exit_code == 0, done.output
    found = {one["name"]: one for one in json.loads(done.stdout)["sets"]}
    assert sorted(found) == NAMES
    assert not any(one["here"] or "counts" in one for one in found.values())
    lines = CliRunner().invoke(app, ["data"]).stdout
    assert "weights that ship may not learn from it: its licence forbids commercial use" in lines


def test_sets_that_are_here_are_counted_by_class_and_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tiny_data.make(tmp_path)))
    done = CliRunner().invoke(app, ["data", "--json"])
    found = {one["name"]: one for one in json.loads(done.stdout)["sets"]}
    assert found["nih_cells"]["counts"] == {"uninfected": 60, "parasitized": 60}
    assert (found["nih_cells"]["known_groups"], found["nih_cells"]["images"]) == (10, 120)
    assert (found["iml_fields"]["known_groups"], found["iml_fields"]["images"]) == (4, 8)


def test_a_second_opinion_is_learned_from_and_the_published_label_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tiny_data.make(tmp_path)))
    opened = sets.get("nih_cells").cells()
    scheme = make_scheme(opened.names(), Naming(), None, (), whole_fields=False)
    cells, _ = opened.read(scheme, CropSpec(), lambda *_: None)
    other = np.flatnonzero(cells.taught != cells.truth)
    assert len(other) == 1
    assert cells.groups[other[0]] == "nih_cells/C01"
    assert scheme.labels[cells.taught[other[0]]] == "uninfected"
    assert scheme.labels[cells.truth[other[0]]] == "parasitized"


def test_groups_of_images_come_from_the_annotations_and_else_each_image_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    for name, more in (("thick_fields", {"group": "slide 7"}), ("pbc_fields", {})):
        (tmp_path / name).mkdir()
        images = [{"id": number, "file_name": f"{number}.jpg", **more} for number in range(3)]
        raw = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "parasite"}]}
        (tmp_path / name / "annotations.json").write_text(json.dumps(raw))
    assert sets.get("thick_fields").fields().groups == ("slide 7",) * 3
    assert sets.get("pbc_fields").fields().groups == ("0.jpg", "1.jpg", "2.jpg")
    assert [sets.get(name).counts()[1] for name in ("thick_fields", "pbc_fields")] == [1, 0]


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_licence_and_permission_are_those_of_the_readme_of_the_images(name: str) -> None:
    rows = [line.split("|") for line in (data_dir() / "README.md").read_text().splitlines() if line.startswith("| `")]
    about = {found: row for row in rows for found in re.findall(r"`(\w+)/`", row[1])}
    one, row = sets.get(name), about[name]
    assert one.may_teach == row[5].strip().startswith("yes")
    for licence in re.findall(r"MIT|CC BY-NC-SA|CC BY 4\.0|licence unknown", row[3]):
        assert one.licence == licence.removeprefix("licence ")


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_the_classes_of_the_images_are_those_that_a_set_names(name: str) -> None:
    counts, _, images = sets.get(name).counts()
    assert images > 0
    assert {key.lower() for key in counts} <= {key.lower() for key in sets.get(name).classes}
