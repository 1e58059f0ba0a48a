"""What the nets of a search cost: times in one run, instructions once per file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import nets
from benchmarks.record import files as records
from benchmarks.record import run as kinds
from benchmarks.record.run import CaseRecord, Round, Run
from benchmarks.workload import Value
from edge.errors import ModelError
from edge.modelfile import read_model
from models.studies.search import cost
from models.studies.search.candidates import LITE, REFERENCE
from models.studies.search.cost import NetTime, TimedCase
from tests.models.studies.searching import case, keep, timing

Bench = Callable[..., tuple[int, str]]


def result(files: dict[str, Path], us: float = 2.0, **changes: Any) -> dict[str, Any]:
    """A result file as ``edge-bench model`` writes it: every case took ``us`` microseconds per cell in two rounds."""
    cases = []
    for name, path in files.items():
        for work in nets.workloads(str(path), finder=False, batches=cost.BATCHES, threads=(1,), runtimes=("litert",)):
            batch = int(work.parameters["batch"])
            facts: dict[str, Value] = {"sha256": read_model(path).sha256, "delegated": True}
            rounds = tuple(Round(0, 0.0, 1, 1, [int(us * 1000 * batch)] * 3, [batch] * 3) for _ in range(2))
            cases.append(CaseRecord(work, kinds.MEASURED, facts=facts, rounds=rounds))
            assert name == path.stem
    device = {"cpu": "a processor", "machine": "x86_64"}
    run = Run("2026-11-21T00:00:00Z", "0.1", {}, False, ("it throttled",), ("it was warm",), device, (), tuple(cases))
    return {**records.to_json(run), **changes}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """``edge-bench`` that only pretends; gives the arguments of each call."""
    calls: list[tuple[str, ...]] = []

    def pretend(*arguments: str) -> tuple[int, str]:
        calls.append(arguments)
        files = {Path(one).stem: Path(one) for one in arguments if one.endswith(".tflite")}
        out = Path(arguments[arguments.index("--out") + 1])
        counts = {"core": cost.CORE, "cells": 1024, "versions": {"numpy": "2"}}
        counts |= {
            "files": {n: read_model(p).sha256 for n, p in files.items()},
            "instructions": dict.fromkeys(files, 7),
        }
        out.write_text(json.dumps(result(files) if arguments[0] == "model" else counts))
        return 0, ""

    monkeypatch.setattr(cost, "edge_bench", pretend)
    return calls


def asked_for(call: tuple[str, ...]) -> list[str]:
    return [Path(one).stem for one in call if one.endswith(".tflite")]


def test_a_result_of_edge_bench_is_read_with_the_bare_nets_alone_and_all_that_must_be_known(tmp_path: Path) -> None:
    files = {REFERENCE: keep(tmp_path, REFERENCE)}
    run = cost.read_times(json.loads(json.dumps(result(files, 2.5))))
    sha = read_model(files[REFERENCE]).sha256
    assert run.cases == tuple(TimedCase(REFERENCE, batch, 2.5, (2.5, 2.5), sha, True) for batch in cost.BATCHES)
    assert run.notes == ("it throttled", "it was warm")
    assert run.cpu == "a processor"


def test_a_case_that_failed_is_one_line(tmp_path: Path) -> None:
    plain = result({REFERENCE: keep(tmp_path, REFERENCE)})
    plain["cases"][0] |= {"status": kinds.FAILED, "reason": "no runtime"}
    with pytest.raises(ModelError, match=f"model/{REFERENCE}/litert/b1/t1: no runtime"):
        cost.read_times(plain)


def test_each_net_is_taken_at_its_best_batch_and_divided_by_the_reference_round_by_round() -> None:
    cases = (
        case(REFERENCE, 8, (4.0, 8.0, 4.0)),
        case(REFERENCE, 32, (2.0, 4.0, 2.0)),
        case("resnet8", 8, (20.0, 40.0, 22.0)),
        case("resnet8", 32, (30.0, 60.0, 30.0)),
    )
    at = cost.times(timing(*cases), REFERENCE)
    assert at[REFERENCE].batch == 32
    assert at[REFERENCE].ratio == 1
    assert at["resnet8"] == NetTime(8, 22.0, 10.0, 10.0, 11.0, delegated=True)


def test_times_are_taken_in_one_run_and_kept_until_a_file_changes(bench: list[Any], tmp_path: Path) -> None:
    files = {name: keep(tmp_path, name) for name in (REFERENCE, LITE)}
    note = tmp_path / "times.json"
    first = cost.measure_times(files, note, again=False)
    assert [asked_for(call) for call in bench] == [[REFERENCE, LITE]]
    assert cost.measure_times(files, note, again=False) == first
    assert len(bench) == 1
    cost.measure_times(files, note, again=True)
    files["residual"] = keep(tmp_path, "residual")
    cost.measure_times(files, note, again=False)
    assert len(bench) == 3


@pytest.mark.parametrize(
    "note",
    ["", "{", '{"partial": false}', '{"partial": true, "cases": []}'],
    ids=["empty", "cut", "foreign", "partial"],
)
def test_a_note_that_is_no_whole_run_is_measured_anew(bench: list[Any], tmp_path: Path, note: str) -> None:
    (tmp_path / "times.json").write_text(note)
    cost.measure_times({REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "times.json", again=False)
    assert len(bench) == 1


def test_a_partial_run_of_the_same_files_is_not_kept(bench: list[Any], tmp_path: Path) -> None:
    files = {REFERENCE: keep(tmp_path, REFERENCE)}
    (tmp_path / "times.json").write_text(json.dumps(result(files, partial=True)))
    cost.measure_times(files, tmp_path / "times.json", again=False)
    assert len(bench) == 1


def test_where_edge_bench_writes_nothing_its_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cost, "edge_bench", lambda *_: (5, "edge-bench: no runtime"))
    with pytest.raises(ModelError, match="no runtime"):
        cost.measure_times({REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "times.json", again=False)


def test_only_files_that_were_not_counted_are_counted(
    bench: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files, note = {REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "instructions.json"

    def count() -> cost.NetInstructions:
        return cost.count_instructions(files, note, lambda _: None, again=False)

    count()
    files[LITE] = keep(tmp_path, LITE)
    assert count().nets == {REFERENCE: 7, LITE: 7}
    assert [asked_for(call) for call in bench] == [[REFERENCE], [LITE]]
    assert count().nets == {REFERENCE: 7, LITE: 7}
    assert len(bench) == 2
    monkeypatch.setattr(cost, "edge_bench", lambda *_: (8, "edge-bench arm: not now"))
    files["residual"] = keep(tmp_path, "residual")
    counts = count()
    assert (counts.missing, counts.nets) == ("not now", {REFERENCE: 7, LITE: 7})


def test_counts_under_other_packages_do_not_stand_beside_new_ones(bench: list[Any], tmp_path: Path) -> None:
    files, note = {REFERENCE: keep(tmp_path, REFERENCE)}, tmp_path / "instructions.json"
    cost.count_instructions(files, note, lambda _: None, again=False)
    note.write_text(note.read_text().replace('"numpy": "2"', '"numpy": "1"'))
    files[LITE] = keep(tmp_path, LITE)
    cost.count_instructions(files, note, lambda _: None, again=False)
    assert [asked_for(call) for call in bench] == [[REFERENCE], [LITE], [REFERENCE, LITE]]


def test_the_program_itself_is_run_and_its_reason_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGE_ARM_CACHE", str(tmp_path / "cache"))
    files = {REFERENCE: keep(tmp_path, REFERENCE)}
    counts = cost.count_instructions(files, tmp_path / "instructions.json", lambda _: None, again=False)
    assert counts.nets == {}
    assert "no emulated ARM root is built here" in counts.missing
    assert not (tmp_path / "instructions.json").exists()
