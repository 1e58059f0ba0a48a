"""picamera2: formats are read back, values are set until frames have them, buffers are given back in time."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from edge.camera import pi
from edge.camera.finding import open_driver
from edge.camera.pi import PiCamera, pi_cameras
from edge.camera.records import CameraSpec
from edge.errors import CameraError


class FakePi:
    """picamera2.Picamera2 as far as it is used. What it is set to shows ``late`` frames later; ``stuck`` controls never do."""

    cameras: tuple[dict[str, str], ...] = ({"Id": "/base/soc/i2c0mux/imx477@1a"},)
    format, colours, size = "BGR888", "sYCC", (88, 66)
    has_lores = True
    late = 3
    stuck: frozenset[str] = frozenset()
    says: tuple[str, ...] = ("ExposureTime", "AnalogueGain", "ColourGains")
    sensor_modes: tuple[dict[str, Any], ...] = (
        {"size": (4056, 3040), "bit_depth": 12},
        {"size": (2028, 1520), "bit_depth": 12},
    )
    camera_properties = {"Model": "imx477"}  # noqa: RUF012
    made: list[FakePi]

    def __init__(self, number: int) -> None:
        self.number = number
        self.values: dict[str, Any] = {"ExposureTime": 8000, "AnalogueGain": 2.0, "ColourGains": (1.5, 1.8)}
        self.asked: list[tuple[int, dict[str, Any]]] = []
        self.controls: dict[str, Any] = {}
        self.frames = self.open_requests = 0
        self.calls: list[str] = []
        self.flushed: list[bool] = []
        type(self).made.append(self)

    @classmethod
    def global_camera_info(cls) -> list[dict[str, str]]:
        return list(cls.cameras)

    def create_video_configuration(self, **options: Any) -> dict[str, Any]:
        return options

    def configure(self, options: dict[str, Any]) -> None:
        if "lores" in options and not self.has_lores:
            raise RuntimeError("lores stream not supported")
        self.config = {
            "main": {"format": self.format, "size": self.size},
            "colour_space": f"<ColorSpace '{self.colours}'>",
        }
        if "lores" in options:
            self.config["lores"] = options["lores"]
        if "sensor" in options:
            self.config["sensor"] = options["sensor"]
        self.calls.append("configure")

    def camera_configuration(self) -> dict[str, Any]:
        return self.config

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")

    def set_controls(self, controls: dict[str, Any]) -> None:
        self.controls |= controls
        self.asked.append((self.frames, controls))

    def capture_metadata(self) -> dict[str, Any]:
        self.frames += 1
        for at, controls in self.asked:
            if self.frames - at >= self.late:
                self.values |= {k: v for k, v in controls.items() if k not in self.stuck}
        return {"Lux": 400, **{name: self.values[name] for name in self.says}}

    def capture_request(self, flush: bool = False) -> Any:
        self.open_requests += 1
        self.flushed.append(flush)

        def release() -> None:
            self.open_requests -= 1

        return SimpleNamespace(make_array=pixels, get_metadata=self.capture_metadata, release=release)


def pixels(stream: str) -> np.ndarray:
    return np.full((66, 88, 3) if stream == "main" else (36, 32), 7 if stream == "main" else 9, np.uint8)


class FakeMapped:
    open_now = 0

    def __init__(self, request: Any, stream: str) -> None:
        self.array = pixels(stream)

    def __enter__(self) -> Self:
        type(self).open_now += 1
        return self

    def __exit__(self, *_: object) -> None:
        type(self).open_now -= 1


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakePi]:
    class Fresh(FakePi):
        made: list[FakePi] = []  # noqa: RUF012

    FakeMapped.open_now = 0
    monkeypatch.setattr(pi, "_SETTLE_S", 0.2)
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Fresh, MappedArray=FakeMapped))
    return Fresh


def opened(spec: CameraSpec | None = None) -> PiCamera:
    return PiCamera(0, spec or CameraSpec(), lambda: None)


@pytest.mark.parametrize(
    ("format_", "colours", "name"),
    [
        ("BGR888", "sYCC", "BGR888"),
        ("NV12", "SMPTE170M", "NV12"),
        ("NV12", "sYCC", "NV12-full"),
        ("YUV420", "Rec709", "YUV420-709"),
        ("XBGR8888", "sYCC", "XBGR8888"),
    ],
)
def test_the_format_is_what_it_was_configured_to_not_what_was_asked_for(
    fake: type[FakePi], format_: str, colours: str, name: str
) -> None:
    fake.format, fake.colours = format_, colours
    facts = opened().facts
    assert (facts.name, facts.model, facts.size, facts.format) == ("Pi camera 0", "imx477", (88, 66), name)


def test_exposure_gain_and_colours_settle_are_held_and_are_waited_for_in_frames(fake: type[FakePi]) -> None:
    camera = opened()
    assert camera.facts.held == {"exposure_us": 8000, "analogue_gain": 2.0, "colour_gains": (1.5, 1.8)}
    assert camera.facts.not_held == ()
    assert fake.made[0].controls["AeEnable"] is False
    assert fake.made[0].controls["AwbEnable"] is False
    assert camera.read()[1] == camera.facts.held


def test_values_of_a_profile_are_set_and_read_back(fake: type[FakePi]) -> None:
    camera = opened(CameraSpec(controls={"exposure_us": 12000, "colour_gains": (2.1, 1.4)}))
    assert camera.facts.held == {"exposure_us": 12000, "colour_gains": (2.1, 1.4), "analogue_gain": 2.0}


def test_what_a_driver_does_not_do_is_said(fake: type[FakePi]) -> None:
    fake.stuck = frozenset({"ExposureTime"})
    camera = opened(CameraSpec(controls={"exposure_us": 12000, "white_balance_k": 4500}))
    assert camera.facts.not_held == ("exposure_us", "white_balance_k")
    assert "exposure_us" not in camera.facts.held


def test_a_driver_that_says_nothing_of_its_frames_holds_nothing_and_is_never_asked_to_flush(fake: type[FakePi]) -> None:
    fake.says = ()
    camera = opened()
    assert camera.facts.held == {}
    assert set(camera.facts.not_held) == {"exposure_us", "analogue_gain", "colour_gains"}
    camera.read()
    assert fake.made[0].flushed == [False, False]
    assert fake.made[0].open_requests == 1


def test_a_frame_lies_in_the_request_s_buffer_which_is_given_back_before_the_next(fake: type[FakePi]) -> None:
    camera = opened()
    for _ in range(3):
        raw, _ = camera.read()
        assert raw.shape == (66, 88, 3)
        assert fake.made[0].open_requests == 1
    assert FakeMapped.open_now == 2  # the frame and its small copy
    camera.release()
    assert (fake.made[0].open_requests, FakeMapped.open_now) == (0, 0)
    assert fake.made[0].calls[-2:] == ["stop", "close"]


def test_the_small_stream_is_what_previews_are_made_of_where_the_isp_has_one(fake: type[FakePi]) -> None:
    camera = opened(CameraSpec(size=(88, 66), preview_px=32))
    camera.read()
    assert camera.small() is not None
    assert camera.small()[1:] == ("YUV420-full", (32, 24))  # type: ignore[index]
    fake.has_lores = False
    camera = opened()
    camera.read()
    assert camera.small() is None


def test_a_sensor_mode_is_asked_for_and_one_that_is_gone_is_said_with_those_there_are(fake: type[FakePi]) -> None:
    assert opened(CameraSpec(mode="2028x1520-12")).facts.mode == "2028x1520-12"
    with pytest.raises(
        CameraError, match=r"no sensor mode 1332x990-10 any more .* it has 4056x3040-12, 2028x1520-12; set"
    ):
        opened(CameraSpec(mode="1332x990-10"))
    assert fake.made[-1].calls == ["close"]


def test_a_usb_camera_that_libcamera_lists_is_left_to_v4l2(fake: type[FakePi]) -> None:
    fake.cameras = ({"Id": "/base/soc/usb@7e980000-1:1.0"}, *FakePi.cameras)
    assert pi_cameras() == [1]


def test_whatever_a_driver_raises_is_one_line(fake: type[FakePi], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("Camera __init__ sequence did not complete.\ndetails")

    monkeypatch.setattr(fake, "start", broken)
    with pytest.raises(CameraError, match=r"Pi camera: Camera __init__ sequence did not complete\.") as caught:
        open_driver(CameraSpec(kind="pi"), "", lambda: None)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_said_with_what_helps(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    monkeypatch.setattr(pi, "_SYSTEM", tmp_path / "none")
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        pi_cameras()
    monkeypatch.setattr(pi, "_SYSTEM", tmp_path)
    monkeypatch.setattr(sys, "prefix", "/home/me/.venv")
    with pytest.raises(CameraError, match=r"python3 -m venv --system-site-packages /home/me/\.venv"):
        pi_cameras()


def test_another_camera_than_the_run_began_with_is_passed_over(fake: type[FakePi]) -> None:
    with pytest.raises(CameraError, match=r"Pi camera 0 is another one \(imx477, not ov5647\)"):
        open_driver(CameraSpec(kind="pi"), "ov5647", lambda: None)
    assert fake.made[-1].calls[-1] == "close"
