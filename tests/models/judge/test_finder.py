"""``evaluate`` on finders: pooled and by group, boxes and points, and one plain line where it cannot be done."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from convert.measure.annotations import AnnotatedField
from convert.measure.fields import FieldSet
from edge.modelfile import ModelFile
from models.__main__ import app
from models.data.classes import Naming
from models.data.gather import DataOptions
from models.judge import finder
from models.judge.finder import is_finder, positive_names
from tests.models.judge.world import SICK, SquareFinder, World, finder_card, make_world


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *(str(one) for one in arguments)])


@pytest.fixture
def fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four blocks of fields; in the second one infected cell is too faint for the finder, and one find is not annotated."""
    world: World = make_world(tmp_path, monkeypatch)
    world.fields[1] += [(SICK, 0.1, "ring"), (0.2, 0.9, None)]
    squares = SquareFinder(ModelFile(b"", finder_card(), "", Path("squares")))
    monkeypatch.setattr(finder, "finder_of", lambda _name: squares)
    return world.build().data / "iml_fields"


def test_figures_are_pooled_and_by_group(fields: Path) -> None:
    got = run("classical", "--fields", fields, "--group-by", r"field_\d", "--json")
    assert got.exit_code == 0, got.stderr
    (found,) = json.loads(got.stdout)["finders"]
    assert (found["finder"], found["set"], found["intervals_over"]) == ("classical", "iml_fields", "fields")
    assert found["figures"]["cells"] == 66
    assert found["figures"]["f1"] == pytest.approx(2 * 64 / (66 + 66))
    assert found["figures"]["infected_kept"] == pytest.approx(8 / 10)
    groups = found["groups"]
    assert list(groups) == ["field_0", "field_1", "field_2", "field_3"]
    assert groups["field_1"]["infected_kept"] == pytest.approx(2 / 4)
    assert groups["field_0"]["f1"] == 1


def test_the_table_has_a_line_per_group_and_the_intervals(fields: Path) -> None:
    said = run("classical", "--fields", fields, "--group-by", r"field_\d").stdout
    assert "field_1" in said
    assert "0.800 of 10" in said
    assert "95 % over fields: f1 " in said


def test_points_have_no_infected_cells(fields: Path) -> None:
    raw = json.loads((fields / "annotations.json").read_text())
    for entry in raw:
        entry["points"] = [[o["bbox"]["x"] + 20, o["bbox"]["y"] + 20] for o in entry.pop("objects")]
    (fields / "annotations.json").write_text(json.dumps(raw))
    (found,) = json.loads(run("classical", "--fields", fields, "--json").stdout)["finders"]
    assert found["figures"]["infected_kept"] is None
    assert found["figures"]["recall"] == pytest.approx(64 / 66)


@pytest.mark.parametrize(
    ("given", "positive"),
    [
        pytest.param(DataOptions(), ("ring", "difficult"), id="all but the most frequent"),
        pytest.param(
            DataOptions(naming=Naming(ignore=frozenset({"difficult"}))), ("ring",), id="what is ignored is not positive"
        ),
        pytest.param(DataOptions(positive=("difficult",)), ("difficult",), id="as asked"),
        pytest.param(DataOptions(background="ring"), ("cell", "difficult"), id="another background"),
    ],
)
def test_what_is_positive_is_what_the_options_say(given: DataOptions, positive: tuple[str, ...]) -> None:
    one = AnnotatedField(Path("a.png"), np.zeros((5, 4), np.int32), ("cell", "cell", "cell", "ring", "difficult"))
    assert set(positive_names(FieldSet((one,), ("a",), grouped=False), given)) == set(positive)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("finder-thin", "--cells", "."), "give --fields DIR", id="single cells"),
        pytest.param(("finder-thin", "malaria-thin-32", "--fields", "."), "one after the other", id="both kinds"),
    ],
)
def test_what_cannot_be_judged_is_said(arguments: tuple[str, ...], words: str) -> None:
    got = run(*arguments)
    assert got.exit_code in {2, 9}
    assert words in got.output + got.stderr
    assert "Traceback" not in got.output


@pytest.mark.parametrize(("name", "expected"), [("classical", True), ("finder-thin", True), ("malaria-thin-32", False)])
def test_finders_are_told_from_classifiers(name: str, expected: bool) -> None:
    assert is_finder(name) is expected
