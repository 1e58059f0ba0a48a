"""A camera for tests: it shows what it is told, at once or when asked, and needs no process of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from edge.camera.records import CameraEvent, CameraFacts, CameraState, CameraTrouble, Frame, Preview
from edge.errors import CameraError
from edge.types import UInt8Array


def blobs(seed: int, size: tuple[int, int] = (320, 240), cells: int = 40) -> UInt8Array:
    """A field with cells: dark discs on light paper, uint8 [H, W, 3]."""
    chance = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    field = np.full((height, width), 215.0)
    for cx, cy in zip(chance.uniform(0, width, cells), chance.uniform(0, height, cells), strict=True):
        field[(x - cx) ** 2 + (y - cy) ** 2 < 9**2] -= 60
    field += chance.normal(0, 2, field.shape)
    return np.repeat(np.clip(field, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


class ShownCamera:
    """Gives a new frame whenever it is asked, of what ``shown`` returns at that time.

    Args:
        shown: frame number to a frame, uint8 [H, W, 3]; it may raise CameraError for a camera that is lost.
        apart: seconds between frames.
        lost: frame numbers in place of which the camera is lost.
        clock: of frames and events.
    """

    name = "shown camera"

    def __init__(
        self,
        shown: Callable[[int], UInt8Array],
        apart: float = 0.0,
        lost: range = range(0),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = CameraState.RUNNING
        self.facts = CameraFacts("shown camera", "none", (320, 240), "RGB888")
        self.commands: list[tuple[str, dict[str, float | str]]] = []
        self.told: list[CameraEvent] = []
        self._shown = shown
        self._apart = apart
        self._clock = clock
        self._away = lost
        self._number = -1
        self._lock = threading.Lock()

    def wait_ready(self, timeout: float | None = None) -> None:
        if self.state is CameraState.CLOSED:
            raise CameraError("no camera answers")

    def take(self, *, after: int = -1, timeout: float = 1.0) -> Frame | None:
        if self.state is CameraState.CLOSED:
            raise CameraError("the camera is closed")
        time.sleep(self._apart)
        if self._number + 1 in self._away:
            self._number += 1
            if self.state is CameraState.RUNNING:
                self.lose("shown camera does not answer")
            return None
        if self._away and self.state is CameraState.LOST and self._number + 1 == self._away.stop:
            self.come_back(1.0)
        if self.state is not CameraState.RUNNING:
            return None
        with self._lock:
            self._number += 1
            now = self._clock()
            return Frame(self._shown(self._number), self._number, time.time(), now)

    def preview(self, *, after: int = -1) -> Preview | None:
        return None

    def events(self, *, after: int = -1) -> tuple[CameraEvent, ...]:
        return tuple(event for event in self.told if event.number > after)

    def command(self, name: str, **values: float | str) -> None:
        self.commands.append((name, values))

    def lose(self, words: str) -> None:
        self.state = CameraState.LOST
        self.told.append(CameraEvent(len(self.told), self._clock(), CameraTrouble.NOT_ANSWERING, words))

    def come_back(self, seconds: float) -> None:
        self.state = CameraState.RUNNING
        self.told.append(CameraEvent(len(self.told), self._clock(), None, "opened again", seconds))

    def close(self) -> None:
        self.state = CameraState.CLOSED
