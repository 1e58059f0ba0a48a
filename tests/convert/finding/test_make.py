"""The parent's side of ``quantize --task finder``: paths, gate, card; the child's work is played here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from convert import conversion
from convert.cli import app
from convert.cli.show_finder import show_finder
from convert.conversion import gate
from convert.errors import CellsError, GateError, OutputError
from convert.finding import make
from convert.finding.job import FinderTask
from edge import shelf
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model

FINDER = shelf.load(shelf.FINDER)


def report(**changes: Any) -> dict[str, Any]:
    one = {
        "fields": 9,
        "cells": 900,
        "f1": 0.93,
        "f1_interval": [0.9, 0.95],
        "precision": 0.9,
        "recall": 0.96,
        "infected": 7,
        "infected_kept": 1.0,
        "infected_kept_interval": [1.0, 1.0],
        "count_bias": 0.01,
        "count_error": 0.02,
    }
    return {
        "task": "finder",
        "passed": True,
        "drop_points": 0.1,
        "drop_interval": [0.0, 0.2],
        "max_drop_points": 0.5,
        "recipe": "int8",
        "tried": [{"recipe": "int8", "drop_points": 0.1}],
        "value_range": "-2..2",
        "finder": {
            "kinds": ["cell", "suspect", "not-white-cell", "not-platelet"],
            "thresholds": [0.4, 0.2, 0.3, 0.4],
            "cell_px": 20.0,
            "stride": 4,
            "overlap": 0.5,
        },
        "threshold_origin": "chosen",
        "outputs": {"heat": "heat", "boxes": ["boxes"], "sigmoid_added": False},
        "model": {"name": "f.keras", "sha256": "ab", "bytes": 9, "parameters": 9, "macs": 9, "input": [240, 320, 3]},
        "device_bytes": 9,
        "us_per_field": {"float": 9.0, "int8": 3.0},
        "speed_ratio": 3.0,
        "find_ms_per_field": {"float": 9.0, "int8": 3.0},
        "figures": {"float": one, "int8": one},
        "intervals_over": "fields",
        "agreement": {"boxes": 0.99, "median_iou": 0.98},
        "groups": {"float": {"block 0": 0.9}, "int8": {"block 0": 0.9}},
        "layers": [{"op": "CONV_2D", "tensor": "x", "ratio": 0.3, "bias": 0.0}],
        "healthy_layer": 0.289,
        "fields": {"calibration": 9, "check": 9, "check_groups": 2, "matched_by": "IoU 0.5"},
        "warnings": ["mind the gap"],
        "tools": {"keras": "3"},
        **changes,
    }


def played(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    def child(function: str, payload: dict[str, Any], **_: object) -> dict[str, Any]:
        assert function == "convert.finding.job:quantize"
        Path(payload["out"]).write_bytes(FINDER.flatbuffer)
        return json.loads(json.dumps(answer))  # type: ignore[no-any-return]

    monkeypatch.setattr(conversion, "run_in_child", child)


@pytest.fixture
def task(tmp_path: Path) -> FinderTask:
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "truth.json").write_text("[]")
    return FinderTask(model="f.keras", fields=str(tmp_path / "fields"), out=str(tmp_path / "f.tflite"))


def run(task: FinderTask, report_path: Path | None = None) -> dict[str, Any]:
    return make.quantize(task, report_path, force=True, progress=lambda *_: None, verbose=False)


def test_the_device_file_is_a_finder_that_the_device_can_read(
    monkeypatch: pytest.MonkeyPatch, task: FinderTask
) -> None:
    played(monkeypatch, report())
    run(task)
    model = read_model(Path(task.out))
    assert model.card is not None
    assert model.card.accuracy["int8"]["f1"] == 0.93
    assert model.card.source_sha256 == "ab"
    finder = LearnedFinder(model)
    assert finder.name == "f"
    assert finder.spec.thresholds == (0.4, 0.2, 0.3, 0.4)


def test_a_file_that_was_never_judged_says_so_in_its_card(monkeypatch: pytest.MonkeyPatch, task: FinderTask) -> None:
    played(monkeypatch, report(figures={}, agreement=None))
    run(task)
    card = read_model(Path(task.out)).card
    assert card is not None
    assert card.accuracy == {}
    assert "accuracy unknown" in card.training["calibrated_on"]


def test_the_gate_lets_the_report_out_and_not_the_file(
    monkeypatch: pytest.MonkeyPatch, task: FinderTask, tmp_path: Path
) -> None:
    played(monkeypatch, report(passed=False, drop_points=1.25))
    found = run(task, tmp_path / "report.json")
    assert not Path(task.out).exists()
    assert json.loads((tmp_path / "report.json").read_text())["drop_points"] == 1.25
    with pytest.raises(GateError, match=r"1\.25 points of F1.*--max-f1-drop") as caught:
        gate(found)
    assert caught.value.exit_code == 8


def test_the_annotations_are_never_overwritten(monkeypatch: pytest.MonkeyPatch, task: FinderTask) -> None:
    played(monkeypatch, report())
    truth = Path(str(task.fields), "truth.json")
    with pytest.raises(OutputError, match="already"):
        run(task, truth)
    assert truth.read_text() == "[]"


def test_a_folder_without_annotations_is_refused_before_the_work(task: FinderTask) -> None:
    Path(str(task.fields), "truth.json").unlink()
    with pytest.raises(CellsError, match="annotation file"):
        run(task)


def test_the_screen_shows_what_was_lost_and_how_sure_that_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_finder(report(), "f.tflite")
    shown = capsys.readouterr().out
    assert "93.00% (90.0-95.0)" in shown
    assert "infected cells kept (of 7)" in shown
    assert "int8 loses 0.10 points of F1 (0.00 to 0.20)" in shown
    assert "mind the gap" in shown
    assert "written: f.tflite" in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--task", "finder", "--cells", "d"), "--cells is for --task classifier"),
        (("--task", "finder", "--colour", "bgr", "--input", "rebuild"), "--colour, --input are for --task classifier"),
        (("--fields", "d"), "--fields is for --task finder"),
        (("--like", "x", "--cell-px", "20"), "--like, --cell-px are for --task finder"),
    ],
)
def test_options_of_the_other_task_are_refused(given: tuple[str, ...], said: str) -> None:
    got = CliRunner().invoke(app, ["quantize", "f.keras", *given])
    assert got.exit_code == 2
    assert said in " ".join(got.output.replace("│", " ").split())
