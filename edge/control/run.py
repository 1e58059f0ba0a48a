"""Run control: what is seen, what a person says and what becomes of the fields meet here, and make the snapshot that all show.

Several threads come in: the looker's, with each frame; the source's, which asks for the next field; the session's; and those of
whoever gives commands. A frame is taken as a field only while the source asks for one, so a slow count takes no field that has to
wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from edge.camera.records import Camera, CameraState, Frame, LostFrames
from edge.control.board import StatusBoard
from edge.control.looking import Looker
from edge.control.losses import Losses
from edge.control.records import CommandRefusedError
from edge.control.taking import Decision, Taker, TakingLimits
from edge.control.views import Eye, Seen
from edge.errors import CameraError
from edge.status import Hint, LastField, RunEnd, RunState, SampleProgress, View
from edge.types import Quality

NO_SAMPLE = "no sample is being counted: start one first"
"""Why most commands are refused between samples."""

_LOOK_AGAIN_S = 0.2  # seconds after which a source that waits looks whether it was interrupted


class RunControl:
    """Controls the samples of one camera, one after the other.

    Args:
        camera: open, or opening; ``close`` leaves it open.
        interval: seconds from one field to the next; None: a field is taken once it is new, still and sharp.
        patience: seconds without the camera after which a sample ends with CameraError; None: never.
        limits: thresholds of taking.
        clock: seconds, monotonic; the same that frames bear.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        interval: float | None = None,
        patience: float | None = None,
        limits: TakingLimits | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.board = StatusBoard(camera.name)
        self.progressed: Callable[[], None] = lambda: None
        """Called for each field that was decided, and for each look at the camera while none is under way: the run is alive."""
        self._camera = camera
        self._new_taker = partial(Taker, limits, interval)
        self._patience = patience
        self._clock = clock
        self._eye = Eye()
        self._looker = Looker(camera, self.board, self._see, self._nothing, clock)
        self._changed = threading.Condition()
        self._phase = RunState.PREPARING
        self._taker = self._new_taker()
        self._resting = (RunState.IDLE, Hint.NONE, "")  # state, hint and words of the newest frame
        self._asked = False
        self._field: Frame | None = None
        self._begun = False
        self._end: RunEnd | None = None
        self._interrupted = False
        self._losses = Losses(camera, clock())
        self._gaps: list[LostFrames] = []
        self._under_way = self._taken = 0
        self._paused_at: float | None = None
        self._paused = 0.0

    def start(self) -> None:
        """Begin to look at the camera."""
        self._looker.start()

    def ready(self) -> None:
        """All is loaded that samples need: the first one may begin."""
        with self._changed:
            self._phase = RunState.IDLE
            self.board.change(state=RunState.IDLE)

    def close(self) -> None:
        """Look no more; a source that waits for a field ends."""
        self.end(RunEnd.INTERRUPTED)
        self._looker.close()

    # A sample, from its beginning to its end

    def begin(self, sample: SampleProgress) -> None:
        """A sample begins: the book is opened, what an earlier part of it had is taken again. The taker knows nothing of it yet.

        May be called again before its first field: what a person said meanwhile stands.
        """
        with self._changed:
            again, self._begun = self._begun, True
            if not again:
                self._phase = RunState.PREPARING
                self._taker = self._new_taker()
                self._asked, self._field, self._end = False, None, None
                self._interrupted = False
                self._gaps.clear()
                self._losses = Losses(self._camera, self._clock())
                self._under_way = 0
                self._paused_at, self._paused = None, 0.0
        if not again:
            self._eye.forget()
            self.board.change(state=RunState.PREPARING, ended=None, last=None, failure="")
        self.board.change(sample=sample)

    def next_field(self) -> Frame | LostFrames | None:
        """The next field, or a stretch without the camera; None: the sample is to end. Waits for as long as that takes.

        Raises CameraError where the camera has stayed away for longer than ``patience``, or is closed.
        """
        with self._changed:
            if self._phase is RunState.PREPARING and self._end is None:
                self._phase = RunState.WAITING
            self._asked = True
            try:
                while True:
                    if self._gaps:
                        self._under_way += 1
                        return self._gaps.pop(0)
                    if self._end is not None or self._interrupted:
                        return self._rest()
                    if self._field is not None:
                        taken, self._field = self._field, None
                        return taken
                    self._check_patience()
                    self._changed.wait(_LOOK_AGAIN_S)
            finally:
                self._asked = False

    def end(self, how: RunEnd) -> None:
        """Let the source end: no field is taken any more, those under way are counted."""
        with self._changed:
            if self._end is None:
                self._end = how
            self._field = None if self._end is RunEnd.INTERRUPTED else self._field
            if self._phase not in (RunState.IDLE, RunState.PREPARING):
                self._phase = RunState.FINISHING
                self.board.change(state=RunState.FINISHING, hint=Hint.NONE, words="")
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Let the source end soon, by a signal: no lock is taken here."""
        self._interrupted = True

    @property
    def counting(self) -> bool:
        """Whether a sample has begun and not ended."""
        return self._begun

    @property
    def finished(self) -> bool:
        """Whether a person said that it is enough."""
        return self._end is RunEnd.FINISHED

    def ended(self, how: RunEnd, failure: str = "") -> None:
        """The sample's outputs are complete, or failed."""
        with self._changed:
            self._phase, self._begun = RunState.IDLE, False
            self._under_way = 0
        self.board.change(state=RunState.IDLE, hint=Hint.NONE, words="", ended=how, failure=failure)

    def decided(
        self, quality: Quality | None, reason: str | None, last: LastField | None, sample: SampleProgress
    ) -> None:
        """A field was decided by the session.

        Args:
            quality: its measures; None: it could not be read.
            reason: why it does not count; None: it does.
            last: the field; None: it is not known, or could not be read.
            sample: the sample with it.
        """
        with self._changed:
            self._under_way = max(0, self._under_way - 1)
            if quality is not None:
                self._taker.judged(quality, reason, newest=self._under_way == 0)
            now = self.board.status
            self.board.change(state=self._state(), sample=sample, last=last or now.last)
        self.progressed()

    def now(self) -> float:
        """Seconds by a clock that stands still while the sample is paused."""
        with self._changed:
            pause = 0.0 if self._paused_at is None else self._clock() - self._paused_at
            return self._clock() - self._paused - pause

    # What a person says

    def pause(self) -> None:
        """Take no more fields until ``resume``; raises CommandRefusedError."""
        with self._counting():
            if self._paused_at is None:
                self._paused_at = self._clock()
            self.board.change(state=self._state(), hint=Hint.NONE, words="")

    def resume(self) -> None:
        """Go on; raises CommandRefusedError."""
        with self._counting():
            if self._paused_at is not None:
                self._paused += self._clock() - self._paused_at
                self._paused_at = None
            self.board.change(state=self._state())

    def take_now(self) -> None:
        """Take the next frame; raises CommandRefusedError."""
        with self._counting():
            if self._paused_at is not None:
                raise CommandRefusedError("the sample is paused: go on with it first")
            self._taker.take_now()

    def finish(self) -> None:
        """It is enough; raises CommandRefusedError."""
        with self._counting():
            pass
        self.end(RunEnd.FINISHED)

    def _counting(self) -> threading.Condition:
        """The lock, while a sample is being counted; raises CommandRefusedError where none is."""
        if self._phase is RunState.FINISHING:
            raise CommandRefusedError("the sample is being finished")
        if not self.counting:
            raise CommandRefusedError(NO_SAMPLE)
        return self._changed

    # What is seen

    def _see(self, frame: Frame) -> None:
        seen = self._eye.see(frame.rgb, frame.at)
        with self._changed:
            self._note_losses()
            idle = self._phase in (RunState.IDLE, RunState.PREPARING, RunState.FINISHING)
            open_ = not idle and self._paused_at is None and self._end is None
            ready = open_ and self._asked and self._field is None and not self._gaps
            decision = self._taker.see(seen, frame.at, ready=ready)
            if decision.take:
                self._eye.taken()
                self._field = frame
                self._under_way += 1
                self._taken += 1
                self._changed.notify_all()
            hint, words = (decision.hint, decision.words) if open_ else (Hint.NONE, "")
            self._resting = (decision.state, hint, words)
            view, state = view_of(frame, seen, decision), self._state()
            self.board.change(state=state, hint=hint, words=words, view=view, taken=self._taken)
        self._look_is_progress()

    def _nothing(self) -> None:
        with self._changed:
            self._note_losses()
            if self._losses.words and self._phase is RunState.WAITING:
                self.board.change(hint=Hint.CAMERA_LOST, words=self._losses.words)
        self._look_is_progress()

    def _look_is_progress(self) -> None:
        if self._under_way == 0:
            self.progressed()

    def _state(self) -> RunState:
        """What the run is doing, as the newest frame and the fields under way have it."""
        if self._phase is not RunState.WAITING:
            return self._phase
        if self._paused_at is not None:
            return RunState.PAUSED
        if self._under_way and self._resting[0] is not RunState.FOCUSING:
            return RunState.COUNTING
        return self._resting[0] if self._resting[0] is RunState.FOCUSING else RunState.WAITING

    def _note_losses(self) -> None:
        """A stretch without the camera that has ended takes the place of a field."""
        ended = self._losses.look()
        if ended and self._phase is RunState.WAITING and self._end is None:
            self._gaps += ended
            self._changed.notify_all()

    def _rest(self) -> LostFrames | None:
        """The stretch without the camera in which the sample ends."""
        rest = self._losses.rest(self._clock())
        self._under_way += rest is not None
        return rest

    def _check_patience(self) -> None:
        if self._camera.state is CameraState.CLOSED:
            raise CameraError(f"{self._camera.name} is closed")
        gone = self._losses.gone(self._clock())
        if self._patience is not None and gone >= self._patience:
            raise CameraError(
                f"{self._losses.words}; it has not come back for {gone:.0f} s. What was counted is kept: "
                "look at cable and power, then go on with --resume"
            )


def view_of(frame: Frame, seen: Seen, decision: Decision) -> View:
    """What a snapshot says of a frame."""
    quality = seen.quality
    return View(
        frame=frame.number,
        sharpness=quality.sharpness,
        best=decision.best,
        needed=decision.needed,
        moved=seen.moved,
        still=decision.still,
        brightness=quality.brightness,
        over=quality.over,
        under=quality.under,
        histogram=seen.histogram,
    )
