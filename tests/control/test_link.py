"""The page's end of the link: the engine is started, speaks, is told, and never outlives who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.camera.records import CameraState
from edge.control.link import EngineLink
from edge.control.records import CommandRefusedError, FinishSample
from edge.status import RunState, Status

PROGRAM = (sys.executable, "-m", "tests.control.engine_with_camera")


def until(link: EngineLink, holds: Callable[[Status], bool], seconds: float = 30.0) -> Status:
    """The first snapshot for which it holds."""
    end, status = time.monotonic() + seconds, link.status
    while not holds(status):
        assert time.monotonic() < end, status
        status = link.wait(status.version, 1.0)
    return status


@pytest.fixture(scope="module")
def link() -> Iterator[EngineLink]:
    link = EngineLink(program=PROGRAM)
    yield link
    link.close()
    assert not link.alive


def test_what_the_camera_shows_is_told(link: EngineLink) -> None:
    status = until(link, lambda status: status.view is not None)
    assert status.state is RunState.IDLE
    assert status.camera.state is CameraState.RUNNING
    assert status.view is not None
    assert abs(sum(status.view.histogram) - 1) < 0.01


def test_an_order_that_makes_no_sense_is_refused_in_words(link: EngineLink) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        link.send(FinishSample())
    assert "\n" not in str(refused.value)


def gone(pid: int, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_an_engine_that_is_killed_is_told_and_orders_are_refused() -> None:
    link = EngineLink(program=PROGRAM)
    until(link, lambda status: status.view is not None)
    os.kill(link.pid, signal.SIGKILL)
    status = until(link, lambda status: status.failure != "")
    assert "signal 9" in status.failure
    assert status.camera.state is CameraState.CLOSED
    with pytest.raises(CommandRefusedError, match="signal 9"):
        link.send(FinishSample())
    link.close()


def test_the_engine_ends_when_whoever_started_it_is_killed() -> None:
    code = (
        "import time\nfrom edge.control.link import EngineLink\nfrom tests.control.test_link import PROGRAM, until\n"
        "link = EngineLink(program=PROGRAM)\nuntil(link, lambda status: status.view is not None)\n"
        "print(link.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        engine = int(parent.stdout.readline())
        parent.kill()
        assert gone(engine)
