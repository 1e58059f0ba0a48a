"""Run control: who asks for a field gets it once it is good, commands hold, and a lost camera takes the place of a field."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from edge.camera.records import CameraEvent, CameraState, CameraTrouble, Frame, LostFrames
from edge.control.records import CommandRefusedError
from edge.control.run import RunControl
from edge.errors import CameraError
from edge.status import Hint, RunEnd, RunState, SampleProgress, Status
from edge.types import Quality, UInt8Array
from tests.control.cameras import ShownCamera, blobs

FIELDS = [blobs(seed) for seed in range(4)]
APART_S = 0.125  # seconds between frames
QUALITY = Quality(0.5, 180.0, 0.0, 0.0, 0.3, bytes(range(256)) * 3)


class Bench:
    """Run control with a camera that a test turns, and a clock that it moves. Nothing here waits for real time."""

    def __init__(self, interval: float | None = None, patience: float | None = None) -> None:
        self.now = 100.0
        self.number = -1
        self.camera = ShownCamera(lambda _: FIELDS[0], clock=lambda: self.now)
        self.control = RunControl(self.camera, interval=interval, patience=patience, clock=lambda: self.now)
        self.control.ready()
        self.got: list[Frame | LostFrames | CameraError | None] = []
        self.source: threading.Thread | None = None

    def begin(self, name: str = "S-1") -> Bench:
        self.control.begin(SampleProgress(name))
        return self

    def ask(self) -> None:
        """Ask for a field, as the source does in its thread."""

        def take() -> None:
            try:
                self.got.append(self.control.next_field())
            except CameraError as error:
                self.got.append(error)

        self.source = threading.Thread(target=take, daemon=True)
        self.source.start()
        while not self.control._asked and self.source.is_alive():
            pass

    def show(self, field: UInt8Array, frames: int = 10) -> Status:
        for _ in range(frames):
            self.now += APART_S
            self.number += 1
            self.control._see(Frame(field, self.number, 0.0, self.now))
        return self.status

    def nothing(self) -> Status:
        self.control._nothing()
        return self.status

    def answer(self) -> Frame | LostFrames | CameraError | None:
        assert self.source is not None
        self.source.join(5)
        assert not self.source.is_alive()
        return self.got[-1]

    def decide(self, reason: str | None = None) -> None:
        self.control.decided(QUALITY, reason, None, SampleProgress("S-1", kept=1))

    @property
    def status(self) -> Status:
        return self.control.board.status


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.control.interrupt()


def test_between_samples_a_view_is_shown_and_nothing_taken(bench: Bench) -> None:
    status = bench.show(FIELDS[0])
    assert (status.state, status.hint, status.taken) == (RunState.IDLE, Hint.NONE, 0)
    assert status.view is not None
    assert status.view.sharpness > 0


def test_a_field_is_taken_counted_and_the_next_one_waited_for(bench: Bench) -> None:
    bench.begin()
    assert bench.status.state is RunState.PREPARING
    bench.ask()
    counting = bench.show(FIELDS[0])
    assert isinstance(bench.answer(), Frame)
    assert (counting.state, counting.hint, counting.taken) == (RunState.COUNTING, Hint.MOVE_STAGE, 1)
    bench.decide()
    assert (bench.status.state, bench.status.sample) == (RunState.WAITING, SampleProgress("S-1", kept=1))
    bench.ask()
    assert bench.show(FIELDS[0]).taken == 1
    assert bench.show(FIELDS[1]).taken == 2
    assert isinstance(bench.answer(), Frame)


def test_nothing_is_taken_for_nobody(bench: Bench) -> None:
    bench.begin()
    assert bench.show(FIELDS[0], 20).taken == 0


def test_another_sample_may_begin_with_the_view_that_the_last_one_ended_with(bench: Bench) -> None:
    for taken in (1, 2):
        bench.begin()
        bench.ask()
        assert bench.show(FIELDS[0]).taken == taken
        bench.answer()
        bench.control.ended(RunEnd.FINISHED)


def test_a_paused_sample_takes_nothing_and_its_clock_stands_still(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    bench.show(FIELDS[0], 1)
    bench.control.pause()
    began = bench.control.now()
    status = bench.show(FIELDS[0], 20)
    assert (status.state, status.hint, status.taken) == (RunState.PAUSED, Hint.NONE, 0)
    assert bench.control.now() == began
    bench.control.pause()
    bench.control.resume()
    assert bench.show(FIELDS[0]).taken == 1
    assert bench.control.now() == pytest.approx(began + 10 * APART_S)


def test_take_now_takes_the_next_frame_of_a_view_that_was_counted(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    bench.show(FIELDS[0])
    bench.answer()
    bench.ask()
    assert bench.show(FIELDS[0]).taken == 1
    bench.control.take_now()
    assert bench.show(FIELDS[0], 1).taken == 2


def test_a_finished_sample_lets_the_source_end(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    bench.show(FIELDS[0], 1)
    bench.control.finish()
    assert bench.answer() is None
    assert bench.control.finished
    assert bench.show(FIELDS[0]).state is RunState.FINISHING
    with pytest.raises(CommandRefusedError, match="being finished"):
        bench.control.pause()
    bench.control.ended(RunEnd.FINISHED)
    assert (bench.status.state, bench.status.ended) == (RunState.IDLE, RunEnd.FINISHED)


def test_a_sample_that_is_finished_before_its_first_field_ends(bench: Bench) -> None:
    bench.begin()
    bench.control.finish()
    bench.ask()
    assert bench.answer() is None


def test_a_sample_that_is_finished_while_the_book_is_opened_ends(bench: Bench) -> None:
    bench.begin()
    bench.control.finish()
    bench.begin()  # by who counts
    bench.ask()
    assert bench.answer() is None
    bench.control.ended(RunEnd.FINISHED)
    bench.begin()
    bench.ask()
    assert bench.show(FIELDS[0]).taken == 1


def test_an_interrupted_source_ends_without_a_lock(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    with bench.control._changed:  # as if a signal came while it is held
        bench.control.interrupt()
    assert bench.answer() is None
    assert not bench.control.finished


def test_a_lost_camera_takes_the_place_of_a_field(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    bench.show(FIELDS[0], 1)
    bench.camera.lose("USB camera does not answer")
    status = bench.nothing()
    assert (status.hint, status.words) == (Hint.CAMERA_LOST, "USB camera does not answer")
    bench.now += 12
    bench.camera.come_back(12)
    bench.show(FIELDS[0], 1)
    assert bench.answer() == LostFrames("camera lost for 12 s: USB camera does not answer; opened again")
    bench.ask()
    assert bench.show(FIELDS[0]).taken == 1


def test_a_loss_counts_from_the_last_sound_frame_not_from_when_it_was_told(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    bench.show(FIELDS[0], 1)
    bench.camera.lose("gone")
    bench.nothing()
    bench.now += 5
    bench.camera.come_back(9)
    bench.show(FIELDS[0], 1)
    assert bench.answer() == LostFrames("camera lost for 9 s: gone; opened again")


def test_a_camera_that_is_lost_between_samples_is_none_of_their_business(bench: Bench) -> None:
    bench.camera.lose("gone")
    bench.nothing()
    bench.camera.come_back(3)
    bench.begin()
    bench.ask()
    assert bench.show(FIELDS[0]).taken == 1
    assert isinstance(bench.answer(), Frame)


def test_light_that_does_not_hold_is_no_stretch_without_the_camera(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    bench.camera.told.append(CameraEvent(0, bench.now, CameraTrouble.NOT_HELD, "exposure does not hold"))
    assert bench.show(FIELDS[0]).taken == 1
    assert isinstance(bench.answer(), Frame)
    bench.control.finish()
    bench.ask()
    assert bench.answer() is None


def test_a_sample_that_ends_without_the_camera_says_so_last(bench: Bench) -> None:
    bench.begin()
    bench.ask()
    bench.show(FIELDS[0], 1)
    bench.camera.lose("gone")
    bench.nothing()
    bench.now += 5
    bench.control.finish()
    assert bench.answer() == LostFrames("camera lost for 5 s: gone")
    bench.ask()
    assert bench.answer() is None


def test_a_camera_that_stays_away_for_longer_than_the_patience_ends_the_sample() -> None:
    bench = Bench(patience=60).begin()
    bench.ask()
    bench.camera.lose("USB camera does not answer")
    bench.nothing()
    bench.now += 61
    error = bench.answer()
    assert isinstance(error, CameraError)
    assert "does not answer; it has not come back for 61 s" in str(error)


def test_a_camera_that_is_closed_ends_the_wait(bench: Bench) -> None:
    bench.begin()
    bench.camera.state = CameraState.CLOSED
    bench.ask()
    assert isinstance(bench.answer(), CameraError)


def test_a_look_is_progress_only_while_no_field_is_under_way(bench: Bench) -> None:
    told: list[int] = []
    bench.control.progressed = lambda: told.append(bench.number)
    bench.begin()
    bench.ask()
    bench.show(FIELDS[0])
    bench.answer()
    looks = len(told)
    bench.show(FIELDS[0], 20)
    bench.nothing()
    assert len(told) == looks
    bench.decide()
    bench.show(FIELDS[0], 3)
    assert len(told) == looks + 4


def test_by_time_the_same_view_is_taken_again() -> None:
    bench = Bench(interval=1.0).begin()
    for taken in (1, 2, 3):
        bench.ask()
        assert bench.show(FIELDS[0]).taken == taken
        bench.answer()
        bench.decide()


@pytest.mark.parametrize("command", ["pause", "resume", "take_now", "finish"])
def test_commands_are_refused_between_samples(bench: Bench, command: str) -> None:
    with pytest.raises(CommandRefusedError, match="no sample is being counted"):
        getattr(bench.control, command)()
    bench.begin()
    bench.control.ended(RunEnd.COMPLETE)
    with pytest.raises(CommandRefusedError, match="no sample is being counted"):
        getattr(bench.control, command)()
