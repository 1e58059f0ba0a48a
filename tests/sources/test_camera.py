"""Fields from a camera: numbered, apart in time, and a stretch without it is one field that cannot be read."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from edge.camera.records import CameraEvent, CameraFacts, CameraState, CameraTrouble, Frame, Preview
from edge.errors import CameraError, UnreadableFieldError
from edge.sources.camera import CameraSource, open_camera
from edge.types import CountedField, Field

DEAD = "USB camera /dev/video0 does not answer after 5 s"


class FakeCamera:
    """A camera that gives a frame whenever one is asked for; ``lost`` and ``back`` are what a test does to it."""

    name = "USB camera /dev/video0"
    facts: CameraFacts | None = None

    def __init__(self) -> None:
        self.state = CameraState.RUNNING
        self.told: list[CameraEvent] = []
        self.number = -1
        self.closed = 0

    def lost(self, ago: float = 0.0) -> None:
        self.state = CameraState.LOST
        self.told.append(CameraEvent(len(self.told), time.monotonic() - ago, CameraTrouble.NOT_ANSWERING, DEAD))

    def back(self) -> None:
        self.state = CameraState.RUNNING
        self.told.append(CameraEvent(len(self.told), time.monotonic(), None, f"{self.name} is back", 12.3))

    def take(self, *, after: int = -1, timeout: float = 1.0) -> Frame | None:
        if self.closed:
            raise CameraError(f"{self.name} is closed")
        if self.state is not CameraState.RUNNING:
            time.sleep(0.001)
            return None
        self.number += 1
        rgb = np.full((64, 80, 3), (200, 20, 10), np.uint8)
        return Frame(rgb, self.number, 1e9 + self.number, time.monotonic(), {"exposure_us": 8000.0})

    def preview(self, *, after: int = -1) -> Preview | None:
        return None

    def events(self, *, after: int = -1) -> tuple[CameraEvent, ...]:
        return tuple(one for one in self.told if one.number > after)

    def command(self, name: str, **values: float | str) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


def test_fields_are_numbered_and_say_how_they_were_taken() -> None:
    source = CameraSource(FakeCamera(), "P-1", interval=0)
    shots = [shot for shot, _ in zip(source, range(3), strict=False)]
    assert source.total is None
    assert [(s.index, s.sample, s.name) for s in shots] == [(i, "P-1", f"camera-{i:06d}") for i in range(3)]
    field = shots[2].load()
    assert field.rgb[0, 0].tolist() == [200, 20, 10]
    assert dict(field.metadata) == {"captured": 1e9 + 2, "exposure_us": 8000.0}
    assert field.decode_ms >= 0


def test_max_fields_ends_the_run_and_a_run_that_goes_on_numbers_on() -> None:
    source = CameraSource(FakeCamera(), "P-1", interval=0, max_fields=5)
    assert source.go_on([CountedField(2, "P-1", "camera-000002", None)], ()) == ()
    assert [shot.index for shot in source] == [3, 4]


def test_fields_keep_their_distance_in_time() -> None:
    start = time.monotonic()
    assert len(list(CameraSource(FakeCamera(), "P-1", interval=0.1, max_fields=3))) == 3
    assert 0.19 < time.monotonic() - start < 2


def test_a_frame_from_before_it_was_asked_for_is_no_field() -> None:
    camera = FakeCamera()
    fresh = camera.take
    old = [Frame(np.zeros((64, 80, 3), np.uint8), 90, 0.0, time.monotonic() - 1)]
    camera.take = lambda **options: old.pop() if old else fresh(**options)  # type: ignore[method-assign]
    (shot,) = CameraSource(camera, "P-1", max_fields=1)
    assert shot.load().rgb[0, 0, 0] == 200


def test_a_stretch_without_the_camera_is_one_field_that_cannot_be_read() -> None:
    camera = FakeCamera()
    source = iter(CameraSource(camera, "P-1", interval=0))
    assert isinstance(next(source).load(), Field)
    camera.lost()
    threading.Timer(0.05, camera.back).start()
    gone, after = next(source), next(source)
    assert (gone.index, after.index) == (1, 2)
    with pytest.raises(UnreadableFieldError, match=f"camera lost for 12 s: {DEAD}; it is back"):
        gone.load()
    assert isinstance(after.load(), Field)


def test_a_camera_that_does_not_come_back_ends_the_run_with_its_words() -> None:
    camera = FakeCamera()
    source = iter(CameraSource(camera, "P-1", interval=0, patience=60))
    next(source)
    camera.lost(ago=61)
    with pytest.raises(CameraError, match=DEAD):
        next(source)


def test_closing_from_another_thread_ends_the_wait_for_the_next_field() -> None:
    camera = FakeCamera()
    source = CameraSource(camera, "P-1", interval=60)
    threading.Timer(0.05, source.close).start()
    start = time.monotonic()
    assert len(list(source)) == 1
    assert time.monotonic() - start < 5
    assert camera.closed == 1


def test_closing_while_the_camera_is_lost_ends_the_run_without_an_error() -> None:
    camera = FakeCamera()
    camera.lost()
    source = CameraSource(camera, "P-1", interval=0)
    threading.Timer(0.05, source.close).start()
    assert list(source) == []


def test_only_known_kinds_are_opened() -> None:
    with pytest.raises(ValueError, match="auto, pi, usb"):
        open_camera(kind="webcam")


def test_light_that_does_not_hold_is_no_stretch_without_the_camera() -> None:
    camera = FakeCamera()
    camera.told.append(CameraEvent(0, time.monotonic() - 900, CameraTrouble.NOT_HELD, "does not hold"))
    shots = list(CameraSource(camera, "P-1", interval=0, max_fields=3))
    assert all(isinstance(shot.load(), Field) for shot in shots)
