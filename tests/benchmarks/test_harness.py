"""Cases in child processes: measured in turns, failures kept to themselves."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.errors import CaseError
from benchmarks.measure import harness
from benchmarks.measure.harness import Harness, MeasurementPlan, call
from benchmarks.measure.process import MeasurementStoppedError
from benchmarks.record.run import FAILED, LEFT_OUT, MEASURED, PARTIAL, CaseRecord
from benchmarks.record.summary import summarise
from benchmarks.workload import Workload
from tests.benchmarks.steps import work

QUICK = MeasurementPlan(seconds=0.05, processes=2, rounds=2, warm=0.0)


def measure(*workloads: Workload, plan: MeasurementPlan = QUICK) -> dict[str, CaseRecord]:
    cases, stopped = Harness(plan).measure(workloads)
    assert not stopped
    return {case.name: case for case in cases}


def test_a_case_is_measured_in_processes_of_its_own_and_its_samples_are_kept() -> None:
    case = measure(work("a", us=20.0, units=4))["a"]
    assert case.status == MEASURED
    assert [one.process for one in case.rounds] == [0, 0, 1, 1]
    assert len(case.starts) == 2
    assert all(start.process_ns > 0 for start in case.starts)
    assert all(len(one.ns) == len(one.units) for one in case.rounds)
    assert all(sum(one.ns) <= one.wall_ns for one in case.rounds)
    assert all(one.cpu_ns > 0 for one in case.rounds)
    assert summarise(case).p50_us >= 5.0  # 20 µs for 4 cells: never quicker than it can have been
    assert case.peak_rss is not None
    assert case.peak_rss > 1_000_000


def test_a_step_of_microseconds_is_timed_in_groups() -> None:
    case = measure(work("a", us=20.0, units=4))["a"]
    assert case.loops > 10
    assert set(case.rounds[0].units) == {4 * case.loops}


def test_a_long_step_is_timed_call_by_call() -> None:
    assert measure(work("a", us=3000.0))["a"].loops == 1


def test_cases_take_turns() -> None:
    cases = measure(work("a"), work("b"), work("c"))
    order = sorted((one.began, name) for name, case in cases.items() for one in case.rounds)
    assert [name for _, name in order] == ["a", "b", "c"] * 4


def test_only_one_case_is_measured_at_a_time() -> None:
    cases = measure(work("a"), work("b"))
    spans = sorted((one.began, one.began + one.wall_ns / 1e9) for case in cases.values() for one in case.rounds)
    assert all(end <= begin + 1e-3 for (_, end), (begin, _) in pairwise(spans))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("broken", "RuntimeError: second line: the reason"),
        ("breaks_later", "ValueError: broke in the middle"),
        ("dies", "exit code 9: native code said goodbye"),
        ("killed", "signal 6"),
        ("nowhere", "nowhere"),
    ],
)
def test_a_case_that_fails_is_one_line_and_the_others_go_on(function: str, reason: str) -> None:
    cases = measure(work("bad", function), work("good"))
    assert cases["bad"].status == FAILED
    assert reason in str(cases["bad"].reason)
    assert len(str(cases["bad"].reason).splitlines()) == 1
    assert cases["good"].status == MEASURED


def test_a_case_that_needs_what_is_not_installed_is_left_out_and_says_so() -> None:
    missing = Workload("m", "g", "cell", "tests.benchmarks.steps:spin", needs=("no_such_package_anywhere",))
    cases = measure(missing, work("good"))
    assert cases["m"].status == LEFT_OUT
    assert "no_such_package_anywhere" in str(cases["m"].reason)
    assert cases["m"].starts == ()


def test_what_a_case_writes_to_stdout_does_not_disturb_the_protocol() -> None:
    assert measure(work("n", "noisy"))["n"].status == MEASURED


def test_facts_and_stages_come_back() -> None:
    cases = measure(work("k", "knowing"), work("s", "staged"))
    assert cases["k"].facts == {"macs": 5000, "sha256": "abc"}
    one = cases["s"].rounds[0]
    assert set(one.stages) == {"decode", "find"}
    assert one.stages["decode"][0] == 2000 * cases["s"].loops
    assert summarise(cases["s"]).stages_us == {"decode": 2.0, "find": 1.0}


def test_stopping_keeps_what_is_complete_and_marks_it_partial() -> None:
    asked = 0

    def progress(what: str, share: float) -> None:
        nonlocal asked
        asked += not what.endswith("set-up")

    cases, stopped = Harness(QUICK, progress, lambda: asked >= 4).measure([work("a"), work("b")])
    assert stopped
    assert {case.status for case in cases} == {PARTIAL}
    assert 2 <= sum(len(case.rounds) for case in cases) <= 4


def test_stopping_interrupts_a_case_that_takes_long() -> None:
    answers = iter([False] * 4)
    cases, stopped = Harness(MeasurementPlan(60.0, 1, 1, 0.0), stopped=lambda: next(answers, True)).measure([work("a")])
    assert stopped
    assert cases[0].rounds == ()


def test_little_memory_ends_sleeping_processes_and_the_case_goes_on_in_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "available_share", lambda: 0.1)
    cases = measure(work("a"), work("b"))
    assert {case.status for case in cases.values()} == {MEASURED}
    assert len(cases["a"].starts) > QUICK.processes
    assert [one.process for one in cases["a"].rounds] == sorted(one.process for one in cases["a"].rounds)


def test_a_folder_named_benchmarks_where_it_is_run_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    assert measure(work("a"))["a"].status == MEASURED


def test_two_cases_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="different names"):
        measure(work("a"), work("a"))


def test_a_call_happens_in_another_process() -> None:
    assert call("tests.benchmarks.steps:pid_of_child", {}) != os.getpid()
    with pytest.raises(CaseError, match="the reason"):
        call("tests.benchmarks.steps:broken", {})
    with pytest.raises(MeasurementStoppedError):
        call("tests.benchmarks.steps:pid_of_child", {}, lambda: True)
