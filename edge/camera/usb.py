"""USB cameras through V4L2, as ``cv2.VideoCapture`` gives them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.formats import JPEG, KNOWN, BadFrameError, FrameConverter
from edge.camera.nodes import held_by, model_of
from edge.camera.records import CameraFacts, CameraSpec, CameraTrouble
from edge.camera.settling import Settled, holds
from edge.errors import CameraError

_MOST_QUEUED = 5  # V4L2 queues four frames; a field must show the stage as it stands now
_AT_ONCE_S = 0.004  # a frame that comes sooner was in the queue
_SETTLE_S = 4.0  # seconds that exposure and white balance are given to settle
_UNREAD_S = 1.5  # seconds in which no frame can be read, though some may be too dark to tell their depth
_LATE_S = 1.0  # seconds after which a driver has done what it was told, late or not
_READ_BACK_S = 2.0  # seconds from one reading of the settings to the next
_JUMP = 0.15  # a driver that changes the picture's brightness by more when exposure is held is left on automatic
_WITHIN = 0.02  # share by which a value read back may differ: drivers have steps
_MANUAL, _AUTOMATIC = 1, 3  # V4L2's manual exposure and aperture priority
_EXPOSURE_UNIT_US = 100  # V4L2 counts exposure in 100 microseconds

_OPENCV_BGR = "RGB888"  # the last byte comes first in these names
_DEEP = {"Y16 ": "Y16", "Y12 ": "Y12", "Y10 ": "Y10", "Y14 ": "Y14"}
_FOURCC = {
    "MJPG": JPEG,
    "JPEG": JPEG,
    "YUYV": "YUYV",
    "YUY2": "YUYV",
    "NV12": "NV12",
    "YU12": "YUV420",
    "GREY": "GREY",
    "Y800": "GREY",
    **_DEEP,
}
_CONTROLS = {
    "exposure_us": (cv2.CAP_PROP_EXPOSURE, 1 / _EXPOSURE_UNIT_US),
    "analogue_gain": (cv2.CAP_PROP_GAIN, 1.0),
    "white_balance_k": (cv2.CAP_PROP_WB_TEMPERATURE, 1.0),
    "focus": (cv2.CAP_PROP_FOCUS, 1.0),
}
"""Our names to OpenCV's properties, and what a value is multiplied by for V4L2."""

_SWITCHES = {
    "exposure_us": (cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL),
    "white_balance_k": (cv2.CAP_PROP_AUTO_WB, 0),
    "focus": (cv2.CAP_PROP_AUTOFOCUS, 0),
}
"""What must be off before a value holds, and the value that is off."""

_SETTLES = ("exposure_us", "white_balance_k")

Step = Callable[[], None]
"""Called after each step of opening a camera, so that the watchdog sees it go on."""


class UsbCamera:
    """One V4L2 node, open. See ``edge.camera.driver.CameraDriver``.

    Raises:
        CameraError: it cannot be opened, or gives no picture; one line says why and what to do.
    """

    def __init__(self, node: str, spec: CameraSpec, step: Step) -> None:
        self._node, self._name = node, f"USB camera {node}"
        self._seen: Mapping[str, object] = {}
        self._read_back = float("-inf")
        self._check_access()
        self._capture: Any = (
            cv2.VideoCapture(int(node)) if sys.platform != "linux" else cv2.VideoCapture(node, cv2.CAP_V4L2)
        )
        step()
        try:
            self._facts = self._configured(spec, step)
        except BaseException:
            self._capture.release()
            raise

    @property
    def facts(self) -> CameraFacts:
        """What was read back."""
        return self._facts

    def read(self) -> tuple[NDArray[Any], Mapping[str, object]]:
        """The frame as the stage stands now: those that waited in the driver's queue are passed over.

        Of its settings V4L2 says nothing with a frame: they are read back every other second.
        """
        now = time.monotonic()
        if now - self._read_back >= _READ_BACK_S:
            self._read_back = now
            self._seen = {name: value for name in _CONTROLS if (value := self._get(name)) > 0}
        return self._frame(), self._seen

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        """``set``: controls by name."""
        if name == "set":
            for control, value in values.items():
                if control in _CONTROLS:
                    self._set(control, float(value))

    def release(self) -> None:
        """Give the camera back."""
        self._capture.release()

    def _check_access(self) -> None:
        if sys.platform != "linux" or not Path(self._node).exists():
            return
        if not os.access(self._node, os.R_OK | os.W_OK):
            raise CameraError(f"{self._name} is closed to you: sudo usermod -aG video $USER, then log in anew")

    def _configured(self, spec: CameraSpec, step: Step) -> CameraFacts:
        if not self._capture.isOpened():
            raise CameraError(f"{self._name} cannot be opened{held_by(self._node)}")
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, spec.size[0])
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, spec.size[1])
        if spec.mode:
            self._take_mode(spec.mode)
        step()
        ok, probe = self._capture.read()
        step()
        if not ok or probe is None:
            raise CameraError(f"{self._name} opens but gives no picture{held_by(self._node)}")
        probe, name = self._raw_format(np.asarray(probe))
        step()
        size = _size_of(probe, name, self._said_size())
        held, not_held = self._settled(spec, FrameConverter(name, size, spec.depth), step)
        return CameraFacts(self._name, model_of(self._node), size, name, self._fourcc().strip(), held, not_held)

    def _raw_format(self, probe: NDArray[Any]) -> tuple[NDArray[Any], str]:
        """A frame as the camera sends it, if OpenCV hands that over and we read it; the frame shows whether it does."""
        code = self._fourcc()
        if _FOURCC.get(code) == JPEG and self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0):
            ok, raw = self._capture.read()
            raw = np.asarray(raw) if ok and raw is not None else probe
            if raw.dtype == np.uint8 and raw.ndim <= 2 and raw.reshape(-1)[:2].tolist() == [255, 216]:
                return raw, JPEG
            self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 1)
        return probe, _converted_format(probe, code)

    def _take_mode(self, mode: str) -> None:
        self._capture.set(cv2.CAP_PROP_FOURCC, float(int.from_bytes(mode.ljust(4)[:4].encode(), "little")))
        if self._fourcc().strip() != mode:
            raise CameraError(
                f"{self._name} has no mode {mode} any more (it gives {self._fourcc().strip()}): set this microscope up anew"
            )

    def _fourcc(self) -> str:
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        return code.to_bytes(4, "little").decode("latin-1") if 0 < code < 1 << 32 else ""

    def _said_size(self) -> tuple[int, int]:
        width, height = (self._capture.get(one) for one in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        return int(width), int(height)

    def _frame(self) -> NDArray[Any]:
        for _ in range(_MOST_QUEUED):
            start = time.monotonic()
            if not self._capture.grab():
                raise CameraError(f"{self._name} gives no more pictures; was it unplugged?")
            if time.monotonic() - start > _AT_ONCE_S:
                break
        ok, raw = self._capture.retrieve()
        if not ok or raw is None:
            raise CameraError(f"{self._name} gives no more pictures; was it unplugged?")
        return np.asarray(raw)

    # Exposure and white balance: given values are set; what is not given settles, and is then held. Both are read back.

    def _settled(
        self, spec: CameraSpec, converter: FrameConverter, step: Step
    ) -> tuple[dict[str, object], tuple[str, ...]]:
        wanted = {name: value for name, value in spec.controls.items() if isinstance(value, int | float)}
        impossible = [name for name in spec.controls if name not in wanted or name not in _CONTROLS]
        for name, value in wanted.items():
            if name in _CONTROLS:
                self._set(name, float(value))
        before = self._brightness_when_still(converter, step)
        for name in _SETTLES:
            if name not in spec.controls:
                wanted[name] = self._get(name)
                self._set(name, float(wanted[name]))
        after = self._brightness_when_still(converter, step, at_least=_LATE_S)
        held: dict[str, object] = {}
        for name, value in wanted.items():
            if name in _CONTROLS and value > 0 and self._is_off(name) and holds(value, self._get(name), _WITHIN):
                held[name] = self._get(name)
        if "exposure_us" not in spec.controls and abs(after - before) > _JUMP * max(before, 1.0):
            self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTOMATIC)
            held.pop("exposure_us", None)
            self._brightness_when_still(converter, step)
        missing = [name for name in wanted if name not in held]
        return held, tuple(dict.fromkeys(impossible + missing))

    def _set(self, name: str, value: float) -> None:
        if name in _SWITCHES:
            self._capture.set(*_SWITCHES[name])
        prop, factor = _CONTROLS[name]
        if value > 0:
            self._capture.set(prop, value * factor)

    def _get(self, name: str) -> float:
        prop, factor = _CONTROLS[name]
        return float(self._capture.get(prop)) / factor

    def _is_off(self, name: str) -> bool:
        prop, off = _SWITCHES.get(name, (None, 0))
        return prop is None or int(self._capture.get(prop)) == off

    def _brightness_when_still(self, converter: FrameConverter, step: Step, at_least: float = 0.0) -> float:
        """The mean of a frame once it no longer changes from frame to frame, or the time for that is over."""
        settled, start, mean = Settled(), time.monotonic(), 0.0
        width, height = converter.size
        rgb = np.empty((height, width, 3), np.uint8)
        read = False
        while True:
            waited = time.monotonic() - start
            try:
                converter.convert(self._frame(), rgb)
                mean = float(cv2.mean(np.ascontiguousarray(rgb[::8, ::8]))[1])
                settled.add({"brightness": mean})
                read = True
            except BadFrameError as error:
                if error.trouble is CameraTrouble.WRONG_FORMAT and not read and waited > _UNREAD_S:
                    raise CameraError(f"{self._name}: {error.words}") from None
            step()
            if waited > _SETTLE_S or (waited >= at_least and not settled.moving()):
                return mean


def _converted_format(probe: NDArray[Any], code: str) -> str:
    """What OpenCV made of the frames, as an array shows it."""
    if probe.dtype == np.uint16:
        return "RGB161616" if probe.ndim == 3 and probe.shape[2] == 3 else _DEEP.get(code, "Y16")
    if probe.ndim == 3 and probe.shape[2] == 4:
        return "XRGB8888"
    if probe.ndim == 3 and probe.shape[2] == 2:
        return "YUYV"
    if probe.ndim == 2 or probe.shape[2] == 1:
        return "GREY"
    return _OPENCV_BGR


def _size_of(probe: NDArray[Any], name: str, said: tuple[int, int]) -> tuple[int, int]:
    if name == JPEG or name not in KNOWN:
        return said
    return int(probe.shape[1]), int(probe.shape[0])
