from __future__ import annotations

from threading import Timer
from time import monotonic

import numpy as np
import pytest

from edge.analysis import Analyser
from edge.errors import CameraError, OutputError
from edge.outputs import FieldEvent, SampleEvent
from edge.overlap import Register
from edge.pixels import Image
from edge.session import Ending, SampleLimits, Session
from edge.types import Cells, Finding, Overlap, Tally
from edge.verdict.assess import Assessor
from edge.workers import Workers
from tests.fakes import CARD, FakeClassifier, FakeFinder, FakeSource, RejectEvery, TwoSamples, quality
from tests.verdict.made import calibration


class Recorder:
    """An output that remembers, and fails at a given field if asked to."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.fields: list[FieldEvent] = []
        self.samples: list[SampleEvent] = []
        self.ended: list[str] = []
        self.fail_at = fail_at

    def field(self, event: FieldEvent) -> None:
        if event.index == self.fail_at:
            raise OutputError("disk full")
        self.fields.append(event)

    def sample(self, event: SampleEvent) -> None:
        self.samples.append(event)

    def close(self) -> None:
        self.ended.append("closed")

    def discard(self) -> None:
        self.ended.append("discarded")


class Asked:
    """An assessor that remembers whether samples were complete, and decides at so many cells."""

    every_look = True

    def __init__(self, at: int) -> None:
        self.at = at
        self.complete: list[bool] = []
        self.judge = Assessor(calibration(), 0.005)
        self.calibration, self.target, self.level = self.judge.calibration, 0.005, 0.95

    def decided(self, tally: Tally) -> bool:
        return tally.cells >= self.at

    def findings(self, tally: Tally, *, complete: bool) -> tuple[Finding, ...]:
        self.complete.append(complete)
        return self.judge.findings(tally)

    def at_one_look(self, tally: Tally) -> tuple[Finding, ...]:
        return self.judge.findings(tally)


ENDS = {
    "its fields end": (FakeSource([11] * 4), SampleLimits(), 1000, [True]),
    "its budget is spent": (FakeSource([11], endless=True), SampleLimits(cells=30), 1000, [True]),
    "it is decided": (FakeSource([11], endless=True), SampleLimits(cells=90), 30, [False]),
    "it is decided as its budget is spent": (FakeSource([11], endless=True), SampleLimits(fields=3), 30, [True]),
    "the camera fails": (FakeSource([11, 11, None]), SampleLimits(), 1000, [False]),
    "the next sample begins": (TwoSamples([11] * 6), SampleLimits(several=True), 1000, [True, True]),
    "the first of two is decided": (TwoSamples([11] * 6), SampleLimits(several=True), 20, [False, False]),
}


@pytest.mark.parametrize("name", ENDS)
def test_only_a_sample_that_ends_with_its_fields_or_its_budget_is_complete(name: str) -> None:
    source, limits, at, complete = ENDS[name]
    asked = Asked(at)
    with Workers(source, [Analyser(FakeFinder(), FakeClassifier(), gauge=quality)]) as threads:
        Session(CARD, [], None, limits, asked).run(threads)  # type: ignore[arg-type]
    assert asked.complete == complete


def test_a_run_that_is_stopped_is_not_complete() -> None:
    asked = Asked(10**6)
    with Workers(
        FakeSource([11], endless=True, delay=0.02), [Analyser(FakeFinder(), FakeClassifier(), gauge=quality)]
    ) as threads:
        Timer(0.3, threads.stop).start()  # as Ctrl-C does
        Session(CARD, [], None, None, asked).run(threads)  # type: ignore[arg-type]
    assert asked.complete == [False]


def run(
    source: FakeSource,
    *outputs: Recorder,
    workers: int = 2,
    reject: int | None = None,
    limits: SampleLimits | None = None,
) -> Ending:
    analysers = [Analyser(FakeFinder(), FakeClassifier(), gauge=quality) for _ in range(workers)]
    gate = (lambda: RejectEvery(reject)) if reject else None
    with Workers(source, analysers) as threads:
        return Session(CARD, list(outputs), gate, limits).run(threads)


def test_fields_are_judged_and_added_up_in_order() -> None:
    out = Recorder()
    ending = run(FakeSource([3, 4, 5, 6], slow=0), out, reject=2)
    assert [e.reject_reason for e in out.fields] == [None, "out of focus", None, "out of focus"]
    assert [e.tally.cells for e in out.fields] == [2, 2, 6, 6]  # one thing per field is set aside
    (sample,) = out.samples
    assert sample.tally.counts == {"uninfected": 4, "parasitized": 2}
    assert sample.verdict.flag == "uncalibrated"
    assert (ending.fields, ending.unreadable, ending.error) == (4, 0, None)
    assert out.ended == ["closed"]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_limit_of_cells_ends_the_sample_after_the_field_that_reaches_it(workers: int) -> None:
    out = Recorder()
    run(FakeSource([11], endless=True), out, workers=workers, reject=3, limits=SampleLimits(cells=35))
    # 10 cells a field, the third is rejected: reached with the fifth field
    assert [e.index for e in out.fields] == [0, 1, 2, 3, 4]
    assert out.samples[0].tally.cells == 40


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_limit_of_fields_counts_rejected_and_unreadable_ones(workers: int) -> None:
    out = Recorder()
    run(FakeSource([3, "broken", 3], endless=True), out, workers=workers, reject=2, limits=SampleLimits(fields=4))
    assert len(out.fields) == 4


def test_a_full_sample_does_not_end_the_next_one() -> None:
    out = Recorder()
    run(TwoSamples([11] * 40), out, limits=SampleLimits(cells=20, several=True))
    assert [(s.tally.sample, s.tally.cells) for s in out.samples] == [("a", 20), ("b", 20)]
    assert len(out.fields) == 4


def test_a_samples_seconds_begin_with_its_first_field_though_workers_read_ahead() -> None:
    out = Recorder()
    run(TwoSamples([3] * 8, slow=0), out, workers=4)  # while the first field loads, all others are read
    a, b = out.samples
    assert b.seconds > 0.08  # and not the moment from the end of a
    assert a.seconds > 0.08
    assert (a.alone, b.alone) == (False, False)


def test_samples_one_after_the_other_have_their_time_to_themselves() -> None:
    out = Recorder()
    began = monotonic()
    run(TwoSamples([3] * 8, delay=0.01), out, workers=1)
    whole = monotonic() - began
    both = FakeSource([3] * 8, delay=0.01)
    single = Recorder()
    run(both, single, workers=4)
    assert [s.alone for s in single.samples] == [True]
    seconds = [sample.seconds for sample in out.samples]
    assert min(seconds) > 0.03  # four fields of 0.01 s each
    assert sum(seconds) <= whole  # none holds the other's time


def test_every_sample_has_its_own_gate_and_tally() -> None:
    out = Recorder()
    run(TwoSamples([3] * 6), out, reject=3)
    assert [(s.tally.sample, s.tally.kept, s.tally.rejected) for s in out.samples] == [
        ("a", 2, {"out of focus": 1}),
        ("b", 2, {"out of focus": 1}),
    ]


def test_unreadable_inputs_are_named_and_the_run_goes_on() -> None:
    out = Recorder()
    ending = run(FakeSource([3, "not an image", 3]), out)
    assert (ending.fields, ending.unreadable) == (2, 1)
    assert out.fields[1].reject_reason == "unreadable: field-1.png: not an image"
    assert not out.fields[1].kept
    assert out.samples[0].tally.unreadable[0][0] == "field-1.png"


def test_an_unplugged_camera_still_gives_the_sample_so_far() -> None:
    out = Recorder()
    ending = run(FakeSource([3, 3, None]), out)
    assert isinstance(ending.error, CameraError)
    assert out.samples[0].tally.kept == 2
    assert out.ended == ["closed"]


def test_an_output_that_fails_ends_the_run_and_the_others_are_completed() -> None:
    bad, good = Recorder(fail_at=2), Recorder()
    ending = run(FakeSource([3], endless=True), bad, good)
    assert isinstance(ending.error, OutputError)
    assert bad.ended == ["discarded"]
    assert good.ended == ["closed"]
    assert len(good.samples) == 1
    assert len(good.fields) >= 3


def test_a_run_without_a_field_has_no_sample() -> None:
    out = Recorder()
    assert run(FakeSource([]), out) == Ending(0, 0, None)
    assert out.samples == []


class Scattered(FakeFinder):
    """As many cells, at places that no shift brings onto each other."""

    def find(self, image: Image) -> Cells:
        cells = super().find(image)
        cells.boxes[:, 0] = 10 + np.cumsum(np.arange(len(cells)) * 7 % 11 + 21)
        cells.boxes[:, 1] = 10 + np.arange(len(cells)) * 5 % 13
        return cells


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_what_an_earlier_field_showed_is_set_aside_before_anybody_counts(workers: int) -> None:
    out = Recorder()
    analysers = [Analyser(Scattered(), FakeClassifier(), gauge=quality) for _ in range(workers)]
    with Workers(FakeSource([11, 11, 11, 11], slow=1), analysers) as threads:  # a stage that stands still
        Session(CARD, [out], lambda: RejectEvery(2), register=Register).run(threads)
    assert [e.overlaps for e in out.fields] == [(), (), (Overlap(0, 10, (0, 0)),), ()]
    assert [e.tally.cells for e in out.fields] == [10, 10, 10, 10]
    assert out.samples[0].tally.set_aside == {"not-red-cell": 1, "not-whole": 0, "not-new": 11}


def test_every_sample_has_a_register_of_its_own() -> None:
    out = Recorder()
    with Workers(TwoSamples([11] * 4), [Analyser(FakeFinder(), FakeClassifier(), gauge=quality)]) as threads:
        Session(CARD, [out], None, SampleLimits(several=True), register=Register).run(threads)
    assert [(s.tally.sample, s.tally.cells) for s in out.samples] == [("a", 10), ("b", 10)]
