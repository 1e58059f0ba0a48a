from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Timer
from time import monotonic, sleep

import numpy as np
import pytest

from edge import session
from edge.analysis import Analyser
from edge.errors import CameraError, EdgeError, OutputError
from edge.events import AnalysedField, FieldEvent, Outcome, SampleEvent, Unreadable
from edge.overlap import Register
from edge.pixels import Image
from edge.sample import Sample
from edge.session import Ending, SampleLimits, Session
from edge.status import RunEnd
from edge.types import Cells, Field, FieldResult, Finding, Overlap, SampleAppearance, Tally, UInt8Array
from edge.verdict.assess import Assessor
from edge.workers import Workers
from tests.fakes import CARD, FakeClassifier, FakeFinder, FakeSource, RejectEvery, TwoSamples, picture, quality, result
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

    @property
    def settled(self) -> bool:
        return True

    def settle(self) -> None:
        pass

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


class ReadAhead(TwoSamples):
    """The first field loads slowly, and begins to only once the first one of ``b`` is under way."""

    def _load(self, index: int) -> Field:
        while index == self.slow and len(self.contents) // 2 not in self.loaded:
            sleep(0.001)
        return super()._load(index)


def test_a_samples_seconds_begin_with_its_first_field_though_workers_read_ahead() -> None:
    out = Recorder()
    run(ReadAhead([3] * 8, slow=0), out, workers=4)
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


class Counting:
    """Takes notes of the cells that each field shows."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def add(self, result: FieldResult) -> None:
        self.seen.append(result.name)

    def doubts(self) -> tuple[str, ...]:
        return ("The third field is odd.",) if len(self.seen) > 2 else ()

    def sentences(self) -> tuple[str, ...]:
        return (f"seen: {' '.join(self.seen)}",)


def test_every_sample_has_notes_of_its_own_on_the_fields_that_count() -> None:
    out = Recorder()
    with Workers(
        TwoSamples([11, "torn", 11, 11, 11, 11]), [Analyser(FakeFinder(), FakeClassifier(), gauge=quality)]
    ) as threads:
        Session(CARD, [out], lambda: RejectEvery(2), SampleLimits(several=True), notes=Counting).run(threads)
    assert [s.notes for s in out.samples] == [("seen: field-0.png",), ("seen: field-3.png field-5.png",)]


def test_what_notes_doubt_makes_the_sample_insufficient() -> None:
    out = Recorder()
    with Workers(
        TwoSamples([11, 11, 11, 11, 11]), [Analyser(FakeFinder(), FakeClassifier(), gauge=quality)]
    ) as threads:
        Session(CARD, [out], None, SampleLimits(several=True), notes=Counting).run(threads)
    flags = [(s.verdict.flag, "The third field is odd." in s.verdict.reasons) for s in out.samples]
    assert flags == [("uncalibrated", False), ("insufficient", True)]


LIMITS = {
    "no limit": (SampleLimits(), False),
    "one cell too few": (SampleLimits(cells=7), False),
    "the limit of cells exactly": (SampleLimits(cells=6), True),
    "more cells than the limit": (SampleLimits(cells=5), True),
    "one field too few": (SampleLimits(fields=5), False),
    "the limit of fields exactly": (SampleLimits(fields=4), True),
    "more fields than the limit": (SampleLimits(fields=3), True),
    "a moment too early": (SampleLimits(seconds=10.001), False),
    "the limit of seconds exactly": (SampleLimits(seconds=10.0), True),
    "later than the limit": (SampleLimits(seconds=9.999), True),
    "cells of several limits": (SampleLimits(cells=6, fields=99, seconds=99.0), True),
    "fields of several limits": (SampleLimits(cells=99, fields=4, seconds=99.0), True),
    "seconds of several limits": (SampleLimits(cells=99, fields=99, seconds=10.0), True),
    "none of several limits": (SampleLimits(cells=99, fields=99, seconds=99.0), False),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_sample_of_six_cells_four_fields_and_ten_seconds_has_reached(name: str) -> None:
    limits, reached = LIMITS[name]
    sample = Sample("s", ("uninfected", "parasitized"))
    sample.add(result([0, 0, 1, -1]), None)
    sample.add(result([0, 1, 1]), None)
    sample.add(result([0]), "empty")
    sample.add_unreadable("x.png", "truncated")
    assert limits.reached(sample, 10.0) == reached


def kept(at: int, sample: str = "s", began: float | None = None, rgb: UInt8Array | None = None) -> AnalysedField:
    """A field of two cells."""
    return AnalysedField(result([0, 1], index=at, sample=sample, name=f"{at}.png"), rgb, began)


def soft(at: int, sample: str = "s") -> AnalysedField:
    """A field of two cells that ``Focus`` rejects."""
    field = kept(at, sample)
    return replace(field, result=replace(field.result, quality=quality()._replace(sharpness=0.0)))


def broken(at: int, sample: str = "s", began: float | None = None) -> Unreadable:
    return Unreadable(at, sample, f"{at}.png", "truncated", began)


class Focus:
    """A gate that rejects fields without sharpness."""

    def judge(self, quality: object) -> str | None:
        return None if quality.sharpness else "out of focus"  # type: ignore[attr-defined]


class Script:
    """Workers that deliver what they are given, an error where one stands, and remember what they are told."""

    def __init__(self, *outcomes: Outcome | EdgeError) -> None:
        self.outcomes = outcomes
        self.stopped = False
        self.skipped: list[str] = []

    def paced(self, seconds: float | None) -> Iterator[Outcome | None]:
        for outcome in self.outcomes:
            if self.stopped:
                return
            if isinstance(outcome, EdgeError):
                raise outcome
            yield outcome

    def stop(self) -> None:
        self.stopped = True

    def skip(self, sample: str) -> None:
        self.skipped.append(sample)


class UnderWay(Script):
    """The same; what is under way still comes out after a stop, as it does of the real ones."""

    def paced(self, seconds: float | None) -> Iterator[Outcome | None]:
        yield from (outcome for outcome in self.outcomes if not isinstance(outcome, EdgeError))


def play(script: Script, *outputs: Recorder, **options: object) -> Ending:
    return Session(CARD, outputs, Focus, **options).run(script)  # type: ignore[arg-type]


DECIDED: dict[str, tuple[list[Outcome], int, int]] = {
    "a kept field decides it": ([kept(0), kept(1), kept(2)], 4, 2),
    "a kept field after rejected ones": ([soft(0), kept(1), soft(2), kept(3), kept(4)], 4, 4),
    "a rejected field never ends it": ([soft(0), soft(1), soft(2)], 0, 3),
    "an unreadable input never ends it": ([broken(0), broken(1)], 0, 2),
    "decided already, the next field kept": ([soft(0), broken(1), kept(2), kept(3)], 0, 3),
    "it is not decided": ([kept(0), soft(1), kept(2)], 99, 3),
}


@pytest.mark.parametrize("name", DECIDED)
def test_only_a_kept_field_ends_a_sample_that_is_decided(name: str) -> None:
    outcomes, at, taken = DECIDED[name]
    out = Recorder()
    play(Script(*outcomes), out, assessor=Asked(at))
    assert len(out.fields) == taken


def test_an_assessor_that_looks_once_ends_no_sample() -> None:
    assessor, out = Asked(1), Recorder()
    assessor.every_look = False
    play(Script(kept(0), kept(1), kept(2)), out, assessor=assessor)
    assert len(out.fields) == 3
    assert assessor.complete == [True]


def test_a_limit_may_be_reached_by_a_rejected_or_unreadable_field() -> None:
    for last in (soft(1), broken(1)):
        out = Recorder()
        play(Script(kept(0), last, kept(2)), out, limits=SampleLimits(fields=2))
        assert [event.index for event in out.fields] == [0, 1]


def test_what_was_under_way_when_a_sample_ended_is_dropped_and_other_samples_go_on() -> None:
    script, out = Script(kept(0, "a"), kept(1, "a"), kept(2, "b"), kept(3, "a"), kept(4, "b")), Recorder()
    ending = play(script, out, limits=SampleLimits(fields=1, several=True))
    assert [(event.sample, event.index) for event in out.fields] == [("a", 0), ("b", 2)]
    assert [event.tally.sample for event in out.samples] == ["a", "b"]
    assert script.skipped == ["a", "b"]
    assert not script.stopped
    assert ending == Ending(2, 0, None)


def test_the_only_sample_stops_the_workers_when_it_is_full() -> None:
    script, out = Script(kept(0), kept(1)), Recorder()
    play(script, out, limits=SampleLimits(fields=1))
    assert script.stopped
    assert script.skipped == []
    assert len(out.samples) == 1


def test_an_event_says_which_field_of_which_sample_it_is_and_holds_its_pixels() -> None:
    pixels, out = picture(2), Recorder()
    field = kept(7, "a", rgb=pixels)
    ending = play(Script(field, broken(8, "a"), soft(9, "a")), out)
    assert [(e.index, e.sample, e.name) for e in out.fields] == [
        (7, "a", "7.png"),
        (8, "a", "8.png"),
        (9, "a", "9.png"),
    ]
    assert [e.reject_reason for e in out.fields] == [None, "unreadable: truncated", "out of focus"]
    assert [e.tally.kept for e in out.fields] == [1, 1, 1]
    assert [e.tally.unreadable for e in out.fields] == [(), *[(("8.png", "truncated"),)] * 2]
    assert [e.overlaps for e in out.fields] == [(), (), ()]
    assert out.fields[0].rgb is pixels
    assert out.fields[0].result is field.result
    assert (out.fields[1].result, out.fields[1].rgb) == (None, None)
    assert ending == Ending(2, 1, None)


class Clock:
    """The monotonic clock, which moves by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


SECONDS: dict[
    str, tuple[list[Outcome], list[tuple[float, bool]]]
] = {  # the clock is read once per field: 101, 102, 103
    "one field": ([kept(0, began=95.0)], [(6.0, True)]),
    "to the end of the last field": ([kept(0, began=95.0), kept(1, began=95.5)], [(7.0, True)]),
    "no worker says when it began": ([broken(0), broken(1)], [(1.0, True)]),
    "two samples one after the other": (
        [kept(0, "a", 95.0), kept(1, "b", 101.5), kept(2, "b", 102.5)],
        [(6.0, True), (1.5, True)],
    ),
    "the next sample began as the first ended": (
        [kept(0, "a", 95.0), kept(1, "b", 101.0)],
        [(6.0, True), (1.0, True)],
    ),
    "the next sample began while the first was under way": (
        [kept(0, "a", 95.0), kept(1, "b", 100.5), kept(2, "c", 102.0)],
        [(6.0, False), (1.5, False), (1.0, True)],
    ),
    "an unreadable input begins the next sample": (
        [kept(0, "a", 95.0), broken(1, "b", 100.0)],
        [(6.0, False), (2.0, False)],
    ),
}


@pytest.mark.parametrize("name", SECONDS)
def test_how_long_a_sample_took_and_whether_it_had_that_time_to_itself(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, expected = SECONDS[name]
    monkeypatch.setattr(session, "monotonic", Clock())
    out = Recorder()
    play(Script(*outcomes), out)
    assert [(event.seconds, event.alone) for event in out.samples] == expected


@pytest.mark.parametrize(("seconds", "taken"), [(4.999, 1), (6.0, 1), (6.001, 2), (7.0, 2), (7.001, 3)])
def test_a_limit_of_seconds_counts_from_when_the_sample_began(
    seconds: float, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "monotonic", Clock())  # fields come 6, 7 and 8 seconds after it began
    out = Recorder()
    play(Script(*(kept(at, began=95.0) for at in range(3))), out, limits=SampleLimits(seconds=seconds))
    assert len(out.fields) == taken


def test_a_sample_that_does_not_look_right_is_judged_by_that_and_counts_in_its_unit() -> None:
    looks: list[SampleAppearance] = []

    def doubts(look: SampleAppearance) -> tuple[str, ...]:
        looks.append(look)
        return ("It is too dark.",)

    out = Recorder()
    play(Script(kept(0)), out, doubts=doubts, unit="tile", assessor=Asked(99))
    (event,) = out.samples
    assert event.verdict.reasons[0] == "It is too dark."
    assert event.verdict.unit == "tile"
    assert looks == [event.appearance]
    plain = Recorder()
    play(Script(kept(0)), plain)
    assert plain.samples[0].verdict.unit == "cell"


COMPLETE: dict[str, tuple[list[Outcome | EdgeError], dict[str, object], bool]] = {
    "the source ends": ([kept(0)], {}, True),
    "its budget is spent by the last field": ([kept(0), kept(1)], {"limits": SampleLimits(fields=2)}, True),
    "a known error ends the source": ([kept(0), CameraError("gone")], {}, False),
    "the budget of an earlier sample says nothing": (
        [kept(0, "a"), kept(1, "a"), kept(2, "b"), CameraError("gone")],
        {"limits": SampleLimits(cells=4, several=True)},
        False,
    ),
}


@pytest.mark.parametrize("name", COMPLETE)
def test_whether_the_last_sample_is_complete_when(name: str) -> None:
    outcomes, options, complete = COMPLETE[name]
    assessor = Asked(10**6)
    play(Script(*outcomes), Recorder(), assessor=assessor, **options)
    assert assessor.complete[-1] is complete


def test_the_first_error_is_the_one_that_is_told() -> None:
    bad, worse, good = Recorder(fail_at=1), Recorder(fail_at=1), Recorder()
    script = Script(kept(0), kept(1), kept(2))
    ending = play(script, bad, worse, good)
    assert str(ending.error) == "disk full"
    assert script.stopped
    assert (bad.ended, worse.ended, good.ended) == (["discarded"], ["discarded"], ["closed"])
    assert (bad.samples, worse.samples, len(good.samples)) == ([], [], 1)

    class Late(Recorder):
        def close(self) -> None:
            raise OutputError("too late")

    late = Late()
    ending = play(Script(kept(0), CameraError("gone")), late)
    assert str(ending.error) == "gone"
    assert late.ended == ["discarded"]
    assert str(play(Script(kept(0)), Late()).error) == "too late"


def test_after_a_defect_every_output_is_discarded() -> None:
    outputs = [Recorder(), Recorder()]
    Session(CARD, outputs, None).discard()
    assert [out.ended for out in outputs] == [["discarded"], ["discarded"]]


def replayed(outcome: Outcome, seconds: float) -> Outcome:
    """The outcome as the book gives it back."""
    if isinstance(outcome, AnalysedField):
        return replace(outcome, rgb=None, began=None, seconds=seconds)
    return replace(outcome, began=None, seconds=seconds)


OUTCOMES: list[Outcome] = [
    kept(0, "a"),
    soft(1, "a"),
    broken(2, "a"),
    kept(3, "a"),
    kept(4, "b"),
    kept(5, "b"),
    soft(6, "b"),
]
GOING_ON: dict[str, tuple[SampleLimits, int | None]] = {
    "to the end of its fields": (SampleLimits(several=True), None),
    "with a limit of cells": (SampleLimits(cells=3, several=True), None),
    "with a limit of fields": (SampleLimits(fields=2, several=True), None),
    "the first sample ends the run": (SampleLimits(fields=3), None),
    "until decided": (SampleLimits(several=True), 4),
}


@pytest.mark.parametrize("name", GOING_ON)
@pytest.mark.parametrize("cut", range(len(OUTCOMES) + 1))
def test_a_run_that_goes_on_ends_as_if_it_had_never_stopped(name: str, cut: int) -> None:
    limits, at = GOING_ON[name]

    def told(before: list[Outcome], after: list[Outcome]) -> list[object]:
        out, assessor = Recorder(), None if at is None else Asked(at)
        session = Session(CARD, [out], Focus, limits, assessor)  # type: ignore[arg-type]
        session.replay(replayed(outcome, 1.0) for outcome in before)
        script = Script(*after)
        ending = session.run(script)  # type: ignore[arg-type]
        fields = [(e.index, e.sample, e.reject_reason, e.tally) for e in out.fields]
        samples = [(e.tally, e.verdict, e.appearance, e.notes, e.interrupted) for e in out.samples]
        return [fields, samples, out.ended, ending, [] if assessor is None else assessor.complete]

    assert told(OUTCOMES[:cut], OUTCOMES[cut:]) == told([], OUTCOMES)


def test_run_time_goes_on_where_it_was_and_not_with_the_time_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "monotonic", Clock())
    out = Recorder()
    going_on = Session(CARD, [out], Focus, SampleLimits(seconds=43.5))
    going_on.replay([replayed(kept(0), 40.0), replayed(kept(1), 42.0)])
    going_on.run(Script(*(kept(at, began=102.5) for at in (2, 3, 4))))  # type: ignore[arg-type]
    assert [event.seconds for event in out.fields] == [40.0, 42.0, 42.5, 43.5]
    assert out.samples[0].seconds == 43.5


ENDINGS: dict[str, tuple[list[Outcome | EdgeError], SampleLimits, bool]] = {
    "its fields end": ([kept(0), kept(1)], SampleLimits(), False),
    "its limit is reached": ([kept(0), kept(1)], SampleLimits(fields=1), False),
    "the camera fails": ([kept(0), CameraError("gone")], SampleLimits(), True),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_sample_is_interrupted_unless_its_fields_or_limits_ended_it(name: str) -> None:
    script, limits, interrupted = ENDINGS[name]
    out = Recorder()
    play(Script(*script), out, limits=limits)
    assert [event.interrupted for event in out.samples] == [interrupted]
    assert [bool(event.notes) for event in out.samples] == [interrupted]


@pytest.mark.parametrize("script", [Script, UnderWay])
def test_a_field_that_the_book_cannot_take_is_shown_nowhere_nor_what_was_under_way(script: type[Script]) -> None:
    book, screen = Recorder(fail_at=1), Recorder()
    ending = play(script(kept(0), kept(1), kept(2)), screen, book=book)
    assert [event.index for event in screen.fields] == [0]
    assert (screen.samples[0].tally.kept, screen.samples[0].interrupted) == (1, True)
    assert isinstance(ending.error, OutputError)
    assert (book.ended, screen.ended) == (["discarded"], ["closed"])


class Pausing(Script):
    """Nothing comes for a while after each outcome whose place is in ``PAUSES``."""

    PAUSES = (1,)

    def paced(self, seconds: float | None) -> Iterator[Outcome | None]:
        for n, outcome in enumerate(super().paced(seconds)):
            yield outcome
            if n in self.PAUSES:
                yield None


class Holding(Recorder):
    """A book that holds fields back until it is told to settle, and may fail then."""

    def __init__(self, seen: list[str], fail_at: int | None = None) -> None:
        super().__init__()
        self.held: list[FieldEvent] = []
        self.seen, self.fail_settling = seen, fail_at

    def field(self, event: FieldEvent) -> None:
        self.held.append(event)

    @property
    def settled(self) -> bool:
        return not self.held

    def settle(self) -> None:
        if any(event.index == self.fail_settling for event in self.held):
            raise OutputError("disk full")
        self.fields += self.held
        self.seen += [f"book {event.index}" for event in self.held]
        self.held.clear()

    def sample(self, event: SampleEvent) -> None:
        super().sample(event)
        self.seen.append(f"book ends {event.tally.sample}")


class Screen(Recorder):
    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen

    def field(self, event: FieldEvent) -> None:
        super().field(event)
        self.seen.append(f"screen {event.index}")


HELD_BACK: dict[str, tuple[Callable[[], Script], SampleLimits, list[str]]] = {
    "until nothing comes for a while": (
        lambda: Pausing(kept(0), kept(1), kept(2)),
        SampleLimits(),
        ["book 0", "book 1", "screen 0", "screen 1", "book 2", "screen 2", "book ends s"],
    ),
    "until the next sample": (
        lambda: Script(kept(0, "a"), kept(1, "a"), kept(2, "b")),
        SampleLimits(several=True),
        ["book 0", "book 1", "screen 0", "screen 1", "book ends a", "book 2", "screen 2", "book ends b"],
    ),
    "until a limit is reached": (
        lambda: Script(kept(0), kept(1), kept(2)),
        SampleLimits(fields=2),
        ["book 0", "book 1", "screen 0", "screen 1", "book ends s"],
    ),
}


@pytest.mark.parametrize("case", HELD_BACK)
def test_fields_that_the_book_holds_back_are_not_shown_before(case: str) -> None:
    script, limits, expected = HELD_BACK[case]
    seen: list[str] = []
    play(script(), Screen(seen), limits=limits, book=Holding(seen))
    assert seen == expected


@pytest.mark.parametrize("case", HELD_BACK)
def test_fields_that_the_book_cannot_put_on_the_medium_are_not_shown_and_the_sample_is_interrupted(case: str) -> None:
    script, limits, _ = HELD_BACK[case]
    seen: list[str] = []
    screen = Screen(seen)
    ending = play(script(), screen, limits=limits, book=Holding(seen, fail_at=1))
    assert isinstance(ending.error, OutputError)
    assert screen.fields == []
    assert [event for event in screen.samples if not event.interrupted or event.tally.kept] == []


def test_an_event_carries_what_was_analysed_before_cells_seen_earlier_were_set_aside() -> None:
    out = Recorder()
    with Workers(FakeSource([7, 7]), [Analyser(FakeFinder(), FakeClassifier(), gauge=quality)]) as threads:
        Session(CARD, [out], None, register=Register).run(threads)
    assert all(event.analysed is not None for event in out.fields)
    assert [event.analysed.classes.tolist() for event in out.fields if event.analysed] == [[1, 0, 0, 0, 0, 0, -1]] * 2


HOW: dict[str, tuple[list[Outcome | EdgeError], dict[str, object], RunEnd, bool, bool]] = {
    "its fields end": ([kept(0)], {}, RunEnd.COMPLETE, True, False),
    "a limit": ([kept(0), kept(1)], {"limits": SampleLimits(fields=1)}, RunEnd.COMPLETE, True, False),
    "decided": ([kept(0), kept(1)], {"assessor": Asked(1)}, RunEnd.DECIDED, False, False),
    "a person": ([kept(0)], {"chosen": lambda: True}, RunEnd.FINISHED, False, False),
    "a limit, when a person said so": (
        [kept(0)],
        {"limits": SampleLimits(fields=1), "chosen": lambda: True},
        RunEnd.COMPLETE,
        True,
        False,
    ),
    "a lost camera": ([kept(0), CameraError("gone")], {}, RunEnd.INTERRUPTED, False, True),
    "a failure": ([kept(0), OutputError("full")], {}, RunEnd.FAILED, False, True),
}
"""Outcomes and options; how the sample ends, whether its last look is allowed, whether it can be gone on with."""


@pytest.mark.parametrize("name", HOW)
def test_how_a_sample_ended_is_told(name: str) -> None:
    outcomes, options, how, complete, interrupted = HOW[name]
    asked = options.get("assessor") or Asked(99)
    asked.complete.clear()  # type: ignore[attr-defined]
    out = Recorder()
    ending = play(Script(*outcomes), out, **{**options, "assessor": asked})
    assert ending.how is how
    assert asked.complete == [complete]  # type: ignore[attr-defined]
    assert [event.interrupted for event in out.samples] == [interrupted]
    said = "A person ended the count, before any limit of it." in out.samples[0].notes
    assert said == (how is RunEnd.FINISHED)


def test_run_time_stands_still_while_the_runs_own_clock_does() -> None:
    out, times = Recorder(), iter([10.0, 10.0, 12.5])
    play(Script(*(replace(kept(i), began=10.0) for i in range(3))), out, clock=lambda: next(times))
    assert [event.seconds for event in out.fields] == [0.0, 0.0, 2.5]


def test_the_verdict_so_far_is_what_the_sample_would_get_by_a_persons_choice() -> None:
    asked, told = Asked(99), []
    session: Session

    class Asking(Recorder):
        def field(self, event: FieldEvent) -> None:
            super().field(event)
            told.append(session.so_far())

    session = Session(CARD, [Asking()], Focus, None, asked)  # type: ignore[arg-type]
    assert session.so_far() is None
    session.run(Script(kept(0), kept(1)))  # type: ignore[arg-type]
    assert [None if verdict is None else verdict.unit for verdict in told] == ["cell", "cell"]
    assert asked.complete == [False, False, True]
