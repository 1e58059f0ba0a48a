"""The live line of a camera's run: the hint comes first. Of other runs: test_console.py."""

from __future__ import annotations

import io

import pytest

from edge.camera.records import CameraState
from edge.outputs.bell import Bell
from edge.outputs.console import Screen
from edge.outputs.live_line import Progress, fit
from edge.status import CameraStatus, Hint, RunState, Status
from tests.outputs import events


def status(version: int = 1, *, hint: Hint = Hint.MOVE_STAGE, taken: int = 0) -> Status:
    camera = CameraStatus(CameraState.RUNNING, "camera")
    return Status(version, 0.0, RunState.WAITING, camera, hint, taken=taken)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    time = [100.0]
    monkeypatch.setattr("edge.outputs.live_line.monotonic", lambda: time[0])
    return time


def test_the_hint_comes_first_on_a_terminal_and_stays_on_a_narrow_one(now: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress(Screen(file=stream, width=60, force_terminal=True, color_system=None), ("parasitized",))
    now[0] += 1
    progress.status(status())
    assert " MOVE THE STAGE  waiting for a new field" in stream.getvalue()
    now[0] += 1
    progress.field(events.kept())
    line = stream.getvalue().rsplit("\x1b[2K", 1)[-1]
    assert "MOVE THE STAGE" in line
    assert "1 kept" in line
    progress.close()
    assert fit([("kept 3", 0), ("long", 5)], 24, "HOLD STILL").plain == " HOLD STILL  kept 3"


def test_nothing_is_shown_once_the_summary_may_be_printed(now: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress(Screen(file=stream, width=60, force_terminal=True, color_system=None), ())
    progress.status(status())
    progress.sample(events.sample())
    printed = stream.getvalue()
    now[0] += 10
    progress.status(status(2, hint=Hint.REFOCUS))
    assert stream.getvalue() == printed


def test_where_nothing_can_be_written_over_a_hint_is_a_line_now_and_then(now: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress(Screen(file=stream, width=80), ())
    now[0] += 20
    progress.status(status())
    progress.status(status(2, hint=Hint.REFOCUS))
    now[0] += 20
    progress.status(status(3, hint=Hint.REFOCUS))
    progress.status(status(4, hint=Hint.TOO_DARK))
    assert stream.getvalue().splitlines() == [
        "MOVE THE STAGE · waiting for a new field",
        "TOO DARK · waiting for a new field",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "rung"), [(Terminal(), "\a\a"), (io.StringIO(), "")])
def test_the_bell_rings_for_each_field_that_is_taken_and_only_on_a_terminal(stream: io.StringIO, rung: str) -> None:
    bell = Bell(stream)
    for version, taken in enumerate((3, 3, 4, 4, 5)):
        bell.status(status(version, taken=taken))
    assert stream.getvalue() == rung
