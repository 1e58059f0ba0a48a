"""The search for the cheapest net: what is kept, what is judged on what, when a net counts as better, what the page says."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from convert.errors import CellsError
from edge.modelfile import CropSpec, read_model
from models.__main__ import app
from models.data.folds import FINDER, fold_paths
from models.judge.figures import Measurement, exact
from models.places import FOLDS, REPOSITORY
from models.studies.search.candidates import CANDIDATES, LITE, REFERENCE
from models.studies.search.judge import VERSION, read_figures, unseeing
from models.studies.search.make import plan_in
from models.train.classifier import CellTraining
from tests.models.studies.searching import PLAN, figures, keep, scores


def test_every_candidate_has_a_name_of_its_own_and_the_shelfs_nets_are_among_them() -> None:
    names = [one.name for one in CANDIDATES]
    assert len(set(names)) == len(names)
    assert {REFERENCE, LITE} <= set(names)


def test_help_shows_an_example() -> None:
    shown = CliRunner().invoke(app, ["search", "--help"]).output
    assert "Example: python -m models search --only" in shown
    assert "130 stopped by Ctrl-C" in " ".join(shown.split())


# the command line


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the real images were there."""
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("models.data.fields.need_images", lambda: None)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--work", str(REPOSITORY / "nets")], "in the repository"),
        (["--only", "resnet9", "--work", "/nowhere"], "no such row"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_code_2(options: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["search", "--no-training", *options])
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


@pytest.mark.usefixtures("images")
def test_without_training_the_reference_must_be_kept(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["search", "--no-training", "--work", str(tmp_path)])
    assert done.exit_code == 5
    assert f"{REFERENCE} is not kept" in done.output


def test_without_the_images_the_line_says_where_they_are_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["search", "--no-training", "--work", str(tmp_path / "work")])
    assert done.exit_code == 9
    assert "EDGE_DATA" in done.output
    assert "Traceback" not in done.output


# what is kept


def test_a_kept_file_says_by_which_plan_it_was_made(tmp_path: Path) -> None:
    path = keep(tmp_path, REFERENCE)
    assert plan_in(path) == PLAN
    assert plan_in(path) != replace(PLAN, slides=("C1",))
    assert plan_in(path) != replace(PLAN, settings=CellTraining(steps=11))


def test_a_damaged_file_or_one_of_other_crops_is_of_no_plan(tmp_path: Path) -> None:
    path = keep(tmp_path, REFERENCE)
    path.write_bytes(path.read_bytes()[:1000])
    assert plan_in(path) is None
    assert plan_in(keep(tmp_path, "other", crop=CropSpec(margin=1.3))) is None
    assert plan_in(tmp_path / "none.tflite") is None


def test_figures_come_back_as_they_were_kept_and_those_of_another_version_do_not(tmp_path: Path) -> None:
    note = tmp_path / "judged.json"
    assert read_figures(note) is None
    note.write_text(json.dumps({"version": VERSION, **asdict(figures())}))
    assert read_figures(note) == figures()
    note.write_text(json.dumps({"version": 0, **asdict(figures())}))
    assert read_figures(note) is None


# what it is judged on


def test_the_finder_is_one_that_never_saw_the_blocks() -> None:
    files = fold_paths(FOLDS, FINDER)
    for path in files:
        card = read_model(path).card
        assert card is not None
        blocks = tuple(card.training["held_out_blocks"])
        assert unseeing(files, blocks).path == path
    with pytest.raises(CellsError, match="no finder"):
        unseeing(files, (0, 1, 2))


def test_lost_cells_are_missed_and_the_interval_is_exact() -> None:
    figure = exact(101, 110)
    assert figure.value == pytest.approx(101 / 110)
    assert figure.low == pytest.approx(0.850, abs=0.002)
    assert figure.high == pytest.approx(0.962, abs=0.002)


def test_a_net_gains_nothing_over_itself() -> None:
    assert scores().gain("again", "good") == Measurement(0.0, 0.0, 0.0, 400)


def test_a_worse_net_loses_and_the_interval_says_so() -> None:
    gain = scores().gain("poor", "good")
    assert gain.high is not None
    assert gain.value < gain.high < 0


def test_the_slide_that_nets_are_worst_on_is_named_and_can_be_left_out() -> None:
    given = scores()
    hard = given.hardest()
    assert (hard.slide, hard.cells) == ("C3", 40)
    assert hard.right == pytest.approx(2 / 3, abs=0.02)
    assert given.without("poor", hard.slide) > given.without("poor", "C0")


# what it costs
