"""The parent's side of ``quantize``: paths, gate, card and report; the child's work is played here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convert import conversion
from convert.classify import make
from convert.classify.job import Task
from convert.conversion import gate, write_json
from convert.errors import CellsError, GateError, LimitError, OutputError
from edge.modelfile import Card, read_model
from edge.types import SampleAppearance
from edge.verdict.fitness import Fitness, ReferenceRanges
from tests.convert import cell_folders
from tests.test_classifier import MODEL


def report(**changes: Any) -> dict[str, Any]:
    judged = {"cells": 10, "accuracy": 0.9, "accuracy_interval": [0.8, 1.0], "recall": {"clear": 0.9, "dotted": 0.9}}
    return {
        "passed": True,
        "drop_points": 0.1,
        "drop_interval": [-0.4, 0.6],
        "what_helps": ["more cells"],
        "max_drop_points": 0.5,
        "way": "native",
        "recipe": "int8",
        "value_range": "0..1",
        "colour": "hsv",
        "output": "logit",
        "labels": ["clear", "dotted"],
        "positive": ["dotted"],
        "threshold": 0.75,
        "threshold_origin": "1.000% false positives on 300 negative cells",
        "device_macs": 9,
        "model": {"name": "net.keras", "sha256": "ab", "parameters": 9},
        "figures": {"as_trained": judged, "int8": judged},
        "agreement": {"int8_with_float": 1.0},
        "cells": {"check": 10},
        "tools": {"keras": "3"},
        **changes,
    }


@pytest.fixture
def task(tmp_path: Path) -> Task:
    cells = str(cell_folders.make(tmp_path / "cells", count=2))
    return Task(model="net.keras", cells=cells, out=str(tmp_path / "net.tflite"))


def played(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    def child(_function: str, payload: dict[str, Any], **_: object) -> dict[str, Any]:
        Path(payload["out"]).write_bytes(MODEL.flatbuffer)
        return answer

    monkeypatch.setattr(conversion, "run_in_child", child)


def run(task: Task, report_path: Path | None = None, *, force: bool = False) -> dict[str, Any]:
    return make.quantize(task, report_path, force=force, progress=lambda *_: None, verbose=False)


def test_the_device_file_has_a_card_that_says_what_the_device_must_know(
    monkeypatch: pytest.MonkeyPatch, task: Task
) -> None:
    played(monkeypatch, report())
    run(task)
    card = read_model(Path(task.out)).card
    assert card is not None
    assert (card.name, card.colour, card.output) == ("net", "hsv", "logit")
    assert card.labels == ("clear", "dotted")
    assert card.positive == ("dotted",)
    assert card.accuracy["int8"]["accuracy"] == 0.9
    assert (card.threshold, card.threshold_origin) == (0.75, "1.000% false positives on 300 negative cells")
    assert card.source_sha256 == "ab"


def test_the_same_report_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch, task: Task) -> None:
    played(monkeypatch, report(us_per_cell={"int8": 3.0}))
    run(task)
    first = Path(task.out).read_bytes()
    played(monkeypatch, report(us_per_cell={"int8": 4.0}))
    run(task, force=True)
    assert Path(task.out).read_bytes() == first


def test_the_gate_lets_the_report_out_and_not_the_file(
    monkeypatch: pytest.MonkeyPatch, task: Task, tmp_path: Path
) -> None:
    played(monkeypatch, report(passed=False, drop_points=3.25))
    found = run(task, tmp_path / "report.json")
    assert not Path(task.out).exists()
    assert json.loads((tmp_path / "report.json").read_text())["drop_points"] == 3.25
    said = r"\(native\) loses 3\.25 points of accuracy \(-0\.40 to 0\.60\), 0\.5 are allowed.*What may help: more cells"
    with pytest.raises(GateError, match=said) as caught:
        gate(found)
    assert caught.value.exit_code == 8


def test_a_net_at_chance_is_refused_with_its_figure(monkeypatch: pytest.MonkeyPatch, task: Task) -> None:
    test = {"accuracy": 0.52, "interval": [0.47, 0.57], "chance": 0.5}
    played(monkeypatch, {"passed": False, "way": None, "chance": test, "what_helps": ["--force converts it"]})
    found = run(task)
    assert not Path(task.out).exists()
    said = r"at chance on these cells: 52\.0% \(47\.0 to 57\.0\) where guessing gives 50\.0%.*--force"
    with pytest.raises(GateError, match=said):
        gate(found)


@pytest.mark.parametrize("force", [False, True])
def test_force_says_that_a_net_at_chance_is_wanted(monkeypatch: pytest.MonkeyPatch, task: Task, *, force: bool) -> None:
    asked: list[bool] = []

    def child(_function: str, payload: dict[str, Any], **_: object) -> dict[str, Any]:
        asked.append(payload["accept_chance"])
        return report(passed=False)

    monkeypatch.setattr(conversion, "run_in_child", child)
    run(task, force=force)
    assert asked == [force]


def test_a_failing_child_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, task: Task, tmp_path: Path) -> None:
    def child(*_: object, **__: object) -> None:
        raise LimitError("stopped: out of memory")

    monkeypatch.setattr(conversion, "run_in_child", child)
    with pytest.raises(LimitError):
        run(task, tmp_path / "report.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cells"]


def test_an_existing_file_is_kept_unless_forced(monkeypatch: pytest.MonkeyPatch, task: Task) -> None:
    played(monkeypatch, report())
    Path(task.out).write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        run(task)
    assert Path(task.out).read_text() == "mine"
    run(task, force=True)
    assert read_model(Path(task.out)).card


@pytest.mark.parametrize("out", ["nowhere/net.tflite", "."])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, task: Task, out: str) -> None:
    with pytest.raises(OutputError):
        run(replace(task, out=str(tmp_path / out)))


def test_a_positive_class_that_does_not_exist_is_refused_before_the_work(task: Task) -> None:
    with pytest.raises(CellsError, match="--positive infected: no such class, there are clear, dotted"):
        run(replace(task, positive=("infected",)))


def test_a_disk_that_is_full_leaves_no_half_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "chmod", full)
    with pytest.raises(OutputError, match="No space left"):
        write_json(tmp_path / "report.json", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("force", [False, True])
def test_nothing_that_is_read_is_written_even_with_force(
    force: bool, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(monkeypatch, report())
    model = tmp_path / "net.keras"
    model.write_bytes(b"trained for hours")
    cell = next(Path(str(task.cells)).rglob("*.png"))
    for out, account in ((model, None), (task.out, model), (task.out, Path(task.out)), (task.out, cell)):
        with pytest.raises(OutputError, match="already"):
            run(replace(task, model=str(model), out=str(out)), account, force=force)
    assert model.read_bytes() == b"trained for hours"
    assert not Path(task.out).exists()


def test_a_report_and_a_device_file_may_go_beside_the_class_folders(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(monkeypatch, report())
    assert run(replace(task, out=str(Path(str(task.cells), "net.tflite"))))["passed"]


def test_a_full_disk_leaves_no_half_model(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, report())
    before = set(Path(task.out).parent.iterdir())

    def written_elsewhere(path: Path, data: bytes, card: Card) -> Card:
        path.write_bytes(data)
        return replace(card, sha256="0")

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("convert.conversion.write_model", written_elsewhere)
        patch.setattr(Path, "replace", full)
        with pytest.raises(OutputError, match="No space left"):
            run(task)
    assert set(Path(task.out).parent.iterdir()) == before


def test_a_net_trained_on_grey_cells_may_judge_grey_fields(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, report(colour="rgb", reference={"colour": [0.0, None]}))
    run(task)
    card = read_model(Path(task.out)).card
    assert card is not None
    grey = SampleAppearance(5, 500, {"colour": 0.0})
    assert Fitness((ReferenceRanges(card.name, card.reference),))(grey) == ()
    assert Fitness(())(grey) != ()
