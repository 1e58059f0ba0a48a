"""Cameras on a Raspberry Pi's connector, through picamera2. What it was configured to is read back: it may be another format."""

from __future__ import annotations

import contextlib
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
_MAPPED = ("BGR888", "RGB888", "XBGR8888", "XRGB8888", "YUV420")
"""Formats whose buffers picamera2 shows as they lie in memory; others it copies."""

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
        self._kept = contextlib.ExitStack()
        """The request whose buffers were handed out last; it is given back before the next one is taken."""
        self._small: tuple[NDArray[Any], str, tuple[int, int]] | None = None
        self._seen: Mapping[str, object] = {}
        package = _package()
        step()
        self._mapped = package.MappedArray
        self._camera: Any = package.Picamera2(number)
        step()
        try:
            self._facts = self._configured(spec, step)
        except BaseException:
            self._camera.close()
            raise

    @property
    def facts(self) -> CameraFacts:
        """What was read back."""
        return self._facts

    def read(self) -> tuple[NDArray[Any], Mapping[str, object]]:
        """A frame as the stage stands now and its metadata, both of one request; the array lies in the request's own buffer."""
        self._kept.close()
        request = self._fresh()
        self._kept.callback(request.release)
        self._small = self._small_of(request)
        return self._array(request, "main", self._format), _ours(request.get_metadata())

    def small(self) -> tuple[NDArray[Any], str, tuple[int, int]] | None:
        """The frame read last as the ISP made it small: array, format, width and height."""
        return self._small

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        """``set``: controls by name."""
        if name == "set":
            self._set(values)

    def release(self) -> None:
        """Give the camera back."""
        self._kept.close()
        self._camera.stop()
        self._camera.close()

    def _fresh(self) -> Any:
        """A request that was exposed after it was asked for; a driver that does not say how long it exposed is asked twice."""
        if "exposure_us" not in self._facts.held and "exposure_us" not in self._seen:
            self._camera.capture_request().release()
            return self._camera.capture_request()
        return self._camera.capture_request(flush=True)

    def _array(self, request: Any, stream: str, name: str) -> NDArray[Any]:
        if name in _MAPPED:
            mapped = self._kept.enter_context(self._mapped(request, stream))
            array: NDArray[Any] = mapped.array
            return array
        copied: NDArray[Any] = request.make_array(stream)
        return copied

    def _small_of(self, request: Any) -> tuple[NDArray[Any], str, tuple[int, int]] | None:
        if self._lores is None:
            return None
        name, size = self._lores
        return self._array(request, "lores", name.partition("-")[0]), name, size

    def _configured(self, spec: CameraSpec, step: Step) -> CameraFacts:
        options: dict[str, object] = {"main": {"size": spec.size, "format": "BGR888"}}
        if spec.mode:
            options["sensor"] = self._mode(spec.mode)
        small = _small_size(spec)
        try:
            self._camera.configure(
                self._camera.create_video_configuration(**options, lores={"size": small, "format": "YUV420"})
            )
        except Exception:  # noqa: BLE001 - an ISP without a second stream says so in its own way
            self._camera.configure(self._camera.create_video_configuration(**options))
        step()
        got = self._camera.camera_configuration()
        colours = str(got.get("colour_space", ""))
        self._format = str(got["main"]["format"])
        width, height = (int(side) for side in got["main"]["size"])
        lores = got.get("lores")
        self._lores = None
        if lores:
            self._lores = _format_name(str(lores["format"]), colours), (int(lores["size"][0]), int(lores["size"][1]))
        self._camera.start()
        step()
        held, not_held = self._settled(spec, step)
        model = str(getattr(self._camera, "camera_properties", {}).get("Model", ""))
        name = _format_name(self._format, colours)
        return CameraFacts(self._name, model, (width, height), name, _mode_name(got.get("sensor")), held, not_held)

    def _mode(self, wanted: str) -> dict[str, object]:
        modes = {
            _mode_name({"output_size": one["size"], "bit_depth": one["bit_depth"]}): one
            for one in self._camera.sensor_modes
        }
        if wanted not in modes:
            has = ", ".join(modes)
            gone = f"{self._name} has no sensor mode {wanted} any more (an update may have changed them)"
            raise CameraError(f"{gone}: it has {has}; set this microscope up anew with one of these")
        return {"output_size": modes[wanted]["size"], "bit_depth": modes[wanted]["bit_depth"]}

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
            self._seen = seen
            if time.monotonic() - start > _SETTLE_S or (there and not settled.moving()):
                return seen


def _small_size(spec: CameraSpec) -> tuple[int, int]:
    """Even width and height of the preview."""
    scale = min(1.0, spec.preview_px / max(spec.size))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in spec.size)
    return width, height


def _mode_name(sensor: Mapping[str, Any] | None) -> str:
    """``4056x3040-12``; empty: it is not said."""
    if not sensor or not sensor.get("output_size"):
        return ""
    width, height = sensor["output_size"]
    return f"{width}x{height}-{sensor.get('bit_depth')}"


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
    known = _package().Picamera2.global_camera_info()
    return [i for i, info in enumerate(known) if "usb" not in str(info.get("Id", "")).lower()]


def _package() -> Any:
    try:
        import picamera2  # noqa: PLC0415 - heavy, and on a Pi only
    except ImportError:
        remedy = "apt install python3-picamera2"
        if _SYSTEM.exists() and sys.prefix != sys.base_prefix:
            remedy = f"it is, but not in this environment: python3 -m venv --system-site-packages {sys.prefix}"
        raise CameraError(f"Pi camera: picamera2 is not installed ({remedy})") from None
    return picamera2
