"""Result files: what goes in comes out, and what is not a result is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.errors import MissingPackageError, OutputError, ResultError
from benchmarks.measure.harness import Harness, MeasurementPlan
from benchmarks.record import files
from benchmarks.record.files import read, to_json, write
from benchmarks.record.run import Round
from benchmarks.workload import Workload
from tests.benchmarks.steps import case, run, work

SOUND = run(case("a", [10.0] * 10, sha256="abc", macs=487440))


def written(tmp_path: Path, change: Any = None) -> Path:
    plain = to_json(SOUND)
    if change is not None:
        change(plain)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(plain))
    return path


def test_a_result_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write(path, SOUND)
    assert read(path) == SOUND


def test_what_the_harness_measures_follows_the_schema(tmp_path: Path) -> None:
    cases, _ = Harness(MeasurementPlan(0.02, 1, 2, 0.0)).measure(
        [work("a"), work("s", "staged"), work("bad", "broken"), Workload("m", "g", "file", "x:y", needs=("no_such",))]
    )
    write(tmp_path / "r.json", run(*cases))
    assert [one.status for one in read(tmp_path / "r.json").cases] == ["measured", "measured", "failed", "left out"]


def test_units_that_differ_are_kept_one_by_one(tmp_path: Path) -> None:
    uneven = run(replace(case("a", [10.0]), rounds=(Round(0, 1.0, 30, 20, [10, 20], [1, 2]),)))
    write(tmp_path / "r.json", uneven)
    assert read(tmp_path / "r.json").cases[0].rounds[0].units == [1, 2]


def test_paths_of_this_machine_do_not_leave_it(tmp_path: Path) -> None:
    secret = Workload("a", "g", "field", "x:y", {"source": "/home/somebody/slides", "size": "640x480"})
    write(tmp_path / "r.json", run(case("a", [1.0], workload=secret)))
    assert "somebody" not in (tmp_path / "r.json").read_text()
    assert read(tmp_path / "r.json").cases[0].workload.parameters == {"source": "slides", "size": "640x480"}


def set_schema(plain: dict[str, Any]) -> None:
    plain["schema"] = 2


def set_foreign(plain: dict[str, Any]) -> None:
    plain["format"] = "pyperf"


def drop_device(plain: dict[str, Any]) -> None:
    del plain["device"]


def negative_time(plain: dict[str, Any]) -> None:
    plain["cases"][0]["rounds"][0]["ns"][0] = -5


def no_samples(plain: dict[str, Any]) -> None:
    plain["cases"][0]["rounds"][0]["ns"] = []


def uneven_units(plain: dict[str, Any]) -> None:
    plain["cases"][0]["rounds"][0]["units"] = [1, 2]


def unknown_status(plain: dict[str, Any]) -> None:
    plain["cases"][0]["status"] = "perfect"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_schema, "schema version 2, this program reads version 1"),
        (set_foreign, "not a result of edge-bench"),
        (drop_device, "device"),
        (negative_time, "ns"),
        (no_samples, "ns"),
        (uneven_units, "not equally many"),
        (unknown_status, "status"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_in_one_line(tmp_path: Path, change: Any, said: str) -> None:
    with pytest.raises(ResultError, match=said) as caught:
        read(written(tmp_path, change))
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "no valid JSON"),
        (b"[" * 100_000, "no valid JSON"),
        (b"NaN", "no valid JSON"),
        (b"[]", "not a result"),
        (b'{"a": 1}', "not a result"),
        (b"\xff\xfe\x00", "not text"),
    ],
)
def test_foreign_files_are_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(ResultError, match=said):
        read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ResultError, match="cannot be read"):
            read(path)


def test_a_result_that_cannot_be_written_is_an_output_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "no" / "r.json", SOUND)
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError):
        write(tmp_path / "taken", SOUND)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]


def test_without_the_checker_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files._validator.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "fastjsonschema", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'scipy"):
        read(written(tmp_path))
