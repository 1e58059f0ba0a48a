"""Real picamera2 on libcamera's virtual pipeline, as a user meets it: start, count, kill the camera process, count on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import cv2
import numpy as np
import pytest

from edge.camera.link import open_camera
from edge.camera.records import CameraSpec
from edge.types import UInt8Array
from edge.virtual_slide import SlideSpec, render_field
from tests.camera.libcamera.build import HERE, PREFIX, cache, missing

ROOT = Path(__file__).parents[3]
FRAMES = 8
LONG_S = 150.0
"""Seconds that anything may take on a machine with much else to do."""

CACHE = cache()
"""As it is for everybody: some tests have a cache of their own."""

pytestmark = [pytest.mark.libcamera, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[UInt8Array]:
    """What the camera shows, one after the other, without end; the pipeline is told where they lie."""
    folder = tmp_path_factory.mktemp("frames")
    spec = SlideSpec(seed=3, bad_fields=0)
    shown = [render_field(spec, number)[0] for number in range(FRAMES)]
    for number, rgb in enumerate(shown):
        cv2.imwrite(str(folder / f"{number}.jpg"), rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    described = (HERE / "virtual.yaml").read_text().replace("FRAMES", f"{folder}/")
    (CACHE / PREFIX / "share/libcamera/pipeline/virtual/virtual.yaml").write_text(described)
    return shown


def environment() -> dict[str, str]:
    """In which picamera2 finds the build."""
    (library,) = (CACHE / PREFIX / "lib").glob("*/libcamera.so")
    (packages,) = (CACHE / PREFIX / "lib").glob("python3*/site-packages")
    return {
        "PYTHONPATH": ":".join(map(str, (ROOT, HERE, packages, CACHE / "python"))),
        "LD_LIBRARY_PATH": str(library.parent),
        "LD_PRELOAD": str(CACHE / "udmabuf.so"),
        "LIBCAMERA_LOG_LEVELS": "ERROR",
        "EDGE_CAMERA_STAND_IN": "tests.camera.libcamera.stand_in:install",
    }


def test_its_format_is_read_back_and_its_colours_are_right(
    pictures: list[UInt8Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    link = open_camera(CameraSpec("pi"))
    try:
        link.wait_ready(LONG_S)
        frame = link.take(timeout=LONG_S)
        assert frame is not None
        assert link.facts is not None
        assert (link.facts.format, link.facts.size, link.facts.model) == ("NV12-full", (1280, 960), "VirtualMicroscope")
        assert link.facts.not_held == ("exposure_us", "analogue_gain", "colour_gains")  # the pipeline has no controls
        away = [np.abs(frame.rgb.astype(int) - shown).mean() for shown in pictures]
        assert min(away) < 3
    finally:
        link.close()


class EdgeRun:
    """``edge-run`` on the camera; its lines come as they are said."""

    def __init__(self, folder: Path) -> None:
        program = "import sys; from edge.cli import run_main; run_main()"
        # The camera shows the same few views again and again.
        options = ["--camera", "--interval", "0", "--no-overlap", "--sample-id", "S", "--json"]
        options += ["--book", str(folder / "book.sqlite")]
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment()},
            text=True,
        )
        self.lines: Queue[dict[str, Any]] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def until(self, what: str, is_it: Any) -> dict[str, Any]:
        """The first line for which ``is_it`` holds."""
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            try:
                line = self.lines.get(timeout=1)
            except Empty:
                if self.process.poll() is not None and self.lines.empty():
                    pytest.fail(f"edge-run ended without {what}: {self.process.communicate()[1]}")
                continue
            if is_it(line):
                return line
        pytest.fail(f"no {what} within {LONG_S:.0f} s")

    def camera_process(self) -> int:
        """The number of the process that holds the camera."""
        for children in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for child in children.read_text().split():
                if "edge.camera.child" in Path(f"/proc/{child}/cmdline").read_text():
                    return int(child)
        pytest.fail("edge-run has no camera process")


@pytest.fixture
def run(pictures: list[UInt8Array], tmp_path: Path) -> Iterator[EdgeRun]:
    made = EdgeRun(tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


def counted(line: dict[str, Any]) -> bool:
    return bool(line["event"] == "field" and line["kept"] and line["cells"] > 30)


def test_a_run_goes_on_after_its_camera_process_was_killed(run: EdgeRun) -> None:
    before = run.until("a field", counted)
    victim = run.camera_process()
    os.kill(victim, signal.SIGKILL)
    lost = run.until("word of the loss", lambda line: "camera lost" in json.dumps(line))
    assert "SIGKILL" in json.dumps(lost)
    after = run.until("a field after the loss", counted)
    assert after["field"] > before["field"]
    assert run.camera_process() != victim
    run.process.send_signal(signal.SIGINT)
    whole = run.until("the sample", lambda line: line["event"] == "sample")
    assert whole["cells"] >= before["cells"] + after["cells"]
    run.process.wait(LONG_S)
    assert run.process.returncode == 130
