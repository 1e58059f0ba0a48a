"""Fields of a camera under run control: numbered, corrected, checked; a stretch without the camera is one that cannot be read."""

from __future__ import annotations

import numpy as np
import pytest

from edge.camera.records import Frame, LostFrames
from edge.errors import CameraError, UnreadableFieldError
from edge.sources.camera import CameraSource
from edge.types import CountedField, UInt8Array

LOST = LostFrames("camera lost for 12 s: USB camera /dev/video0 does not answer; it is back")


def frame(number: int) -> Frame:
    rgb = np.full((64, 80, 3), (200, 20, 10), np.uint8)
    return Frame(rgb, number, 1e9 + number, float(number), {"exposure_us": 8000.0})


class Taken:
    """Gives these, then None."""

    def __init__(self, *given: Frame | LostFrames | CameraError) -> None:
        self._given = list(given)
        self.interrupted = False

    def next_field(self) -> Frame | LostFrames | None:
        one = self._given.pop(0) if self._given else None
        if isinstance(one, CameraError):
            raise one
        return one

    def interrupt(self) -> None:
        self.interrupted = True


def test_fields_are_numbered_and_say_how_they_were_taken() -> None:
    first, second = (shot.load() for shot in CameraSource(Taken(frame(7), frame(31)), "S-1"))
    assert [(one.index, one.sample, one.name) for one in (first, second)] == [
        (0, "S-1", "camera-000000"),
        (1, "S-1", "camera-000001"),
    ]
    assert second.metadata == {"captured": 1e9 + 31, "frame": 31, "exposure_us": 8000.0}


def test_a_frame_is_not_copied_on_its_way() -> None:
    one = frame(0)
    (shot,) = CameraSource(Taken(one), "S-1")
    assert shot.load().rgb is one.rgb


def test_a_run_that_goes_on_numbers_on() -> None:
    source = CameraSource(Taken(frame(0)), "S-1")
    source.go_on([CountedField(4, "S-1", "camera-000004", None)], ())
    assert [shot.index for shot in source] == [5]


def test_a_stretch_without_the_camera_is_one_field_that_cannot_be_read() -> None:
    before, gap, after = CameraSource(Taken(frame(0), LOST, frame(1)), "S-1")
    with pytest.raises(UnreadableFieldError, match="camera lost for 12 s: USB camera /dev/video0 does not answer"):
        gap.load()
    assert [shot.index for shot in (before, gap, after)] == [0, 1, 2]
    assert after.load().metadata["frame"] == 1


def test_a_camera_that_does_not_come_back_ends_the_run_with_its_words() -> None:
    shots = iter(CameraSource(Taken(frame(0), CameraError("it has not come back")), "S-1"))
    next(shots)
    with pytest.raises(CameraError, match="has not come back"):
        next(shots)


def test_a_profile_corrects_and_checks_the_frames_as_they_came() -> None:
    seen: list[UInt8Array] = []

    def checked(one: Frame) -> dict[str, object]:
        seen.append(one.rgb)
        return {"scope_light": 0.9}

    one = frame(0)
    (shot,) = CameraSource(Taken(one), "S-1", correct=lambda rgb: rgb // 2, checked=checked)
    field = shot.load()
    assert field.rgb[0, 0].tolist() == [100, 10, 5]
    assert field.metadata["scope_light"] == 0.9
    assert seen[0] is one.rgb


def test_closing_lets_whoever_waits_for_a_field_go() -> None:
    taken = Taken()
    CameraSource(taken, "S-1").close()
    assert taken.interrupted
