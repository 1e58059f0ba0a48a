"""What a sample holds so far, made of the session's events: an output like any other, shown in the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from edge.control.run import RunControl
from edge.events import FieldEvent, SampleEvent
from edge.modelfile import Card
from edge.outputs.pace import EndConditions, Pace
from edge.status import LastField, SampleProgress, SeenCell
from edge.types import FieldResult, Tally, Verdict
from edge.verdict.interval import clopper_pearson

MOST_CELLS = 400
"""Cells of a field that a snapshot shows."""

_SHARE = 0.05  # of the time that the judgement so far may take


class ProgressOutput:
    """Tells run control of each field.

    The judgement so far is the one that the sample would get if it ended here by a person's choice. It takes the longer the more was
    counted, so it is made anew no oftener than leaves it a twentieth of the time.

    Attributes:
        judge: gives the verdict so far; None: there is none yet.

    Args:
        control: of the run.
        begun: the sample as it began.
        card: the classifier's.
        ends: limits that may end it, for the time left.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        control: RunControl,
        begun: SampleProgress,
        card: Card,
        ends: EndConditions,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._control = control
        self.judge: Callable[[], Verdict | None] = lambda: None
        self._card = card
        self._clock = clock
        self._pace = Pace(ends, control.now())
        self._sample = replace(begun, positive=tuple(card.positive))
        self._judge_again = float("-inf")

    def field(self, event: FieldEvent) -> None:
        """A field was decided, and is on the medium."""
        result, tally = event.result, event.tally
        now = self._control.now()
        self._pace.add(now, event.index + 1, tally.cells)
        if event.kept and self._clock() >= self._judge_again:
            self._judge_so_far()
        self._sample = replace(
            with_tally(self._sample, tally), seconds=event.seconds, seconds_left=self._pace.left(tally.cells)
        )
        last = None if result is None else last_field(event, result, self._card)
        self._control.decided(None if result is None else result.quality, event.reject_reason, last, self._sample)

    def sample(self, event: SampleEvent) -> None:
        """The sample has ended: what it holds, and its flag."""
        sample = with_tally(self._sample, event.tally)
        self._sample = replace(with_verdict(sample, event.verdict), seconds=event.seconds, seconds_left=None)
        self._control.board.change(sample=self._sample)

    def close(self) -> None:
        """Nothing to complete."""

    discard = close

    def _judge_so_far(self) -> None:
        began = self._clock()
        verdict = self.judge()
        if verdict is not None:
            self._sample = with_verdict(self._sample, verdict)
        now = self._clock()
        self._judge_again = now + (now - began) / _SHARE


def with_tally(sample: SampleProgress, tally: Tally) -> SampleProgress:
    """The sample with these counts."""
    positive = sum(tally.counts.get(label, 0) for label in sample.positive)
    share = clopper_pearson(positive, tally.cells)
    return replace(
        sample,
        counts=dict(tally.counts),
        cells=tally.cells,
        kept=tally.kept,
        left_out=dict(tally.rejected),
        lost=len(tally.unreadable),
        share=None if share.value is None else (share.value, share.low, share.high),
    )


def with_verdict(sample: SampleProgress, verdict: Verdict) -> SampleProgress:
    """The sample with this flag."""
    short = [finding.cells_short for finding in verdict.findings if finding.cells_short is not None]
    return replace(sample, flag=verdict.flag, reasons=tuple(verdict.reasons), cells_short=max(short) if short else None)


def last_field(event: FieldEvent, result: FieldResult, card: Card) -> LastField:
    """The field as a page shows it."""
    frame = result.metadata.get("frame")
    cells, labels = result.cells, card.labels
    seen = []
    for i in range(min(len(cells), MOST_CELLS)):
        x, y, w, h = (int(value) for value in cells.boxes[i])
        counted = int(result.classes[i]) >= 0
        label = labels[int(result.classes[i])] if counted else cells.kinds[int(cells.kind[i])]
        score = float(result.scores[i, int(result.classes[i])]) if counted else float(cells.confidence[i])
        positive = counted and label in card.positive
        seen.append(SeenCell((x, y, w, h), label, round(score, 4), positive, counted and event.kept))
    why = event.reject_reason or ""
    number = frame if isinstance(frame, int) else -1
    return LastField(event.index, number, (result.shape[1], result.shape[0]), tuple(seen), why)
