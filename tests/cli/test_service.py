"""``edge service`` at the terminal, without systemd: what is shown, and what is refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli.service_status import status_lines
from edge.service.places import ServicePlaces
from edge.service.written import changed_by_hand

ROOT = Path(__file__).parents[2]
needs_no_systemd = pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd runs this machine")


def edge(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(home), "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    environment = {name: value for name, value in environment.items() if not name.startswith("XDG_")}
    command = [sys.executable, "-P", "-m", "edge", "service", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, check=False)


def test_a_dry_run_shows_both_files_and_writes_none(tmp_path: Path) -> None:
    got = edge("install", "--user", "--camera", "--interval", "600", "--sample-id", "S 42%", "--dry-run", home=tmp_path)
    assert (got.returncode, got.stderr) == (0, "")
    assert f"# {tmp_path}/.config/edge/service.toml" in got.stdout
    assert 'sample-id = "S 42%"' in got.stdout
    assert "camera = true" in got.stdout
    assert "resume = true" in got.stdout
    assert "WatchdogSec=1801" in got.stdout
    assert f"WorkingDirectory={tmp_path}/.local/share/edge" in got.stdout
    assert f"Environment=XDG_DATA_HOME={tmp_path}/.local/share\n" in got.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_service_tells_a_broker_with_a_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush-hush")
    broker = ("--mqtt", "mqtts://anna@broker.local", "--mqtt-password-file", "password")
    got = edge("install", "--user", "--camera", *broker, "--dry-run", home=tmp_path)
    assert (got.returncode, got.stderr) == (0, "")
    assert 'mqtt = "mqtts://anna@broker.local"' in got.stdout
    assert f'mqtt-password-file = "{tmp_path}/password"' in got.stdout
    assert "AF_INET AF_INET6" in got.stdout
    assert "hush-hush" not in got.stdout


def test_paths_are_those_of_the_folder_it_was_installed_from(tmp_path: Path) -> None:
    shelf = ROOT / "models/shelf/malaria-thin-32/malaria-thin-32.tflite"
    (tmp_path / "mine.tflite").write_bytes(shelf.read_bytes())
    got = edge("install", "--user", "--camera", "--model", "mine.tflite", "--dry-run", home=tmp_path)
    assert f'model = "{tmp_path}/mine.tflite"' in got.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("install",), 2, "give --camera"),
        (("install", "--camera", "--simulate"), 2, "give --camera"),
        (("install", "fields/"), 2, "give --camera"),
        (("install", "--user", "--camera", "--csv", "out.csv"), 2, "edge export"),
        (("install", "--user", "--camera", "--run-as", "root"), 2, "--run-as"),
        (("install", "--user", "--camera", "--no-book"), 2, "its own book"),
        (("install", "--user", "--camera", "--book", "b.sqlite"), 2, "its own book"),
        (("install", "--user", "--camera", "--again"), 2, "its own book"),
        (("install", "--user", "--camera", "--model", "none", "--dry-run"), 5, "no such model"),
        (("install", "--user", "--camera", "--calibration", "none.json", "--dry-run"), 8, "none.json"),
        (("install", "--camera", "--run-as", "no-such-user", "--dry-run"), 11, "no such user"),
        (("install", "--user", "--camera", "--mqtt", "mqtt://anna:hush@h"), 2, "--mqtt-password-file"),
        (("remove", "--user"), 11, "nothing to remove"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_no_service_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    got = edge(*arguments, home=tmp_path)
    assert (got.returncode, got.stdout) == (code, ""), got.stderr
    assert said in got.stderr
    assert got.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@needs_no_systemd
def test_without_systemd_it_says_so_and_writes_nothing(tmp_path: Path) -> None:
    got = edge("install", "--user", "--camera", home=tmp_path)
    assert got.returncode == 11
    assert "--no-start" in got.stderr
    assert list(tmp_path.iterdir()) == []
    assert edge("status", home=tmp_path).returncode == 11


def places(folder: Path, *, unit: bool = True) -> ServicePlaces:
    if unit:
        (folder / "edge.service").touch()
    return ServicePlaces(folder / "edge.service", folder / "service.toml", folder / "state", system=True)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"ActiveState": "active", "ActiveEnterTimestamp": "Sun", "StatusText": "S-1: 3 fields"},
            "service   runs, since Sun",
        ),
        ({"ActiveState": "active", "StatusText": "S-1: 3 fields"}, "counting  S-1: 3 fields"),
        ({"ActiveState": "activating", "SubState": "start"}, "service   starts: no field was taken yet"),
        (
            {"ActiveState": "activating", "SubState": "auto-restart", "ExecMainStatus": "6"},
            "ended     exit code 6: no camera, or it was lost and stayed away (what was counted before is printed)",
        ),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, "service   waits before it starts anew"),
        ({"ActiveState": "failed", "Result": "watchdog"}, "ended     no field came for too long"),
        (
            {"ActiveState": "failed", "ExecMainStatus": "226"},
            "ended     exit code 226: not one of edge-run: see the logs",
        ),
        ({"ActiveState": "active", "NRestarts": "3"}, "restarts  3 since it was started"),
        ({"ActiveState": "active", "NeedDaemonReload": "yes"}, "changed   the unit changed since"),
        ({}, "service   is not known"),
    ],
)
def test_states_in_words(tmp_path: Path, found: dict[str, str], said: str) -> None:
    assert any(line.startswith(said) for line in status_lines(found, places(tmp_path)))


def test_a_service_that_was_stopped_did_not_fail(tmp_path: Path) -> None:
    lines = list(status_lines({"ActiveState": "inactive", "ExecMainStatus": "130"}, places(tmp_path)))
    assert lines[0] == "service   is stopped"
    assert not any(line.startswith("ended") for line in lines)


def test_one_that_is_not_there_says_how_to_install_it(tmp_path: Path) -> None:
    (line,) = status_lines({"ActiveState": "inactive"}, places(tmp_path, unit=False))
    assert "edge service install --camera" in line
    assert not changed_by_hand(tmp_path / "edge.service")
