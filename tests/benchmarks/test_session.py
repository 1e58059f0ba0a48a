"""One run of the suite, and what the commands make of their options: nothing is measured here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import commands, fields, places
from benchmarks.commands import check_place, model_cases, named_after_board, plan, run_cases
from benchmarks.errors import ModelError, NoInputError, OutputError, ResultError
from benchmarks.measure import session
from benchmarks.measure.harness import MeasurementPlan
from benchmarks.measure.process import MeasurementStoppedError
from benchmarks.measure.session import conduct, exit_code, prepare_fields
from benchmarks.record.files import read
from benchmarks.record.run import FAILED, LEFT_OUT, MEASURED, PARTIAL, CaseRecord
from benchmarks.report.page import page
from benchmarks.workload import Workload
from edge import shelf
from tests.benchmarks.steps import DEVICE, STATE, case, run, work


def record(status: str) -> CaseRecord:
    return replace(case(status, [1.0]), status=status)


@pytest.mark.parametrize(
    ("statuses", "invalid", "interrupted", "code"),
    [
        pytest.param([MEASURED, MEASURED], (), False, 0, id="all measured"),
        pytest.param([MEASURED, LEFT_OUT], (), False, 0, id="one left out"),
        pytest.param([MEASURED, FAILED], (), False, 3, id="one failed"),
        pytest.param([FAILED, LEFT_OUT], (), False, 4, id="none measured"),
        pytest.param([PARTIAL], (), False, 4, id="none came to its end"),
        pytest.param([MEASURED, FAILED], ("hot",), False, 15, id="invalid goes before failed"),
        pytest.param([MEASURED], ("hot",), True, 130, id="stopped goes before all"),
    ],
)
def test_the_exit_code_tells_how_a_run_ended(
    statuses: list[str], invalid: tuple[str, ...], interrupted: bool, code: int
) -> None:
    assert exit_code(run(*map(record, statuses), invalid=invalid), interrupted=interrupted) == code


class FakeHarness:
    """Measures nothing: every case has one round of a second."""

    halted = False

    def __init__(self, _plan: MeasurementPlan, _progress: Any, stopped: Any) -> None:
        self._stopped = stopped

    def measure(self, workloads: list[Workload]) -> tuple[tuple[CaseRecord, ...], bool]:
        return tuple(case(one.name, [10.0], workload=one) for one in workloads), self.halted or self._stopped()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound machine, on which nothing is measured and no field is rendered."""
    monkeypatch.setattr(session, "Harness", FakeHarness)
    monkeypatch.setattr(session, "describe", lambda: DEVICE)
    monkeypatch.setattr("benchmarks.measure.state.take", lambda when, _root: {**STATE, "when": when})
    monkeypatch.setattr(session, "judge", lambda _states: ((), ("a note",)))


PLAN = MeasurementPlan(1.0, 1, 1, 0.0)


@pytest.mark.usefixtures("quiet")
class TestConduct:
    def test_the_record_holds_plan_device_states_and_cases(self) -> None:
        found = conduct([work("a"), work("b")], PLAN)
        assert [one.name for one in found.cases] == ["a", "b"]
        assert found.plan == {"seconds": 1.0, "processes": 1, "rounds": 1, "warm": 0.0}
        assert found.device == DEVICE
        assert [one["when"] for one in found.states] == ["before", "after"]
        assert (found.partial, found.invalid, found.notes) == (False, (), ("a note",))

    def test_nothing_to_measure_is_refused_before_anything_is_done(self) -> None:
        with pytest.raises(NoInputError, match="no case fits these options"):
            conduct([], PLAN)

    def test_a_run_that_was_stopped_is_partial(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FakeHarness, "halted", True)
        assert conduct([work("a")], PLAN).partial

    def test_stopping_while_fields_are_rendered_makes_it_partial_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(*_: object) -> None:
            raise MeasurementStoppedError

        monkeypatch.setattr(session, "call", stop)
        assert conduct([fields.workload("simulate", "64x64", 3, 1)], PLAN).partial

    def test_an_emulated_processor_makes_it_invalid(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session, "describe", lambda: {**DEVICE, "emulated": True})
        assert conduct([work("a")], PLAN).invalid == ("emulated processor: its times mean nothing",)

    @pytest.mark.parametrize(
        ("log", "note"),
        [
            ("time,watts\n900,2\n1100,2\n", None),
            ("time,watts\n900,2\n901,2\n", "the power log does not cover 1 of 1 rounds"),
            ("nonsense", "no energy: "),
        ],
    )
    def test_a_power_log_is_joined_or_a_note_says_why_not(self, log: str, note: str | None, tmp_path: Path) -> None:
        (tmp_path / "p.csv").write_text(log.replace("900,2\n1100", "999,2\n1001"))
        found = conduct([work("a")], PLAN, tmp_path / "p.csv")
        assert (found.cases[0].rounds[0].joules is not None) == (note is None)
        assert len(found.notes) == 1 + (note is not None)
        assert note is None or found.notes[1].startswith(note)

    def test_a_power_log_that_is_not_there_is_said_before_measuring(self, tmp_path: Path) -> None:
        with pytest.raises(ResultError, match="start the meter first"):
            conduct([work("a")], PLAN, tmp_path / "none.csv")


def test_each_kind_of_field_is_rendered_once_before_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[object] = []
    monkeypatch.setattr(session, "call", lambda what, parameters, _stopped: rendered.append((what, parameters)))
    cases = [fields.workload("simulate", size, 5, count) for size in ("64x64", "32x32") for count in (1, 2)]
    prepare_fields([*cases, fields.workload("/folder", "", 0, 1), work("a")], lambda *_: None, lambda: False)
    assert rendered == [("benchmarks.fields:render", {"size": size, "cells": 5}) for size in ("32x32", "64x64")]


@pytest.mark.parametrize(
    ("seconds", "turns", "made"),
    [
        (10.0, "5x2", MeasurementPlan(10.0, 5, 2, 0.2)),
        (1.0, "1x200", MeasurementPlan(1.0, 1, 200, 0.02)),
    ],
)
def test_turns_are_processes_and_rounds_and_short_cases_warm_up_shorter(
    seconds: float, turns: str, made: MeasurementPlan
) -> None:
    assert plan(seconds, turns) == made
    assert made.round_s * made.processes * made.rounds == pytest.approx(seconds)


class TestCases:
    def test_without_a_model_the_whole_shelf_is_measured_and_the_ceiling_once(self) -> None:
        names = [one.name for one in model_cases((), (1,), (1,), ("litert",))]
        assert len(set(names)) == len(names)
        assert sum(name.startswith("ceiling/") for name in names) == 1
        for entry in shelf.entries():
            assert f"model/{entry.name}/litert/b1/t1" in names

    def test_the_ceiling_needs_the_runtime_that_brings_the_schema(self) -> None:
        names = [one.name for one in model_cases((shelf.CLASSIFIER,), (1,), (1,), ("tflite",))]
        assert not any(name.startswith("ceiling/") for name in names)

    def test_a_model_that_is_named_twice_is_measured_once(self) -> None:
        once, twice = (model_cases((shelf.CLASSIFIER,) * n, (1,), (1,), ("litert",)) for n in (1, 2))
        assert once == twice

    def test_a_model_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(ModelError):
            model_cases(("none",), (1,), (1,), ("litert",))

    def test_fields_are_measured_at_every_size_density_and_number_of_workers(self) -> None:
        names = {one.name for one in run_cases("simulate", ("64x64", "32x32"), (5, 9), (1, 2), "auto")}
        assert names == {
            f"run/simulate/{size}/c{cells}/w{workers}"
            for size in ("64x64", "32x32")
            for cells in (5, 9)
            for workers in (1, 2)
        }

    def test_a_folder_is_measured_once_per_number_of_workers(self, tmp_path: Path) -> None:
        made = run_cases(str(tmp_path), ("64x64", "32x32"), (5, 9), (1, 2), "classical")
        assert [one.name for one in made] == [f"run/{tmp_path.name}/w{n}/classical" for n in (1, 2)]
        with pytest.raises(NoInputError, match="no such folder"):
            run_cases(str(tmp_path / "none"), (), (), (1,), "auto")


class TestPlaces:
    def test_a_place_that_can_be_written_is_left_as_it_was(self, tmp_path: Path) -> None:
        (tmp_path / "r.json").write_text("old")
        check_place(tmp_path / "r.json")
        check_place(tmp_path / "new.json")
        assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
        assert (tmp_path / "r.json").read_text() == "old"

    @pytest.mark.parametrize(("name", "said"), [("no/r.json", "there is no folder"), (".", "not a regular file")])
    def test_a_place_that_cannot_be_written_says_why(self, name: str, said: str, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match=said):
            check_place(tmp_path / name)

    @pytest.mark.parametrize(
        ("known", "name"),
        [
            ({"board": "Raspberry Pi 5 Model B", "cpu": "Cortex-A76"}, "raspberry-pi-5-model-b-"),
            ({"board": None, "cpu": "AMD EPYC (TM)"}, "amd-epyc-tm-"),
            ({"board": "", "cpu": None}, "aarch64-"),
        ],
    )
    def test_a_result_is_named_after_board_or_processor_and_time(
        self, known: dict[str, object], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "describe", lambda: {"machine": "aarch64", **known})
        path = named_after_board(tmp_path / "new")
        assert path.parent.is_dir()
        assert path.name.startswith(name)
        assert len(path.name) == len(name) + len("20261121-1723.json")

    def test_a_folder_that_cannot_be_made_is_an_output_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OutputError, match="cannot be made"):
            named_after_board(tmp_path / "file" / "sub")

    @pytest.mark.parametrize(
        ("variables", "place"),
        [
            ({"EDGE_BENCH_CACHE": "/a"}, "/a"),
            ({"EDGE_BENCH_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
            ({"XDG_CACHE_HOME": "/b"}, "/b/edge-bench"),
            ({"HOME": "/c"}, "/c/.cache/edge-bench"),
        ],
    )
    def test_the_cache_is_where_the_environment_says(
        self, variables: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("EDGE_BENCH_CACHE", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert places.cache() == Path(place)
        assert places.REPOSITORY not in places.cache().parents

    def test_real_images_are_beside_the_checkout_unless_the_environment_names_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("EDGE_DATA", raising=False)
        assert places.real_images() == places.REPOSITORY.parent / "shared" / "data"
        monkeypatch.setenv("EDGE_DATA", "/elsewhere")
        assert places.real_images() == Path("/elsewhere")


def test_the_kept_result_can_be_read_and_shown_by_this_version() -> None:
    (path,) = (places.REPOSITORY / "benchmarks" / "results").glob("*.json")
    plain = json.loads(path.read_text())
    assert {one["workload"]["setup"].split(":")[0] for one in plain["cases"]} <= {
        "benchmarks.nets",
        "benchmarks.fields",
        "benchmarks.peers.cells",
        "benchmarks.peers.fields",
        "benchmarks.peers.nets",
    }
    kept = (places.REPOSITORY / "docs" / "benchmarks.md").read_text()
    assert page([(path.name, read(path))], ("benchmarks-cells.svg", "benchmarks-fields.svg")) == kept
