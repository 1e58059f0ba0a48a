"""Runs that are cut off on purpose, and what they should have given."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from typer.testing import CliRunner

from edge.cli import edge_app, edge_run_app
from tests.cli.fake_edge_run import fakes
from tests.fakes import FakeSource, picture

ROOT = Path(__file__).parents[2]


def paint(folder: Path, *cells: int, first: int = 0) -> Path:
    """A folder of pictures in which the fake finder finds so many things each; each picture is another."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, n in enumerate(cells, first):
        rgb = picture(n)
        rgb[40:, :, 1] = np.random.default_rng(number).integers(0, 255, (24, 320))
        cv2.imwrite(str(folder / f"{number}.png"), rgb[..., ::-1])
    return folder


def edge_run(*args: object, source: FakeSource | None = None) -> Any:
    with fakes(source):
        return CliRunner().invoke(edge_run_app(), ["--no-gate", *map(str, args)])


def killed(after: int, *args: object) -> None:
    """Run it in a process that is killed when so many fields are in the book."""
    command = [sys.executable, "-m", "tests.cli.fake_edge_run", *map(str, args), "--no-gate"]
    env = {**os.environ, "FAKE_KILL": str(after)}
    got = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert got.returncode == -signal.SIGKILL, got.stderr


def edge(*args: object) -> Any:
    with fakes():
        return CliRunner().invoke(edge_app(), list(map(str, args)))


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV, without what a clock said."""
    with path.open(newline="") as stream:
        return [{k: v for k, v in row.items() if not k.endswith("_ms")} for row in csv.DictReader(stream)]


def lines(text: str) -> list[dict[str, Any]]:
    """JSON Lines, without what a clock said."""
    return [{k: v for k, v in json.loads(line).items() if k != "ms"} for line in text.splitlines()]


def written(folder: Path, got: Any) -> Sequence[object]:
    """All that a run with the options of ``outputs`` gave."""
    return rows(folder / "t.csv"), json.loads((folder / "d.json").read_text()), lines(got.stdout)


def outputs(folder: Path) -> tuple[object, ...]:
    folder.mkdir(exist_ok=True)
    return "--csv", folder / "t.csv", "--detections", folder / "d.json", "--json"
