"""The real camera process with a stand-in for V4L2 inside: frames come, and a process that is killed comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.camera.finding import STAND_IN
from edge.camera.link import CameraLink, open_camera
from edge.camera.previews import PreviewMemory, PreviewReader
from edge.camera.process import CameraProcess
from edge.camera.records import CameraSpec, CameraState, CameraTrouble
from edge.camera.watch import Patience
from edge.errors import CameraError

ROOT = Path(__file__).parents[2]
SOUND = "benchmarks.cameras.stand_ins:install"
QUICK = Patience(first_pause=0.05)


@pytest.fixture(scope="module")
def link() -> Iterator[CameraLink]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STAND_IN, SOUND)
        patch.setenv("PYTHONPATH", str(ROOT))
        made = open_camera(CameraSpec(kind="usb"), patience=QUICK)
        try:
            made.wait_ready(60)
            yield made
        finally:
            made.close()


def child(link: CameraLink) -> int:
    assert link._child is not None
    return link._child.pid


def test_frames_come_in_memory_of_their_own_with_what_the_driver_says(link: CameraLink) -> None:
    one = link.take(timeout=10)
    assert one is not None
    two = link.take(after=one.number, timeout=10)
    assert two is not None
    assert two.number > one.number
    assert two.at > one.at
    assert one.rgb.shape == (480, 640, 3)
    assert not np.array_equal(one.rgb, two.rgb)
    assert one.rgb.flags.owndata
    assert one.rgb[..., 0].mean() > one.rgb[..., 1].mean()  # red first: the scene is pink
    assert one.metadata["exposure_us"] == 15600.0
    assert link.facts is not None
    assert (link.name, link.facts.format) == ("USB camera /dev/video0", "RGB888")


def test_another_process_reads_previews_by_name(link: CameraLink) -> None:
    code = (
        "import sys, time; from edge.camera.previews import PreviewReader\n"
        "reader = PreviewReader(sys.argv[1])\n"
        "for _ in range(200):\n"
        "    got = reader.read()\n"
        "    if got: print(got.width, got.height, got.jpeg[:2].hex()); break\n"
        "    time.sleep(0.05)\n"
    )
    got = subprocess.run(
        [sys.executable, "-c", code, link.preview_memory], capture_output=True, text=True, timeout=60, check=True
    )
    assert got.stdout.split() == ["640", "480", "ffd8"]


def test_a_camera_process_that_is_killed_comes_back_and_frame_numbers_grow(link: CameraLink) -> None:
    before = link.take(timeout=10)
    assert before is not None
    told, open_files = len(link.events()), len(list(Path("/proc/self/fd").iterdir()))
    os.kill(child(link), signal.SIGKILL)
    until = time.monotonic() + 60
    while (after := link.take(after=before.number + 30)) is None and time.monotonic() < until:
        pass
    assert after is not None
    lost, back = link.events(after=told - 1)
    assert lost.trouble is CameraTrouble.DIED
    assert "SIGKILL" in lost.words
    assert back.trouble is None
    assert back.seconds > 0
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files


def test_closing_ends_the_process_and_may_be_done_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STAND_IN, SOUND)
    made = open_camera(CameraSpec(kind="usb"), patience=QUICK)
    made.wait_ready(60)
    pid = child(made)
    made.close()
    made.close()
    assert made.state is CameraState.CLOSED
    with pytest.raises(CameraError, match="is closed"):
        made.take()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(OSError, match="fd"):
        PreviewReader(made.preview_memory)


def test_no_camera_at_all_is_one_plain_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STAND_IN, raising=False)
    made = open_camera(CameraSpec(), patience=QUICK)
    try:
        with pytest.raises(CameraError) as caught:
            made.wait_ready(60)
    finally:
        made.close()
    assert "\n" not in str(caught.value)
    for words in ("picamera2 is not installed", "none is plugged in", "Check the cable"):
        assert words in str(caught.value)


def test_the_camera_process_ends_with_whoever_started_it_even_by_kill() -> None:
    code = (
        "import time\n"
        "from edge.camera.link import open_camera\n"
        "from edge.camera.records import CameraSpec\n"
        "link = open_camera(CameraSpec(kind='usb'))\n"
        "link.wait_ready(60)\n"
        "print(link._child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    env = {**os.environ, STAND_IN: SOUND, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 10
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(pid)


def runs(pid: int) -> bool:
    """Whether a process runs: one that has ended, but whose end nobody has asked about, does not."""
    try:
        return not Path(f"/proc/{pid}/stat").read_text().split(") ")[1].startswith("Z")
    except OSError:
        return False


def stuck(self: object, patience: float | None = None) -> int:
    raise subprocess.TimeoutExpired("camera", patience or 0.0)


def test_a_process_that_waits_within_the_kernel_and_cannot_be_killed_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(STAND_IN, raising=False)
    memory = PreviewMemory()
    made = CameraProcess(CameraSpec(), 0, "", memory, faults=False)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "wait", stuck)
        assert made.end_it(0.0) == -signal.SIGKILL
    memory.close()


def test_where_no_process_can_be_started_it_is_one_line_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", none)
    made = open_camera(CameraSpec(), patience=QUICK)
    with pytest.raises(CameraError, match="no camera process can be started: Resource temporarily unavailable"):
        made.wait_ready(10)
    made.close()
