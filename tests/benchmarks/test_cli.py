"""The commands as a person types them: what they print, what they write, how they end."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import benchmarks.errors
from benchmarks.cli import _EPILOG, app
from benchmarks.errors import EdgeError
from benchmarks.measure import session
from benchmarks.record.files import read, write
from benchmarks.workload import Workload
from tests.benchmarks.fake_edge_bench import standard_set
from tests.benchmarks.steps import DEVICE, case, run, work

ROOT = Path(__file__).parents[2]
SHORT = ("--seconds", "0.02", "--turns", "1x2")


def bench(*args: str | Path) -> Any:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_a_run_is_shown_and_written(tmp_path: Path) -> None:
    with standard_set(work("first"), work("second")):
        got = bench("standard", "-o", tmp_path / "r.json", *SHORT)
    assert got.exit_code == 0, got.stderr
    assert "first" in got.stdout
    assert "p99" in got.stdout
    found = read(tmp_path / "r.json")
    assert [one.name for one in found.cases] == ["first", "second"]
    assert not found.partial
    assert [one["when"] for one in found.states][0 :: len(found.states) - 1] == ["before", "after"]


def test_json_on_stdout_is_the_result_and_nothing_else() -> None:
    with standard_set(work("first")):
        got = bench("standard", "--json", *SHORT)
    plain = json.loads(got.stdout)
    assert plain["schema"] == 1
    assert plain["cases"][0]["summary"]["p50_us"] > 0


def test_a_folder_gets_a_file_named_after_the_machine(tmp_path: Path) -> None:
    with standard_set(work("first")):
        assert bench("standard", "--into", tmp_path / "new" / "folder", *SHORT).exit_code == 0
    (path,) = (tmp_path / "new" / "folder").iterdir()
    assert read(path).measured.keys() == {"first"}


def test_a_failing_case_is_one_line_and_exit_code_3() -> None:
    with standard_set(work("bad", "broken"), work("good")):
        got = bench("standard", *SHORT)
    assert got.exit_code == 3
    assert "good" in got.stdout
    assert "edge-bench: bad failed: RuntimeError: second line: the reason" in got.stderr.splitlines()


def test_nothing_measured_is_exit_code_4(tmp_path: Path) -> None:
    left_out = Workload("peer", "g", "cell", "x:y", needs=("no_such_package",))
    with standard_set(work("bad", "broken"), left_out):
        got = bench("standard", "-o", tmp_path / "r.json", *SHORT)
    assert got.exit_code == 4
    assert "nothing was measured: bad: RuntimeError" in got.stderr
    assert not (tmp_path / "r.json").exists()


def test_throttling_makes_the_run_invalid_loudly_and_the_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "judge", lambda _states: (("throttled while it measured",), ()))
    with standard_set(work("first")):
        got = bench("standard", "-o", tmp_path / "r.json", *SHORT)
    assert got.exit_code == 15
    assert "INVALID" in got.stdout
    assert "INVALID RUN: throttled while it measured" in got.stderr
    assert read(tmp_path / "r.json").invalid == ("throttled while it measured",)


def test_a_power_log_gives_energy_and_a_bad_one_does_not_cost_the_run(tmp_path: Path) -> None:
    now = time.time()
    power = tmp_path / "power.csv"
    power.write_text("time,watts\n" + "".join(f"{now + i},4\n" for i in range(-2, 60)))
    with standard_set(work("first", us=100.0, units=1)):
        got = bench("standard", "--power", power, "-o", tmp_path / "r.json", *SHORT)
        assert got.exit_code == 0, got.stderr
        assert all(one.joules for one in read(tmp_path / "r.json").cases[0].rounds)
        power.write_text("something else")
        got = bench("standard", "--power", power, *SHORT)
        assert got.exit_code == 0
        assert "no energy" in got.stdout
        assert bench("standard", "--power", tmp_path / "none.csv", *SHORT).exit_code == 12


def test_an_output_that_cannot_be_written_is_said_before_measuring(tmp_path: Path) -> None:
    with standard_set(work("first")):
        began = time.monotonic()
        got = bench("standard", "-o", tmp_path / "no" / "r.json", "--seconds", "60")
        assert (got.exit_code, time.monotonic() - began < 10) == (7, True)
        assert bench("standard", "-o", tmp_path, *SHORT).exit_code == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_half_way_keeps_what_was_measured_and_marks_it_partial(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    command = [sys.executable, "-m", "tests.benchmarks.fake_edge_bench", "standard", "-o", str(out), "--seconds", "10"]
    plan = ["--turns", "1x200"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, *plan], cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        told = itertools.takewhile(lambda line: not re.search("[1-9] %  first$", line), process.stderr)
        before = list(told)
        assert any("set-up" in line for line in before)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "partial: stopped before the end" in stderr
    assert "Traceback" not in stderr
    found = read(out)
    assert found.partial
    assert {one.status for one in found.cases} == {"partial"}
    assert all(one.rounds for one in found.cases)
    assert "first (partial)" in stdout


def test_compare_says_what_is_real_and_how_it_ends(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in ("old.json", "new.json", "other.json"))
    steady = [100.0, 100.4, 99.8, 100.1, 100.2, 99.9, 100.3, 99.7, 100.0, 100.1]
    slower = run(case("a", [us * 1.1 for us in steady]), case("b", steady))
    write(old, run(case("a", steady), case("b", steady)))
    write(new, slower)
    write(other, replace(slower, device={**DEVICE, "board": "Raspberry Pi 4"}))
    got = bench("compare", old, new)
    assert got.exit_code == 0, got.stderr
    assert "slower by +10.0 %" in got.stdout
    assert "no real difference" in got.stdout
    assert bench("compare", old, new, "--fail-over", "20%").exit_code == 0
    failed = bench("compare", old, new, "--fail-over", "5%")
    assert failed.exit_code == 14
    assert "slower by more than 5 %: a +10.0 %" in failed.stderr
    assert bench("compare", new, old, "--fail-over", "5").exit_code == 0  # faster is no regression
    refused = bench("compare", old, other)
    assert refused.exit_code == 13
    assert "board differs" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert bench("compare", old, other, "--force").exit_code == 0
    plain = json.loads(bench("compare", old, new, "--json").stdout)
    assert [one["real"] for one in plain["differences"]] == [True, False]
    (tmp_path / "empty.json").write_text("")
    assert bench("compare", old, tmp_path / "empty.json").exit_code == 12


def test_report_writes_the_page_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    write(tmp_path / "good.json", run(case("a", [10.0] * 4)))
    write(tmp_path / "hot.json", run(case("a", [10.0] * 4), invalid=("throttled",)))
    got = bench("report", tmp_path / "good.json", tmp_path / "hot.json", "-o", tmp_path / "p.md", "--no-plots")
    assert got.exit_code == 0, got.stderr
    assert "hot.json" in (tmp_path / "p.md").read_text().split("## Left out")[1]
    (tmp_path / "foreign.json").write_text("{}")
    got = bench("report", tmp_path / "good.json", tmp_path / "foreign.json", "-o", tmp_path / "q.md")
    assert (got.exit_code, (tmp_path / "q.md").exists()) == (12, False)


def test_device_prints_what_is_known() -> None:
    got = bench("device")
    assert got.exit_code == 0
    assert "governor" in got.stdout
    plain = json.loads(bench("device", "--json").stdout)
    assert plain["device"]["cores"] >= 1
    assert set(plain) == {"device", "state", "notes"}


@pytest.mark.parametrize(
    "args",
    [
        ("model", "--batch", "0"),
        ("model", "--threads", "x"),
        ("model", "--runtime", "torch"),
        ("run", "--size", "640"),
        ("run", "--cells", ""),
        ("run", "--turns", "5"),
        ("run", "--turns", "0x2"),
        ("compare", "a", "b", "--fail-over", "much"),
        ("compare", "a"),
        ("report", "-o", "x"),
        ("nothing",),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(args: tuple[str, ...]) -> None:
    assert bench(*args).exit_code == 2


def test_a_model_or_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"no model at all")
    for args, code in (
        (("model", "nothing-like-it"), 5),
        (("model", tmp_path / "none.tflite"), 5),
        (("model", tmp_path / "bad.tflite"), 5),
        (("run", "--source", tmp_path / "none"), 4),
        (("run", "--source", tmp_path, "--workers", "1", *SHORT), 4),
    ):
        got = bench(*args)
        assert got.exit_code == code, got.output
        assert len(got.stderr.splitlines()) == 1, got.stderr


def test_every_command_has_help_with_an_example() -> None:
    for command in ("model", "run", "standard", "device", "compare", "report"):
        got = bench(command, "--help")
        assert got.exit_code == 0
        assert "Example" in got.stdout


def test_exit_codes_in_code_help_and_docs_are_the_same() -> None:
    def table(text: str) -> dict[int, str]:
        rows = [line.split("|") for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()]
        return {int(row[1]): row[2].strip() for row in rows}

    documented = table((ROOT / "docs" / "benchmarking.md").read_text())
    assert documented == table(benchmarks.errors.__doc__ or "")
    known = {cls.exit_code for cls in EdgeError.__subclasses__() if cls.__module__ == "benchmarks.errors"}
    assert known <= set(documented)
    assert all(f"{code} " in _EPILOG for code in documented)


def test_every_known_failure_says_cause_and_remedy() -> None:
    for cls in EdgeError.__subclasses__():
        if cls.__module__ == "benchmarks.errors":
            assert (cls.__doc__ or "").count(".") >= 2, cls
