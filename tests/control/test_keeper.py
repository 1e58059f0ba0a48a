"""A process that counts and dies is started anew, and the page sees one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.camera.records import CameraState, Preview
from edge.control.keeper import EngineKeeper
from edge.control.records import Command, CommandRefusedError, StartSample
from edge.status import CameraStatus, RunEnd, RunState, SampleProgress, Status, View

FIRST = Status(1, 0.0, RunState.IDLE, CameraStatus(CameraState.RUNNING, "camera"))
COUNTING = replace(
    FIRST, version=7, sample=SampleProgress("S-1", "left"), view=View(40, 1.0, 1.0, None, 0.0, True, 1.0, 0.0, 0.0)
)


class Process:
    """A process that ends when it is told to; ``deaf``: times that it refuses a command; ``known``: the book has the sample."""

    def __init__(self, deaf: int = 0, known: bool = True) -> None:
        self.known = known
        self.status = FIRST
        self.exit_code: int | None = None
        self.sent: list[Command] = []
        self.closed = False
        self.deaf = deaf

    def wait(self, after: int, timeout: float) -> Status:
        return self.status

    def preview(self, *, after: int = -1) -> Preview | None:
        return Preview(3, 1, 1, b"") if after < 3 else None

    def send(self, command: Command) -> None:
        if self.deaf:
            self.deaf -= 1
            raise CommandRefusedError("models load")
        if isinstance(command, StartSample) and command.resume is not self.known:
            raise CommandRefusedError("the book has it" if self.known else "the book has no such sample")
        self.sent.append(command)

    def close(self) -> None:
        self.closed = True

    def die(self, code: int) -> None:
        under_way = self.status.sample is not None and self.status.ended is None
        self.status = replace(self.status, version=8, ended=RunEnd.INTERRUPTED if under_way else self.status.ended)
        self.exit_code = code


class Started:
    """Starts processes, and remembers them."""

    def __init__(self, deaf: int = 0, known: bool = True) -> None:
        self.processes: list[Process] = []
        self._deaf, self._known = deaf, known

    def __call__(self) -> Process:
        self.processes.append(Process(self._deaf if self.processes else 0, self._known))
        return self.processes[-1]


def soon(done: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 5
    while not done() and time.monotonic() < deadline:
        time.sleep(0.005)
    return bool(done())


CODES = {
    "killed": (-9, 2),
    "aborted": (-6, 2),
    "a defect": (1, 2),
    "no such model": (5, 1),
    "the book refuses": (10, 1),
    "ended": (0, 1),
}


@pytest.mark.parametrize("case", CODES)
def test_only_what_another_try_may_mend_is_started_anew(case: str) -> None:
    code, processes = CODES[case]
    started = Started()
    keeper = EngineKeeper(started, (0.0,), 0.005)
    started.processes[0].die(code)
    assert soon(lambda: len(started.processes) == 2) is (processes == 2) or processes == 1
    keeper.close()
    assert len(started.processes) == processes
    assert all(process.closed for process in started.processes)


@pytest.mark.parametrize("known", [True, False], ids=["the book has fields of it", "killed before its first field"])
@pytest.mark.parametrize("deaf", [3, 4])
def test_a_sample_under_way_goes_on_once_the_new_process_listens(deaf: int, known: bool) -> None:
    started = Started(deaf, known)
    keeper = EngineKeeper(started, (0.0,), 0.005)
    started.processes[0].status = COUNTING
    started.processes[0].die(-9)
    assert soon(lambda: len(started.processes) == 2 and started.processes[1].sent)
    keeper.close()
    assert started.processes[1].sent == [StartSample("S-1", "left", resume=known)]


def test_a_sample_that_had_ended_is_left_alone() -> None:
    started = Started()
    keeper = EngineKeeper(started, (0.0,), 0.005)
    started.processes[0].status = replace(COUNTING, ended=RunEnd.COMPLETE)
    started.processes[0].die(-9)
    assert soon(lambda: len(started.processes) == 2)
    time.sleep(0.05)
    keeper.close()
    assert started.processes[1].sent == []


def test_numbers_of_snapshots_and_pictures_grow_over_all_processes() -> None:
    started = Started()
    keeper = EngineKeeper(started, (0.0,), 0.005)
    started.processes[0].status = COUNTING
    before, shown = keeper.status, keeper.preview()
    started.processes[0].die(-9)
    assert soon(lambda: keeper.status.version > 8)
    started.processes[1].status = replace(COUNTING, version=2)
    after = keeper.wait(before.version, 0.1)
    assert after.version > before.version
    assert shown
    assert before.view
    assert after.view
    assert after.view.frame > before.view.frame
    new = keeper.preview(after=shown.number)
    assert new
    assert new.number > before.view.frame
    keeper.close()


def test_what_a_closed_one_ends_with_is_final() -> None:
    started = Started()
    keeper = EngineKeeper(started, (10.0,), 0.005)
    started.processes[0].die(-9)
    keeper.close()
    assert len(started.processes) == 1
