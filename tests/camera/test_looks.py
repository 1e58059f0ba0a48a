"""What is no picture of a field is told from what is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.cameras import kinds
from benchmarks.cameras.scene import MovingCells
from edge.camera.formats import BadFrameError
from edge.camera.looks import FrameChecker, HeldWatch, thumbnail
from edge.camera.records import CameraTrouble
from edge.types import UInt8Array

T = CameraTrouble


@pytest.fixture(scope="module")
def scene() -> MovingCells:
    return MovingCells(640, 480)


def rgb(scene: MovingCells) -> UInt8Array:
    return np.ascontiguousarray(scene.frame()[..., ::-1])


BAD: dict[str, tuple[Callable[[Any, int], Any], CameraTrouble]] = {
    "black": (kinds._one((0, 0, 0)), T.BLACK),
    "green": (kinds._one((0, 136, 0)), T.ONE_COLOUR),
    "white": (kinds._one((255, 255, 255)), T.ONE_COLOUR),
    "noise": (kinds._noise, T.NOISE),
    "the lower part of another frame": (kinds._Mingled(), T.TORN),
    "broken off": (kinds._torn_green, T.TORN),
    "YUYV read as colours": (kinds._yuyv_as_bgr, T.WRONG_FORMAT),
}


@pytest.mark.parametrize("case", BAD)
def test_a_frame_that_is_no_picture_is_refused(scene: MovingCells, case: str) -> None:
    change, trouble = BAD[case]
    for count in range(4):
        with pytest.raises(BadFrameError) as caught:
            FrameChecker().check(np.ascontiguousarray(change(rgb(scene), count)))
        assert caught.value.trouble is trouble


def test_sound_frames_pass_and_each_but_once(scene: MovingCells) -> None:
    checker = FrameChecker()
    for _ in range(50):
        frame = rgb(scene)
        checker.check(frame)
        with pytest.raises(BadFrameError) as caught:
            checker.check(frame)
        assert caught.value.trouble is T.FROZEN


def test_the_old_buffers_of_a_driver_that_come_again_are_known(scene: MovingCells) -> None:
    checker = FrameChecker()
    old = [rgb(scene) for _ in range(4)]
    for frame in old:
        checker.check(frame)
    for frame in old * 3:
        with pytest.raises(BadFrameError):
            checker.check(frame)


def test_a_round_field_within_a_black_surround_is_a_picture(scene: MovingCells) -> None:
    frame = rgb(scene)
    rows, columns = np.ogrid[:480, :640]
    frame[(rows - 240) ** 2 + (columns - 320) ** 2 > 225**2] = 3
    FrameChecker().check(frame)


def test_another_light_is_withheld_until_it_lasts_and_then_told_once(scene: MovingCells) -> None:
    watch, small = HeldWatch({}), thumbnail(rgb(scene))
    dark = (small * 0.6).astype(np.uint8)
    said = [watch.look(small, {}, at * 0.1) for at in range(20)]
    for at in range(20, 49):
        with pytest.raises(BadFrameError, match="40 % darker"):
            watch.look(dark, {}, at * 0.1)
    said += [watch.look(dark, {}, at * 0.1) for at in range(51, 90)]
    assert [line for line in said if line] == ["does not hold: the picture is 40 % darker; look at exposure and lamp"]


def test_a_flicker_is_withheld_and_never_the_light(scene: MovingCells) -> None:
    watch, small = HeldWatch({}), thumbnail(rgb(scene))
    for at in range(100):
        if at % 3 or at < 10:
            assert watch.look(small, {}, at * 0.1) is None
        else:
            with pytest.raises(BadFrameError):
                watch.look((small * 0.6).astype(np.uint8), {}, at * 0.1)


def test_frames_that_were_not_exposed_as_was_set_are_told_once(scene: MovingCells) -> None:
    watch, small = HeldWatch({"exposure_us": 8000.0, "colour_gains": (1.5, 1.8)}), thumbnail(rgb(scene))
    right, wrong = {"exposure_us": 8010.0, "colour_gains": (1.5, 1.8)}, {"exposure_us": 12000.0}
    said = [watch.look(small, right, at) for at in range(10)] + [watch.look(small, wrong, 10 + at) for at in range(30)]
    assert [line for line in said if line] == ["does not hold exposure_us: 8000.0 was set, frames have 12000.0"]
