"""One bad camera against the real camera process and its link: what is told and when, what is handed out, whether it goes on."""

from __future__ import annotations

import math
import os
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from benchmarks.cameras.kinds import KINDS, BadCamera
from benchmarks.cameras.scene import ScenePictures
from benchmarks.cameras.stand_ins import FOLDER, KIND, SIZE
from edge.camera.finding import STAND_IN
from edge.camera.link import CameraLink, open_camera
from edge.camera.records import CameraEvent, CameraSpec, Frame
from edge.camera.watch import Patience

WITHIN_S: Final = 10.0
"""Seconds within which it must be told."""

_SOUND: Final = 8  # frames before the fault begins
_READY_S: Final = 90.0  # seconds for opening on a loaded machine
_QUIET_S: Final = 9.0  # seconds in which a camera that is sound must not be told
_BACK_S: Final = (
    60.0  # seconds within which a camera that is back must be counted on; a camera process starts for two or three
)
_FEWEST: Final = 3  # frames in that time


@dataclass(frozen=True, slots=True)
class CameraOutcome:
    """What came of one kind.

    Attributes:
        kind: its name.
        told_s: seconds until its trouble was told; None: it was not.
        words: the line; of a kind that must not be told any line that was.
        frames: how many were handed out after the fault began; ``wrong``: those that do not show the scene, or came twice.
        back_s: seconds from the end of the fault to the next frame; None: none came, or the fault does not end.
        right: whether all is as it has to be.
    """

    kind: str
    told_s: float | None
    words: str
    frames: int
    wrong: int
    back_s: float | None
    right: bool


def run_kind(name: str) -> CameraOutcome:
    """Run one kind; takes some ten seconds."""
    with tempfile.TemporaryDirectory() as folder, _environment(name, folder):
        return _Trial(name, Path(folder) / "since").run()


def run_all(names: list[str], workers: int) -> Iterator[CameraOutcome]:
    """Run these kinds in so many processes; yields in order."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(run_kind, names)


@contextmanager
def _environment(name: str, folder: str) -> Iterator[None]:
    given = {STAND_IN: "benchmarks.cameras.stand_ins:install", KIND: name, FOLDER: folder}
    before = {key: os.environ.get(key) for key in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


class _Trial:
    def __init__(self, name: str, since: Path) -> None:
        self._name, self._kind, self._file = name, KINDS[name], since
        self._truth = ScenePictures(*SIZE)
        self._seen: set[int] = set()
        self._last = -1
        self._frames = self._wrong = 0
        self._newest = -math.inf  # when the newest frame was taken

    def run(self) -> CameraOutcome:
        kind = self._kind
        began = self._begin() if kind.at_start else math.nan
        link = open_camera(CameraSpec(kind="usb", size=SIZE), patience=Patience())
        try:
            if not kind.at_start:
                link.wait_ready(_READY_S)
                while self._frames < _SOUND:
                    self._judge(link.take(after=self._last))
                began = self._begin()
            self._frames = 0
            return self._watch(link, began, kind)
        finally:
            link.close()

    def _begin(self) -> float:
        now = time.monotonic()
        partial = self._file.with_suffix(".part")
        partial.write_text(str(now))
        partial.rename(self._file)
        return now

    def _watch(self, link: CameraLink, began: float, kind: BadCamera) -> CameraOutcome:
        over = began + kind.seconds
        until = began + (_QUIET_S if not kind.told else WITHIN_S + 2)
        told: CameraEvent | None = None
        back: float | None = None
        while time.monotonic() < until:
            frame = link.take(after=self._last, timeout=0.2)
            told = told or next((one for one in link.events() if one.trouble in kind.told or not kind.told), None)
            self._judge(frame, kind.light if told is not None else 1.0)
            if told is not None and math.isinf(kind.seconds):
                until = min(until, time.monotonic() + 2)
            if kind.told and time.monotonic() > over:
                until = over + _BACK_S
                if self._newest > over and told is not None:
                    back = self._newest - over
                    break
        return self._outcome(told, began, back)

    def _outcome(self, told: CameraEvent | None, began: float, back: float | None) -> CameraOutcome:
        kind = self._kind
        told_s = told.at - began if told is not None else None
        if kind.told:
            right = told_s is not None and told_s <= WITHIN_S and (math.isinf(kind.seconds) or back is not None)
        else:
            right = told is None and self._frames >= _FEWEST
        words = told.words if told is not None else ""
        return CameraOutcome(self._name, told_s, words, self._frames, self._wrong, back, right and self._wrong == 0)

    def _judge(self, frame: Frame | None, light: float = 1.0) -> None:
        if frame is None:
            return
        self._last, self._newest = frame.number, frame.at
        self._frames += 1
        mark = zlib.crc32(frame.rgb.data)
        if mark in self._seen or not self._truth.shows(frame.rgb, light):
            self._wrong += 1
        self._seen.add(mark)
