"""``edge-run --camera`` from the command line, with a camera of this test and stand-ins for the nets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from edge.camera.records import CameraSpec, CameraState
from edge.cli import camera_control, edge_run_app
from edge.cli.camera_control import PATIENCE_S, camera_spec, patience_of
from edge.cli.run_settings import RunSettings
from edge.cli.settings import InputSettings
from tests.cli.fake_edge_run import fakes
from tests.control.cameras import ShownCamera
from tests.control.engine_with_camera import APART_S, shown


def edge_run(camera: ShownCamera, *args: str) -> Any:
    with fakes(), patch.object(camera_control, "open_camera", lambda _: camera):
        return CliRunner().invoke(edge_run_app(), ["--camera", "--no-book", "--workers", "1", *args])


def test_fields_are_taken_once_they_are_new() -> None:
    camera = ShownCamera(shown, APART_S)
    got = edge_run(camera, "--max-fields", "3", "--json", "--sample-id", "S-1")
    assert got.exit_code == 0, got.stderr
    events = [json.loads(line) for line in got.stdout.splitlines()]
    fields = [event for event in events if event["event"] == "field"]
    assert [field["kept"] for field in fields] == [True] * 3
    frames = [field["metadata"]["frame"] for field in fields]
    assert len({frame // 20 for frame in frames}) == 3  # each of another view
    assert camera.state is CameraState.CLOSED


def test_by_time_they_are_taken_whatever_is_seen() -> None:
    got = edge_run(ShownCamera(lambda _: shown(0), APART_S), "--interval", "0", "--max-fields", "3", "--json")
    fields = [json.loads(line) for line in got.stdout.splitlines()][:3]
    assert [field["kept"] for field in fields] == [True, False, False]


def test_a_lost_camera_is_an_input_that_could_not_be_read() -> None:
    camera = ShownCamera(shown, APART_S, lost=range(45, 60))
    got = edge_run(camera, "--max-fields", "4", "--sample-id", "S-1")
    assert got.exit_code == 3
    assert "camera lost for" in got.stdout
    assert "shown camera does not answer" in got.stdout
    assert "done, but 1 of 4 inputs could not be read" in got.stderr


def test_a_camera_that_stays_away_ends_the_run_and_what_was_counted_is_printed() -> None:
    camera = ShownCamera(shown, APART_S, lost=range(45, 10**6))
    got = edge_run(camera, "--camera-patience", "1", "--sample-id", "S-1")
    assert got.exit_code == 6
    assert "it has not come back for 1 s" in got.stderr
    assert "Sample S-1" in got.stdout


def test_no_camera_is_said_before_anything_is_counted() -> None:
    camera = ShownCamera(shown)
    camera.close()
    got = edge_run(camera)
    assert (got.exit_code, got.stdout) == (6, "")
    assert "no camera answers" in got.stderr


PROGRAM = (
    "from unittest.mock import patch\n"
    "from edge.cli import camera_control, run_main\n"
    "from tests.cli.fake_edge_run import fakes\n"
    "from tests.control.engine_with_camera import opened\n"
    "with fakes(), patch.object(camera_control, 'open_camera', opened):\n    run_main()\n"
)


def test_ctrl_c_while_a_field_is_waited_for_prints_the_sample(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PROGRAM, "--camera", "--json", "--book", str(tmp_path / "book"), "--workers", "1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["interrupted"]) == ("sample", True)


PATIENCE: dict[str, tuple[float | None, bool, float | None]] = {
    "at a terminal": (None, False, PATIENCE_S),
    "a service": (None, True, None),
    "given": (5.0, False, 5.0),
    "given to a service": (5.0, True, 5.0),
}


@pytest.mark.parametrize("name", PATIENCE)
def test_how_long_a_lost_camera_is_waited_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, service, seconds = PATIENCE[name]
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if service:
        monkeypatch.setitem(os.environ, "NOTIFY_SOCKET", "/run/notify")
    assert patience_of(RunSettings(InputSettings(camera=True, camera_patience=given))) == seconds


DEVICES: dict[str, tuple[str, int | str]] = {
    "0": ("auto", 0),
    "1": ("auto", 1),
    "/dev/video2": ("auto", "/dev/video2"),
    "simulated": ("simulated", 0),
}


@pytest.mark.parametrize("device", DEVICES)
def test_the_camera_that_is_asked_for(device: str) -> None:
    spec = camera_spec(RunSettings(InputSettings(camera=True, device=device, seed=3, size="640x480")))
    assert (spec.kind, spec.device) == DEVICES[device]
    assert spec.size == (640, 480)
    assert isinstance(spec, CameraSpec)
