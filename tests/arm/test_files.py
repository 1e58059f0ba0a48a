"""``edge-bench arm nets``: the instructions of given files, counted in an emulated root (here a pretended one)."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.arm import counter
from benchmarks.arm import files as counting
from benchmarks.arm.boards import PI_5
from benchmarks.arm.cli import app
from benchmarks.arm.errors import ArmError
from benchmarks.arm.roots import BOOKWORM, CACHE_VARIABLE
from edge import shelf
from edge.classifier import BATCH
from edge.crops import net_channels

NET = shelf.load(shelf.CLASSIFIER)
FILES = {"a": NET.path, "b": NET.path}


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> dict[str, Any]:
    """A root that is built, and a visit that counts 1,000 instructions for nothing and 33,000 for each net's 32 cells."""
    seen: dict[str, Any] = {"code": 0}

    def run(self: Any, command: list[str]) -> Any:
        seen["command"], seen["inputs"] = command, sorted(p.name for p in (self.work / "nets").iterdir())
        (self.work / counting._MARKS).write_text("0\n1000\n1000\n34000\n34000\n67000\n")
        pieces = [["", 0], ["nothing", 1], ["", 0], ["net a", 32], ["", 0], ["net b", 32]]
        told = {"pieces": pieces, "versions": {"numpy": "2", "other": "1"}, "cells": 32}
        return SimpleNamespace(returncode=seen["code"], stdout=json.dumps(told), stderr="first\nwhy\n")

    def visit(_root: Any, board: Any, work: Path, _emulator: Path, _environment: dict[str, str]) -> Any:
        seen["board"] = board
        made = SimpleNamespace(work=work)
        made.run = lambda command: run(made, command)
        return made

    (empty_cache / "roots" / BOOKWORM.name).mkdir(parents=True)
    monkeypatch.setattr(counting, "build", lambda _: "")
    monkeypatch.setattr(counter, "folder", lambda: empty_cache)
    monkeypatch.setattr(counter, "counting", lambda program, *_: program)
    monkeypatch.setattr(counting, "Visit", visit)
    return seen


def test_each_file_gets_its_instructions_per_cell_without_what_the_marks_cost(root: dict[str, Any]) -> None:
    told = counting.count_files(FILES, PI_5, 32)
    assert told["instructions"] == {"a": 1000, "b": 1000}  # (33,000 - 1,000) / 32
    assert told["files"] == {"a": NET.sha256, "b": NET.sha256}
    assert told["versions"] == {"numpy": "2"}
    assert (told["core"], told["cells"], told["version"]) == (PI_5.cpu, 32, counting.VERSION)
    assert root["inputs"] == ["a.npy", "b.npy"]
    assert root["command"][-2:] == ["32", "0"]  # no fields


def test_a_run_that_fails_is_one_line(root: dict[str, Any]) -> None:
    root["code"] = 3
    with pytest.raises(ArmError, match="ended with code 3: first / why"):
        counting.count_files(FILES, PI_5, 32)


def test_the_inputs_are_a_shelf_and_a_batch_of_bytes_for_each_net(tmp_path: Path) -> None:
    counting.write_inputs(FILES, tmp_path)
    assert (tmp_path / "shelf" / "b" / "b.tflite").read_bytes() == NET.path.read_bytes()
    assert NET.card is not None
    assert np.load(tmp_path / "nets" / "a.npy").shape == (BATCH, 32, 32, net_channels(NET.card))


def test_without_a_root_one_line_says_how_to_build_one() -> None:
    done = CliRunner().invoke(app, ["nets", str(NET.path)])
    assert done.exit_code == ArmError.exit_code
    assert "edge-bench arm build bookworm" in done.output


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["nets", str(NET.path), str(tmp_path / NET.path.name)])
    assert done.exit_code == 2
    assert "two files of the same name" in done.output


def test_the_counts_are_written_as_json(root: dict[str, Any], tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / f"{name}.tflite").write_bytes(NET.path.read_bytes())
    out = tmp_path / "counts.json"
    paths = [str(tmp_path / f"{name}.tflite") for name in FILES]
    assert CliRunner().invoke(app, ["nets", *paths, "--cells", "32", "-o", str(out)]).exit_code == 0
    assert json.loads(out.read_text())["instructions"] == {"a": 1000, "b": 1000}
    assert root["board"] is PI_5
