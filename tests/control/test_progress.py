"""What a snapshot says of a sample, made of the session's events."""

from __future__ import annotations

import pytest

from edge.control.progress import MOST_CELLS, ProgressOutput
from edge.control.run import RunControl
from edge.control.taking import Taker
from edge.outputs.pace import EndConditions
from edge.status import SampleProgress
from edge.types import Finding, Interval, Quality, Verdict
from tests.control.cameras import ShownCamera, blobs
from tests.fakes import CARD, result
from tests.outputs import events


class NoTaker(Taker):
    """What it is told of fields, whose thumbnails are empty here, does not matter."""

    def judged(self, quality: Quality, reason: str | None, *, newest: bool = True) -> None:
        pass


class Judged:
    """An output whose judgement takes a second of its clock."""

    def __init__(self) -> None:
        self.now, self.asked = 100.0, 0
        self.control = RunControl(ShownCamera(lambda _: blobs(1)), clock=lambda: self.now)
        begun = SampleProgress("s", "a note")
        self.control.begin(begun)
        self.control._taker = NoTaker()
        self.output = ProgressOutput(self.control, begun, CARD, EndConditions(), clock=lambda: self.now)
        self.output.judge = self.judge

    def judge(self) -> Verdict:
        self.asked += 1
        self.now += 1.0
        share = Interval(0.01, 0.0, 0.02)
        short = [Finding("parasitized", 1, 100, "indeterminate", 3, None, None, share, 0.1, n) for n in (None, 1900)]
        return Verdict("indeterminate", ("Not enough.",), {}, tuple(short))

    @property
    def sample(self) -> SampleProgress:
        sample = self.control.board.status.sample
        assert sample is not None
        return sample


def test_counts_share_flag_and_what_is_short_are_shown() -> None:
    judged = Judged()
    judged.output.field(events.kept())
    sample, last = judged.sample, judged.control.board.status.last
    assert (sample.name, sample.notes, sample.positive) == ("s", "a note", ("parasitized",))
    assert sample.cells == sum(sample.counts.values())
    assert (sample.flag, sample.reasons, sample.cells_short) == ("indeterminate", ("Not enough.",), 1900)
    assert sample.share is not None
    assert sample.share[1] <= sample.share[0] <= sample.share[2]
    assert last is not None
    assert last.why_not == ""
    assert [cell.counted for cell in last.cells] == [cell.label in ("uninfected", "parasitized") for cell in last.cells]
    assert all(cell.positive == (cell.label == "parasitized") for cell in last.cells)


@pytest.mark.parametrize("event", [events.rejected(), events.unreadable()], ids=["rejected", "unreadable"])
def test_a_field_that_does_not_count_says_why(event: object) -> None:
    judged = Judged()
    judged.output.field(event)  # type: ignore[arg-type]
    sample, last = judged.sample, judged.control.board.status.last
    assert judged.asked == 0
    assert sample.kept == event.tally.kept  # type: ignore[attr-defined]
    if last is not None:
        assert last.why_not
        assert not any(cell.counted for cell in last.cells)


def test_the_judgement_takes_a_twentieth_of_the_time_at_most() -> None:
    judged = Judged()
    for _ in range(100):
        judged.now += 1.0
        judged.output.field(events.kept())
    assert judged.asked == 5


def test_a_sample_that_ends_has_the_flag_that_it_was_given() -> None:
    judged = Judged()
    judged.output.field(events.kept())
    ended = events.sample()
    judged.output.sample(ended)
    assert (judged.sample.flag, judged.sample.cells) == (ended.verdict.flag, ended.tally.cells)
    assert judged.sample.seconds_left is None


def test_a_field_with_more_cells_than_a_page_shows_is_cut_off() -> None:
    judged = Judged()
    judged.output.field(events.field(result([0] * (MOST_CELLS + 50))))
    last = judged.control.board.status.last
    assert last is not None
    assert len(last.cells) == MOST_CELLS
