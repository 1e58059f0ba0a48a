"""Figures from samples, and what they are held against."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.record.run import CaseRecord, ProcessStart, Round
from benchmarks.record.summary import growth, summarise
from benchmarks.report.figures import digits, digits_or_dash, percent, slug
from benchmarks.report.ratios import ceiling, not_measured, overheads, peer_ratios, scaling, targets
from benchmarks.workload import Value, Workload
from tests.benchmarks.steps import DEVICE, case, run, work


def test_percentiles_are_per_unit_and_not_rounded() -> None:
    ns = [(i + 1) * 1001 for i in range(100)]
    made = CaseRecord(work("a"), "measured", rounds=(Round(0, 0.0, sum(ns), 4 * sum(ns), ns, [2] * 100),))
    found = summarise(made)
    assert found.p50_us == pytest.approx(50.5 * 1.001 / 2, rel=1e-12)
    assert found.p90_us == pytest.approx(90.1 * 1.001 / 2, rel=1e-12)
    assert found.p99_us == pytest.approx(99.01 * 1.001 / 2, rel=1e-12)
    assert found.units_per_s == pytest.approx(200 / (sum(ns) / 1e9))
    assert found.cpu_us == pytest.approx(4 * sum(ns) / 200 / 1e3)


def test_start_energy_and_work_come_along() -> None:
    starts = tuple(ProcessStart(ms * 1_000_000, 0, 0) for ms in (300, 100, 200))
    rounds = (Round(0, 0.0, 10, 10, [1000], [1], joules=0.5), Round(0, 1.0, 10, 10, [1000], [4]))
    found = summarise(CaseRecord(work("a"), "measured", facts={"macs": 2000}, starts=starts, rounds=rounds))
    assert found.start_ms == 200
    assert found.mj == 500  # of the round that the meter covers
    assert found.gmac_s == pytest.approx(2000 / found.p50_us / 1e3)


def staged(name: str, decode: list[int], find: list[int], **parameters: Value) -> CaseRecord:
    stages = {"decode": decode, "gate": [7] * len(decode), "find": find, "crop": [10] * len(decode)}
    stages["classify"] = [5] * len(decode)
    ns = [sum(values) for values in zip(*stages.values(), strict=True)]
    workload = Workload(name, name, "field", "benchmarks.fields:analyse", parameters)
    return CaseRecord(workload, "measured", rounds=(Round(0, 0.0, sum(ns), sum(ns), ns, [1] * len(ns), stages),))


def test_the_ratio_to_decoding_is_of_the_same_field() -> None:
    found = summarise(staged("a", [100, 1000, 100], [85, 985, 85]))
    assert found.to_decode == 1.0
    assert found.whole_to_decode == pytest.approx(2.07)


def test_without_a_time_of_decoding_there_is_no_ratio_to_it() -> None:
    found = summarise(staged("a", [0, 100], [85, 85]))
    assert (found.to_decode, found.whole_to_decode) == (None, None)
    assert summarise(case("a", [10.0])).to_decode is None


def test_stages_that_differ_from_round_to_round_are_left_out() -> None:
    one, other = (staged("a", [100], [85]).rounds[0] for _ in range(2))
    other = replace(other, stages={"decode": [100]})
    assert summarise(CaseRecord(work("a"), "measured", rounds=(one, other))).stages_us == {}


def fields(base: float, per_mpixel: float, per_kcell: float, bend: float = 0.0) -> list[CaseRecord]:
    made = []
    for pixels in (0.3e6, 1.2e6, 3.1e6, 12.3e6):
        for cells in (50.0, 1000.0):
            ms = base + per_mpixel * pixels / 1e6 + per_kcell * cells / 1e3 + bend * (pixels / 1e6) ** 2
            parameters: dict[str, Value] = {"source": "simulate", "workers": 1}
            workload = Workload(f"{pixels}/{cells}", "g", "field", "benchmarks.fields:analyse", parameters)
            made.append(case(workload.name, [ms * 1e3] * 4, workload=workload, pixels=pixels, cells=cells))
    return made


def test_growth_finds_the_line_it_was_made_of() -> None:
    fit = growth(run(*fields(2.0, 4.0, 10.0)))
    assert fit is not None
    assert (fit.base, fit.per_mpixel, fit.per_kcell) == pytest.approx((2.0, 4.0, 10.0), rel=1e-3)
    assert fit.r2 == pytest.approx(1.0)
    assert fit.worst < 1e-3
    assert len(fit.residuals_ms) == 8


def test_growth_that_is_not_a_line_shows_in_its_residuals() -> None:
    fit = growth(run(*fields(2.0, 4.0, 10.0, bend=3.0)))
    assert fit is not None
    assert fit.worst > 0.5
    assert fit.r2 < 0.99


def test_growth_needs_several_sizes_and_densities() -> None:
    assert growth(run(*fields(2.0, 4.0, 10.0)[:3])) is None
    assert growth(run(*fields(2.0, 4.0, 10.0)[::2])) is None


def net(name: str, us: float, setup: str, /, *, status_facts: dict[str, Value], **parameters: Value) -> CaseRecord:
    workload = Workload(name, "net/m", "cell", f"benchmarks.nets:{setup}", parameters)
    return replace(case(name, [us] * 10, workload=workload), facts=status_facts)


def test_overhead_is_held_against_the_interpreter_at_the_same_batch() -> None:
    inside: dict[str, Value] = {"sha256": "x", "batch_inside": 32, "runtime": "ai-edge-litert 2.3.0", "macs": 480_000}
    bare: dict[str, Value] = {"sha256": "x", "macs": 480_000}
    made = run(
        net("ours", 11.5, "classify", status_facts=inside, model="m", batch=32),
        net("small", 100.0, "classify", status_facts=inside, model="m", batch=1),
        net("whole", 10.0, "bare", status_facts=bare, model="m", batch=32, threads=1, runtime="litert"),
        net("two threads", 5.0, "bare", status_facts=bare, model="m", batch=32, threads=2, runtime="litert"),
        net("other runtime", 50.0, "bare", status_facts=bare, model="m", batch=32, threads=1, runtime="tflite"),
        net("invoke", 9.2, "bare", status_facts=bare, model="m", batch=32, threads=1, runtime="litert", call="invoke"),
    )
    found = {what: ratio for case_, what, ratio in overheads(made) if case_.name == "ours"}
    assert found == pytest.approx({"set input, invoke, get output": 1.15, "invoke alone": 1.25})
    assert [(one.wanted, one.met) for one in targets(made)] == [("<= 1.10", False)] * 2


def test_workers_are_held_against_one_on_the_same_fields() -> None:
    def workers(count: int, us: float, source: str = "simulate") -> CaseRecord:
        parameters: dict[str, Value] = {"source": source, "workers": count}
        name = f"{source}/w{count}"
        return case(name, [us] * 10, workload=Workload(name, name, "field", "benchmarks.fields:analyse", parameters))

    made = run(workers(1, 100.0), workers(2, 52.0), workers(4, 30.0), workers(4, 10.0, "elsewhere"))
    assert [(one.name, alone.name, count) for one, alone, count in scaling(made)] == [
        ("simulate/w2", "simulate/w1", 2),
        ("simulate/w4", "simulate/w1", 4),
    ]
    (target,) = targets(made)
    assert target.measured == pytest.approx(100 / 52)
    assert target.met


def peer(name: str, us: float, function: str = "classify", **parameters: Value) -> CaseRecord:
    workload = Workload(f"peers/{name}", "net/m", "cell", f"benchmarks.peers.cells:{function}", parameters)
    return case(workload.name, [us] * 10, workload=workload)


def test_what_others_use_is_held_against_our_best_of_the_same_group() -> None:
    facts: dict[str, Value] = {"sha256": "x"}
    made = run(
        net("slow", 20.0, "classify", status_facts=facts, model="m", batch=1),
        net("best", 10.0, "classify", status_facts=facts, model="m", batch=32),
        peer("loop", 25.0),
    )
    (found,) = peer_ratios(made)
    assert (found.case.name, found.ours.name) == ("peers/loop", "best")
    assert found.times == pytest.approx(2.5)


def test_ours_on_the_very_same_cells_is_what_others_are_held_against() -> None:
    quicker = net("quicker", 10.0, "classify", status_facts={"sha256": "x"}, model="m", batch=32)
    made = run(quicker, peer("edge", 11.0, "ours"), peer("onnxruntime int8/b32/t1", 20.0), peer("keras", 99.0))
    assert [(one.case.name, one.ours.name) for one in peer_ratios(made)] == [
        ("peers/onnxruntime int8/b32/t1", "peers/edge"),
        ("peers/keras", "peers/edge"),
    ]
    (target,) = targets(made)
    assert (target.wanted, target.met) == (">= 2", False)
    assert target.measured == pytest.approx(20 / 11)


def test_what_was_left_out_for_one_reason_is_one_line() -> None:
    def missing(name: str) -> CaseRecord:
        return CaseRecord(work(name), "left out", "needs onnxruntime, which is not installed")

    lines = not_measured(run(missing("a"), missing("b"), CaseRecord(work("c"), "failed", "broke"), case("d", [1.0])))
    assert lines == ["left out: needs onnxruntime, which is not installed (2: a, b)", "failed: c: broke"]


def test_the_ceiling_is_the_manuals_else_measured_else_unknown() -> None:
    dense = net("dense", 2000.0, "ceiling", status_facts={"macs": 188_743_680}, threads=1)
    assert ceiling(run(dense)) == (76.8, "the core's peak by its manual at its highest clock")
    unknown = {**DEVICE, "peak_gmac_s_per_core": None}
    found = ceiling(run(dense, device=unknown))
    assert found is not None
    assert found[0] == pytest.approx(94.4, abs=0.1)
    assert "measured" in found[1]
    assert ceiling(run(device=unknown)) is None


def test_numbers_keep_at_least_four_digits() -> None:
    assert [digits(value) for value in (7.4191, 243.07, 18920.4, 0.012345, 0.0, -3.14159)] == [
        "7.419",
        "243.1",
        "18,920",
        "0.01235",
        "0",
        "-3.142",
    ]
    assert (digits_or_dash(None), percent(1.05), slug("Raspberry Pi 5 (rev 1.0)")) == (
        "-",
        "+5.0 %",
        "raspberry-pi-5-rev-1-0",
    )
