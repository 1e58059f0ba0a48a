"""``edge doctor`` at the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli.doctor_job import report_lines
from edge.health.records import CheckResult, Health, HealthReport

ROOT = Path(__file__).parents[2]
NARROWEST = 54
"""Columns: below that, words are not wrapped further."""

LONG = "the firmware says now: under-voltage, clock capped, throttled: cameras drop out and cards break of this"
REPORT = HealthReport(
    (
        CheckResult("free space", Health.OK, "81.9 GB free of 270.6 GB"),
        CheckResult("power", Health.FAILED, LONG, "take the power supply made for this board, and a short cable"),
        CheckResult("book", Health.UNKNOWN, "/var/lib/edge/book.sqlite is closed to you", "sudo edge doctor"),
    )
)


def edge(*arguments: str, home: Path, columns: int = 80) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment = {**kept, "HOME": str(home), "COLUMNS": str(columns), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "edge", "doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, check=False)


def settings(folder: Path, text: str) -> str:
    (folder / "slide.toml").write_text(text)
    return str(folder / "slide.toml")


def test_a_line_per_check_and_its_remedy_below_it() -> None:
    assert "\n".join(report_lines(REPORT, 80)) == (
        "ok       free space      81.9 GB free of 270.6 GB\n"
        "FAILED   power           the firmware says now: under-voltage, clock capped,\n"
        "                         throttled: cameras drop out and cards break of this\n"
        "                         > take the power supply made for this board, and a\n"
        "                           short cable\n"
        "UNKNOWN  book            /var/lib/edge/book.sqlite is closed to you\n"
        "                         > sudo edge doctor\n"
        "\n"
        "1 ok, 1 failed, 1 unknown: not fit to count before that is mended."
    )


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, report_lines(REPORT, width))) <= max(width, NARROWEST)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([Health.OK, Health.NOT_APPLICABLE], "1 ok, 1 not applicable: fit to count."),
        ([Health.WARNING], "1 warning: fit to count, but see the warnings."),
        ([Health.UNKNOWN, Health.WARNING], "nothing failed, but what is unknown may be broken."),
        ([Health.FAILED, Health.UNKNOWN], "not fit to count before that is mended."),
    ],
)
def test_the_last_line_judges(states: list[Health], said: str) -> None:
    *_, last = report_lines(HealthReport(tuple(CheckResult("x", state, "") for state in states)), 80)
    assert last.endswith(said)


def test_terminal_escapes_in_what_was_found_are_made_harmless() -> None:
    hostile = HealthReport((CheckResult("book", Health.FAILED, "/data/\x1b[2J\nok  all well", "rm \x07"),))
    assert all(line.isprintable() for line in report_lines(hostile, 80))


def test_a_device_without_a_fault_of_ours(tmp_path: Path) -> None:
    got = edge(home=tmp_path)
    assert (got.returncode, got.stderr) == (0, "")
    assert "ok       models" in got.stdout
    assert "will be made by the first run" in got.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('calibration = "none.json"', "calibration"),
        ('settled = "none.json"', "settled scope"),
        ('model = "none"', "models"),
        ('finder = "none.tflite"', "models"),
    ],
)
def test_what_would_refuse_the_run_fails_and_the_code_says_so(tmp_path: Path, text: str, name: str) -> None:
    got = edge("--json", "--config", settings(tmp_path, text + "\nsimulate = true\n"), home=tmp_path)
    assert got.returncode == 12
    found = {check["name"]: check for check in json.loads(got.stdout)["checks"]}
    assert found[name]["health"] == "failed"
    assert found[name]["remedy"]
    assert not json.loads(got.stdout)["healthy"]


@pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="a camera is plugged in here")
def test_a_camera_that_is_asked_for_and_absent_fails(tmp_path: Path) -> None:
    got = edge("--config", settings(tmp_path, "camera = true\n"), home=tmp_path)
    assert got.returncode == 12
    assert "FAILED   camera" in got.stdout


def test_the_settings_of_an_installed_service_are_looked_at(tmp_path: Path) -> None:
    if Path("/etc/systemd/system/edge.service").exists():
        pytest.skip("the system's service is installed here")
    for name, text in (("systemd/user/edge.service", ""), ("edge/service.toml", 'model = "none"\nsimulate = true\n')):
        path = tmp_path / ".config" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert "none: no such model" in edge(home=tmp_path, columns=200).stdout


def test_a_support_file_is_written_beside_the_lines(tmp_path: Path) -> None:
    got = edge("--bundle", "support.json", home=tmp_path)
    assert "Support file: support.json" in got.stdout
    text = (tmp_path / "support.json").read_text()
    assert json.loads(text)["format"] == "edge-support"
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--config", "none.toml"), 2, "none.toml: cannot be read"),
        (("--bundle", "no/such/folder/support.json"), 7, "cannot be written"),
        (("--bundel", "x"), 2, "--bundle"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    got = edge(*arguments, home=tmp_path, columns=200)
    assert (got.returncode, got.stdout) == (code, "")
    assert said in got.stderr
    assert got.stderr.count("\n") == 1
