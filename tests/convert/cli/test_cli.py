"""The command line: help, examples, exit codes, one plain line for what goes wrong. No TensorFlow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import convert.errors
from convert.cli import app, show_inspection
from convert.cli.show import amount
from convert.errors import KNOWN, EdgeError
from tests.convert.make import archive, conv, dense, node, sequential

ROOT = Path(__file__).parents[3]
NET = sequential(node("Rescaling", scale=0.5), conv(), node("GlobalAveragePooling2D"), dense(activation="softmax"))


def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.argv[0] = 'convert'; from convert.cli import main; main()"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, env=env, check=False
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return archive(tmp_path / "net.keras", NET)


def test_inspect_prints_what_a_person_wants_to_know(model: Path) -> None:
    got = run("inspect", model)
    assert got.returncode == 0, got.stderr
    assert got.stderr == ""
    assert "\x1b" not in got.stdout
    lines = [re.sub(r" +", " ", line).strip() for line in got.stdout.splitlines()]
    assert lines[0].startswith(f"Model {model} (.keras, Keras 3.15.1, ")
    assert lines[1:5] == [
        "Input 32 x 32 x 3, colour",
        "Output 2, softmax, 2 classes",
        "Cost 122 parameters, 97.2 k MACs per image",
        "Image size any: convolutions and global pooling only",
    ]
    assert lines[5] == "Inside Rescaling(scale=0.5)"
    assert "conv Conv2D 30 x 30 x 4 112 97.2 k" in lines


def test_json_holds_all_of_it(model: Path) -> None:
    record = json.loads(run("inspect", model, "--json").stdout)
    assert record["version"] == show_inspection.JSON_VERSION
    assert (record["head"], record["classes"], record["inputs"]) == ("softmax", 2, [[32, 32, 3]])
    assert record["layers"][2]["path"] == ["conv"]


def test_neither_tensorflow_nor_keras_is_imported_to_look(model: Path) -> None:
    code = (
        "import sys; from convert.reading.inspection import inspect; from convert.reading.source import open_source; "
        f"inspect(open_source({str(model)!r})); print([m for m in ('tensorflow', 'keras', 'h5py') if m in sys.modules])"
    )
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert got.stdout.strip() == "[]", got.stderr


def test_every_refusal_is_one_line_with_code_5(tmp_path: Path, model: Path) -> None:
    (tmp_path / "empty.keras").write_bytes(b"")
    evil = archive(tmp_path / "evil.keras", sequential(node("Lambda", name="evil", function="x")))
    for path in (tmp_path / "none.keras", tmp_path / "empty.keras", evil, tmp_path):
        got = run("inspect", path)
        assert got.returncode == 5
        assert got.stdout == ""
        assert len(got.stderr.splitlines()) == 1
        assert got.stderr.startswith("edge-convert: ")
    assert "Traceback" in run("inspect", evil, "--debug").stderr
    assert run("inspect", model, "--trust-code", tmp_path / "none.py").returncode == 5


def test_control_characters_in_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", sequential(node("Evil\x1b[2J", "os\x1b[2J", name="a\x1b[2Jb")))
    got = run("inspect", path)
    assert got.returncode == 5
    assert "\x1b" not in got.stderr


def test_the_command_line_itself(model: Path) -> None:
    assert run("inspect").returncode == 2
    assert run("inspect", model, "--wrong").returncode == 2
    assert run("--version").stdout.startswith("edge-convert ")
    text = " ".join(run("--help").stdout.split())
    assert "edge-convert and convert are the same program" in text
    assert "Exit codes" in text


def test_every_command_has_help_and_an_example() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__
        assert command.epilog
        assert "Example" in command.epilog


def test_every_known_failure_says_cause_and_remedy_and_its_code_is_listed() -> None:
    table = {
        int(line.split("|")[1]) for line in (convert.errors.__doc__ or "").splitlines() if re.match(r"\| \d", line)
    }
    for cls in KNOWN.values():
        assert issubclass(cls, EdgeError)
        assert (cls.__doc__ or "").count(".") >= 2, cls
        assert cls.exit_code in table
    listed = {int(number) for number in re.findall(r"(\d+) [a-zA-Z]", app.info.epilog or "")}
    assert listed == table


def test_exit_codes_are_documented() -> None:
    def table(text: str) -> dict[int, str]:
        rows = [line.split("|") for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
        return {int(row[1]): row[2].strip() for row in rows}

    assert table((ROOT / "docs" / "convert.md").read_text()) == table(convert.errors.__doc__ or "")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (1000, "1 k"), (18_120, "18.1 k"), (5_300_000, "5.3 M")]
)
def test_amounts(value: float, text: str) -> None:
    assert amount(value) == text
