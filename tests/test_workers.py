from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from edge.analysis import Analyser
from edge.errors import CameraError
from edge.events import AnalysedField, Outcome, Unreadable
from edge.types import Field, FieldResult, Shot
from edge.workers import Workers
from tests.fakes import FakeClassifier, FakeFinder, FakeSource, TwoSamples, picture, quality


def analysers(n: int) -> list[Analyser]:
    return [Analyser(FakeFinder(), FakeClassifier(), gauge=quality) for _ in range(n)]


def index(outcome: Outcome) -> int:
    return outcome.result.index if isinstance(outcome, AnalysedField) else outcome.index


def test_results_come_in_order_though_one_field_is_slow() -> None:
    source = FakeSource([3] * 20, slow=2)
    with Workers(source, analysers(4)) as workers:
        assert [index(o) for o in workers] == list(range(20))


@pytest.mark.parametrize("n", [2, 4])
def test_the_answer_does_not_depend_on_the_number_of_workers(n: int) -> None:
    def answer(workers: int) -> list[object]:
        with Workers(FakeSource([5, 0, 7, "broken", 3] * 5, slow=3), analysers(workers)) as run:
            return [(o.result.index, o.result.classes.tolist()) if isinstance(o, AnalysedField) else o for o in run]

    assert answer(n) == answer(1)


def test_an_unreadable_input_is_an_outcome_and_the_run_goes_on() -> None:
    with Workers(FakeSource([1, "not an image", 2]), analysers(2)) as workers:
        got = list(workers)
    assert isinstance(got[1], Unreadable)
    assert got[1].name == "field-1.png"
    assert "not an image" in got[1].reason
    assert isinstance(got[2], AnalysedField)


def test_a_lost_camera_ends_the_run_after_everything_before_it() -> None:
    with Workers(FakeSource([1, 2, 3, None, 4]), analysers(3)) as workers:
        outcomes = iter(workers)
        assert [index(next(outcomes)) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(CameraError):
            next(outcomes)


def test_an_error_while_iterating_the_source_comes_after_everything_before_it() -> None:
    class Unplugged(FakeSource):
        def __iter__(self) -> Iterator[Shot]:
            yield from super().__iter__()
            raise CameraError("gone")

    with Workers(Unplugged([1, 2]), analysers(2)) as workers:
        outcomes = iter(workers)
        assert [index(next(outcomes)) for _ in range(2)] == [0, 1]
        with pytest.raises(CameraError, match="gone"):
            next(outcomes)


def test_a_defect_in_an_analyser_is_raised_not_swallowed() -> None:
    def broken(field: Field) -> FieldResult:
        raise ZeroDivisionError

    with Workers(FakeSource([1, 2]), [broken]) as workers, pytest.raises(ZeroDivisionError):
        list(workers)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_no_more_than_two_shots_per_worker_are_under_way(n: int) -> None:
    taken = 0

    class Counting(FakeSource):
        def __iter__(self) -> Iterator[Shot]:
            nonlocal taken
            for shot in super().__iter__():
                taken += 1
                yield shot

    with Workers(Counting([1] * 50, slow=0), analysers(n)) as workers:
        for done, _ in enumerate(workers):
            assert taken <= done + 1 + 2 * n


def test_an_endless_source_can_be_stopped_and_what_is_done_is_delivered() -> None:
    source = FakeSource([2], endless=True)
    with Workers(source, analysers(2)) as workers:
        got = []
        for outcome in workers:
            got.append(index(outcome))
            if len(got) == 5:
                workers.stop()
    assert got == list(range(len(got)))
    assert 5 <= len(got) <= 5 + 4
    assert workers.idle


def test_a_signal_may_stop_the_run_at_any_line_it_is_at() -> None:
    def lines_until(stop_at: int) -> tuple[int, bool]:
        """How many lines ran while iterating, stopped at one of them as a signal handler would, and whether it ended."""
        lines = 0

        def iterate() -> None:
            with Workers(FakeSource([1] * 3), analysers(1)) as workers:

                def traced(_frame: FrameType, event: str, _arg: object) -> Any:
                    nonlocal lines
                    lines += event == "line"
                    if event == "line" and lines == stop_at:
                        sys.settrace(None)
                        workers.stop()
                        sys.settrace(traced)
                    return traced

                sys.settrace(traced)
                try:
                    for _ in workers:
                        pass
                finally:
                    sys.settrace(None)

        thread = threading.Thread(target=iterate, daemon=True)
        thread.start()
        thread.join(5)
        return lines, not thread.is_alive()

    everything, ended = lines_until(0)
    assert ended
    assert everything > 20
    for number in range(1, everything):
        assert lines_until(number)[1], f"hangs when stopped at line {number} of {everything}"


def test_stopping_does_not_wait_for_a_source_that_hangs() -> None:
    release = threading.Event()

    class Hanging(FakeSource):
        def __iter__(self) -> Iterator[Shot]:
            yield from super().__iter__()
            release.wait(10)

    got = []
    began = time.monotonic()
    workers = Workers(Hanging([1, 1]), analysers(1))
    for thread in (workers._feeder, *workers._threads):
        thread.start()
    threading.Timer(0.2, workers.stop).start()
    got = [index(o) for o in workers]
    assert time.monotonic() - began < 2
    assert got == [0, 1]
    release.set()


def test_samples_that_are_complete_are_not_loaded_any_more() -> None:
    source = TwoSamples([1] * 60)
    with Workers(source, analysers(1)) as workers:
        names = []
        for outcome in workers:
            assert isinstance(outcome, AnalysedField)
            names.append(outcome.result.sample)
            if names == ["a"]:
                workers.skip("a")
    assert names.count("b") == 30
    assert names.count("a") <= 3


def test_pixels_are_handed_on_only_when_asked_for() -> None:
    for keep in (False, True):
        with Workers(FakeSource([2]), analysers(1), keep_pixels=keep) as workers:
            (outcome,) = workers
        assert isinstance(outcome, AnalysedField)
        assert (outcome.rgb is not None) is keep
        if outcome.rgb is not None:
            assert (outcome.rgb == picture(2)).all()


def test_an_empty_source_gives_nothing() -> None:
    with Workers(FakeSource([]), analysers(2)) as workers:
        assert list(workers) == []


def test_workers_say_when_nothing_comes_for_a_while() -> None:
    with Workers(FakeSource([3, 3, 3], slow=1), [Analyser(FakeFinder(), FakeClassifier(), gauge=quality)]) as workers:
        seen = [None if outcome is None else 1 for outcome in workers.paced(0.02)]
    assert seen.count(1) == 3
    assert seen[0] == seen[-1] == 1
    assert None in seen
