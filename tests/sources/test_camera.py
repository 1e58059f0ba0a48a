"""No driver may make the program wait for ever: missing, unplugged and silent cameras are said in one line."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import CameraError
from edge.sources import camera, drivers
from edge.sources.camera import open_camera

_for_ever = threading.Event()


class FakeUsb:
    """A V4L2 capture. ``dies`` after so many grabs, ``hangs`` at that grab; ``jumps`` dims when exposure is held;
    ``frames`` are what it gives, the last of them for ever."""

    def __init__(
        self,
        *,
        opens: bool = True,
        dies: int = 10**9,
        hangs: int = 10**9,
        jumps: bool = False,
        frames: list[Any] | None = None,
        fourcc: bytes = b"MJPG",
    ) -> None:
        self.opens, self.dies, self.hangs, self.jumps = opens, dies, hangs, jumps
        self.frames, self.fourcc = frames, fourcc
        self.grabs = 0
        self.settings: dict[int, float] = {}
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, what: int, value: float) -> bool:
        self.settings[what] = value
        return True

    def get(self, what: int) -> float:
        code = float(int.from_bytes(self.fourcc, "little"))
        return {cv2.CAP_PROP_EXPOSURE: 156.0, cv2.CAP_PROP_FOURCC: code}.get(what, 0.0)

    def grab(self) -> bool:
        self.grabs += 1
        if self.grabs >= self.hangs:
            _for_ever.wait(60)
        return self.grabs < self.dies

    def retrieve(self) -> tuple[bool, Any]:
        if self.frames is not None:
            return True, self.frames[0] if len(self.frames) == 1 else self.frames.pop(0)
        dimmed = self.jumps and self.settings.get(cv2.CAP_PROP_AUTO_EXPOSURE) == 1
        return True, np.full((66, 88, 3), (10, 20, 60 if dimmed else 200), np.uint8)

    def read(self) -> tuple[bool, Any]:
        return (True, self.retrieve()[1]) if self.grab() else (False, None)

    def release(self) -> None:
        self.released += 1


class FakePi:
    """picamera2.Picamera2 as far as it is used. BGR888 is red first."""

    cameras: tuple[dict[str, str], ...] = ({"Id": "/base/soc/i2c0mux/imx477@1a"},)
    hangs = False
    pixels = np.full((66, 88, 3), (200, 20, 10), np.uint8)
    made: list[FakePi]

    def __init__(self, number: int) -> None:
        self.number = number
        self.controls: dict[str, object] = {}
        self.open_requests = 0
        self.calls: list[str] = []
        type(self).made.append(self)

    @classmethod
    def global_camera_info(cls) -> list[dict[str, str]]:
        return list(cls.cameras)

    def create_video_configuration(self, main: dict[str, object]) -> dict[str, object]:
        assert main["format"] == "BGR888"
        return main

    def configure(self, _: object) -> None:
        self.calls.append("configure")

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")

    def set_controls(self, controls: dict[str, object]) -> None:
        self.controls |= controls

    def capture_metadata(self) -> dict[str, object]:
        return {"ExposureTime": 8000, "AnalogueGain": 2.0, "ColourGains": (1.5, 1.8), "Lux": 400}

    def capture_request(self, *, flush: bool) -> Any:
        assert flush
        if self.hangs:
            _for_ever.wait(60)
        self.open_requests += 1

        def release() -> None:
            self.open_requests -= 1

        pixels = self.pixels
        return SimpleNamespace(make_array=lambda _: pixels, get_metadata=self.capture_metadata, release=release)


Plug = Callable[..., list[FakeUsb]]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plug]:
    """Plug USB cameras in, one set of options each; returns the captures as they are opened."""
    monkeypatch.setattr(drivers, "SETTLE", 0.0)
    monkeypatch.setattr(camera, "SETTLE", 0.0)
    monkeypatch.setitem(sys.modules, "picamera2", None)  # not installed

    def make(*options: dict[str, Any]) -> list[FakeUsb]:
        opened: list[FakeUsb] = []
        nodes = [f"/dev/video{n}" for n in range(len(options))]

        def capture(node: str, *_: object) -> FakeUsb:
            opened.append(FakeUsb(**options[nodes.index(node)]))
            return opened[-1]

        monkeypatch.setattr(camera, "video_nodes", lambda: nodes)
        monkeypatch.setattr(cv2, "VideoCapture", capture)
        return opened

    _for_ever.clear()
    yield make
    _for_ever.set()  # let what hung end before the next test


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch, plug: Plug) -> type[FakePi]:
    plug()

    class Fresh(FakePi):
        made: list[FakePi] = []  # noqa: RUF012

    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Fresh))
    return Fresh


def test_no_camera_at_all_is_one_plain_line(plug: Plug) -> None:
    plug()
    with pytest.raises(CameraError) as caught:
        open_camera()
    message = str(caught.value)
    assert "\n" not in message
    for words in ("picamera2 is not installed", "none is plugged in", "Check the cable"):
        assert words in message


def test_a_usb_camera_gives_rgb_fields_without_end(plug: Plug) -> None:
    plug({})
    source = open_camera("P-1", interval=0)
    assert source.total is None
    shots = [shot for shot, _ in zip(source, range(3), strict=False)]
    assert [(s.index, s.sample) for s in shots] == [(0, "P-1"), (1, "P-1"), (2, "P-1")]
    field = shots[2].load()
    assert field.rgb[0, 0].tolist() == [200, 20, 10]
    assert field.metadata["captured"] == pytest.approx(time.time(), abs=600)
    assert field.decode_ms >= 0
    source.close()


def test_max_fields_ends_the_run(plug: Plug) -> None:
    plug({})
    source = open_camera(max_fields=2, interval=0)
    assert len(list(source)) == 2
    source.close()


def test_a_field_is_never_a_frame_from_the_queue(plug: Plug) -> None:
    opened = plug({})
    source = open_camera(max_fields=1, interval=0)
    before = opened[0].grabs
    list(source)
    assert opened[0].grabs - before >= 5
    source.close()


def test_fields_keep_their_distance_in_time(plug: Plug) -> None:
    plug({})
    source = open_camera(max_fields=3, interval=0.1)
    start = time.monotonic()
    list(source)
    assert 0.19 < time.monotonic() - start < 2
    source.close()


def test_exposure_is_held_and_recorded(plug: Plug) -> None:
    opened = plug({})
    source = open_camera(max_fields=1)
    (shot,) = source
    assert opened[0].settings[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert opened[0].settings[cv2.CAP_PROP_AUTO_WB] == 0
    told = dict(shot.load().metadata)
    assert told.pop("captured") == pytest.approx(time.time(), abs=600)
    assert told == {"exposure_held": True, "white_balance_held": True, "exposure_us": 15600.0}
    source.close()


def test_a_driver_that_dims_when_held_stays_automatic(plug: Plug) -> None:
    opened = plug({"jumps": True})
    source = open_camera(max_fields=1)
    (shot,) = source
    assert opened[0].settings[cv2.CAP_PROP_AUTO_EXPOSURE] == 3
    assert shot.load().metadata["exposure_held"] is False
    source.close()


def test_a_camera_that_does_not_answer_is_passed_over(plug: Plug) -> None:
    opened = plug({"opens": False}, {"dies": 1}, {})
    source = open_camera()
    assert source.name == "USB camera /dev/video2"
    assert opened[0].released
    assert opened[1].released
    source.close()


def test_a_camera_can_be_chosen_by_number_and_by_node(plug: Plug) -> None:
    plug({}, {})
    for device in (1, "/dev/video1"):
        source = open_camera(device=device)
        assert source.name == "USB camera /dev/video1"
        source.close()
    with pytest.raises(CameraError, match="none is plugged in"):
        open_camera(device=2)


def test_an_unplugged_camera_ends_the_run_after_what_it_gave(plug: Plug) -> None:
    plug({"dies": 40})
    source = open_camera(interval=0)
    seen: list[int] = []
    with pytest.raises(CameraError, match="unplugged"):
        seen.extend(shot.index for shot in source)
    assert len(seen) >= 3
    source.close()


def test_a_read_that_never_returns_is_given_up(plug: Plug) -> None:
    plug({"hangs": 30})
    source = open_camera(interval=0, timeout=0.2)
    start = time.monotonic()
    with pytest.raises(CameraError, match="does not answer"):
        list(source)
    assert time.monotonic() - start < 3
    start = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - start < 0.1


def test_an_opening_that_never_returns_is_given_up(plug: Plug) -> None:
    plug({"hangs": 1})
    start = time.monotonic()
    with pytest.raises(CameraError, match="/dev/video0 does not answer"):
        open_camera(timeout=0.1)
    assert time.monotonic() - start < 3


def test_closing_from_another_thread_ends_the_wait_for_the_next_field(plug: Plug) -> None:
    opened = plug({})
    source = open_camera(interval=60)
    closing = threading.Timer(0.1, source.close)
    closing.start()
    start = time.monotonic()
    assert len(list(source)) == 1
    closing.join(5)
    assert time.monotonic() - start < 5
    assert opened[0].released == 1


def test_the_pi_camera_comes_first_and_says_how_each_frame_was_taken(pi: type[FakePi]) -> None:
    source = open_camera(max_fields=1)
    (shot,) = source
    field = shot.load()
    assert source.name == "Pi camera 0"
    assert field.rgb[0, 0].tolist() == [200, 20, 10]
    told = dict(field.metadata)
    assert told.pop("captured") == pytest.approx(time.time(), abs=600)
    assert told == {"exposure_us": 8000, "analogue_gain": 2.0, "colour_gains": (1.5, 1.8)}
    (made,) = pi.made
    assert made.controls["AeEnable"] is False
    assert made.controls["ExposureTime"] == 8000
    assert made.open_requests == 0
    source.close()
    assert made.calls[-2:] == ["stop", "close"]


def test_a_usb_camera_that_libcamera_lists_is_left_to_v4l2(pi: type[FakePi]) -> None:
    pi.cameras = ({"Id": "/base/soc/usb@7e980000-1:1.0"},)
    with pytest.raises(CameraError, match="Pi camera: none is connected"):
        open_camera()


def test_a_pi_camera_that_never_answers_is_given_up(pi: type[FakePi]) -> None:
    source = open_camera(timeout=0.2)
    pi.hangs = True
    with pytest.raises(CameraError, match="Pi camera 0 does not answer"):
        list(source)
    source.close()


def test_whatever_a_driver_raises_is_a_camera_error(pi: type[FakePi], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("Camera __init__ sequence did not complete.\ndetails")

    monkeypatch.setattr(pi, "start", broken)
    with pytest.raises(CameraError, match=r"Pi camera: Camera __init__ sequence did not complete\.") as caught:
        open_camera(kind="pi")
    assert "\n" not in str(caught.value)


def test_only_three_kinds_are_known() -> None:
    with pytest.raises(ValueError, match="auto, pi, usb"):
        open_camera(kind="webcam")


def deep(value: int) -> np.ndarray:
    """A frame of 16 bits, blue, green, red, whose red is ``value``."""
    return np.full((66, 88, 3), (value // 4, value // 2, value), np.uint16)


FRAMES: dict[str, tuple[np.ndarray, dict[str, Any], int | None, list[int]]] = {
    "16 bits": (deep(51_200), {}, None, [200, 100, 50]),
    "16 bits, said by the format": (deep(5120), {"fourcc": b"Y16 "}, None, [20, 10, 5]),
    "12 bits, said by the format": (deep(3200), {"fourcc": b"Y12 "}, None, [200, 100, 50]),
    "10 bits, said by the format": (deep(800), {"fourcc": b"Y10 "}, None, [200, 100, 50]),
    "12 bits, said by the user": (deep(800), {}, 12, [50, 25, 12]),
    "grey": (np.full((66, 88), 77, np.uint8), {}, None, [77, 77, 77]),
    "grey with an axis": (np.full((66, 88, 1), 77, np.uint8), {}, None, [77, 77, 77]),
    "grey, 16 bits": (np.full((66, 88), 51_200, np.uint16), {}, None, [200, 200, 200]),
    "with a fourth channel": (np.full((66, 88, 4), (10, 20, 200, 255), np.uint8), {}, None, [200, 20, 10]),
}


@pytest.mark.parametrize("case", FRAMES)
def test_frames_of_every_depth_are_scaled_never_wrapped(plug: Plug, case: str) -> None:
    frame, options, depth, right = FRAMES[case]
    plug({"frames": [frame], **options})
    source = open_camera(max_fields=1, depth=depth)
    (shot,) = source
    assert shot.load().rgb.dtype == np.uint8
    assert shot.load().rgb[0, 0].tolist() == right
    source.close()


REFUSED: dict[str, tuple[np.ndarray, int | None, str]] = {
    "too small": (np.zeros((12, 16, 3), np.uint8), None, "16x12 pixels are too few for a field"),
    "a depth nothing tells": (deep(900), None, "900 and nothing says .* give --depth"),
    "more than its depth": (deep(5000), 12, "reach 5,000, more than the 12 bits"),
    "floats": (np.ones((66, 88, 3), np.float32), None, "float32, whose scale is unknown"),
    "32 bits": (np.ones((66, 88, 3), np.uint32), None, "uint32, whose scale is unknown"),
    "two channels": (np.ones((66, 88, 2), np.uint8), None, "66x88x2 are neither grey nor colour"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_frames_that_are_no_fields_end_the_run_in_one_line(plug: Plug, case: str) -> None:
    frame, depth, words = REFUSED[case]
    plug({"frames": [frame]})
    source = open_camera(max_fields=1, depth=depth)
    with pytest.raises(CameraError, match=rf"USB camera /dev/video0: .*{words}") as caught:
        list(source)
    assert "\n" not in str(caught.value)
    source.close()


def test_a_dim_frame_keeps_the_scale_of_the_frames_before(plug: Plug) -> None:
    # Three frames go to opening and to looking whether the exposure holds.
    plug({"frames": [deep(51_200)] * 4 + [deep(2560)]})
    source = open_camera(max_fields=2, interval=0)
    assert [shot.load().rgb[0, 0, 0] for shot in source] == [200, 10]
    source.close()


@pytest.mark.parametrize("value", [51_200, 200])
def test_a_pi_camera_s_frames_are_held_to_the_same(pi: type[FakePi], value: int) -> None:
    kind = np.uint16 if value > 255 else np.uint8
    pi.pixels = np.full((66, 88, 4), (value, value // 2, 0, 9), kind)
    source = open_camera(max_fields=1)
    (shot,) = source
    assert shot.load().rgb[0, 0].tolist() == [200, 100, 0]
    source.close()
