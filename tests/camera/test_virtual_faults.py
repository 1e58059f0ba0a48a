"""The fault menu: what each fault makes of the frames of any driver, by a clock that is given."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.camera.driver import CameraDriver
from edge.camera.faults import LOSES_CAMERA, Fault, Faulty
from edge.camera.records import CameraFacts
from edge.errors import CameraError

SHAPES: Mapping[str, tuple[tuple[int, ...], type]] = {
    "BGR888": ((48, 64, 3), np.uint8),
    "XRGB8888": ((48, 64, 4), np.uint8),
    "NV12": ((72, 64), np.uint8),
    "YUYV": ((48, 64, 2), np.uint8),
    "GREY": ((48, 64), np.uint8),
    "Y16": ((48, 64), np.uint16),
    "MJPG": ((5000,), np.uint8),
}
FALSIFY = sorted(set(Fault) - LOSES_CAMERA - {Fault.SLOW, Fault.HICCUP})


class Hung(Exception):  # noqa: N818 - it ends a test's wait
    """Raised by the clock of a test when somebody sleeps for an hour."""


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.signals: list[int] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds > 1000:
            raise Hung


class Steady:
    """A driver that gives a new picture of full range every tenth of a second."""

    def __init__(self, clock: Time, name: str = "BGR888") -> None:
        self.clock, self.told = clock, dict[str, Mapping[str, float | str]]()
        self.shape, self.kind = SHAPES[name]
        self.facts = CameraFacts("a camera", "", (64, 48), name)
        self.rng = np.random.default_rng(1)

    def read(self) -> tuple[NDArray[Any], Mapping[str, object]]:
        self.clock.now += 0.1
        return self.rng.integers(20, 100, self.shape, self.kind), {"at": self.clock.now}

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        self.told[name] = values

    def release(self) -> None:
        self.told["release"] = {}


def faulty(kind: str, seconds: float = 5.0, name: str = "BGR888") -> tuple[Faulty, Time, Steady]:
    clock = Time()
    driver = Steady(clock, name)
    typed: CameraDriver = driver
    out = Faulty(typed, clock=clock, sleep=clock.sleep, end=clock.signals.append)
    out.command("fault", {"kind": kind, "seconds": seconds})
    return out, clock, driver


def test_without_a_fault_frames_and_commands_pass_through() -> None:
    camera, _, driver = faulty("none of these")
    assert camera.read()[0].shape == (48, 64, 3)
    camera.command("move", {"x": 1.0})
    camera.release()
    assert driver.told == {"move": {"x": 1.0}, "release": {}}
    assert camera.facts is driver.facts


@pytest.mark.parametrize("kind", FALSIFY)
@pytest.mark.parametrize("name", SHAPES)
def test_a_fault_shows_on_frames_of_every_format_and_is_over_in_time(kind: Fault, name: str) -> None:
    camera, clock, driver = faulty(kind, name=name)
    twin = Steady(Time(), name)
    for _ in range(8):
        sound = twin.read()[0]
        got = camera.read()[0]
        if got.shape != sound.shape or got.dtype != sound.dtype or not np.array_equal(got, sound):
            break
    else:
        pytest.fail("frames are as they were")
    clock.now += 10
    driver.rng, twin.rng = np.random.default_rng(3), np.random.default_rng(3)
    assert np.array_equal(camera.read()[0], twin.read()[0])


class TestLost:
    def test_a_driver_that_hangs_does_so_for_ever(self) -> None:
        camera, _, _ = faulty(Fault.HANG, seconds=1)
        with pytest.raises(Hung):
            camera.read()

    def test_a_stall_ends(self) -> None:
        camera, clock, _ = faulty(Fault.STALL, seconds=6)
        camera.read()
        assert clock.now == pytest.approx(6.1)
        camera.read()
        assert clock.now == pytest.approx(6.2)

    def test_a_slow_camera_takes_two_seconds_a_frame(self) -> None:
        camera, clock, _ = faulty(Fault.SLOW, seconds=60)
        camera.read()
        camera.read()
        assert clock.now == pytest.approx(4.2)

    def test_a_disconnected_camera_comes_back(self) -> None:
        camera, clock, _ = faulty(Fault.DISCONNECT, seconds=3)
        for _ in range(3):
            with pytest.raises(CameraError, match="unplugged"):
                camera.read()
        clock.now = 3.0
        assert camera.read()[0].any()

    def test_one_frame_in_four_is_missing(self) -> None:
        camera, _, _ = faulty(Fault.HICCUP)
        came = 0
        for _ in range(8):
            try:
                camera.read()
                came += 1
            except CameraError:
                continue
        assert came == 6

    def test_drivers_raise_errors_of_their_own(self) -> None:
        with pytest.raises(RuntimeError, match="EPROTO"):
            faulty(Fault.RAISE)[0].read()

    @pytest.mark.parametrize(("kind", "number"), [(Fault.ABORT, signal.SIGABRT), (Fault.KILLED, signal.SIGKILL)])
    def test_the_process_is_ended_by_a_signal(self, kind: Fault, number: int) -> None:
        camera, clock, _ = faulty(kind)
        camera.read()
        assert clock.signals == [number]


class TestFalsified:
    @pytest.mark.parametrize(
        ("kind", "name", "values"),
        [
            (Fault.BLACK, "BGR888", (0, 0, 0)),
            (Fault.WHITE, "BGR888", (255, 255, 255)),
            (Fault.GREEN, "BGR888", (0, 136, 0)),
            (Fault.BLACK, "YUYV", (0, 128)),
            (Fault.GREEN, "YUYV", (0, 0)),
            (Fault.WHITE, "Y16", 65535),
        ],
    )
    def test_frames_of_one_colour(self, kind: Fault, name: str, values: object) -> None:
        assert (faulty(kind, name=name)[0].read()[0] == values).all()

    def test_black_in_nv12_is_said_by_the_luma(self) -> None:
        frame = faulty(Fault.BLACK, name="NV12")[0].read()[0]
        assert (frame[:48] == 0).all()
        assert (frame[48:] == 128).all()

    def test_a_frozen_frame_is_a_copy_each_time(self) -> None:
        camera, _, _ = faulty(Fault.FREEZE)
        one, two = camera.read()[0], camera.read()[0]
        assert np.array_equal(one, two)
        one[:] = 0
        assert camera.read()[0].any()

    def test_repeated_frames_come_three_times(self) -> None:
        camera, _, _ = faulty(Fault.REPEATS)
        sums = [int(camera.read()[0].astype(int).sum()) for _ in range(9)]
        assert sums[0] == sums[1] == sums[2] != sums[3] == sums[5] != sums[6]

    def test_the_upper_part_of_a_torn_frame_is_whole(self) -> None:
        frame = faulty(Fault.TEAR)[0].read()[0]
        assert frame[:21].std() > 5
        assert (frame[22:] == 128).all()

    def test_late_exposure_makes_the_picture_brighter_and_brighter(self) -> None:
        camera, _, _ = faulty(Fault.LATE_EXPOSURE, seconds=2)
        means = [float(camera.read()[0].mean()) for _ in range(15)]
        assert means[-1] > 1.4 * means[0]

    @pytest.mark.parametrize(
        ("kind", "shape", "dtype"),
        [
            (Fault.WRONG_SIZE, (24, 32, 3), np.uint8),
            (Fault.TINY, (12, 16, 3), np.uint8),
            (Fault.WRONG_FORMAT, (48, 64, 2), np.uint8),
            (Fault.SIXTEEN_BITS, (48, 64, 3), np.uint16),
            (Fault.EMPTY_FRAME, (0, 64, 3), np.uint8),
        ],
    )
    def test_shape_and_type(self, kind: Fault, shape: tuple[int, ...], dtype: type) -> None:
        frame = faulty(kind)[0].read()[0]
        assert frame.shape == shape
        assert frame.dtype == dtype

    @pytest.mark.parametrize(("kind", "shape"), [(Fault.CHANGING_SIZE, (24, 32, 3)), (Fault.MIXED_FORMATS, (48, 64))])
    def test_every_second_frame_is_another(self, kind: Fault, shape: tuple[int, ...]) -> None:
        camera, _, _ = faulty(kind)
        shapes = [camera.read()[0].shape for _ in range(4)]
        assert shapes == [(48, 64, 3), shape, (48, 64, 3), shape]


@pytest.mark.parametrize("seconds", ["soon", "nan", float("inf"), ""])
def test_seconds_that_are_no_number_are_ten(seconds: float | str) -> None:
    camera, clock, _ = faulty("none")
    camera.command("fault", {"kind": "black", "seconds": seconds})
    clock.now = 9.0
    assert not camera.read()[0].any()
    clock.now = 10.0
    assert camera.read()[0].any()


def test_another_word_ends_a_fault() -> None:
    camera, _, _ = faulty(Fault.BLACK)
    camera.command("fault", {"kind": "none"})
    assert camera.read()[0].any()
