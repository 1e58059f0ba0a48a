"""A camera whose time is pressed together: driver, faults, checks and watchdog are the runner's own, the clock is not.

It stands for ``edge.camera.child`` and ``edge.camera.link``, which live by the machine's clock and by processes. A process that is
killed here is an exception that unwinds the driver's call; everything that decides (formats, checks of frames, watchdog, what stays
on the bench) is what runs on the device.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.camera.faults import Faulty
from edge.camera.formats import BadFrameError, FrameConverter
from edge.camera.kept import KeptBench
from edge.camera.looks import FrameChecker
from edge.camera.records import CameraEvent, CameraFacts, CameraSpec, CameraState, CameraTrouble, Frame, Preview
from edge.camera.virtual.driver import VirtualMicroscope
from edge.camera.watch import CameraWatch, Patience
from edge.errors import CameraError

_TICK_S: Final = 0.1  # seconds between two looks of the watchdog
_OPENS_S: Final = 1.0  # seconds from the start of a process to its first frame
_HICCUPS: Final = 3  # as edge.camera.child has it
_LATEST_FPS: Final = 15.0  # frames per second that the process hands over at most


class ProcessEndedError(Exception):
    """The camera process was killed or has died; ``code`` is its exit code, None: the watchdog killed it."""

    def __init__(self, code: int | None) -> None:
        super().__init__("the camera process has ended")
        self.code = code


class PressedClock:
    """Seconds that pass when somebody waits for them; ``tick`` is called every tenth of a second of a wait."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tick: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        """Now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait; ``tick`` may end that by an exception."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + _TICK_S)
            self.tick()


class Witness:
    """A ``CameraDriver`` that remembers the frame it gave last, before a fault could falsify it."""

    def __init__(self, driver: VirtualMicroscope) -> None:
        self._driver = driver
        self.mark = 0

    @property
    def facts(self) -> CameraFacts:
        """The driver's."""
        return self._driver.facts

    def read(self) -> tuple[NDArray[Any], Mapping[str, object]]:
        """The driver's frame."""
        raw, seen = self._driver.read()
        self.mark = mark_of(raw)
        return raw, seen

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        """The driver's."""
        self._driver.command(name, values)

    def release(self) -> None:
        """The driver's."""
        self._driver.release()


def mark_of(frame: NDArray[Any]) -> int:
    """A number that two different frames do not share."""
    return zlib.crc32(np.ascontiguousarray(frame).data)


class PressedCamera:
    """A ``Camera`` by a pressed clock.

    Attributes:
        clock: of it all.
        falsified: numbers of the frames handed out that a fault had changed, with the fault.
        openings: times that the camera was opened.
    """

    def __init__(self, spec: CameraSpec, patience: Patience | None = None) -> None:
        self.name = "virtual microscope"
        self.clock = PressedClock()
        self.clock.tick = self._tick
        self.falsified: dict[int, str] = {}
        self.openings = 0
        self._spec = spec
        self._watch = CameraWatch(patience or Patience(), self.name)
        self._faulty: Faulty | None = None
        self._witness: Witness | None = None
        self._frame: Frame | None = None
        self._kept = KeptBench(spec)
        self._fault = ""
        self._steps = self._missed = self._next = 0
        self._facts: CameraFacts | None = None

    @property
    def state(self) -> CameraState:
        """How it stands."""
        return self._watch.state

    @property
    def facts(self) -> CameraFacts | None:
        """What was read back."""
        return self._facts

    def take(self, *, after: int = -1, timeout: float = 1.0) -> Frame | None:
        """The newest sound frame, once time has passed until it comes; None: none came within ``timeout`` seconds."""
        until = self.clock.now + timeout
        while self.clock.now < until:
            try:
                self._go_on()
            except ProcessEndedError as ended:
                self._faulty = None
                if ended.code is not None:
                    self._watch.ended(self.clock.now, ended.code)
            if self._frame is not None and self._frame.number > after and self.state is CameraState.RUNNING:
                return self._frame
        return None

    def preview(self, *, after: int = -1) -> Preview | None:
        """None: nobody looks."""
        del after
        return None

    def events(self, *, after: int = -1) -> tuple[CameraEvent, ...]:
        """What happened."""
        return self._watch.events(after)

    def command(self, name: str, **values: float | str) -> None:
        """Ask something of the driver."""
        self._kept.commanded(name, values, self.clock.now, passed=self._faulty is not None)
        if name == "fault":
            self._fault = str(values["kind"])
        if self._faulty is not None:
            self._faulty.command(name, values)

    def close(self) -> None:
        """Give the camera back."""
        self._watch.close()

    def _go_on(self) -> None:
        # By its name: what the watchdog orders is another type in another version.
        order = self._watch.order(self.clock.now).name
        if order == "KILL":
            raise ProcessEndedError(None)
        if order == "START":
            self._open()
        elif self._faulty is None:
            self.clock.sleep(_TICK_S)
        else:
            self._read(self._faulty)

    def _tick(self) -> None:
        """What goes on while the driver's call lasts: the process's other thread speaks, and the watchdog looks."""
        if self._faulty is None:
            return
        self._watch.beat(self.clock.now, "reading", self._steps)
        if self._watch.order(self.clock.now).name == "KILL":
            raise ProcessEndedError(None)

    def _open(self) -> None:
        self.openings += 1
        self._watch.started(self.clock.now)
        self.clock.sleep(_OPENS_S)
        self._witness = Witness(VirtualMicroscope(self._kept.spec(), clock=self.clock, sleep=self.clock.sleep))
        self._faulty = Faulty(self._witness, clock=self.clock, sleep=self.clock.sleep, end=self._die)
        for name, values in self._kept.again(self.clock.now):
            self._faulty.command(name, values)
        self._facts = self._faulty.facts
        self._converter = FrameConverter(self._facts.format, self._facts.size)
        self._checker = FrameChecker()
        self._missed = 0
        self._watch.opened(self.clock.now)

    def _read(self, driver: Faulty) -> None:
        began = self.clock.now
        try:
            raw, seen = driver.read()
        except CameraError as error:
            self._missed += 1
            self._steps += 1
            if self._missed >= _HICCUPS:
                self._fail(str(error))
        except RuntimeError as error:
            self._fail(str(error))
        else:
            self._missed = 0
            self._steps += 1
            self._check(raw, seen)
        self.clock.sleep(max(0.0, began + 1 / _LATEST_FPS - self.clock.now))

    def _check(self, raw: NDArray[Any], seen: Mapping[str, object]) -> None:
        rgb = np.empty((*reversed(self._spec.size), 3), np.uint8)
        now = self.clock.now
        try:
            self._converter.convert(raw, rgb)
            self._checker.check(rgb)
        except BadFrameError as error:
            self._watch.bad(now, error.trouble, error.words)
            return
        self._kept.seen(seen)
        self._frame = Frame(rgb, self._next, now, now, dict(seen))
        if self._witness is not None and mark_of(raw) != self._witness.mark:
            self.falsified[self._next] = self._fault
        self._next += 1
        self._watch.sound(now)

    def _fail(self, words: str) -> None:
        self._faulty = None
        self._watch.failed(self.clock.now, CameraTrouble.NO_FRAMES, words)

    @staticmethod
    def _die(number: int) -> None:
        raise ProcessEndedError(-number)
