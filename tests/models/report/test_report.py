"""The page on the shipped classifiers, on made-up scores: what is counted, what is said, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from convert.errors import ToolError
from edge.errors import OutputError
from edge.modelfile import Card
from models.__main__ import app
from models.data.fields import need_images
from models.data.folds import CLASSIFIERS as NAMES
from models.judge.figures import Measurement
from models.judge.scores import FieldCells, NetScores, NihCells, limits_of_others, reached
from models.places import SHELF
from models.report import looked, measure, operating, page, sheets, tables
from models.report.curves import calibration_error, curve, reliability

CARD = Card(
    "x", "classify", ("uninfected", "parasitized"), positive=("parasitized",), accuracy={"agreement": 1, "cells": 9}
)


def nih_cells(n: int = 1200) -> NihCells:
    """Twelve slides, two of them known to be negative; one in ten has a second opinion, some of which contradict."""
    infected = np.arange(n) % 2 == 0
    slides = np.array([f"C{i * 12 // n}" for i in range(n)])
    infected[(slides == "C0") | (slides == "C1")] = False
    second = np.where(np.arange(n) % 10 == 0, infected.astype(int), -1)
    second[200:240:10] = 1 - second[200:240:10]
    return NihCells(tuple(f"cell{i}.png" for i in range(n)), infected, second, slides, np.arange(n) * 12 // n % 5)


def field_cells(n: int = 4000) -> FieldCells:
    """Forty fields in four folds; one cell in twenty is infected, and three rings are lost."""
    infected = np.arange(n) % 20 == 0
    fields = np.arange(n) * 40 // n
    stages = np.where(infected, np.where(np.arange(n) % 40 == 0, "ring", "gametocyte"), "red blood cell")
    boxes = np.tile([10, 10, 20, 20], (n, 1))
    names = tuple(f"field{i}.jpg" for i in range(40))
    lost = np.array(["ring"] * 3)
    return FieldCells(infected, np.ones(n, bool), stages, boxes, fields, fields % 4, lost, np.array([0, 1, 2]), names)


def scored(name: str, nih: NihCells, iml: FieldCells, seed: int) -> NetScores:
    rng = np.random.default_rng(seed)

    def draw(infected: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(rng.normal(np.where(infected, 0.8, 0.2), 0.15), 0, 1), np.float32)

    first = draw(nih.infected)
    return NetScores(name, (CARD,) * 5, first, first >= 0.5, draw(iml.infected))


@pytest.fixture
def made_up() -> tuple[NihCells, FieldCells, list[NetScores]]:
    nih, iml = nih_cells(), field_cells()
    return nih, iml, [scored(name, nih, iml, seed) for seed, name in enumerate(NAMES)]


Made = tuple[NihCells, FieldCells, list[NetScores]]


def test_a_folds_threshold_does_not_depend_on_its_own_cells(made_up: Made) -> None:
    _, iml, (net,) = made_up
    own = iml.folds == 2
    other = np.where(own, np.float32(0.99), net.iml)
    before = limits_of_others(iml.folds, net.iml, iml.infected, 0.01, 4)
    after = limits_of_others(iml.folds, other, iml.infected, 0.01, 4)
    assert after[2] == before[2]
    assert (np.delete(after, 2) != np.delete(before, 2)).all()


def test_infected_cells_that_the_finder_lost_count_as_missed(made_up: Made) -> None:
    _, iml, (net,) = made_up
    perfect = replace(net, iml=iml.infected.astype(np.float32))
    found = measure.found(iml, perfect, 0.01)
    assert found.share.value == pytest.approx(200 / 203)
    assert found.share.n == 203
    assert found.false.value == 0
    stages = measure.by_stage(iml, perfect, 0.01)
    assert (stages["ring"].n, stages["gametocyte"].value) == (103, 1)
    assert stages["ring"].value == pytest.approx(100 / 103)
    assert tables.percent(stages["schizont"]) == "-"


def test_small_shares_keep_their_digits() -> None:
    assert tables.fine(Measurement(0.00114, 0.00071, 0.00156, 1000)) == "0.11 % (0.07 to 0.16); n = 1,000"


def test_the_stages_add_up_to_the_whole(made_up: Made) -> None:
    _, iml, (net,) = made_up
    parts = measure.by_stage(iml, net, 0.01).values()
    hits = sum(one.value * one.n for one in parts if one.n)
    assert hits == pytest.approx((reached(iml, net.iml, 0.01) & iml.infected).sum())
    assert hits / sum(one.n for one in parts) == pytest.approx(measure.found(iml, net, 0.01).share.value)


def test_cleaned_labels_take_the_second_opinion_only_where_there_is_one() -> None:
    cells = nih_cells()
    assert np.flatnonzero(cells.cleaned != cells.infected).tolist() == [200, 210, 220, 230]


def test_only_slides_without_an_infected_cell_are_known_negatives(made_up: Made) -> None:
    nih, _, (net,) = made_up
    called = np.zeros(len(nih.infected), bool)
    called[[0, 5, 100, 700]] = True
    rows = measure.negatives(nih, replace(net, called=called))
    assert [(one.group, one.cells, one.flagged) for one in rows] == [("C0", 100, 2), ("C1", 100, 1)]


def test_thresholds_by_known_negative_slides_do_not_depend_on_a_folds_own(made_up: Made) -> None:
    nih, iml, (net,) = made_up
    healthy = nih.known_negative()
    assert set(nih.slides[healthy]) == {"C0", "C1"}
    own = healthy & (nih.folds == 0)
    card, one, rare = operating.points(nih, iml, net)
    assert card.limits == (0.5, 0.5)
    assert card.negative.n == one.negative.n == int(healthy.sum())
    assert rare.limits[0] >= one.limits[0]
    assert rare.negative.value <= one.negative.value
    loud = replace(net, nih=np.where(own, np.float32(0.999), net.nih))
    _, again, _ = operating.points(nih, iml, loud)
    assert again.worst == 1  # its own slide is all positive, and its threshold knew nothing of it


def test_the_audit_counts_who_sides_with_the_second_opinion(made_up: Made) -> None:
    nih, _, (net,) = made_up
    stubborn = replace(net, name="raw", nih=nih.infected.astype(np.float32))
    follower = replace(net, name="second", nih=nih.cleaned.astype(np.float32))
    found = measure.audit(nih, [stubborn, follower])
    raw, second = found.sides
    assert (raw.against.value, raw.with_second.value, raw.without.value) == (0, 1, 1)
    assert (second.against.value, second.by_second.value) == (1, 1)
    assert second.with_second.value == found.plain.value == 1 - 4 / 120
    assert raw.by_second.value == second.with_second.value


def test_the_slide_with_most_mistakes_is_named_and_what_is_reached_without_it(made_up: Made) -> None:
    nih, _, (net,) = made_up
    mine = nih.slides == "C7"
    wrong = replace(net, nih=np.where(mine, 1 - nih.infected, nih.infected).astype(np.float32))
    found = measure.worst_slide(nih, wrong)
    assert (found.name, found.wrong, found.all_wrong) == ("C7", int(mine.sum()), int(mine.sum()))
    assert found.infected == int((mine & nih.infected).sum())
    assert found.without["accuracy"].value == found.without["AUC"].value == 1
    assert found.without["accuracy"].n == int((~mine).sum())


def test_a_net_has_all_of_its_own_auc(made_up: Made) -> None:
    nih, _, (net,) = made_up
    assert measure.auc_share(nih, net.nih, net.nih).value == 1
    assert measure.auc_share(nih, 1 - net.nih, net.nih).value < 0.1


def test_the_curve_allows_no_more_false_positives_than_it_says_and_stops_at_what_the_finder_keeps() -> None:
    infected = np.array([True, True, True, False, False, False, False])
    scores = np.array([0.9, 0.6, 0.1, 0.7, 0.3, 0.2, 0.05], np.float32)
    drawn = curve(infected, scores, lost=1)
    assert drawn.false.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert drawn.found.tolist() == [0.25, 0.5, 0.5, 0.75, 0.75]
    assert (drawn.least, drawn.top) == (0.25, 0.75)


def test_scores_that_mean_what_they_say_have_no_calibration_error() -> None:
    infected = np.repeat([False, True], [150, 50])
    honest, sure = np.full(200, 0.25, np.float32), np.full(200, 1.0, np.float32)
    assert calibration_error(reliability(infected, honest)) == pytest.approx(0)
    (one,) = reliability(infected, sure)
    assert (one.cells, one.score, one.share) == (200, 1, 0.25)
    assert one.low < 0.25 < one.high
    assert calibration_error([one]) == pytest.approx(0.75)


def test_the_worst_come_first_and_each_of_its_own_kind() -> None:
    scores = np.array([0.1, 0.9, 0.8, 0.3, 0.5], np.float32)
    high, low = sheets.worst(scores, np.array([True, False, False, True, True]), count=2)
    assert high.tolist() == [1, 2]
    assert low.tolist() == [0, 3]


def test_a_note_on_a_sheet_counts_only_for_the_cells_it_was_made_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = {key: ["b", "a"] for key in looked.LOOKED}
    slides = np.array(["C9", "C9"])
    assert "nobody has looked" in "\n".join(tables.mistakes(cells, slides, {0.001: 3}))
    note = looked.SheetNote(1, 0, 1, "a ring", looked.fingerprint(["a", "b"]))
    monkeypatch.setattr(tables, "LOOKED", dict.fromkeys(cells, note))
    said = "\n".join(tables.mistakes(cells, slides, {0.001: 3}))
    assert "nobody has looked" not in said
    assert "| 2 | 1 | 0 | 1 | a ring |" in said


def test_the_page_holds_every_part_and_says_what_is_missed(made_up: Made, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    nih, iml, nets = made_up
    report = page.assemble(nih, iml, nets, SHELF)
    for part in ("In figures", "Targets", "Curves", "Stage by stage", "Labels", "Worst mistakes", "one by one"):
        assert part in report.text
    assert "**missed**" in report.text
    assert "nan" not in report.text
    written = page.write(tmp_path, report)
    for name in report.plots:
        assert f"](report/{name})" in report.text
        assert tmp_path / "report" / name in written
        assert (tmp_path / "report" / name).read_text().count("<svg") == 1
    again = page.assemble(nih, iml, nets, SHELF)
    assert (again.text, again.plots) == (report.text, report.plots)


def test_a_page_that_cannot_be_written_is_one_plain_failure(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        page.write(tmp_path, page.ReportPage("text", {"roc.svg": "<svg/>"}))


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run() -> Run:
    def call(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["report", *words])
        return done.exit_code, done.stderr

    return call


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders that look like the real ones from outside."""
    for name in ("nih_cells/cells.csv", "iml_fields/annotations.json"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.setenv("EDGE_DATA", str(tmp_path / "data"))
    need_images()
    return tmp_path


def test_without_the_real_images_it_says_which_are_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    code, said = run("--out", str(tmp_path))
    assert code == 9
    assert "EDGE_DATA" in said
    assert said.count("\n") == 1


def test_sheets_of_real_cells_never_go_into_the_repository(run: Run, images: Path) -> None:
    link = images / "link"
    link.symlink_to(SHELF)
    for folder in (SHELF / "sheets", link / "sheets"):
        code, said = run("--sheets", str(folder))
        assert code == 7
        assert "outside" in said
        assert not folder.exists()


def test_without_matplotlib_it_says_what_brings_it(run: Run, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    code, said = run("--out", str(images))
    assert code == ToolError.exit_code == 11
    assert "pip install 'scipy" in said
