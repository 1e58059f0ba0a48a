"""``--config``, ``--show-config`` and the settings in a report: written, read, and refused in one line."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge.cli import edge_run_app
from edge.cli.config import LARGEST_FILE, merged, read_config, to_toml
from edge.cli.options import RecordOption, options_of
from edge.cli.run_settings import RUN_RECORDS, RunSettings
from edge.cli.settings import InputSettings, Tiling
from tests.cli.fake_edge_run import fakes
from tests.fakes import FakeSource
from tests.report.made import read

OPTIONS = options_of(*RUN_RECORDS)
OTHER = {
    "keep_limit": "500M",
    "every": "25",
    "size": "640x480",
    "target_parasitaemia": "0.1%",
    "finder": "classical",
    "device": "1",
    "mqtt": "mqtt://broker.local",
}
"""Values of options that do not take any text."""


def call(*args: object, source: FakeSource | None = None) -> Any:
    with fakes(source):
        return CliRunner().invoke(edge_run_app(), [str(a) for a in args], prog_name="edge-run")


def other_value(option: RecordOption) -> Any:
    """A value that is not the default."""
    if option.name in OTHER:
        return OTHER[option.name]
    if option.choices:
        return list(option.kind)[-1]  # type: ignore[call-overload]
    if option.kind is bool:
        return not option.default
    if option.kind in (int, float):
        return option.kind(option.info.max if option.info.max is not None else (option.info.min or 0) + 1)
    value = option.kind(f"my {option.key}")
    return (value, value) if option.many else value


def settings_of(**values: Any) -> RunSettings:
    return RunSettings.of({**RunSettings().values(), **values})


def read_back(text: str, folder: Path) -> RunSettings:
    path = folder / "slide.toml"
    path.write_text(text, encoding="utf-8")
    return settings_of(**read_config(path))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.key)
def test_every_option_is_read_as_it_was_written(option: RecordOption) -> None:
    settings = settings_of(**{option.name: other_value(option)})
    assert settings != RunSettings()
    assert f"\n{option.key} = " in to_toml(settings)
    assert read_back(to_toml(settings), Path()) == settings


def test_all_options_together_are_read_as_they_were_written() -> None:
    settings = settings_of(**{name: other_value(option) for name, option in OPTIONS.items()})
    assert read_back(to_toml(settings), Path()) == settings


@pytest.mark.parametrize(
    "text",
    [
        '"quoted"',
        "back\\slash",
        "two\nlines\tand a tab",
        "\x7f\x1b[31m",
        "细胞 µm é \u202e \u00a0 \U000e0001",
        "#'=[]",
        "",
    ],
    ids=ascii,
)
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    settings = settings_of(inputs=(text, text), labels=text)
    written = to_toml(settings)
    assert all(c.isprintable() or c == "\n" for c in written)
    assert read_back(written, Path()) == settings


def test_many_inputs_stand_one_per_line() -> None:
    settings = settings_of(inputs=tuple(f"slides/S-{i}/field-{i}.png" for i in range(30)))
    assert '\n  "slides/S-7/field-7.png",\n' in to_toml(settings)
    assert read_back(to_toml(settings), Path()) == settings


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert tomllib.loads(to_toml(RunSettings())) == {}
    assert tomllib.loads(to_toml(settings_of(tiling=Tiling.GRID, seed=0))) == {"tiling": "grid"}


def test_a_name_that_is_not_utf_8_is_left_out_and_said() -> None:
    written = to_toml(settings_of(inputs=("a", "\udcff"), seed=3))
    assert "# inputs is not written: a name in it is not UTF-8" in written
    assert tomllib.loads(written) == {"seed": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("max_cells = 5", "max_cells: no such option, do you mean max-cells", id="underscore"),
        pytest.param("max-cell = 5", "max-cell: no such option, do you mean max-cells", id="misspelt"),
        pytest.param('"--seed" = 5', "--seed: no such option, do you mean seed", id="with dashes"),
        pytest.param("colour = 5", "colour: no such option; the keys are the long options of edge-run", id="unknown"),
        pytest.param("[seed]\nx = 1", "seed = \"{'x': 1}\": give a whole number, 0 or more", id="a table"),
        pytest.param("max-cells = 0", "max-cells = 0: give a whole number, 1 or more", id="too low"),
        pytest.param("workers = 65", "workers = 65: give a whole number from 1 to 64", id="too high"),
        pytest.param("max-cells = 5.0", "max-cells = 5.0: give a whole number, 1 or more", id="no whole number"),
        pytest.param("max-cells = true", "max-cells = true: give a whole number", id="a switch for a number"),
        pytest.param("threshold = nan", "threshold = nan: give a number from 0 to 1", id="not a number"),
        pytest.param(f"max-seconds = 1{'0' * 400}", "max-seconds = 1000", id="a number beyond all floats"),
        pytest.param("seed = '5'", 'seed = "5": give a whole number, 0 or more', id="a text for a number"),
        pytest.param("simulate = 1", "simulate = 1: give true or false", id="a number for a switch"),
        pytest.param("sample-id = 7", "sample-id = 7: give text in quotes", id="a number for a text"),
        pytest.param("csv = false", "csv = false: give a path in quotes", id="a switch for a path"),
        pytest.param("tiling = 'hexagons'", 'tiling = "hexagons": give cells or grid', id="no such choice"),
        pytest.param("inputs = 'a'", 'inputs = "a": give a list of texts, as ["a"]', id="a text for a list"),
        pytest.param("inputs = [1]", "inputs = 1: give text in quotes", id="a list of numbers"),
        pytest.param("size = 'big'", "size 'big': give WIDTHxHEIGHT", id="no size"),
        pytest.param("every = 'never'", "every 'never': give a number of frames", id="no step"),
        pytest.param("target-parasitaemia = '7x'", "target-parasitaemia '7x': give a share", id="no share"),
        pytest.param("sample-id = ''", "sample-id must be printable", id="no name"),
        pytest.param('model = "a\\u0000"', 'model = "a\\u0000": a text must not hold', id="a null character"),
        pytest.param("seed 5", "not TOML: Expected '='", id="no TOML"),
        pytest.param("seed = " + "9" * 5000, "not TOML", id="a number of too many digits"),
        pytest.param("seed = " + "[" * 9999, "not TOML", id="nested too deeply"),
        pytest.param("a = '\x1b[31m'", "not TOML", id="a control character"),
        pytest.param('"\\u001b[31m" = 1', " [31m: no such option", id="a key that could move the cursor"),
        pytest.param("#" * (LARGEST_FILE + 1), "too large for a configuration file", id="too large"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_that_names_file_and_key(text: str, said: str) -> None:
    Path("slide.toml").write_text(text)
    got = call("--config", "slide.toml")
    assert got.exit_code == 2
    assert got.stdout == ""
    (line,) = got.stderr.splitlines()
    assert line.startswith(f"edge-run: slide.toml: {said}")
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda path: None, "No such file or directory", id="missing"),
        pytest.param(lambda path: path.mkdir(), "Is a directory", id="folder"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "too large", id="endless"),
        pytest.param(lambda path: path.write_bytes(b"\xff"), "not UTF-8 text", id="not text"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(make: Any, said: str) -> None:
    make(Path("slide.toml"))
    got = call("--config", "slide.toml")
    assert got.exit_code == 2
    (line,) = got.stderr.splitlines()
    assert line.startswith("edge-run: slide.toml: ")
    assert said in line


@pytest.mark.parametrize(
    ("key", "text", "meant"),
    [
        pytest.param("csv", "out.csv", "conf/out.csv", id="an output"),
        pytest.param("csv", "/out.csv", "/out.csv", id="an absolute path stays"),
        pytest.param("csv", "~/out.csv", "/home/me/out.csv", id="home"),
        pytest.param("calibration", "../c.json", "conf/../c.json", id="a folder above"),
        pytest.param("model", "my.tflite", "conf/my.tflite", id="a model's file"),
        pytest.param("model", "malaria-thin-32", "malaria-thin-32", id="a model's name is no path"),
        pytest.param("finder", "nets/f.tflite", "conf/nets/f.tflite", id="a finder's file"),
        pytest.param("finder", "auto", "auto", id="a finder's name is no path"),
        pytest.param("sample-id", "a/b", "a/b", id="a sample's name is no path"),
        pytest.param("device", "video0", "video0", id="a camera is no path"),
    ],
)
def test_a_relative_path_starts_at_the_files_folder(
    key: str, text: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    Path("conf").mkdir()
    path = Path("conf/slide.toml")
    path.write_text(f"{key} = {json.dumps(text)}")
    (value,) = read_config(path).values()
    assert str(value) == meant


def test_inputs_and_patterns_start_at_the_files_folder_too() -> None:
    Path("conf").mkdir()
    path = Path("conf/slide.toml")
    path.write_text('inputs = ["fields/*.png", "/all/", ""]')
    assert read_config(path) == {"inputs": ("conf/fields/*.png", "/all/", "")}


@pytest.mark.parametrize(
    ("typed", "configured", "changed"),
    [
        pytest.param({}, {"seed": 4}, {"seed": 4}, id="the file stands over the default"),
        pytest.param({"seed": 5}, {"seed": 4}, {"seed": 5}, id="the command line stands over the file"),
        pytest.param({"seed": 0}, {"seed": 4}, {"seed": 0}, id="even with the default's value"),
        pytest.param({"gate": True}, {"gate": False}, {"gate": True}, id="a switch is switched back"),
        pytest.param(
            {"simulate": True}, {"inputs": ("a",)}, {"simulate": True}, id="another source replaces the file's"
        ),
        pytest.param({"inputs": ["b"]}, {"camera": True}, {"inputs": ["b"]}, id="inputs replace the file's camera"),
        pytest.param(
            {"sample_per_folder": True}, {"sample_id": "a"}, {"sample_per_folder": True}, id="as do names of samples"
        ),
    ],
)
def test_the_command_line_wins(typed: dict[str, Any], configured: dict[str, Any], changed: dict[str, Any]) -> None:
    defaults = RunSettings().values()
    assert merged(typed, configured, defaults) == {**defaults, **changed}


@pytest.mark.parametrize(
    ("args", "file", "shown"),
    [
        pytest.param((), "seed = 4", {"seed": 4}, id="from the file"),
        pytest.param(("--seed", "0"), "seed = 4", {}, id="typed, though it is the default"),
        pytest.param(("--gate",), "gate = false", {}, id="a switch typed"),
        pytest.param(("a", "b"), "simulate = true", {"inputs": ["a", "b"]}, id="inputs typed"),
        pytest.param(
            ("--until", "decided", "--calibration", "c"), "", {"until": "decided", "calibration": "c"}, id="choice"
        ),
    ],
)
def test_show_config_prints_what_would_be_run_and_stops(
    args: tuple[str, ...], file: str, shown: dict[str, Any]
) -> None:
    Path("slide.toml").write_text(file)
    got = call("--config", "slide.toml", "--show-config", *args, source=FakeSource([1]))
    assert got.exit_code == 0, got.stderr
    assert tomllib.loads(got.stdout) == shown


def test_what_show_config_prints_is_read_as_the_same() -> None:
    args = (
        "fields",
        "more/*.png",
        "--no-gate",
        "--max-cells",
        9,
        "--size",
        "640x480",
        "--csv",
        "t.csv",
        "--labels",
        "a,b",
    )
    first = call(*args, "--show-config").stdout
    Path("slide.toml").write_text(first)
    assert call("--config", "slide.toml", "--show-config").stdout == first


def test_settings_that_contradict_each_other_are_refused_before_they_are_shown() -> None:
    got = call("--until", "decided", "--show-config")
    assert got.exit_code == 2
    assert "needs --calibration" in got.stderr


def test_a_run_can_be_repeated_from_its_report() -> None:
    source: list[int | str | None] = [5, 9, 5, 5, 5, 5]
    assert call("--camera", "--no-gate", "--max-fields", 4, "--report", "out", source=FakeSource(source)).exit_code == 0
    first = read(Path("out/s.html").read_text())
    written = first.text[first.text.index("# Settings of edge-run") :].split("For research")[0]
    Path("again.toml").write_text(written)
    assert tomllib.loads(written) == {"camera": True, "max-fields": 4, "gate": False, "report": "out"}
    assert call("--config", "again.toml", source=FakeSource(source)).exit_code == 0
    again = read(Path("out/s.html").read_text())
    assert again.facts["fields"]["kept"] == 4
    assert {**again.facts, "made": None} == {**first.facts, "made": None}


def test_a_file_gives_what_the_same_options_give_when_typed() -> None:
    Path("slide.toml").write_text(
        "camera = true\ngate = false\noverlap = false\njson = true\nmax-cells = 20\nworkers = 1"
    )

    def events(*args: object) -> list[dict[str, Any]]:
        lines = call(*args, source=FakeSource([9], endless=True)).stdout.splitlines()
        return [{**json.loads(line), "ms": None} for line in lines]

    typed = events("--camera", "--no-gate", "--no-overlap", "--json", "--max-cells", 20, "--workers", 1)
    assert len(typed) == 4
    assert events("--config", "slide.toml") == typed


def test_the_comment_says_where_relative_paths_started() -> None:
    relative = to_toml(settings_of(inputs=("fields",)))
    assert f'started in "{Path.cwd()}"' in relative
    assert "started in" not in to_toml(replace(RunSettings(), input=InputSettings(simulate=True)))
