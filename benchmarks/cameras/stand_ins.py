"""Takes the place of V4L2 inside a camera process (``EDGE_CAMERA_STAND_IN``) and misbehaves as one of ``kinds`` does."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

import cv2

from benchmarks.cameras.kinds import KINDS, BadCamera
from benchmarks.cameras.scene import MovingCells
from edge.camera import nodes

KIND: Final = "EDGE_BAD_CAMERA"
"""Name of the kind; without it the camera is sound."""

FOLDER: Final = "EDGE_BAD_CAMERA_FOLDER"
"""Folder in which the file ``since`` says when the fault begins, by the monotonic clock."""

SIZE: Final = (640, 480)
"""Width and height of all frames in pixels."""

FPS: Final = 25.0
"""Frames per second of a sound camera."""


class StandInCapture:
    """``cv2.VideoCapture`` as far as it is used."""

    def __init__(self, kind: BadCamera, since: Path) -> None:
        self._kind, self._file = kind, since
        self._since: float | None = None
        self._count = 0
        self._due = 0.0
        self._raw = False
        self._scene = MovingCells(*SIZE, seed=int(time.monotonic() * 1000))
        self._settings: dict[int, float] = {
            cv2.CAP_PROP_EXPOSURE: 156.0,
            cv2.CAP_PROP_GAIN: 32.0,
            cv2.CAP_PROP_WB_TEMPERATURE: 4600.0,
            cv2.CAP_PROP_FRAME_WIDTH: SIZE[0],
            cv2.CAP_PROP_FRAME_HEIGHT: SIZE[1],
            cv2.CAP_PROP_FOURCC: float(int.from_bytes(kind.fourcc, "little")),
        }
        age = self._age()
        self._open = True if kind.opening is None or age is None else kind.opening(age)

    def _age(self) -> float | None:
        """Seconds since the fault began; None: it has not, or is over."""
        if self._since is None and self._file.exists():
            self._since = float(self._file.read_text())
        if self._since is None:
            return None
        age = time.monotonic() - self._since
        return age if 0 <= age < self._kind.seconds else None

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether it is there."""
        return self._open

    def set(self, what: int, value: float) -> bool:
        """Set a property; whether the driver took it."""
        if what == cv2.CAP_PROP_CONVERT_RGB and self._kind.fourcc == b"MJPG":
            self._raw = not value
            return True
        if what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_CONVERT_RGB):
            return False
        self._settings[what] = value
        return True

    def get(self, what: int) -> float:
        """Read a property back."""
        return self._settings.get(what, 0.0)

    def grab(self) -> bool:
        """Wait for the next frame."""
        bad = self._age() is not None
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due = time.monotonic() + (self._kind.every if bad else 1 / FPS)
        if not bad or self._kind.grab is None:
            return True
        self._count += self._kind.frame is None
        return self._kind.grab(self._count) is not False

    def retrieve(self) -> tuple[bool, Any]:
        """The frame that was waited for."""
        frame: Any = self._scene.frame()
        if self._kind.frame is not None and self._age() is not None:
            self._count += 1
            frame = self._kind.frame(frame, self._count)
            if frame is None or (frame.ndim == 2 and len(frame) == 1):
                return True, frame
        if self._raw:
            frame = cv2.imencode(".jpg", frame)[1].reshape(1, -1)
        return True, frame

    def read(self) -> tuple[bool, Any]:
        """Both."""
        return self.retrieve() if self.grab() else (False, None)

    def release(self) -> None:
        """Give it back."""


def install() -> None:
    """Put the stand-in where the camera process looks for cameras."""
    name = os.environ.get(KIND, "sound")
    since = Path(os.environ.get(FOLDER, os.devnull)) / "since"
    nodes.video_nodes = lambda: ["/dev/video0"]
    cv2.VideoCapture = lambda *_: StandInCapture(KINDS[name], since)  # type: ignore[misc, assignment]
