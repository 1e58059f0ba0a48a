"""The command line: every command explains itself, and bad input is one plain line and a documented exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.__main__ import app
from models.cli.options import EXIT_CODES
from tests.convert import cell_folders

COMMANDS = ("train", "evaluate", "compare", "adapt", "learning-curve")
SHELF_NET = "malaria-thin-32"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cell_folders.make(tmp_path / "cells", count=8, slides=4)


def only_line(got: Result) -> str:
    lines = [line for line in got.stderr.splitlines() if line.startswith("models: ")]
    assert len(lines) == 1, got.stderr
    assert "Traceback" not in got.output
    return lines[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example_and_its_exit_codes(command: str) -> None:
    got = run(command, "--help")
    assert got.exit_code == 0
    assert f"Example: python -m models {command} " in got.output
    assert "Exit codes: 0 done" in re.sub(r"\s+", " ", got.output)


def test_the_exit_codes_are_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    for code in re.findall(r"(?:codes: |; )(\d+) ", EXIT_CODES):
        assert f"| {code} |" in page


def test_examples_of_the_docs_name_options_there_are() -> None:
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    for command, rest in re.findall(r"python -m models ([a-z-]+)((?:[^`\n\\]|\\\n)*)", page):
        if command in COMMANDS:
            known = run(command, "--help").output
            for option in re.findall(r"(--[a-z-]+)", rest):
                assert option in known, (command, option)


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_without_cells_or_fields_there_is_nothing_to_do(command: str) -> None:
    got = run(command, SHELF_NET, SHELF_NET)
    assert got.exit_code == 2
    assert "give --cells DIR or --fields DIR" in got.output


def test_one_net_cannot_be_compared(folder: Path) -> None:
    assert run("compare", SHELF_NET, "--cells", folder).exit_code == 2


def test_unknown_slides_are_no_hindrance_and_are_said(folder: Path) -> None:
    got = run("evaluate", SHELF_NET, "--cells", folder, "--background", "clear")
    assert got.exit_code == 0, got.output
    assert "! cells: no slides are known (--group-by or cells.csv would tell)" in got.stderr


def test_two_folders_that_differ_in_case_only_are_one_line(folder: Path) -> None:
    (folder / "Dotted").mkdir()
    got = run("evaluate", SHELF_NET, "--cells", folder)
    assert got.exit_code == 9
    assert "Dotted and dotted differ in case" in only_line(got)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    got = run("evaluate", SHELF_NET, "--cells", tmp_path / "none")
    assert got.exit_code == 9
    assert "there is no such folder of cells" in only_line(got)


def test_a_folder_without_annotations_is_said(tmp_path: Path) -> None:
    got = run("evaluate", SHELF_NET, "--fields", tmp_path)
    assert got.exit_code == 9
    assert "one annotation file (*.json) is needed" in only_line(got)


def test_classes_that_are_not_the_nets_are_refused(folder: Path) -> None:
    got = run("evaluate", SHELF_NET, "--cells", folder, "--group-by", r"s\d")
    assert got.exit_code == 9
    assert "clear, dotted, malaria-thin-32 tells uninfected, parasitized apart" in only_line(got)


def test_they_fit_once_the_background_is_named(folder: Path) -> None:
    got = run("evaluate", SHELF_NET, "--cells", folder, "--group-by", r"s\d", "--background", "clear", "--json")
    assert got.exit_code == 0, got.output
    (found,) = json.loads(got.stdout)["models"]
    assert found["classes_of_the_cells"] == {"clear": 8, "dotted": 8}
    assert found["cells"] == 16
    assert found["auc"]["n"] == 16
    assert {one["cells"] for one in found["known_negative_groups"]} <= {2, 4}


def test_an_unknown_net_is_refused(folder: Path) -> None:
    got = run("evaluate", "no-such-net", "--cells", folder, "--group-by", r"s\d")
    assert got.exit_code == 5
    assert "no such model on the shelf" in only_line(got)


def test_a_keras_file_is_not_judged(folder: Path) -> None:
    got = run("evaluate", "net.keras", "--cells", folder, "--group-by", r"s\d")
    assert got.exit_code == 5
    assert "convert it first" in only_line(got)


def test_a_merge_that_makes_no_sense_is_a_mistake_of_the_command_line(folder: Path) -> None:
    got = run("evaluate", SHELF_NET, "--cells", folder, "--merge", "ring")
    assert got.exit_code == 2
    assert "--merge 'ring'" in got.output


def test_a_curve_needs_something_to_start_from(folder: Path, tmp_path: Path) -> None:
    got = run("learning-curve", "--fields", folder, "--work", tmp_path / "work")
    assert got.exit_code == 2
