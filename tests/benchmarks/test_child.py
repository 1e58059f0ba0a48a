"""The child process and the parent's end of it, each on its own: requests and answers, and how a child ends."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.errors import CaseError
from benchmarks.measure import child, process
from benchmarks.measure.process import Child, MeasurementStoppedError
from edge.errors import ModelError
from tests.benchmarks import steps
from tests.benchmarks.steps import work


def answers_to(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """What the child answers, in this process."""
    written = io.StringIO()
    child.serve(io.StringIO("".join(json.dumps(one) + "\n" for one in requests)), written, time.monotonic())
    return [json.loads(line) for line in written.getvalue().splitlines()]


def prepare(function: str = "staged", loops: int | None = 3, **parameters: Any) -> dict[str, Any]:
    made = work("a", function, **parameters)
    plain = {key: getattr(made, key) for key in ("name", "group", "unit", "setup", "parameters", "needs")}
    return {"do": "prepare", "workload": plain, "warm": 0.0, "loops": loops}


def test_every_request_has_one_answer_in_order() -> None:
    first, second, third = answers_to(
        prepare(),
        {"do": "measure", "seconds": 0.01},
        {"do": "call", "function": "tests.benchmarks.steps:pid_of_child", "parameters": {}},
    )
    assert set(first) == {"began", "setup_ns", "first_ns", "loops"}
    assert set(second) == {"round", "peak_rss", "peak_pss", "facts"}
    assert set(third) == {"value"}


def test_a_sample_is_as_many_calls_as_were_asked_for() -> None:
    ready, measured = answers_to(prepare(loops=7), {"do": "measure", "seconds": 0.01})
    one = measured["round"]
    assert ready["loops"] == 7
    assert set(one["units"]) == {7}
    assert set(one["stages"]["decode"]) == {7 * 2000}
    assert len(one["ns"]) == len(one["units"]) == len(one["stages"]["find"])


def test_without_being_told_a_sample_lasts_a_millisecond() -> None:
    ready, _ = answers_to(prepare("spin", None, us=100.0), {"do": "measure", "seconds": 0.0})
    assert 2 <= ready["loops"] <= 10  # 100 µs each, more on a busy machine


def test_a_round_has_at_least_one_sample_and_ends_in_time() -> None:
    _, none, some = answers_to(
        prepare("spin", 1, us=2000.0), {"do": "measure", "seconds": 0.0001}, {"do": "measure", "seconds": 0.02}
    )
    assert len(none["round"]["ns"]) == 1
    assert 2 <= len(some["round"]["ns"]) <= 11
    assert sum(some["round"]["ns"]) <= some["round"]["wall_ns"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"do": "measure", "seconds": 1.0}, "RuntimeError: measure before prepare"),
        ({"do": "call", "function": "no_such_module:x", "parameters": {}}, "ModuleNotFoundError"),
        ({"do": "call", "function": "tests.benchmarks.steps:none", "parameters": {}}, "AttributeError"),
        (prepare("broken"), "RuntimeError: second line: the reason"),
    ],
)
def test_a_failure_is_an_answer_and_the_child_goes_on(request_: dict[str, Any], reason: str) -> None:
    failed, after = answers_to(request_, prepare())
    assert failed["failed"].startswith(reason)
    assert "failed" not in after


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("first\nlast"), "ValueError: last"),
        (ValueError(), "ValueError"),
        (ValueError("tab\there\x1b[31m"), "ValueError: tab here [31m"),
        (ModelError("m.tflite: no card"), "m.tflite: no card"),
        (OSError("x" * 1000), "OSError: " + "x" * 400),
    ],
)
def test_an_error_is_one_printable_line_of_moderate_length(error: Exception, line: str) -> None:
    assert child.one_line(error) == line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("VmHWM:\t  123 kB\nVmRSS:\t 5 kB\n", 123 * 1024),
        ("VmRSS:\t 5 kB\n", None),
        ("XVmHWM:\t 5 kB\n", None),
        ("VmHWM:\t 5 MB\n", None),
    ],
)
def test_memory_is_read_in_bytes(text: str, found: int | None, tmp_path: Path) -> None:
    (tmp_path / "status").write_text(text)
    assert child._proc_bytes(tmp_path / "status", "VmHWM") == found
    assert child._proc_bytes(tmp_path / "none", "VmHWM") is None


def test_the_largest_memory_of_all_rounds_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([50, 90, None, 70])
    monkeypatch.setattr(child, "_proc_bytes", lambda path, _name: next(seen) if "rollup" in path.name else 1)
    measure = {"do": "measure", "seconds": 0.0}
    peaks = [answer["peak_pss"] for answer in answers_to(prepare(), measure, measure, measure)[1:]]
    assert peaks == [90, 90, 90]


class TestParent:
    def test_a_child_that_is_closed_has_ended(self) -> None:
        with Child() as one:
            assert one.ask({"do": "call", "function": "tests.benchmarks.steps:pid_of_child", "parameters": {}}) == {
                "value": one.pid
            }
        assert one._process.returncode == 0

    def test_stopping_ends_the_wait(self) -> None:
        with Child(lambda: True) as one, pytest.raises(MeasurementStoppedError):
            one.ask({"do": "measure", "seconds": 60.0}, 60.0)

    def test_a_child_that_hangs_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "SETUP_S", 0.0)
        monkeypatch.setattr(process, "_POLL_S", 0.01)
        with Child() as one, pytest.raises(CaseError, match="gave no answer within 0 s more"):
            one.ask({"do": "call", "function": "time:sleep", "parameters": {}}, -1.0)

    @pytest.mark.parametrize(
        ("function", "said"),
        [
            ("dies", "its process ended with exit code 9: native code said goodbye"),
            ("killed", "its process ended with signal 6"),
        ],
    )
    def test_how_a_child_died_is_said_with_its_last_words(self, function: str, said: str) -> None:
        with Child() as one, pytest.raises(CaseError) as caught:
            one.ask({"do": "call", "function": f"{steps.__name__}:{function}", "parameters": {}})
        assert str(caught.value) == said
