"""Cameras on a Raspberry Pi's connector, through picamera2. What it was configured to is read back: it may be another format."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edge.camera.formats import BT709, FULL
from edge.camera.records import CameraFacts, CameraSpec
from edge.camera.settling import Settled, holds
from edge.errors import CameraError

_SETTLE_S = 4.0  # seconds that exposure and white balance are given to settle
_WITHIN = 0.02  # share by which a value read back may differ: sensors count exposure in lines
_SYSTEM = Path("/usr/lib/python3/dist-packages/picamera2")

_METADATA = {
    "ExposureTime": "exposure_us",
    "AnalogueGain": "analogue_gain",
    "ColourGains": "colour_gains",
    "LensPosition": "focus",
}
"""libcamera's names to ours."""

_CONTROLS = {ours: theirs for theirs, ours in _METADATA.items()}
_SETTLES = ("exposure_us", "analogue_gain", "colour_gains")
_YUV = ("NV12", "YUV420", "YUYV")

Step = Callable[[], None]
"""Called after each step of opening a camera, so that the watchdog sees it go on."""


class PiCamera:
    """One camera, configured and started. See ``edge.camera.driver.CameraDriver``.

    Raises:
        CameraError: it cannot be opened; one line says why and what to do.
    """

    def __init__(self, number: int, spec: CameraSpec, step: Step) -> None:
        self._name = f"Pi camera {number}"
        self._camera: Any = _picamera2()(number)
        self._request: Any = None
        step()
        try:
            self._facts = self._configured(spec, step)
        except BaseException:
            self.release()
            raise

    @property
    def facts(self) -> CameraFacts:
        """What was read back."""
        return self._facts

    def read(self) -> tuple[NDArray[Any], Mapping[str, object]]:
        """A frame as the stage stands now and its metadata, both of one request."""
        request = self._camera.capture_request()
        try:
            return request.make_array("main"), _ours(request.get_metadata())
        finally:
            request.release()

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        """``set``: controls by name."""
        if name == "set":
            self._camera.set_controls({_CONTROLS[one]: value for one, value in values.items() if one in _CONTROLS})

    def release(self) -> None:
        """Give the camera back."""
        self._camera.stop()
        self._camera.close()

    def _configured(self, spec: CameraSpec, step: Step) -> CameraFacts:
        asked = {"size": spec.size, "format": "BGR888"}
        self._camera.configure(self._camera.create_video_configuration(main=asked))
        step()
        got = self._camera.camera_configuration()
        main = got["main"]
        width, height = main["size"]
        self._camera.start()
        step()
        held, not_held = self._settled(spec, step)
        model = str(getattr(self._camera, "camera_properties", {}).get("Model", ""))
        name = _format_name(str(main["format"]), str(got.get("colour_space", "")))
        return CameraFacts(self._name, model, (int(width), int(height)), name, "", held, not_held)

    def _settled(self, spec: CameraSpec, step: Step) -> tuple[dict[str, object], tuple[str, ...]]:
        """Values given are set, the others settle and are then held; all are waited for in the metadata of frames."""
        given = {name: value for name, value in spec.controls.items() if name in _CONTROLS}
        self._set(given)
        seen = self._metadata_when_still(step, given)
        wanted = {name: given.get(name, seen.get(name)) for name in (*given, *_SETTLES)}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        self._set(wanted)
        seen = self._metadata_when_still(step, wanted)
        held = {name: seen[name] for name, value in wanted.items() if holds(value, seen.get(name), _WITHIN)}
        asked = dict.fromkeys((*spec.controls, *_SETTLES))
        return held, tuple(name for name in asked if name not in held)

    def _set(self, values: Mapping[str, object]) -> None:
        controls: dict[str, object] = {_CONTROLS[name]: value for name, value in values.items()}
        if "exposure_us" in values or "analogue_gain" in values:
            controls["AeEnable"] = False
        if "colour_gains" in values:
            controls["AwbEnable"] = False
        if "focus" in values:
            controls["AfMode"] = 0
        known = getattr(self._camera, "camera_controls", None)
        if known is not None:
            controls = {name: value for name, value in controls.items() if name in known}
        if controls:
            self._camera.set_controls(controls)

    def _metadata_when_still(self, step: Step, wanted: Mapping[str, object]) -> dict[str, object]:
        """The metadata of a frame once it shows the values that are wanted and no longer changes, or the time is over."""
        settled, start = Settled(), time.monotonic()
        while True:
            seen = dict(_ours(self._camera.capture_metadata()))
            settled.add(seen)
            step()
            there = all(holds(value, seen.get(name), _WITHIN) for name, value in wanted.items())
            if time.monotonic() - start > _SETTLE_S or (there and not settled.moving()):
                return seen


def _ours(metadata: Mapping[str, Any]) -> Mapping[str, object]:
    return {ours: metadata[theirs] for theirs, ours in _METADATA.items() if theirs in metadata}


def _format_name(name: str, colours: str) -> str:
    """The format with the range and the standard of its YUV, as ``edge.camera.formats`` names them."""
    if name not in _YUV:
        return name
    lower = colours.lower()
    return name + BT709 * ("709" in lower) + FULL * ("full" in lower or "sycc" in lower or "jpeg" in lower)


def pi_cameras() -> list[int]:
    """Numbers that picamera2 gives the cameras on the Pi's connector; raises CameraError where it is not installed."""
    # libcamera lists USB cameras as well; those are V4L2's business.
    known = _picamera2().global_camera_info()
    return [i for i, info in enumerate(known) if "usb" not in str(info.get("Id", "")).lower()]


def _picamera2() -> Any:
    try:
        from picamera2 import Picamera2  # noqa: PLC0415 - heavy, and on a Pi only
    except ImportError:
        remedy = "apt install python3-picamera2"
        if _SYSTEM.exists() and sys.prefix != sys.base_prefix:
            remedy = f"it is, but not in this environment: python3 -m venv --system-site-packages {sys.prefix}"
        raise CameraError(f"Pi camera: picamera2 is not installed ({remedy})") from None
    return Picamera2
