"""The table of the founding nets: what is held out, how differences are paired, when a target is missed, what is kept."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from convert.measure.cells import CellSet
from convert.measure.single import cut
from edge.modelfile import CropSpec
from edge.types import FloatArray, UInt8Array
from models.__main__ import app
from models.places import REPOSITORY
from models.studies.founding import convert as founding_convert
from models.studies.founding import data as founding_data
from models.studies.founding import run as founding
from models.studies.founding import train as founding_train
from models.studies.founding.convert import (
    ConversionFigures,
    PairedDifference,
    PairedFigures,
    compare,
    from_json,
)
from models.studies.founding.table import FoundingResult, render, targets
from models.studies.founding.train import ROWS, TrainedNet
from models.studies.kept import code_digest
from tests.convert import cell_folders

RNG = np.random.default_rng(5)
LABELS = ("Uninfected", "Parasitized")


def lost(value: float) -> PairedDifference:
    return PairedDifference(0.95, 0.95 - value, (-value - 0.001, -value + 0.001))


GOOD = PairedFigures(4000, 30, lost(0.001), 0.998, (0.93, 0.97), lost(0.001), lost(0.0005), 0.998, (0.996, 0.999))


def report(**changes: Any) -> dict[str, Any]:
    judged = {"cells": 4000, "accuracy": 0.95, "accuracy_interval": [0.93, 0.97], "auc": 0.98}
    judged |= {"sensitivity_at_1_percent_fp": 0.8}
    way = {"way": "native", "recipe": "int8", "tried": [{"recipe": "int8", "loss": 0.4}], "accuracy": 0.949}
    return {
        "passed": True,
        "drop_points": 0.1,
        "way": "native",
        "recipe": "int8",
        "model": {"bytes": 900_000, "macs": 5_000_000, "sha256": "ab"},
        "device_bytes": 80_000,
        "us_per_cell": {"float": 200.0, "int8": 50.0},
        "figures": {"as_trained": {**judged, "accuracy": 0.951}, "float": judged, "int8": judged},
        "agreement": {"int8_with_float": 0.999, "int8_with_as_trained": 0.998},
        "ways": [{**way, "bytes": 80_000, "macs": 5_000_000, "passed": True}],
        "layers": [{"op": "FULLY_CONNECTED", "tensor": "a", "ratio": 2.5, "bias": 0.0}],
        "healthy_layer": 0.289,
        "warnings": ["rebuild does not apply: the net does not work at 32x32x3"],
        **changes,
    }


def measured(pair: PairedFigures | None = GOOD, **changes: Any) -> FoundingResult:
    net = TrainedNet(Path("net.keras"), 8000, 95, 14, 120.0, 0, 70_000)
    return FoundingResult(ROWS[0], net, ConversionFigures(report(**changes), pair, (0.95, 0.99), "abc"))


def cells(count: int = 200) -> CellSet:
    truth = (np.arange(count) % 2).astype(np.int32)
    groups = np.array([f"C{i // 20}" for i in range(count)])
    names = tuple(f"{i}.png" for i in range(count))
    return CellSet(np.zeros((count, 4, 4, 3), np.uint8), truth, LABELS, groups, names, grouped=True)


def scored(right: np.ndarray, truth: np.ndarray) -> FloatArray:
    p = np.where(right == (truth == 1), 0.9, 0.1).astype(np.float32)
    return np.stack([1 - p, p], axis=1)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small folder of NIH cells of ten slides, and a place to work in; gives the latter."""
    place = tmp_path / "data" / "nih_cells"
    rows = []
    for number in range(40):
        kind = ("Parasitized", "Uninfected")[number % 2]
        name = f"{kind}/C{number // 4}P_cell_{number}.png"
        (place / kind).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / name), cell_folders.draw(RNG, dotted=number % 2 == 0))
        rows.append({"file": name, "label": kind.lower(), "slide": f"C{number // 4}"})
    with (place / "cells.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ("file", "label", "slide"))
        writer.writeheader()
        writer.writerows(rows)
    monkeypatch.setenv("EDGE_DATA", str(tmp_path / "data"))
    return tmp_path / "work"


def test_what_is_judged_on_is_of_other_slides_than_what_is_trained_on(data: Path) -> None:
    known = founding_data.sources("nih", data)
    held, kept = ({s.group for s in known if s.held_out is wanted} for wanted in (True, False))
    assert not held & kept
    assert held == {"C1", "C3", "C6", "C8"}
    linked = {path.name for path in founding_data.folder("nih", data).rglob("*.png")}
    assert linked == {s.path.name for s in known if s.held_out}


def test_training_takes_as_many_of_each_class_and_none_that_is_held_out(data: Path) -> None:
    images, truth, slides = founding_data.training_set("nih", data, 16, "hsv", 10)
    assert images.shape == (10, 16, 16, 3)
    assert np.bincount(truth).tolist() == [5, 5]
    assert slides <= 6
    assert images[..., 0].max() < 180  # OpenCV's hue


def test_a_notebook_pads_black_in_the_middle_as_the_converter_does() -> None:
    cell = np.zeros((64, 40, 3), np.uint8)
    cell[8:56, 8:32] = RNG.integers(60, 255, (48, 24, 3))
    ours = cut(cell, CropSpec(size=64), black=True, keep_black=True)
    assert np.array_equal(founding_data.notebook_image(cell, 64), ours)
    assert (ours[:, :12] == 0).all()


def test_a_notebook_scales_a_cell_to_fit() -> None:
    whole: UInt8Array = np.full((50, 100, 3), 200, np.uint8)
    small = founding_data.notebook_image(whole, 32)
    assert small.shape == (32, 32, 3)
    assert (small[8:24] == 200).all()
    assert (small[:8] == 0).all()


def test_differences_are_paired_and_signed() -> None:
    known = cells()
    rng = np.random.default_rng(0)
    theirs = rng.random(200) < 0.9
    mine = theirs.copy()
    mine[np.flatnonzero(theirs)[:6]] = False
    got = compare((scored(theirs, known.truth), scored(mine, known.truth)), (0.5, 0.5), known, ("Parasitized",))
    assert got.accuracy.value == pytest.approx(-6 / 200)
    assert got.agreement == pytest.approx(194 / 200)
    assert got.auc is not None
    assert got.auc.value < 0
    assert got.accuracy.interval[0] < got.accuracy.value < got.accuracy.interval[1] <= 0
    assert got.groups == 10


def test_each_net_has_its_own_operating_threshold() -> None:
    known = cells()
    scores = scored(np.ones(200, bool), known.truth)
    got = compare((scores, scores), (0.5, 0.95), known, ("Parasitized",))
    assert got.accuracy.value == 0
    assert got.operating.value == pytest.approx(-0.5)  # at 0.95 none counts as positive
    assert got.agreement == pytest.approx(0.5)
    assert got.agreement_at_half == 1


def test_the_paired_interval_is_of_the_difference_and_not_of_the_accuracies() -> None:
    known = cells()
    scores = scored(np.random.default_rng(0).random(200) < 0.7, known.truth)
    got = compare((scores, scores), (0.5, 0.5), known, ("Parasitized",))
    assert got.accuracy.interval == (0.0, 0.0)
    assert got.agreement_interval == pytest.approx((0.982, 1.0), abs=1e-3)  # what 200 cells cannot exclude


def test_without_a_positive_class_there_is_no_auc_and_the_highest_score_counts() -> None:
    known = cells()
    scores = scored(np.ones(200, bool), known.truth)
    got = compare((scores, scores), (0.99, 0.99), known, ())
    assert got.auc is None
    assert got.operating.after == 1


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({}, True),
        ({"accuracy": lost(0.003)}, True),
        ({"accuracy": lost(0.0031)}, False),
        ({"accuracy": lost(-0.02)}, True),
        ({"operating": lost(0.0031)}, False),
        ({"auc": lost(0.002)}, True),
        ({"auc": lost(0.0021)}, False),
        ({"auc": None}, True),
        ({"agreement": 0.995}, True),
        ({"agreement": 0.9949}, False),
    ],
)
def test_a_target_is_met_or_missed_by_the_figures(change: dict[str, Any], met: bool) -> None:
    assert targets(ConversionFigures(report(), replace(GOOD, **change), None, "abc")).met is met


def test_what_the_gate_refused_misses_its_targets_and_the_table_says_so() -> None:
    one = measured(None, passed=False, drop_points=3.21)
    assert not targets(one.figures).met
    text = render([one])
    assert "refused by the gate" in text
    assert "-3.21: **missed**" in text


def test_a_miss_is_counted_and_written_in_bold() -> None:
    text = render([measured(), measured(replace(GOOD, agreement=0.98))])
    assert "98.00 (99.60 to 99.90): **missed**" in text
    assert "1 of 2 rows keep within all targets" in text


def test_every_row_has_as_many_cells_as_its_head() -> None:
    blocks = render([measured(), measured(None, passed=False)], ["notebook_4"]).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("| net")]
    assert len(tables) == 4
    for table in tables:
        assert len({line.count("|") for line in table}) == 1


def test_rows_that_are_lacking_and_ways_that_failed_are_named() -> None:
    text = render([measured()], ["notebook_4"])
    assert "where it stopped): notebook_4." in text
    assert "| rebuild | - | - | no | the net does not work at 32x32x3 |" in text


def test_the_worst_layers_are_named_where_int8_itself_loses_too_much() -> None:
    assert "FULLY_CONNECTED 2.50" not in render([measured()])
    lossy = measured(agreement={"int8_with_float": 0.98, "int8_with_as_trained": 0.98})
    assert "native: FULLY_CONNECTED 2.50" in render([lossy])


def test_rows_of_different_code_are_said_to_be() -> None:
    one = measured()
    other = replace(one, figures=replace(one.figures, code="def"))
    assert "by the same code (digest `abc`)" in render([one, one])
    assert "different states of the code" in render([one, other])


def test_figures_come_back_as_they_were_kept() -> None:
    for one in (measured(), measured(None)):
        assert from_json(json.loads(json.dumps(asdict(one.figures)))).paired == one.figures.paired


def test_what_was_trained_and_converted_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, work = measured(), tmp_path
    for folder, kept in (("nets", asdict(one.net)), ("rows", asdict(one.figures))):
        (work / folder).mkdir()
        kept.pop("path", None)
        (work / folder / f"{one.row.name}.json").write_text(json.dumps(kept))

    def work_again(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(founding_train, "_train", work_again)
    monkeypatch.setattr(founding_convert, "quantize", work_again)
    monkeypatch.setattr(founding, "reading", lambda _: ["how cells are read"])
    page = tmp_path / "founding.md"
    assert founding.run(work, page, print, only=[one.row.name]) == 1
    assert "notebook 1" in page.read_text()
    assert "where it stopped): notebook_2, notebook_3" in page.read_text()
    monkeypatch.setattr(founding_convert, "folder", lambda *_: tmp_path)
    with pytest.raises(ZeroDivisionError):
        founding.run(work, page, print, only=[one.row.name], again=True)


def test_no_cell_gets_into_the_repository() -> None:
    with pytest.raises(ValueError, match="in the repository"):
        founding.run(REPOSITORY / "build" / "founding", Path("page.md"), print)


def test_a_row_that_is_not_known_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    got = CliRunner().invoke(app, ["founding", "--work", str(tmp_path), "--only", "notebook_7"])
    assert got.exit_code == 2
    assert "notebook_7: no such row" in got.output
    assert not list(tmp_path.iterdir())


def test_the_command_says_how_it_goes_on() -> None:
    text = CliRunner().invoke(app, ["founding", "--help"]).output
    for option in ("--work", "--only", "--convert-again", "--no-training", "--out"):
        assert option in text


def test_the_digest_follows_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    first = code_digest(tmp_path)
    (tmp_path / "a.py").write_text("2")
    assert code_digest(tmp_path) != first


def test_every_founding_net_has_a_row() -> None:
    from models.studies.founding.nets import NETS

    assert {row.net for row in ROWS} == set(NETS)
    assert len({row.name for row in ROWS}) == len(ROWS)
