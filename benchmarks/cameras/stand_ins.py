"""Takes the place of V4L2 inside a camera process (``EDGE_CAMERA_STAND_IN``): a sound camera, or one of ``kinds``."""

from __future__ import annotations

import time
from typing import Any

import cv2

import edge.camera.usb
from benchmarks.cameras.scene import MovingCells

FPS = 25.0
"""Of a sound camera."""


class Capture:
    """``cv2.VideoCapture`` as far as it is used: a sound camera."""

    width, height, fourcc = 640, 480, b"YUYV"

    def __init__(self) -> None:
        self.scene = MovingCells(self.width, self.height)
        self.settings: dict[int, float] = {
            cv2.CAP_PROP_EXPOSURE: 156.0,
            cv2.CAP_PROP_GAIN: 32.0,
            cv2.CAP_PROP_WB_TEMPERATURE: 4600.0,
            cv2.CAP_PROP_FRAME_WIDTH: self.width,
            cv2.CAP_PROP_FRAME_HEIGHT: self.height,
            cv2.CAP_PROP_FOURCC: float(int.from_bytes(self.fourcc, "little")),
        }
        self.due = 0.0
        self.grabs = 0

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether it is there."""
        return True

    def set(self, what: int, value: float) -> bool:
        """Set a property; whether the driver took it."""
        if what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_CONVERT_RGB):
            return False
        self.settings[what] = value
        return True

    def get(self, what: int) -> float:
        """Read a property back."""
        return self.settings.get(what, 0.0)

    def grab(self) -> bool:
        """Wait for the next frame."""
        time.sleep(max(0.0, self.due - time.monotonic()))
        self.due = time.monotonic() + 1 / FPS
        self.grabs += 1
        return True

    def retrieve(self) -> tuple[bool, Any]:
        """The frame that was waited for."""
        return True, self.scene.frame()

    def read(self) -> tuple[bool, Any]:
        """Both."""
        return self.retrieve() if self.grab() else (False, None)

    def release(self) -> None:
        """Give it back."""


def install() -> None:
    """Put the stand-in where the camera process looks for cameras."""
    edge.camera.usb.video_nodes = lambda: ["/dev/video0"]
    cv2.VideoCapture = lambda *_: Capture()  # type: ignore[misc, assignment]
