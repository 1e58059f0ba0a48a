"""V4L2 through OpenCV: which camera is taken, what its frames are, and what it holds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.camera import nodes, usb
from edge.camera.driver import CameraDriver
from edge.camera.finding import open_driver
from edge.camera.records import CameraSpec
from edge.errors import CameraError


class FakeUsb:
    """A V4L2 capture; ``stuck`` properties keep their value, ``jumps`` dims the picture when exposure is held."""

    def __init__(
        self,
        *,
        opens: bool = True,
        dies: int = 10**9,
        jumps: bool = False,
        frame: Any = None,
        fourcc: bytes = b"YUYV",
        raw: Any = None,
        stuck: tuple[int, ...] = (),
    ) -> None:
        self.opens, self.dies, self.jumps, self.fourcc, self.raw, self.stuck = opens, dies, jumps, fourcc, raw, stuck
        self.given = frame
        self.grabs = self.released = 0
        self.settings: dict[int, float] = {
            cv2.CAP_PROP_EXPOSURE: 156.0,
            cv2.CAP_PROP_WB_TEMPERATURE: 4600.0,
            cv2.CAP_PROP_CONVERT_RGB: 1.0,
            cv2.CAP_PROP_FRAME_WIDTH: 88.0,
            cv2.CAP_PROP_FRAME_HEIGHT: 66.0,
            cv2.CAP_PROP_FOURCC: float(int.from_bytes(fourcc, "little")),
        }

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, what: int, value: float) -> bool:
        if what not in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, *self.stuck):
            self.settings[what] = value
        return True

    def get(self, what: int) -> float:
        return self.settings.get(what, 0.0)

    def grab(self) -> bool:
        self.grabs += 1
        return self.grabs < self.dies

    def retrieve(self) -> tuple[bool, Any]:
        if self.raw is not None and not self.settings[cv2.CAP_PROP_CONVERT_RGB]:
            return True, self.raw
        if self.given is not None:
            return True, self.given
        dimmed = self.jumps and self.settings.get(cv2.CAP_PROP_AUTO_EXPOSURE) == 1
        return True, np.full((66, 88, 3), (10, 20 if dimmed else 90, 200), np.uint8)

    def read(self) -> tuple[bool, Any]:
        return (True, self.retrieve()[1]) if self.grab() else (False, None)

    def release(self) -> None:
        self.released += 1


Plug = Callable[..., list[FakeUsb]]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Plug USB cameras in, one set of options each; returns the captures as they are opened."""
    monkeypatch.setattr(usb, "_SETTLE_S", 0.05)
    monkeypatch.setattr(usb, "_LATE_S", 0.01)
    monkeypatch.setitem(sys.modules, "picamera2", None)  # not installed

    def make(*options: dict[str, Any]) -> list[FakeUsb]:
        captures: list[FakeUsb] = []
        plugged = [f"/dev/video{n + 70}" for n in range(len(options))]

        def capture(node: str, *_: object) -> FakeUsb:
            captures.append(FakeUsb(**options[plugged.index(node)]))
            return captures[-1]

        monkeypatch.setattr(nodes, "video_nodes", lambda: plugged)
        monkeypatch.setattr(cv2, "VideoCapture", capture)
        return captures

    return make


def opened(spec: CameraSpec | None = None) -> CameraDriver:
    return open_driver(spec or CameraSpec(), "", lambda: None)


def test_the_first_camera_that_answers_is_taken_and_the_others_are_given_back(plug: Plug) -> None:
    captures = plug({"opens": False}, {"dies": 1}, {})
    assert opened().facts.name == "USB camera /dev/video72"
    assert captures[0].released == captures[1].released == 1
    assert not captures[2].released


def test_a_camera_can_be_chosen_by_number_and_by_node(plug: Plug) -> None:
    plug({}, {})
    for device in (1, "/dev/video71"):
        assert opened(CameraSpec(device=device)).facts.name == "USB camera /dev/video71"
    with pytest.raises(CameraError, match="none is plugged in"):
        opened(CameraSpec(device=2))


BGR = np.full((66, 88, 3), (10, 90, 200), np.uint8)
JPEG = cv2.imencode(".jpg", BGR)[1].reshape(1, -1)
FRAMES: dict[str, tuple[dict[str, Any], str]] = {
    "colours": ({"frame": BGR}, "RGB888"),
    "grey": ({"frame": BGR[..., 1], "fourcc": b"GREY"}, "GREY"),
    "grey with an axis": ({"frame": BGR[..., 1:2]}, "GREY"),
    "10 bits, said by the format": ({"frame": np.full((66, 88), 700, np.uint16), "fourcc": b"Y10 "}, "Y10"),
    "12 bits, said by the format": ({"frame": np.full((66, 88), 700, np.uint16), "fourcc": b"Y12 "}, "Y12"),
    "16 bits": ({"frame": np.full((66, 88), 60000, np.uint16), "fourcc": b"Y16 "}, "Y16"),
    "16 bits in colours": ({"frame": BGR.astype(np.uint16) << 8}, "RGB161616"),
    "with a fourth channel": ({"frame": np.dstack([BGR, BGR[..., :1]])}, "XRGB8888"),
    "YUYV as it is": ({"frame": BGR[..., :2]}, "YUYV"),
    "MJPG that OpenCV hands over": ({"fourcc": b"MJPG", "raw": JPEG}, "MJPG"),
    "MJPG that OpenCV decodes all the same": ({"fourcc": b"MJPG", "frame": BGR}, "RGB888"),
}


@pytest.mark.parametrize("case", FRAMES)
def test_the_format_is_what_a_frame_shows_not_what_was_asked_for(plug: Plug, case: str) -> None:
    options, name = FRAMES[case]
    plug(options)
    driver = opened()
    assert (driver.facts.format, driver.facts.size) == (name, (88, 66))
    assert driver.read()[0] is not None


def test_exposure_and_white_balance_settle_are_held_and_read_back(plug: Plug) -> None:
    captures = plug({})
    opened()
    assert captures[0].settings[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert captures[0].settings[cv2.CAP_PROP_AUTO_WB] == 0
    facts = opened().facts
    assert facts.held == {"exposure_us": 15600.0, "white_balance_k": 4600.0}
    assert facts.not_held == ()


def test_values_of_a_profile_are_set_and_read_back(plug: Plug) -> None:
    captures = plug({})
    facts = opened(CameraSpec(controls={"exposure_us": 8000, "white_balance_k": 5000, "focus": 30})).facts
    assert facts.held == {"exposure_us": 8000.0, "white_balance_k": 5000.0, "focus": 30.0}
    assert captures[0].settings[cv2.CAP_PROP_EXPOSURE] == 80


STUCK = {
    "exposure that cannot be set": (cv2.CAP_PROP_EXPOSURE, "exposure_us"),
    "exposure that stays automatic": (cv2.CAP_PROP_AUTO_EXPOSURE, "exposure_us"),
    "white balance that cannot be set": (cv2.CAP_PROP_WB_TEMPERATURE, "white_balance_k"),
}


@pytest.mark.parametrize("case", STUCK)
def test_what_a_driver_does_not_do_is_said(plug: Plug, case: str) -> None:
    stuck, name = STUCK[case]
    plug({"stuck": (stuck,)})
    facts = opened(
        CameraSpec(controls={"exposure_us": 8000, "white_balance_k": 5000, "colour_gains": (2.0, 1.5)})
    ).facts
    assert facts.not_held == ("colour_gains", name)
    assert name not in facts.held


def test_a_driver_that_dims_when_held_stays_automatic(plug: Plug) -> None:
    captures = plug({"jumps": True})
    facts = opened().facts
    assert captures[0].settings[cv2.CAP_PROP_AUTO_EXPOSURE] == 3
    assert facts.not_held == ("exposure_us",)


def test_settings_are_read_back_again_and_again_so_that_what_no_longer_holds_is_seen(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usb, "_READ_BACK_S", 0.0)
    captures = plug({})
    driver = opened()
    assert driver.read()[1] == {"exposure_us": 15600.0, "white_balance_k": 4600.0}
    captures[0].settings[cv2.CAP_PROP_EXPOSURE] = 300  # the driver went back to its own
    assert driver.read()[1]["exposure_us"] == 30000.0


def test_a_mode_that_is_gone_is_said(plug: Plug) -> None:
    plug({"stuck": (cv2.CAP_PROP_FOURCC,)})
    assert opened(CameraSpec(mode="YUYV")).facts.mode == "YUYV"
    with pytest.raises(CameraError, match=r"has no mode MJPG any more \(it gives YUYV\): set this microscope up anew"):
        opened(CameraSpec(mode="MJPG"))


def test_frames_that_waited_in_the_queue_are_passed_over(plug: Plug) -> None:
    captures = plug({})
    driver = opened()
    before = captures[0].grabs
    driver.read()
    assert captures[0].grabs - before == 5


def test_a_camera_that_is_unplugged_says_so(plug: Plug) -> None:
    captures = plug({})
    driver = opened()
    driver.read()
    captures[0].dies = captures[0].grabs
    with pytest.raises(CameraError, match="was it unplugged"):
        driver.read()


UNREAD = {
    "a depth that nothing tells": (np.full((66, 88), 900, np.uint16), "900 and nothing says .* give --depth"),
    "floats": (np.ones((66, 88, 3), np.float32), "a frame of float32 values"),
    "32 bits": (np.ones((66, 88, 3), np.uint32), "a frame of uint32 values"),
}


@pytest.mark.parametrize("case", UNREAD)
def test_frames_that_nobody_can_read_are_one_line_at_once(
    plug: Plug, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    frame, words = UNREAD[case]
    monkeypatch.setattr(usb, "_UNREAD_S", 0.01)
    plug({"frame": frame})
    with pytest.raises(CameraError, match=rf"USB camera /dev/video70: .*{words}"):
        opened()


def test_a_depth_that_the_user_says_is_taken(plug: Plug) -> None:
    plug({"frame": np.full((66, 88), 900, np.uint16)})
    assert opened(CameraSpec(depth=12)).facts.format == "Y16"


def test_sizes_that_are_no_field_s_are_one_line(plug: Plug) -> None:
    plug({"frame": np.zeros((12, 16, 3), np.uint8)})
    with pytest.raises(CameraError, match="16x12 pixels are too few for a field"):
        opened()


def test_a_node_that_is_closed_to_this_user_is_said_with_what_helps(
    plug: Plug, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    node = tmp_path / "video0"
    node.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(CameraError, match=r"is closed to you: sudo usermod -aG video \$USER, then log in anew"):
        opened(CameraSpec(device=str(node)))


def test_another_program_that_has_the_camera_is_named(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    plug({"opens": False})
    monkeypatch.setattr(nodes, "who_has", lambda _: iter([(1234, "cheese")]))
    with pytest.raises(CameraError, match=r"cannot be opened: cheese \(process 1234\) has it open; end that first"):
        opened()


def test_who_has_a_node_open_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "video0"
    node.touch()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with node.open():
        assert any(name for _, name in nodes.who_has(str(node)))
    assert not list(nodes.who_has(str(node)))


def test_a_run_that_began_with_one_camera_is_not_gone_on_with_another(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = plug({}, {})
    monkeypatch.setattr(usb, "model_of", lambda node: "HDMI" if node.endswith("70") else "Microscope 5 MP")
    assert open_driver(CameraSpec(), "Microscope 5 MP", lambda: None).facts.name == "USB camera /dev/video71"
    assert captures[0].released == 1
