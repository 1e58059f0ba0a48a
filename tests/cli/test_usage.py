"""Every program: help with an example that fits 80 columns, and one plain line without the parser's words for what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.cli import app as bench_app
from convert.cli import app as convert_app
from edge.cli import edge_app, edge_run_app
from models.__main__ import app as models_app

PROGRAMS = {
    "edge-run": edge_run_app(),
    "edge": edge_app(),
    "edge-convert": convert_app,
    "edge-bench": bench_app,
    "python -m models": models_app,
}
THEIR_WORDS = (
    "Invalid value",
    "Value error",
    "Input should",
    "valid integer",
    "Usage:",
    "Error:",
    "in the range",
    "Got ",
)


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for part, inner in getattr(command, "commands", {}).items():
        yield from commands(f"{name} {part}", inner)


ALL = {line: command for name, app in PROGRAMS.items() for line, command in commands(name, typer.main.get_command(app))}


def call(line: str, *args: str) -> Any:
    program = next(name for name in sorted(PROGRAMS, key=len, reverse=True) if f"{line} ".startswith(f"{name} "))
    inner = line.removeprefix(program).split()
    return CliRunner().invoke(PROGRAMS[program], [*inner, *args], prog_name=program, env={"COLUMNS": "80"})


def refused(got: Any) -> str:
    """The one line it says."""
    assert got.exit_code == 2, got.stderr
    assert got.stdout == ""
    (line,) = got.stderr.splitlines()
    assert not any(word in line for word in THEIR_WORDS), line
    return str(line)


@pytest.mark.parametrize("line", ALL)
def test_help_fits_a_terminal_and_shows_an_example(line: str) -> None:
    got = call(line, "--help")
    assert got.exit_code == 0
    assert [text for text in got.stdout.splitlines() if len(text) > 80] == []
    assert "xample" in got.stdout or "To begin with" in got.stdout


def wrong_values() -> Iterator[Any]:
    for line, command in ALL.items():
        for option in command.params:
            kind = option.type_descriptor
            name = max(option.opts, key=len)
            low, high = kind.parameter_info.min, kind.parameter_info.max
            if kind.choices or kind.annotation in (int, float):
                yield pytest.param(line, name, "nonsense", id=f"{line} {name} nonsense")
            if low is not None:
                yield pytest.param(line, name, str(low - 1), id=f"{line} {name} too low")
            if high is not None:
                yield pytest.param(line, name, str(high + 1), id=f"{line} {name} too high")


@pytest.mark.parametrize(("line", "option", "value"), list(wrong_values()))
def test_a_wrong_value_is_named_with_what_belongs_there(line: str, option: str, value: str) -> None:
    said = refused(call(line, f"{option}={value}"))
    assert said.startswith(f"{line}: {option} {value}: give ")
    assert said.endswith(f"(see {line} --help)")


@pytest.mark.parametrize(
    ("line", "args", "said"),
    [
        ("edge-run", (), "edge-run: nothing to count: give inputs, or --simulate, or --camera"),
        ("edge-run", ("--tiling", "x"), "edge-run: --tiling x: give cells or grid"),
        ("edge-run", ("--workers", "65", "x"), "edge-run: --workers 65: give a whole number from 1 to 64"),
        ("edge-run", ("--seed=-1",), "edge-run: --seed -1: give a whole number, 0 or more"),
        ("edge-run", ("--threshold", "nan", "x"), "edge-run: --threshold nan: give a number from 0 to 1"),
        ("edge-run", ("--size", "3"), "edge-run: --size '3': give WIDTHxHEIGHT"),
        ("edge-run", ("--every", "x", "v.mp4"), "edge-run: --every 'x': give a number of frames"),
        ("edge-run", ("--annotat",), "edge-run: --annotat: no such option, do you mean --annotate"),
        ("edge-run", ("--model",), "edge-run: --model: a value must follow it"),
        ("edge-run", ("--simulate=1",), "edge-run: --simulate: takes no value"),
        ("edge", ("nonsense",), "edge: nonsense: no such command; there are run, models, calibrate, plan"),
        ("edge models", ("a", "b"), "edge models: a b: more than this command takes"),
        ("edge calibrate", (), "edge calibrate: --blank DIR is missing: slide known to be negative"),
        ("edge calibrate", ("--blank", "x", "-o", "y", "--target", "z"), "edge calibrate: --target 'z': give a share"),
        ("edge plan", ("--cells", "9", "--parasitaemia", "z"), "edge plan: --parasitaemia 'z': give a share"),
        ("edge-convert quantize", ("m", "--colour", "x"), "edge-convert quantize: --colour x: give rgb, bgr, hsv or grey"),
        ("edge-convert quantize", ("m", "--false-positives", "3"), "edge-convert quantize: --false-positives '3' is no"),
        ("edge-convert inspect", (), "edge-convert inspect: MODEL is missing: a .keras or .h5 file"),
        ("edge-bench compare", ("a",), "edge-bench compare: NEW is missing"),
        ("python -m models train", ("--out", "x"), "python -m models train: give --cells DIR or --fields DIR"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(line: str, args: tuple[str, ...], said: str) -> None:
    assert refused(call(line, *args)).startswith(said)


@pytest.mark.parametrize("text", ["\x1b[31mred", "two\nlines", "\udcff"])
def test_what_was_typed_cannot_move_the_cursor(text: str) -> None:
    assert "\x1b" not in refused(call("edge-run", f"--max-cells={text}"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_tells_its_version(program: str) -> None:
    got = call(program, "--version")
    assert got.exit_code == 0
    assert got.stdout.startswith(f"{program} ")


def test_every_installed_program_offers_to_complete_what_is_typed() -> None:
    for program in PROGRAMS:
        assert ("--install-completion" in call(program, "--help").stdout) == (program != "python -m models")


def test_the_first_help_names_all_the_programs() -> None:
    told = call("edge", "--help").stdout
    assert all(name in told for name in PROGRAMS)
    assert "convert" in told
