"""The two camera drivers behind one small interface. Every call may block or raise anything; ``camera`` handles that."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Protocol

import cv2
import numpy as np

from edge.depth import check_size, frame_to_rgb, settle
from edge.errors import CameraError
from edge.types import UInt8Array

SETTLE = 1.5
"""Seconds exposure and white balance are given before they are held."""

_STALE_FRAMES = 5  # V4L2 queues four frames; a field must show the stage as it stands now
_JUMP = 0.15  # a driver that changes the picture's brightness by more when exposure is held is left on automatic
# Nodes of a Pi's codecs and raw sensors: they open like cameras and never give a picture.
_NOT_CAMERAS = ("bcm2835-", "pispbe", "rp1-cfe", "unicam", "rpi-hevc", "rpivid", "hevc")

_DEEP = {b"Y10 ": 10, b"Y12 ": 12, b"Y14 ": 14, b"Y16 ": 16}


class Device(Protocol):
    """What both kinds of camera offer. Every method may block."""

    name: str

    def settle(self) -> None:
        """Let exposure and white balance find their values, then hold them where the driver allows it."""
        ...

    def read(self) -> tuple[UInt8Array, Mapping[str, object]]:
        """A frame as the stage stands now, uint8 [H, W, 3] RGB, and what the driver says of it."""
        ...

    def release(self) -> None:
        """Give the camera back."""
        ...


class _Scale:
    """Turns frames into fields, all of them by one scale: what was settled on one frame holds for the next."""

    def __init__(self, depth: int | None) -> None:
        self._depth = depth

    def field(self, frame: Any, *, bgr: bool) -> UInt8Array:
        """A frame as uint8 [H, W, 3] RGB; raises RefusedError for what is not a field."""
        frame = np.asarray(frame)
        if frame.dtype == np.uint16 and frame.size:
            self._depth = settle(int(frame.max()), self._depth)
        return check_size(frame_to_rgb(frame, self._depth, bgr=bgr))


def _declared(capture: Any) -> int | None:
    """Bits that count in the frames of a V4L2 camera whose format says it (Y10, Y12, Y16, ...)."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    name = code.to_bytes(4, "little") if 0 < code < 1 << 32 else b""
    return _DEEP.get(name)


class _PiCamera:
    """picamera2. Its "BGR888" is red, green, blue in memory."""

    def __init__(self, camera: Any, number: int, size: tuple[int, int], depth: int | None) -> None:
        self.name = f"Pi camera {number}"
        self._camera = camera
        self._scale = _Scale(depth)
        camera.configure(camera.create_video_configuration(main={"size": size, "format": "BGR888"}))
        camera.start()

    def settle(self) -> None:
        time.sleep(SETTLE)
        seen = self._camera.capture_metadata()
        held = {"AeEnable": False, "AwbEnable": False}
        held |= {key: seen[key] for key in ("ExposureTime", "AnalogueGain", "ColourGains") if key in seen}
        self._camera.set_controls(held)

    def read(self) -> tuple[UInt8Array, Mapping[str, object]]:
        # One request gives picture and metadata of the same frame; flush: none that was exposed before now.
        request = self._camera.capture_request(flush=True)
        try:
            rgb = self._scale.field(request.make_array("main"), bgr=False)
            seen = request.get_metadata()
        finally:
            request.release()
        names = {"ExposureTime": "exposure_us", "AnalogueGain": "analogue_gain", "ColourGains": "colour_gains"}
        return rgb, {ours: seen[theirs] for theirs, ours in names.items() if theirs in seen}

    def release(self) -> None:
        self._camera.stop()
        self._camera.close()


class _UsbCamera:
    """A V4L2 camera behind ``cv2.VideoCapture``; opening one that gives no picture raises CameraError."""

    def __init__(self, capture: Any, node: str, size: tuple[int, int], depth: int | None) -> None:
        self.name = f"USB camera {node}"
        self._capture = capture
        self._metadata: dict[str, object] = {}
        if not capture.isOpened():
            capture.release()
            raise CameraError(f"{node} cannot be opened (is it in use, and may you read it? groups, video)")
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if not capture.read()[0]:
            capture.release()
            raise CameraError(f"{node} opens but gives no picture")
        self._scale = _Scale(depth or _declared(capture))

    def settle(self) -> None:
        end = time.monotonic() + SETTLE
        while time.monotonic() < end and self._capture.grab():
            pass
        before = self._brightness()
        exposure = self._capture.get(cv2.CAP_PROP_EXPOSURE)
        # 1 and 3 are V4L2's manual and aperture priority.
        held = self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, 1) and self._capture.set(cv2.CAP_PROP_EXPOSURE, exposure)
        if not held or abs(self._brightness() - before) > _JUMP * max(before, 1.0):
            self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, 3)
            held = False
        white = bool(self._capture.set(cv2.CAP_PROP_AUTO_WB, 0))
        self._metadata = {"exposure_held": bool(held), "white_balance_held": white}
        if held:
            self._metadata["exposure_us"] = exposure * 100  # V4L2 counts in 100 microseconds

    def read(self) -> tuple[UInt8Array, Mapping[str, object]]:
        for _ in range(_STALE_FRAMES):
            if not self._capture.grab():
                raise CameraError(f"{self.name} gives no more pictures; was it unplugged?")
        ok, bgr = self._capture.retrieve()
        if not ok or bgr is None:
            raise CameraError(f"{self.name} gives no more pictures; was it unplugged?")
        return self._scale.field(bgr, bgr=True), self._metadata

    def release(self) -> None:
        self._capture.release()

    def _brightness(self) -> float:
        for _ in range(_STALE_FRAMES):
            self._capture.grab()
        ok, bgr = self._capture.retrieve()
        return float(np.mean(bgr[::8, ::8])) if ok else 0.0


def connect_pi(number: int, size: tuple[int, int], depth: int | None = None) -> Device:
    """Open the Pi camera of this number; raises CameraError."""
    found = pi_cameras()
    if number >= len(found):
        raise CameraError(f"Pi camera: {len(found)} connected" if found else "Pi camera: none is connected")
    return _PiCamera(_picamera2()(found[number]), number, size, depth)


def pi_cameras() -> list[int]:
    """Numbers that picamera2 gives the cameras on the Pi's connector; raises CameraError where it is not installed."""
    # libcamera lists USB cameras as well; those are V4L2's business.
    known = _picamera2().global_camera_info()
    return [i for i, info in enumerate(known) if "usb" not in str(info.get("Id", "")).lower()]


def _picamera2() -> Any:
    try:
        from picamera2 import Picamera2  # noqa: PLC0415 - heavy, and on a Pi only
    except ImportError:
        raise CameraError("Pi camera: picamera2 is not installed (apt install python3-picamera2)") from None
    return Picamera2


def connect_usb(node: str, size: tuple[int, int], depth: int | None = None) -> Device:
    """Open a V4L2 node; raises CameraError."""
    if sys.platform != "linux":
        return _UsbCamera(cv2.VideoCapture(int(node)), node, size, depth)
    return _UsbCamera(cv2.VideoCapture(node, cv2.CAP_V4L2), node, size, depth)


def no_usb() -> NoReturn:
    """Raise the CameraError that says so."""
    raise CameraError("USB camera: none is plugged in (no /dev/video* that is a camera)")


def video_nodes() -> list[str]:
    """V4L2 nodes that may be cameras, in order; elsewhere than on Linux the first few camera numbers."""
    if sys.platform != "linux":
        return ["0", "1", "2"]
    return [str(node) for node in sorted(Path("/dev").glob("video[0-9]*"), key=_number) if _may_be_camera(node)]


def _number(node: Path) -> int:
    return int(node.name.removeprefix("video"))


def _may_be_camera(node: Path) -> bool:
    about = Path("/sys/class/video4linux") / node.name
    try:
        # A USB camera's second node carries metadata, no pictures.
        name, index = (about / "name").read_text().strip().lower(), (about / "index").read_text().strip()
    except OSError:
        return True
    return index == "0" and not name.startswith(_NOT_CAMERAS)
