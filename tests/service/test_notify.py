"""What systemd hears of a run, on a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.camera.records import CameraState
from edge.events import FieldEvent
from edge.service import notify
from edge.service.notify import Notifier, SystemdOutput, status_line, systemd_outputs
from edge.status import CameraStatus, Hint, RunState, Status
from tests.outputs.events import kept, rejected, sample, unreadable


class Manager:
    """The service manager's end of the socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[list[str]]:
        """Each datagram's lines, since the last look."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(65536).decode().split("\n"))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify") if request.param == "path" else f"@edge-test-{os.getpid()}")
    yield made
    made.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(notify, "monotonic", lambda: now[0])
    return now


def output_of(manager: Manager, **more: str) -> SystemdOutput:
    (output,) = systemd_outputs(environment={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000", **more})
    assert isinstance(output, SystemdOutput)
    return output


def names(datagrams: list[list[str]]) -> list[list[str]]:
    return [[line.partition("=")[0] for line in lines] for lines in datagrams]


def test_ready_comes_with_the_first_field_and_never_again(manager: Manager, clock: list[float]) -> None:
    output = output_of(manager)
    assert manager.heard() == []
    output.field(kept())
    assert names(manager.heard()) == [["READY", "WATCHDOG", "STATUS"]]
    clock[0] += 60
    output.field(rejected())
    assert names(manager.heard()) == [["WATCHDOG", "STATUS"]]


@pytest.mark.parametrize("event", [kept(), rejected(), unreadable()], ids=["kept", "rejected", "unreadable"])
def test_every_field_is_progress_whatever_became_of_it(manager: Manager, event: FieldEvent) -> None:
    output_of(manager).field(event)
    assert "WATCHDOG=1" in manager.heard()[0]


def test_nothing_but_fields_feeds_the_watchdog(manager: Manager, clock: list[float]) -> None:
    output = output_of(manager)
    output.field(kept())
    manager.heard()
    clock[0] += 600
    output.sample(sample())
    assert manager.heard() == []
    output.close()
    assert manager.heard() == [["STOPPING=1"]]


def test_fast_fields_are_told_once_a_second(manager: Manager, clock: list[float]) -> None:
    output = output_of(manager)
    for _ in range(50):
        output.field(kept())
        clock[0] += 0.1
    assert len(manager.heard()) == 5


@pytest.mark.parametrize(
    ("environment", "watched"),
    [
        ({"WATCHDOG_USEC": "120000000"}, True),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({}, False),
    ],
)
def test_the_watchdog_is_fed_only_where_systemd_waits_for_this_process(
    manager: Manager, environment: dict[str, str], watched: bool
) -> None:
    (output,) = systemd_outputs(environment={"NOTIFY_SOCKET": manager.address, **environment})
    output.field(kept())
    assert ("WATCHDOG=1" in manager.heard()[0]) is watched


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "relative/path"])
def test_without_a_socket_there_is_no_output(address: str | None) -> None:
    assert systemd_outputs(environment={} if address is None else {"NOTIFY_SOCKET": address}) == []


def test_a_manager_that_is_gone_does_not_end_the_count(tmp_path: Path) -> None:
    output = SystemdOutput(Notifier(str(tmp_path / "gone")), watched=True)
    output.field(kept())
    output.close()


def test_a_manager_that_does_not_read_holds_nothing_up(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "_PATIENCE_S", 0.001)
    for _ in range(400):  # more than a socket holds
        Notifier(manager.address).send("STATUS=" + "x" * 500)


def test_the_status_says_what_is_counted_and_why_the_last_field_is_not() -> None:
    assert status_line(kept()) == "s: 1 fields, 1 count: 2 cells; uninfected 1, parasitized 1"
    assert status_line(rejected()).endswith("(the last one does not count: out of focus)")
    assert "unreadable" in status_line(unreadable())


def test_a_hostile_sample_name_adds_no_line_to_the_message(manager: Manager) -> None:
    event = kept()
    hostile = replace(event, tally=replace(event.tally, sample="S\nWATCHDOG=1\nMAINPID=1\x1b[2J" + "x" * 2000))
    (output,) = systemd_outputs(environment={"NOTIFY_SOCKET": manager.address})
    output.field(hostile)
    (lines,) = manager.heard()
    assert names([lines]) == [["READY", "STATUS"]]
    assert len(lines[1]) < 600
    assert lines[1].isprintable()


def waiting(hint: Hint = Hint.MOVE_STAGE) -> Status:
    return Status(1, 0.0, RunState.WAITING, CameraStatus(CameraState.RUNNING, "camera"), hint)


def test_a_run_that_waits_for_a_person_is_ready_and_alive_and_says_for_what(
    manager: Manager, clock: list[float]
) -> None:
    output = output_of(manager)
    output.status(waiting())
    assert manager.heard() == []  # a state is no progress
    output.alive()
    assert manager.heard() == [["READY=1", "WATCHDOG=1", "STATUS=MOVE THE STAGE - waiting for a new field"]]
    clock[0] += 0.5
    output.alive()
    assert manager.heard() == []
    clock[0] += 0.6
    output.alive()
    ((alive, said),) = manager.heard()
    assert (alive, said) == ("WATCHDOG=1", "STATUS=MOVE THE STAGE - waiting for a new field")


def test_the_hint_stands_before_what_was_counted(manager: Manager, clock: list[float]) -> None:
    output = output_of(manager)
    output.field(kept())
    manager.heard()
    clock[0] += 2
    output.status(waiting(Hint.REFOCUS))
    output.field(kept())
    ((_, said),) = manager.heard()
    assert said.startswith("STATUS=REFOCUS - waiting for a new field; ")
    assert said.endswith(status_line(kept()))
