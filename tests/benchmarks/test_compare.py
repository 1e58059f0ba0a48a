"""Real differences are found, noise is not, and what must not be compared is refused."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from benchmarks.errors import ComparisonError, RegressionError
from benchmarks.record.run import CaseRecord, Run
from benchmarks.report import compare as compare_module
from benchmarks.report.compare import (
    MUST_AGREE,
    CaseDifference,
    RunComparison,
    compare,
    holm,
    ratio_interval,
    refuse_regressions,
)
from tests.benchmarks.steps import DEVICE, case, run


def noisy(
    name: str, middle: float, seed: int, *, spread: float = 0.01, processes: float = 0.0, **facts: Any
) -> CaseRecord:
    """Ten rounds in five processes around ``middle``, relative spread of rounds and of processes."""
    rng = np.random.default_rng(seed)
    of_process = np.repeat(rng.normal(1, processes, 5) if processes else np.ones(5), 2)
    return case(name, list(middle * of_process * rng.normal(1, spread, 10)), **facts)


def pair(old: float, new: float, seed: int = 0, **options: float) -> tuple[Run, Run]:
    return run(noisy("a", old, seed, **options)), run(noisy("a", new, seed + 1, **options))


def test_a_shift_of_five_percent_is_found_and_measured() -> None:
    (found,) = compare(*pair(100.0, 105.0)).differences
    assert found.real
    assert found.low < 1.05 < found.high
    assert found.low > 1
    assert found.ratio == pytest.approx(1.05, abs=0.01)
    assert found.shift_us == pytest.approx(5.0, abs=1.0)
    assert found.delta == pytest.approx(1.0, abs=0.1)
    assert found.verdict.startswith("slower by +")


def test_a_gain_is_called_faster() -> None:
    (found,) = compare(*pair(100.0, 90.0)).differences
    assert found.real
    assert found.delta < -0.9
    assert found.verdict.startswith("faster by -")


def test_noise_is_hardly_ever_called_real() -> None:
    seeds = range(0, 200, 2)
    alarms = sum(compare(*pair(100.0, 100.0, seed)).differences[0].real for seed in seeds)
    assert alarms <= 0.06 * len(seeds)


def test_processes_that_differ_among_themselves_are_not_taken_for_a_difference() -> None:
    seeds = range(0, 200, 2)
    alarms = sum(compare(*pair(100.0, 100.0, seed, spread=0.001, processes=0.05)).differences[0].real for seed in seeds)
    assert alarms <= 0.08 * len(seeds)


def test_the_same_run_twice_is_no_difference() -> None:
    (found,) = compare(*(run(noisy("a", 100.0, 1)),) * 2).differences
    assert not found.real
    assert found.verdict == "no real difference"
    assert found.delta == 0
    assert found.ratio == 1


def test_many_cases_are_corrected_for_being_many() -> None:
    names = [f"case-{n}" for n in range(20)]
    old = run(*(noisy(name, 100.0, n) for n, name in enumerate(names)))
    new = run(*(noisy(name, 100.0, 100 + n) for n, name in enumerate(names)))
    assert not any(one.real for one in compare(old, new).differences)


def test_holm_multiplies_the_smallest_most_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_too_few_rounds_tell_nothing() -> None:
    old, new = run(case("a", [100.0, 101.0])), run(case("a", [200.0, 201.0]))
    (found,) = compare(old, new).differences
    assert not found.real
    assert "fewer than 4 rounds" in found.verdict


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("board", "Raspberry Pi 4 Model B"),
        ("runtime", "ai-edge-litert 2.2.0"),
        ("python", "3.13.1"),
        ("packages", {"numpy": "1.26.4"}),
        ("clock_max_mhz", 1500.0),
        ("cpu", "Cortex-A72"),
        ("cores", 2),
        ("machine", "armv7l"),
        ("emulated", True),
        ("packages", {"numpy": "2.4.6", "onnxruntime": "1.20"}),
        ("packages", {}),
        ("virtual", "hypervisor"),
    ],
)
def test_other_machines_and_versions_are_refused_unless_forced(key: str, value: object) -> None:
    old, new = pair(100.0, 120.0)
    other = run(*new.cases, device={**DEVICE, key: value})
    with pytest.raises(ComparisonError, match="--force") as caught:
        compare(old, other)
    named = ("numpy", "onnxruntime") if key == "packages" else (key,)
    assert any(f"{name} differs" in str(caught.value) for name in named)
    forced = compare(old, other, force=True)
    assert forced.differences[0].real
    assert any("differs" in warning for warning in forced.warnings)


def test_another_model_is_refused() -> None:
    old, new = run(noisy("a", 100.0, 1, sha256="abc")), run(noisy("a", 100.0, 2, sha256="def"))
    with pytest.raises(ComparisonError, match="another model in a"):
        compare(old, new)


def test_an_invalid_run_is_refused() -> None:
    old, new = pair(100.0, 100.0)
    with pytest.raises(ComparisonError, match=r"n\.json is invalid: throttled"):
        compare(old, run(*new.cases, invalid=("throttled",)), names=("o.json", "n.json"))


def test_runs_without_a_common_case_are_refused_and_single_cases_are_named() -> None:
    a, b, c = (noisy(name, 100.0, n) for n, name in enumerate("abc"))
    with pytest.raises(ComparisonError, match="no case"):
        compare(run(a), run(b))
    found = compare(run(a, b), run(b, c))
    assert (found.only_old, found.only_new) == (("a",), ("c",))


def test_a_busy_machine_and_a_stopped_run_are_said() -> None:
    old, new = pair(100.0, 100.0)
    found = compare(run(*old.cases, notes=("other programs used 1.2 cores on average",)), run(*new.cases, partial=True))
    assert len(found.warnings) == 2


def test_only_a_real_regression_over_the_limit_fails() -> None:
    slower = compare(*pair(100.0, 110.0))
    with pytest.raises(RegressionError, match=r"slower by more than 5 %: a \+"):
        refuse_regressions(slower, 0.05)
    refuse_regressions(slower, 0.20)
    refuse_regressions(compare(*pair(100.0, 90.0)), 0.05)
    refuse_regressions(compare(*pair(100.0, 108.0, spread=0.5)), 0.05)  # large, but not real


@pytest.mark.parametrize(
    ("processes", "values"),
    [
        ([0, 0, 1, 1, 2, 2], [100.0, 101, 103, 104, 99, 98]),
        ([0, 0, 0, 1, 1, 2], [100.0, 101, 103, 104, 99, 98]),
        ([0], [100.0]),
    ],
)
def test_the_interval_of_a_ratio_scales_with_the_new_run(processes: list[int], values: list[float]) -> None:
    rounds = list(zip(processes, values, strict=True))
    low, high = ratio_interval(rounds, rounds)
    assert low <= 1 <= high
    doubled = ratio_interval(rounds, [(process, 2 * value) for process, value in rounds])
    assert doubled == pytest.approx((2 * low, 2 * high))


def test_an_interval_over_processes_is_wider_than_one_over_rounds() -> None:
    values = [100.0, 101, 120, 121, 90, 91]
    old = [(0, 100.0)]
    by_round = ratio_interval(old, list(enumerate(values)))
    by_process = ratio_interval(old, [(at // 2, value) for at, value in enumerate(values)])
    assert by_process[0] < by_round[0] + 0.02
    assert by_process[1] - by_process[0] > by_round[1] - by_round[0]
    together = ratio_interval(old, [(0, value) for value in values])
    assert by_process[1] - by_process[0] > together[1] - together[0]


def test_every_property_that_must_agree_is_tried_above() -> None:
    marks = test_other_machines_and_versions_are_refused_unless_forced.pytestmark  # type: ignore[attr-defined]
    assert {key for key, _ in marks[0].args[1]} == {*MUST_AGREE, "packages"}


@pytest.mark.parametrize(
    ("limit", "ratio", "real", "refused"),
    [
        (0.05, 1.05, True, False),
        (0.05, 1.051, True, True),
        (0.0, 1.001, True, True),
        (0.05, 1.5, False, False),
        (0.05, 0.5, True, False),
    ],
)
def test_a_regression_is_real_and_beyond_the_limit(limit: float, ratio: float, real: bool, refused: bool) -> None:
    one = CaseDifference("a", "cell", 1.0, ratio, ratio, ratio, ratio, 0.001, 1.0, 0.0, real, True)
    with pytest.raises(RegressionError) if refused else nullcontext():
        refuse_regressions(RunComparison((one,), (), (), ()), limit)


@pytest.mark.parametrize(
    ("p", "low", "high", "enough", "real"),
    [
        pytest.param(0.049, 1.01, 1.2, True, True, id="slower for real"),
        pytest.param(0.049, 0.8, 0.99, True, True, id="faster for real"),
        pytest.param(0.05, 1.01, 1.2, True, False, id="the test does not say so"),
        pytest.param(0.001, 0.99, 1.2, True, False, id="the interval holds 1"),
        pytest.param(0.001, 1.0, 1.2, True, False, id="the interval touches 1"),
        pytest.param(0.001, 1.01, 1.2, False, False, id="too few rounds"),
    ],
)
def test_a_difference_is_real_where_test_and_interval_agree(
    p: float, low: float, high: float, enough: bool, real: bool
) -> None:
    one = CaseDifference("a", "cell", 1.0, 1.1, 1.1, low, high, 1.0, 1.0, 0.1, False, enough)
    judged = compare_module._judged(one, p)
    assert judged.real is real
    assert judged.p == p
