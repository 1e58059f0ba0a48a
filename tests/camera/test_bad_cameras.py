"""The bad cameras of ``benchmarks.cameras`` that lie, with time pressed together: their frames past converter, checks and watchdog.

Those that hang or die are in test_watch and, as real processes, in ``python -m benchmarks.cameras`` (docs/cameras-bad.md).
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cameras.kinds import KINDS
from benchmarks.cameras.run import WITHIN_S
from benchmarks.cameras.scene import MovingCells, ScenePictures
from benchmarks.cameras.stand_ins import SIZE
from edge.camera.formats import BadFrameError, FrameConverter
from edge.camera.looks import FrameChecker, HeldWatch
from edge.camera.records import CameraTrouble
from edge.camera.watch import CameraWatch, Patience, WatchOrder

ROOT = Path(__file__).parents[2]
FPS = 5.0
LYING = [name for name, kind in KINDS.items() if kind.frame is not None and "JPEG" not in name and name != "no array"]
JPEGS = ["JPEG cut off", "JPEG with a hole"]


class Pressed:
    """A camera process without the process, by a clock of its own."""

    def __init__(self, format_: str) -> None:
        self.now = 0.0
        self.watch = CameraWatch(Patience(), "camera")
        self.scene, self.right = MovingCells(*SIZE), ScenePictures(*SIZE)
        self.format = format_
        self.kills = self.handed = self.wrong = 0
        self.marks: set[int] = set()
        self.open()

    def open(self) -> None:
        assert self.watch.order(self.now) is WatchOrder.START
        self.watch.started(self.now)
        self.watch.opened(self.now)
        self.converter, self.checker, self.held = FrameConverter(self.format, SIZE), FrameChecker(), HeldWatch({})

    def frame(self, raw: np.ndarray, light: float) -> None:
        self.now += 1 / FPS
        self.watch.beat(self.now, "reading", int(self.now * FPS))
        rgb = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
        try:
            self.converter.convert(raw, rgb)
            self.checker.check(rgb)
            words = self.held.look(self.checker.thumbnail, {}, self.now)
        except BadFrameError as error:
            self.watch.bad(self.now, error.trouble, error.words)
        else:
            if words is not None:
                self.watch.note(self.now, CameraTrouble.NOT_HELD, words)
            self.watch.sound(self.now)
            self.hand_out(rgb, light if self.watch.events() else 1.0)
        if self.watch.order(self.now) is WatchOrder.KILL:
            self.kills += 1
            self.now += 61
            self.open()

    def hand_out(self, rgb: np.ndarray, light: float) -> None:
        mark = zlib.crc32(rgb.data)
        self.handed += 1
        self.wrong += mark in self.marks or not self.right.shows(rgb, light)
        self.marks.add(mark)


@pytest.mark.parametrize("name", [*LYING, *JPEGS])
def test_a_camera_that_lies_is_told_in_time_and_no_wrong_frame_is_handed_out(name: str) -> None:
    kind = KINDS[name]
    assert kind.frame is not None
    bench = Pressed("MJPG" if name in JPEGS else "RGB888")
    sound = kind if name in JPEGS else None
    if sound is None:
        for _ in range(8):
            bench.frame(bench.scene.frame(), 1.0)
        assert bench.handed == 8
    began, handed = bench.now, bench.handed
    for count in range(1, int(WITHIN_S * FPS) + 1):
        bench.frame(kind.frame(bench.scene.frame(), count), kind.light)
        if kind.told and bench.watch.events():
            break
    told = bench.watch.events()
    assert bench.wrong == 0
    if not kind.told:
        assert told == ()
        assert bench.handed > handed
        return
    assert told[0].trouble in kind.told
    assert told[0].at - began <= WITHIN_S
    if sound is None:
        for _ in range(60):
            bench.frame(bench.scene.frame(), kind.light)
        assert bench.handed > handed + 10


def test_the_page_of_bad_cameras_has_a_row_for_every_kind_and_none_went_wrong() -> None:
    page = (ROOT / "docs" / "cameras-bad.md").read_text()
    rows = [line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| ")][1:]
    assert rows == list(KINDS)
