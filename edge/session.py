"""A run: outcomes in field order through gate, sample and outputs.

It ends when the source does, when a limit is reached, or when somebody stops it; the outputs are completed each time.

**A run that goes on** begins with the outcomes it had before (``Session.replay``). The state of gate, register, tally and stopping
rule is never stored: it is made again from the same outcomes in the same order, and so is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import methodcaller
from time import monotonic

from edge.deciding import Judge, NoteTaker, Placer
from edge.errors import CameraError, EdgeError, OutputError
from edge.events import AnalysedField, FieldEvent, Ledger, Outcome, Output, SampleEvent
from edge.modelfile import Card
from edge.sample import Sample
from edge.status import RunEnd
from edge.types import Overlap, SampleAppearance, Tally, Verdict
from edge.verdict.assess import Assessor
from edge.verdict.flag import decide
from edge.workers import Workers

_IDLE_S = 0.1  # seconds without an outcome: the book holds nothing back any longer


_STOPPED = "The count was stopped before its end: this is what its fields up to there hold."
_CHOSEN = "A person ended the count, before any limit of it."


@dataclass(frozen=True, slots=True)
class SampleLimits:
    """Where each sample ends.

    Attributes:
        cells: after the field in which this many cells are reached; None for no limit.
        fields: after this many inputs, rejected and unreadable ones included; None for no limit.
        several: whether further samples may follow; if not, the run ends with its first complete sample.
        seconds: after the field that comes this long after the sample began; None for no limit.
    """

    cells: int | None = None
    fields: int | None = None
    several: bool = False
    seconds: float | None = None

    def reached(self, sample: Sample, seconds: float) -> bool:
        """Whether the sample is complete, ``seconds`` after it began."""
        enough_cells = self.cells is not None and sample.cells >= self.cells
        enough_fields = self.fields is not None and sample.fields >= self.fields
        return enough_cells or enough_fields or (self.seconds is not None and seconds >= self.seconds)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    Attributes:
        fields: fields that were read.
        unreadable: inputs that were not.
        error: the failure that ended the run early, if any; what came before was delivered.
        how: how its last sample ended.
    """

    fields: int
    unreadable: int
    error: EdgeError | None
    how: RunEnd = field(default=RunEnd.COMPLETE, compare=False)


class Session:
    """Takes outcomes in field order and feeds the outputs.

    Args:
        card: of the classifier; gives the classes.
        outputs: get every event.
        gate: makes the gate of a new sample, or None to let every field count.
        limits: where a sample ends.
        assessor: judges samples by a calibration; one that looks after every field also ends a sample once it is decided.
        unit: what is counted, in words: ``cell``, or ``tile`` of a grid.
        register: makes the register of a new sample, which sets aside what an earlier field showed; None to let every cell count.
        doubts: says why a sample with this appearance cannot be judged; None: no sample is doubted.
        notes: makes who takes notes of a new sample's fields; None: nobody does.
        book: gets every event before the outputs do: what they show of a field is on the medium by then.
        chosen: whether a source that has ended did so because a person said that it is enough, perhaps for what the sample showed.
        clock: seconds by which samples last, where a run can pause: one that stands still meanwhile; None: the monotonic clock.
    """

    def __init__(
        self,
        card: Card,
        outputs: Sequence[Output],
        gate: Callable[[], Judge] | None,
        limits: SampleLimits | None = None,
        assessor: Assessor | None = None,
        *,
        unit: str = "cell",
        register: Callable[[], Placer] | None = None,
        doubts: Callable[[SampleAppearance], tuple[str, ...]] | None = None,
        notes: Callable[[], NoteTaker] | None = None,
        book: Ledger | None = None,
        chosen: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._book = book
        self._chosen = chosen
        self._run_clock = clock
        self._book_lost = False
        self._unshown: list[FieldEvent] = []
        self._card = card
        self._assessor = assessor
        self._unit = unit
        self._doubts = doubts
        self._outputs = list(outputs)
        self._error: EdgeError | None = None
        self._new_gate = gate
        self._new_register = register
        self._new_notes = notes
        self._limits = limits or SampleLimits()
        self._sample: Sample | None = None
        self._gate: Judge | None = None
        self._tally: Tally | None = None
        self._began: float | None = None
        self._last = self._seconds = 0.0
        self._alone = True
        self._register: Placer | None = None
        self._notes: NoteTaker | None = None
        self._complete: set[str] = set()
        self._budget_spent = False
        self._over = False
        self._before = 0.0
        self._fields = 0
        self._unreadable = 0

    def replay(self, outcomes: Iterable[Outcome]) -> None:
        """Take what an earlier part of this run had, in field order; call it before ``run``.

        Args:
            outcomes: from the book, each with ``seconds``; fields have no pixels.

        Raises:
            OutputError: an output failed; ``discard`` the session then.
        """
        for outcome in outcomes:
            self._take(outcome)
            if self._error is not None:
                raise self._error
            if self._over:
                return

    def run(self, workers: Workers) -> Ending:
        """Run to the end; a known error ends it early and is returned, after the sample so far was delivered."""
        for name in self._complete:
            workers.skip(name)
        if self._over:
            workers.stop()
        try:
            for outcome in workers.paced(None if self._book is None else _IDLE_S):
                if outcome is None:
                    self._show()
                    continue
                done = self._take(outcome)
                if done is not None:
                    workers.skip(done)
                if self._over or self._error is not None:
                    workers.stop()
        except EdgeError as caught:
            self._error = self._error or caught
        how = self.end(stopped=workers.stopped)
        return Ending(self._fields, self._unreadable, self._error, how)

    def end(self, *, stopped: bool = False) -> RunEnd:
        """Deliver the last sample and complete the outputs.

        Args:
            stopped: the source has not ended by itself.

        Returns:
            How the sample ended.
        """
        self._show()
        how = self._how(stopped=stopped)
        ran_out = self._error is None and not stopped and how is not RunEnd.FINISHED
        complete = self._budget_spent or ran_out
        self._finish(complete=complete, interrupted=how in (RunEnd.INTERRUPTED, RunEnd.FAILED), how=how)
        self._all(lambda output: output.close())
        return self._how(stopped=stopped) if self._error is not None else how

    def _how(self, *, stopped: bool) -> RunEnd:
        if self._error is not None and not self._over:
            return RunEnd.INTERRUPTED if isinstance(self._error, CameraError) else RunEnd.FAILED
        if self._over:
            return RunEnd.COMPLETE if self._budget_spent else RunEnd.DECIDED
        if stopped:
            return RunEnd.INTERRUPTED
        return RunEnd.FINISHED if self._chosen() else RunEnd.COMPLETE

    def discard(self) -> None:
        """After a defect of this program: leave no output that looks complete."""
        self._all(lambda output: output.discard())

    def _take(self, outcome: Outcome) -> str | None:
        """Take one outcome; returns the name of the sample if that is complete with it and others may follow."""
        name = outcome.result.sample if isinstance(outcome, AnalysedField) else outcome.sample
        if name in self._complete or self._book_lost:
            return None  # was under way when the limit was reached, or when the book could be written no more
        if self._sample is None or self._sample.name != name:
            if not self._show():
                return None
            self._finish(outcome.began, complete=True)
            self._began, self._before = None, 0.0
            self._alone = outcome.began is None or outcome.began >= self._last
            self._sample = Sample(name, self._card.labels)
            self._budget_spent = False
            self._gate = self._new_gate() if self._new_gate else None
            self._register = self._new_register() if self._new_register else None
            self._notes = self._new_notes() if self._new_notes else None
        self._clock(outcome)
        event = self._add(outcome, self._sample)
        if not self._kept_in_book(event):
            return None
        self._budget_spent = self._limits.reached(self._sample, event.seconds)
        if not (self._budget_spent or self._decided(event)) or not self._show():
            return None
        self._complete.add(name)
        if not self._limits.several:
            self._over = True
            return None
        self._finish(complete=self._budget_spent)
        return name

    def _clock(self, outcome: Outcome) -> None:
        """Set the sample's run time, ``outcome`` included: of what comes from the book as it was then, else what has passed since."""
        self._last = monotonic() if self._run_clock is None else self._run_clock()
        if outcome.seconds is not None:
            self._before, self._began = outcome.seconds, None
            self._alone = not self._limits.several  # whether others were under way is not known any more
            self._seconds = self._before
            return
        if self._began is None:
            self._began = self._last if outcome.began is None else outcome.began
        self._seconds = self._before + self._last - self._began

    def _kept_in_book(self, event: FieldEvent) -> bool:
        """Give the field to the book, and to the outputs once it is on the medium.

        Where that fails the run ends, and no output shows the field: it would not be there later.
        """
        if self._book is not None:
            try:
                self._book.field(event)
            except OutputError as error:
                self._error = self._error or error
                self._show()  # the fields before it may still be put there
                if self._book is not None:
                    self._book.discard()
                self._lose_book()
                return False
        self._unshown.append(event)
        return self._show() if self._book is None or self._book.settled else True

    def _show(self) -> bool:
        """Tell the outputs of the fields that waited for the book; False where it could not take them."""
        if self._book is not None and not self._told(self._book, self._book.settle):
            self._lose_book()
            return False
        for event in self._unshown:
            self._tally = event.tally
            self._each(methodcaller("field", event))
        self._unshown.clear()
        return True

    def _lose_book(self) -> None:
        self._book, self._book_lost = None, True
        self._unshown.clear()

    def _decided(self, event: FieldEvent) -> bool:
        if self._assessor is None or not self._assessor.every_look:
            return False
        return event.kept and self._assessor.decided(event.tally)

    def _add(self, outcome: Outcome, sample: Sample) -> FieldEvent:
        if isinstance(outcome, AnalysedField):
            result = outcome.result
            reason = self._gate.judge(result.quality) if self._gate else None
            overlaps: tuple[Overlap, ...] = ()
            if self._register is not None and reason is None:
                result, overlaps = self._register.place(result)
            if self._notes is not None and reason is None:
                self._notes.add(result)
            sample.add(result, reason)
            self._fields += 1
            return FieldEvent(
                result.index,
                sample.name,
                result.name,
                result,
                outcome.rgb,
                reason,
                sample.tally(),
                overlaps,
                analysed=outcome.result,
                seconds=self._seconds,
                identity=result.identity,
            )
        self._unreadable += 1
        sample.add_unreadable(outcome.name, outcome.reason)
        reason, identity = f"unreadable: {outcome.reason}", outcome.identity
        return FieldEvent(
            outcome.index,
            sample.name,
            outcome.name,
            None,
            None,
            reason,
            sample.tally(),
            seconds=self._seconds,
            identity=identity,
        )

    def _finish(
        self,
        next_began: float | None = None,
        *,
        complete: bool,
        interrupted: bool = False,
        how: RunEnd = RunEnd.COMPLETE,
    ) -> None:
        """Deliver the sample.

        Args:
            next_began: when the first field of the next one began to be read.
            complete: fields or budget ended the sample, which does not depend on what was counted as positive.
            interrupted: neither fields nor budget nor a decision ended it.
            how: it ended, where it is the last one.
        """
        if self._sample is None or self._tally is None:
            self._sample = None
            return
        tally, appearance = self._tally, self._sample.appearance()
        self._sample = self._tally = None
        alone = self._alone and (next_began is None or next_began >= self._last)
        verdict = self._verdict(tally, appearance, complete=complete)
        notes = self._notes.sentences() if self._notes else ()
        notes = (*notes, *([_STOPPED] if interrupted else [_CHOSEN] if how is RunEnd.FINISHED else []))
        event = SampleEvent(tally, verdict, self._seconds, alone, appearance, notes, interrupted)
        self._all(lambda output: output.sample(event))

    def so_far(self) -> Verdict | None:
        """What the sample would be judged as if it ended with the field shown last; None: nothing of it was shown yet.

        Goes through all of its fields. Without the last look that ``--until decided`` has at the end.
        """
        if self._sample is None or self._tally is None:
            return None
        once = self._assessor is None or not self._assessor.every_look
        return self._verdict(self._tally, self._sample.appearance(), complete=once)

    def _verdict(self, tally: Tally, appearance: SampleAppearance, *, complete: bool) -> Verdict:
        doubts = self._doubts(appearance) if self._doubts else ()
        doubts = (*doubts, *(self._notes.doubts() if self._notes else ()))
        return decide(tally, self._card, self._assessor, self._unit, complete=complete, doubts=doubts)

    def _all(self, tell: Callable[[Output], None]) -> None:
        """Tell the book, then every output."""
        if self._book is not None and not self._told(self._book, partial(tell, self._book)):
            self._book = None
        self._each(tell)

    def _each(self, tell: Callable[[Output], None]) -> None:
        """Tell every output; one that fails is dropped and ends the run, the others are still completed."""
        self._outputs = [output for output in self._outputs if self._told(output, partial(tell, output))]

    def _told(self, output: Output, tell: Callable[[], None]) -> bool:
        """Whether an output could be told; one that fails ends the run and is of no further use."""
        try:
            tell()
        except OutputError as error:
            self._error = self._error or error
            output.discard()
            return False
        return True
