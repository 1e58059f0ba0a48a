"""The watchdog over a camera process: pure, with the time given. ``edge.camera.link`` tells it what came and does as it says.

A camera hangs, dies or lies. It is told in one line, its process is killed, and it is opened again after a pause that grows, for
ever. Black frames and frames of one colour may be the lamp, torn ones what lies under the objective: there the process is killed
once, and after that it is left alone until pictures come again.
"""

from __future__ import annotations

import signal
from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from edge.camera.records import CameraEvent, CameraState, CameraTrouble

_REMEMBERED = 200  # events
_RECENT = 300  # frames, at most, of which the share of bad ones is looked at
_MIXED = 5  # times that a bad frame follows a sound one: no hiccup
_MIXED_OVER = 2.0  # times the patience with bad frames over which they are looked at
_MIXED_SHARE = 1 / 8  # of the recent frames
_USUAL = 8  # frames over whose distance in time a slow camera is known
_SLOW = 3.0  # times its usual distance without a frame
_LONGEST = 2.0  # times the patience without a frame, for a slow camera

_MAY_BE_THE_VIEW = frozenset(
    {CameraTrouble.BLACK, CameraTrouble.ONE_COLOUR, CameraTrouble.TORN, CameraTrouble.NOT_HELD}
)
_FRAMES_COME = _MAY_BE_THE_VIEW | {CameraTrouble.NOISE, CameraTrouble.FROZEN}
_REMEDY = {
    CameraTrouble.BLACK: "is the lamp on, and the lens cap off?",
    CameraTrouble.ONE_COLOUR: "look at lamp, cable and camera",
    CameraTrouble.TORN: "look at the cable, and use a port of its own",
    CameraTrouble.NOISE: "look at cable and camera",
    CameraTrouble.NOT_HELD: "look at exposure and lamp",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what is waited for, in seconds.

    Attributes:
        silent: without any word from a process whose camera is open.
        start: for the process to start, until it is told.
        step: for one step of opening the camera, until it is told; ``opening``: for either, until it is given up.
        frame: without a frame; a camera known to be slow gets three times its usual distance, up to twice this.
        bad: with bad frames alone.
        first_pause: before a camera is opened again; it doubles up to ``longest_pause``.
        sound: of good frames until the pauses begin anew.
    """

    silent: float = 5.0
    start: float = 8.0
    step: float = 5.0
    opening: float = 15.0
    frame: float = 4.0
    bad: float = 4.0
    first_pause: float = 0.5
    longest_pause: float = 60.0
    sound: float = 10.0


class WatchOrder(StrEnum):
    """What is to be done now."""

    NOTHING = "nothing"
    START = "start the camera process"
    KILL = "kill the camera process"


class CameraWatch:
    """Call ``order`` often, do what it says, and tell what comes. All times are of one monotonic clock, in seconds.

    Attributes:
        name: of the camera; it may change once the camera is open.
        state: how it stands.
        words: what is wrong, one line; empty: nothing.
        alive: whether there is a process.
        first_failure: why no frame came at first; None: frames came, or may still.
    """

    def __init__(self, patience: Patience, name: str) -> None:
        self.name = name
        self.state = CameraState.OPENING
        self.words = ""
        self.first_failure: str | None = None
        self._patience = patience
        self._events: deque[CameraEvent] = deque(maxlen=_REMEMBERED)
        self._count = 0
        self.alive = False
        self._ready = False
        self._due = float("-inf")
        self._pause = patience.first_pause
        self._heard = self._stepped = 0.0
        self._step: tuple[str, int] = ("", -1)
        self._last_sound: float | None = None
        self._sound_since: float | None = None
        self._lost_at: float | None = None
        self._told: CameraTrouble | None = None
        self._spared = False
        self._fresh_start()

    # What comes.

    def started(self, now: float) -> None:
        """The process was started."""
        self.alive = True
        self._heard = self._stepped = now
        self._fresh_start()

    def beat(self, now: float, stage: str, steps: int) -> None:
        """The process says what it is at, and how many steps it has done."""
        self._heard = now
        if (stage, steps) != self._step:
            self._step = (stage, steps)
            self._stepped = now

    def opened(self, now: float) -> None:
        """The camera is open: frames are due."""
        self._heard = self._stepped = self._last_frame = self._last_good = now
        self._ready = True

    def sound(self, now: float) -> None:
        """A sound frame came."""
        self._took(now)
        self._recent.append((now, None))
        self._last_good = now
        self._bad.clear()
        if self._mixed(now) is None:
            self._is_back(now)

    def bad(self, now: float, trouble: CameraTrouble, words: str) -> None:
        """A frame came that is not handed out."""
        self._took(now)
        if trouble is not CameraTrouble.FROZEN:  # cameras send a frame twice where light is low
            self._recent.append((now, trouble))
        self._bad[trouble] += 1
        self._bad_words[trouble] = words

    def note(self, now: float, trouble: CameraTrouble, words: str) -> None:
        """Something is to be told, and frames go on."""
        self._tell(now, trouble, f"{self.name} {words}")

    def failed(self, now: float, trouble: CameraTrouble, words: str) -> None:
        """The process says that the camera cannot be opened, or gives no more frames; it ends."""
        whole = trouble is CameraTrouble.CANNOT_OPEN or words.startswith(self.name)
        self._lose(now, trouble, words if whole else f"{self.name}: {words}")
        self._wait(now)

    def ended(self, now: float, code: int, said: str = "") -> None:
        """The process has ended by itself with this exit code (negative: the signal); ``said``: its last line."""
        if not self.alive:
            return
        how = _signal(-code) if code < 0 else f"exit code {code}"
        self._lose(
            now,
            CameraTrouble.DIED,
            f"is lost: its driver ended the camera process ({how})" + (f": {said}" if said else ""),
        )
        self._wait(now)

    def close(self) -> None:
        """The camera is given back for good."""
        self.state = CameraState.CLOSED
        self.alive = False

    # What is to be done.

    def order(self, now: float) -> WatchOrder:
        """What is to be done now. After ``KILL`` the process counts as gone."""
        if self.state is CameraState.CLOSED:
            return WatchOrder.NOTHING
        if not self.alive:
            return WatchOrder.START if now >= self._due else WatchOrder.NOTHING
        found = self._trouble(now)
        if found is None:
            return WatchOrder.NOTHING
        trouble, words, kill = found
        if not kill and not self._ready:
            self._tell_once(now, trouble, f"{self.name} {words}")  # it may still open
            return WatchOrder.NOTHING
        self._lose(now, trouble, words)
        if not kill:
            return WatchOrder.NOTHING
        self._wait(now)
        return WatchOrder.KILL

    def events(self, after: int = -1) -> tuple[CameraEvent, ...]:
        """What happened after the event of this number."""
        return tuple(one for one in self._events if one.number > after)

    # How it is told.

    def _trouble(self, now: float) -> tuple[CameraTrouble, str, bool] | None:
        """What is wrong, in words, and whether the process is to be killed for it."""
        patience = self._patience
        if not self._ready:
            waited = now - self._stepped
            if waited <= (patience.step if self._step[0] else patience.start):
                return None
            return CameraTrouble.NOT_ANSWERING, _after("does not answer", waited), waited > patience.opening
        if now - self._heard > patience.silent:
            return CameraTrouble.NOT_ANSWERING, _after("does not answer", now - self._heard), True
        if now - self._last_frame > self._frame_limit():
            return CameraTrouble.NO_FRAMES, _after("gives no frames", now - self._last_frame), True
        alone = self._bad.total() > 1 and now - self._last_good > patience.bad
        worst = self._bad.most_common(1)[0][0] if alone else self._mixed(now)
        if worst is None:
            return None
        spare = worst in _MAY_BE_THE_VIEW and self._spared
        self._spared = self._spared or worst in _MAY_BE_THE_VIEW
        return worst, self._said(worst), not spare

    def _mixed(self, now: float) -> CameraTrouble | None:
        """The commonest trouble where bad frames come among sound ones, for longer than a hiccup."""
        while self._recent and now - self._recent[0][0] > _MIXED_OVER * self._patience.bad:
            self._recent.popleft()
        troubles = [trouble for _, trouble in self._recent]
        bad = [trouble for trouble in troubles if trouble is not None]
        # one long stretch of bad frames that is over is no mixture
        turns = [at for (_, before), (at, trouble) in pairwise(self._recent) if before is None and trouble is not None]
        if (
            len(turns) < _MIXED
            or len(bad) < _MIXED_SHARE * len(troubles)
            or turns[-1] - turns[0] < self._patience.bad / 2
        ):
            return None
        return Counter(bad).most_common(1)[0][0]

    def _frame_limit(self) -> float:
        longest = _LONGEST * self._patience.frame
        if len(self._distances) < 2:
            return longest  # nothing is known of it yet
        usual = sorted(self._distances)[len(self._distances) // 2]
        return min(longest, max(self._patience.frame, _SLOW * usual))

    def _said(self, trouble: CameraTrouble) -> str:
        words = self._bad_words.get(trouble, "")
        return ": ".join(part for part in (str(trouble), words, _REMEDY.get(trouble, "")) if part)

    def _lose(self, now: float, trouble: CameraTrouble, words: str) -> None:
        if self.state is not CameraState.LOST and self._last_sound is not None:
            self._lost_at = self._last_sound
        if self._lost_at is None:
            self._lost_at = now
        self.state = CameraState.LOST
        self._sound_since = None
        line = words if trouble is CameraTrouble.CANNOT_OPEN or words.startswith(self.name) else f"{self.name} {words}"
        self.words = line
        if self._last_sound is None and self.first_failure is None and trouble not in _FRAMES_COME:
            self.first_failure = line
        self._tell_once(now, trouble, line)

    def _tell_once(self, now: float, trouble: CameraTrouble, line: str) -> None:
        if trouble is not self._told:
            self._told = trouble
            self._tell(now, trouble, line)

    def _is_back(self, now: float) -> None:
        if self._sound_since is None:
            self._sound_since = now
        if self._told is not None:
            gone = now - (self._lost_at if self._lost_at is not None else now)
            self._tell(now, None, f"{self.name} is back after {gone:.0f} s", gone)
        self._told, self._lost_at = None, None
        self._last_sound = now
        self.state, self.words = CameraState.RUNNING, ""
        if now - self._sound_since >= self._patience.sound:
            self._pause = self._patience.first_pause
            self._spared = False

    def _tell(self, now: float, trouble: CameraTrouble | None, words: str, seconds: float = 0.0) -> None:
        self._events.append(CameraEvent(self._count, now, trouble, words, seconds))
        self._count += 1

    def _wait(self, now: float) -> None:
        self.alive = self._ready = False
        self._due = now + self._pause
        self._pause = min(2 * self._pause, self._patience.longest_pause)

    def _took(self, now: float) -> None:
        self._heard = self._stepped = now
        self._distances.append(now - self._last_frame)
        self._last_frame = now

    def _fresh_start(self) -> None:
        self._ready = False
        self._step = ("", -1)
        self._last_frame = self._last_good = 0.0
        self._distances: deque[float] = deque(maxlen=_USUAL)
        self._recent: deque[tuple[float, CameraTrouble | None]] = deque(maxlen=_RECENT)
        self._bad: Counter[CameraTrouble] = Counter()
        self._bad_words: dict[CameraTrouble, str] = {}


def _after(words: str, seconds: float) -> str:
    return f"{words} after {seconds:.0f} s"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
