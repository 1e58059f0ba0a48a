"""The day with faults, pressed into seconds; and the page that its figures go to."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.camera import day, page
from benchmarks.camera.pressed import PressedCamera, PressedClock, ProcessEndedError
from edge.camera.records import CameraSpec, CameraState, CameraTrouble

SMALL = CameraSpec("simulated", size=(160, 120), seed=1, controls={"hand": 0, "focus": 0})


class TestPressedCamera:
    @pytest.fixture
    def camera(self) -> PressedCamera:
        made = PressedCamera(SMALL)
        assert made.take(timeout=5.0) is not None
        return made

    def test_a_driver_that_hangs_is_killed_by_the_runners_watchdog_and_the_camera_comes_back(
        self, camera: PressedCamera
    ) -> None:
        last = camera.take(timeout=5.0)
        assert last is not None
        camera.command("fault", kind="hang", seconds=10.0)
        began = camera.clock.now
        after = camera.take(after=last.number, timeout=60.0)
        assert after is not None
        lost, back = camera.events()
        assert lost.trouble is CameraTrouble.NO_FRAMES
        assert back.trouble is None
        assert lost.at - began < 10
        assert camera.openings == 2

    @pytest.mark.parametrize(
        ("kind", "trouble"),
        [
            ("abort", CameraTrouble.DIED),
            ("disconnect", CameraTrouble.NO_FRAMES),
            ("raise", CameraTrouble.NO_FRAMES),
            ("tear", CameraTrouble.TORN),
            ("tiny", CameraTrouble.WRONG_SIZE),
        ],
    )
    def test_faults_are_told_as_on_a_device(self, camera: PressedCamera, kind: str, trouble: CameraTrouble) -> None:
        camera.command("fault", kind=kind, seconds=8.0)
        camera.clock.sleep(0.1)
        number = camera.take(timeout=5.0)
        end = camera.clock.now + 60
        while camera.clock.now < end and not (camera.events() and camera.state is CameraState.RUNNING):
            number = camera.take(after=-1 if number is None else number.number, timeout=1.0)
        assert camera.events()[0].trouble is trouble
        assert camera.events()[-1].trouble is None
        assert not camera.falsified

    def test_a_frame_that_a_fault_changed_unseen_is_known(self, camera: PressedCamera) -> None:
        camera.command("fault", kind="late-exposure", seconds=20.0)
        camera.clock.sleep(5.0)
        last = camera.take(after=0, timeout=5.0)
        last = camera.take(after=0 if last is None else last.number, timeout=5.0)
        assert last is not None
        assert camera.falsified[last.number] == "late-exposure"


def test_a_wait_can_be_ended_while_it_lasts() -> None:
    clock = PressedClock()

    def tick() -> None:
        if clock.now > 3:
            raise ProcessEndedError(None)

    clock.tick = tick
    with pytest.raises(ProcessEndedError):
        clock.sleep(3600.0)
    assert clock.now < 3.3


def test_no_cell_is_lost_or_counted_twice_in_three_minutes_with_two_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day, "EVERY_S", 60.0)
    record = day.run_day(0.05, 0, tmp_path / "book.sqlite", lambda hours: None)
    found = day.figures(record, tmp_path / "book.sqlite")
    assert found.fields > 4
    assert found.cells == found.booked > 500
    assert (found.differing, found.twice, found.overlapping) == (0, 0, 0)
    assert len(record.faults) == 2
    text = page.day_text(record, found, 60.0)
    assert f"| red cells in those, by the truth | {found.cells:,} |" in text


def test_a_section_takes_the_place_of_the_one_before_and_leaves_the_others(tmp_path: Path) -> None:
    place = tmp_path / "page.md"
    page.write_section("one", "One", "old\n", place)
    page.write_section("two", "Two", "kept\n", place)
    page.write_section("one", "One", "new\n", place)
    text = place.read_text()
    assert "old" not in text
    assert text.index("new") < text.index("kept")
    assert text.startswith("# Figures of the camera")
