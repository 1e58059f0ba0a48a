"""The whole way with the shipped models, on the virtual slide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from edge import shelf
from edge.cli import edge_run_app


def run(*args: str) -> Any:
    return CliRunner().invoke(edge_run_app(), ["--simulate", "--size", "640x480", "--max-fields", "6", *args])


@pytest.fixture(autouse=True)
def _models() -> None:
    if not shelf.has(shelf.CLASSIFIER):
        pytest.skip(f"the shelf does not hold {shelf.CLASSIFIER} yet")


@pytest.mark.parametrize("finder", ["learned", "classical"])
def test_the_answer_is_the_same_for_one_two_and_four_workers(finder: str) -> None:
    if finder == "learned" and not shelf.has(shelf.FINDER):
        pytest.skip(f"the shelf does not hold {shelf.FINDER} yet")

    def answer(workers: int) -> list[dict[str, Any]]:
        got = run("--json", "--finder", finder, "--workers", str(workers))
        assert got.exit_code == 0, got.stderr
        events = [json.loads(line) for line in got.stdout.splitlines()]
        for event in events:
            event.pop("ms", None)
        return events

    one = answer(1)
    assert one == answer(2) == answer(4)
    assert one[-1]["cells"] > 50


def test_a_grid_of_tiles() -> None:
    got = run("--json", "--tiling", "grid", "--tile-px", "64", "--no-gate")
    assert got.exit_code == 0, got.stderr
    assert json.loads(got.stdout.splitlines()[0])["cells"] >= 70


def test_another_seed_is_another_slide() -> None:
    first, second = (run("--json", "--seed", seed).stdout for seed in ("1", "2"))
    assert json.loads(first.splitlines()[-1])["counts"] != json.loads(second.splitlines()[-1])["counts"]
