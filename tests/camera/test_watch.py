"""The watchdog, with a clock of the test's own: what is told, when the process is killed, when it is started again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.camera.records import CameraState, CameraTrouble
from edge.camera.watch import CameraWatch, Patience, WatchOrder

T = CameraTrouble
START, KILL = WatchOrder.START, WatchOrder.KILL


class Bench:
    """A watch, its clock, and a process that does as it is told. ``lines`` are what was told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.watch = CameraWatch(Patience(), "USB camera 0")
        self.starts: list[float] = []
        self.kills: list[float] = []

    def obey(self) -> None:
        order = self.watch.order(self.now)
        if order is START:
            self.starts.append(self.now)
            self.watch.started(self.now)
        elif order is KILL:
            self.kills.append(self.now)

    def open(self) -> Bench:
        self.obey()
        self.watch.beat(self.now, "opening", 3)
        self.watch.opened(self.now)
        return self

    def run(self, seconds: float, each: Callable[[Bench], None], every: float = 0.1) -> Bench:
        """Call ``each`` every so often, with a heartbeat and a look at the watch."""
        until = self.now + seconds
        while self.now < until:
            self.now += every
            self.watch.beat(self.now, "reading", int(self.now * 10))
            each(self)
            self.obey()
        return self

    @property
    def lines(self) -> list[str]:
        return [one.words for one in self.watch.events()]


def sound(bench: Bench) -> None:
    bench.watch.sound(bench.now)


def silent(_: Bench) -> None:
    pass


def bad(trouble: CameraTrouble) -> Callable[[Bench], None]:
    return lambda bench: bench.watch.bad(bench.now, trouble, "")


def now_and_then(trouble: CameraTrouble, every: int) -> Callable[[Bench], None]:
    def each(bench: Bench) -> None:
        (bad(trouble) if round(bench.now * 10) % every == 0 else sound)(bench)

    return each


def test_a_camera_that_gives_sound_frames_runs_and_nothing_is_told() -> None:
    bench = Bench().open()
    assert bench.watch.state is CameraState.OPENING
    bench.run(600, sound)
    assert (bench.watch.state, bench.lines, bench.kills) == (CameraState.RUNNING, [], [])


@pytest.mark.parametrize("trouble", [T.WRONG_SIZE, T.WRONG_FORMAT, T.TORN, T.BLACK, T.ONE_COLOUR, T.FROZEN, T.NOISE])
def test_bad_frames_alone_are_told_within_ten_seconds_and_the_process_is_killed(trouble: CameraTrouble) -> None:
    bench = Bench().open().run(5, sound)
    began = bench.now
    bench.run(10, bad(trouble))
    (told,) = bench.watch.events()
    assert told.trouble is trouble
    assert told.words.startswith(f"USB camera 0 {trouble}")
    assert told.at - began < 10
    assert bench.kills
    assert bench.watch.state is CameraState.LOST


@pytest.mark.parametrize("every", [2, 3])
@pytest.mark.parametrize("trouble", [T.WRONG_SIZE, T.WRONG_FORMAT, T.TORN, T.BLACK])
def test_bad_frames_among_sound_ones_are_told_too(trouble: CameraTrouble, every: int) -> None:
    bench = Bench().open().run(5, sound).run(10, now_and_then(trouble, every))
    assert bench.watch.events()[0].trouble is trouble
    assert bench.kills


QUIET: dict[str, tuple[Callable[[Bench], None], float]] = {
    "a bad frame in twenty": (now_and_then(T.TORN, 20), 0.1),
    "each frame twice": (now_and_then(T.FROZEN, 2), 0.1),
    "a frame every two seconds": (sound, 2.0),
    "a frame a second": (sound, 1.0),
}


@pytest.mark.parametrize("case", QUIET)
def test_a_sound_camera_that_only_looks_bad_is_left_alone(case: str) -> None:
    each, every = QUIET[case]
    bench = Bench().open().run(120, each, every)
    assert (bench.lines, bench.kills) == ([], [])


def test_no_frames_are_told_though_the_process_says_that_it_lives() -> None:
    bench = Bench().open().run(5, sound).run(5, silent)
    assert bench.lines == ["USB camera 0 gives no frames after 4 s"]
    assert len(bench.kills) == 1


def test_a_process_that_says_nothing_is_told_and_killed() -> None:
    bench = Bench().open().run(5, sound)
    bench.watch.sound(bench.now)
    bench.now += 5.1
    bench.obey()
    assert bench.watch.events()[0].trouble is T.NOT_ANSWERING
    assert bench.kills


def test_an_opening_that_goes_on_is_waited_for_and_one_that_hangs_is_not() -> None:
    bench = Bench()
    bench.obey()
    for step in range(60):  # a minute in steps of one second
        bench.now += 1
        bench.watch.beat(bench.now, "opening", step)
        bench.obey()
    assert bench.lines == []
    told = 0
    for second in range(1, 20):
        bench.now += 1
        bench.watch.beat(bench.now, "opening", 59)
        bench.obey()
        told = told or second * len(bench.lines)
    assert 0 < told < 10  # told early, killed only when no camera takes so long
    assert bench.watch.events()[0].trouble is T.NOT_ANSWERING
    assert len(bench.kills) == 1
    assert bench.watch.first_failure is not None


ENDS = {
    "a signal": (-6, "is lost: its driver ended the camera process (SIGABRT): last words"),
    "an exit code": (3, "is lost: its driver ended the camera process (exit code 3): last words"),
    "an unknown signal": (-200, "is lost: its driver ended the camera process (signal 200): last words"),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_process_that_ends_is_told_with_how(case: str) -> None:
    code, words = ENDS[case]
    bench = Bench().open().run(5, sound)
    bench.watch.ended(bench.now, code, "last words")
    assert bench.lines == [f"USB camera 0 {words}"]


def test_pauses_grow_to_a_minute_for_ever_and_begin_anew_after_sound_frames() -> None:
    bench = Bench().open().run(20, sound)

    def dies(bench: Bench) -> None:
        if len(bench.starts) > len(bench.kills):
            bench.kills.append(bench.now)
            bench.watch.ended(bench.now, -6)

    bench.kills.clear()
    bench.run(600, dies)
    pauses = [later - earlier for earlier, later in zip(bench.kills, bench.starts[1:], strict=False)]
    assert pauses[0] < 1
    assert pauses == sorted(pauses)
    assert 59 < pauses[-1] < 61
    assert len(bench.lines) == 1  # told once, not at each attempt
    bench.run(70, sound)
    assert bench.watch.state is CameraState.RUNNING
    bench.watch.ended(bench.now, -6)
    bench.run(2, silent)
    assert bench.starts[-1] > bench.now - 2


def test_when_it_is_back_it_is_told_for_how_long_it_was_gone() -> None:
    bench = Bench().open().run(5, sound)
    bench.watch.ended(bench.now, -6)
    bench.run(7, silent)
    bench.watch.opened(bench.now)
    bench.run(1, sound)
    back = bench.watch.events()[-1]
    assert back.trouble is None
    assert back.words == "USB camera 0 is back after 7 s"
    assert back.seconds == pytest.approx(7, abs=0.5)
    assert bench.watch.words == ""


def test_for_black_frames_it_is_killed_once_and_then_left_until_there_is_light() -> None:
    bench = Bench().open().run(5, sound)

    def dark(bench: Bench) -> None:
        if bench.watch.alive:
            if not bench.watch._ready:
                bench.watch.opened(bench.now)
            bench.watch.bad(bench.now, T.BLACK, "")

    bench.run(300, dark)
    assert len(bench.kills) == 1
    assert len(bench.lines) == 1
    assert "is the lamp on" in bench.lines[0]
    bench.run(1, sound)
    assert bench.watch.state is CameraState.RUNNING


def test_the_first_failure_is_one_of_no_frames_not_of_the_view() -> None:
    dark = Bench().open().run(10, bad(T.BLACK))
    assert dark.watch.first_failure is None
    gone = Bench()
    gone.obey()
    gone.watch.failed(gone.now, T.CANNOT_OPEN, "no camera answers")
    assert gone.watch.first_failure == "no camera answers"


def test_after_closing_nothing_is_done_any_more() -> None:
    bench = Bench().open().run(5, sound)
    bench.watch.close()
    bench.now += 100
    bench.obey()
    assert (bench.watch.state, bench.kills) == (CameraState.CLOSED, [])


def test_another_light_is_told_while_frames_go_on() -> None:
    bench = Bench().open().run(5, sound)
    bench.watch.note(bench.now, T.NOT_HELD, "does not hold: the picture is 40 % darker")
    bench.run(5, sound)
    assert bench.lines == ["USB camera 0 does not hold: the picture is 40 % darker"]
    assert (bench.watch.state, bench.kills) == (CameraState.RUNNING, [])
