"""The virtual microscope in a real camera process: it is told to move and to fail, is killed, and stands where it stood."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.camera.link import CameraLink, open_camera
from edge.camera.records import CameraSpec, CameraTrouble, Frame
from edge.camera.watch import Patience

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def link() -> Iterator[CameraLink]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        spec = CameraSpec("simulated", size=(320, 240), seed=2, controls={"hand": 0})
        made = open_camera(spec, patience=Patience(first_pause=0.05))
        try:
            made.wait_ready(60)
            yield made
        finally:
            made.close()


def frame(link: CameraLink, after: int = -1) -> Frame:
    taken = link.take(after=after, timeout=30)
    assert taken is not None
    return taken


def until_stage(link: CameraLink, place: tuple[float, float]) -> Frame:
    end = time.monotonic() + 30
    taken = frame(link)
    while time.monotonic() < end and taken.metadata["virtual_stage"] != place:
        taken = frame(link, taken.number)
    assert taken.metadata["virtual_stage"] == place
    return taken


def test_it_obeys_and_stands_where_it_stood_after_its_process_was_killed(link: CameraLink) -> None:
    assert link.name == "virtual microscope"
    link.command("move", x=40.0, y=-20.0)
    before = until_stage(link, (40.0, -20.0))
    assert link._child is not None
    os.kill(link._child.pid, signal.SIGKILL)
    after = frame(link, before.number)
    while not any(one.trouble is CameraTrouble.DIED for one in link.events()):
        after = frame(link, after.number)
    after = frame(link, after.number)
    assert after.metadata["virtual_stage"] == (40.0, -20.0)
    assert after.metadata["truth"] == before.metadata["truth"]


def test_a_cable_stays_pulled_out_over_openings_until_its_time_is_over(link: CameraLink) -> None:
    begin, told = time.monotonic(), len(link.events())
    link.command("fault", kind="disconnect", seconds=4.0)
    while time.monotonic() - begin < 3.9:
        time.sleep(0.1)
    lost = link.events()[told:]
    assert [one.trouble for one in lost] == [CameraTrouble.NO_FRAMES]
    assert "unplugged" in lost[0].words
    newest = frame(link, -1)
    while newest.at < begin + 4.0:
        newest = frame(link, newest.number)
    assert link.events()[-1].trouble is None
