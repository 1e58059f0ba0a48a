"""edge-run on a camera as a user starts it: a camera process that is killed is one field that is lost, and the count goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.camera.finding import STAND_IN

ROOT = Path(__file__).parents[2]
COUNT = (
    "run",
    "--camera",
    "--no-book",
    "--no-gate",
    "--tiling",
    "grid",
    "--size",
    "640x480",
    "--interval",
    "0.2",
    "--json",
)


def start(told: Path, *more: str) -> subprocess.Popen[str]:
    env = {**os.environ, STAND_IN: "benchmarks.cameras.stand_ins:install", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "edge", *COUNT, *more]
    with told.open("w") as out:
        return subprocess.Popen(command, env=env, text=True, stdout=out, stderr=subprocess.PIPE)


def children(pid: int) -> list[int]:
    """Processes that were started by any thread of this one."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(one) for one in task.read_text().split()]
    return found


def camera_process(pid: int) -> int:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for child in children(pid):
            if b"edge.camera.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        time.sleep(0.05)
    pytest.fail("no camera process")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_camera_process_that_is_killed_is_one_lost_field_and_the_count_goes_on(tmp_path: Path) -> None:
    told = tmp_path / "fields.jsonl"
    with start(told, "--max-fields", "8") as run:
        child = camera_process(run.pid)
        until = time.monotonic() + 90
        while len(lines(told)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        _, errors = run.communicate(timeout=120)
    fields = [one for one in lines(told) if one.get("event", one.get("type")) == "field"]
    assert run.returncode in (0, 3), errors
    assert len(fields) == 8
    lost = [one for one in fields if "camera lost for" in json.dumps(one)]
    assert len(lost) == 1
    assert "SIGKILL" in json.dumps(lost[0])
    assert "is back" in json.dumps(lost[0])


def test_ctrl_c_ends_the_run_and_the_camera_process(tmp_path: Path) -> None:
    told = tmp_path / "fields.jsonl"
    with start(told) as run:
        child = camera_process(run.pid)
        until = time.monotonic() + 90
        while not lines(told) and time.monotonic() < until:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
    assert run.returncode == 130
    until = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
