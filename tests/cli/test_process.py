"""edge-run as a process: signals, pipes, terminals, and what the shell sees. Model and finder are stand-ins here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.terminal import on_a_terminal
from tests.report.made import read

ROOT = Path(__file__).parents[2]


def start(*args: str, source: str = "endless") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cli.fake_edge_run", "--camera", "--no-gate", "--workers", "2", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "FAKE_SOURCE": source},
        preexec_fn=hangup_ends_it,  # noqa: PLW1509 - no threads run here
    )


def hangup_ends_it() -> None:
    """Restore what SIGHUP does by default: a child of a pytest that was started with ``nohup`` would ignore it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def after_some_fields(process: subprocess.Popen[str], csv: Path) -> None:
    """Wait until fields have been counted: their rows are in the hidden file that becomes the table."""
    deadline = time.monotonic() + 20
    while sum(len(part.read_text().splitlines()) for part in csv.parent.glob(f".{csv.name}.*.part")) < 4:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_prints_the_sample_so_far_and_completes_the_files(tmp_path: Path, number: int) -> None:
    csv = tmp_path / "t.csv"
    process = start("--csv", str(csv), "--detections", str(tmp_path / "d.json"), "--report", str(tmp_path / "out"))
    after_some_fields(process, csv)
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert "Sample s" in out
    assert "uncalibrated" in out
    assert err.splitlines() == ["edge-run: stopped: counted up to here"]
    kept = len(csv.read_text().splitlines()) - 1
    assert f"{kept} kept" in out
    assert len(json.loads((tmp_path / "d.json").read_text())["images"]) == kept
    assert read((tmp_path / "out" / "s.html").read_text()).facts["fields"]["kept"] == kept


def test_ctrl_c_in_json_mode_ends_with_the_sample_event(tmp_path: Path) -> None:
    csv = tmp_path / "t.csv"
    process = start("--csv", str(csv), "--json")
    after_some_fields(process, csv)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    events = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 130
    assert events[-1]["event"] == "sample"
    assert events[-1]["fields"]["kept"] == len(events) - 1


def test_a_reader_that_leaves_ends_the_run_quietly(tmp_path: Path) -> None:
    process = start("--json", "--csv", str(tmp_path / "t.csv"))
    assert process.stdout is not None
    assert process.stderr is not None
    json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.wait(timeout=10) == 7
    assert process.stderr.read() == ""
    process.stderr.close()


def test_an_unplugged_camera_seen_from_the_shell() -> None:
    process = start(source="unplugged")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 6
    assert "3 kept" in out
    assert err == "edge-run: the camera stopped answering\n"


@pytest.mark.parametrize("no_color", [False, True])
def test_on_a_terminal_there_is_a_live_line_and_then_a_table(no_color: bool) -> None:
    env = {**os.environ, "FAKE_SOURCE": "endless", "TERM": "xterm-256color", "COLUMNS": "100"}
    env.pop("NO_COLOR", None)
    if no_color:
        env["NO_COLOR"] = "1"
    command = [sys.executable, "-m", "tests.cli.fake_edge_run", "--camera", "--no-gate", "--max-cells", "800"]
    code, text = on_a_terminal(command, env)
    assert code == 0
    assert "kept, 0 rejected" in text
    assert "left" in text
    assert text.index("left") < text.index("Sample s")
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back
    assert ("\x1b[1;33m" in text) is not no_color


def test_help_is_quick_and_loads_no_heavy_library() -> None:
    heavy = ("numpy", "cv2", "ai_edge_litert", "rich")
    code = f"import sys, edge.cli; edge.cli.edge_app(); print([m for m in {heavy} if m in sys.modules])"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert got.stdout.strip() == "[]"


def test_a_second_ctrl_c_quits_at_once() -> None:
    code = """
import os, signal, time
from edge.door import stop_on_signals
with stop_on_signals(lambda: None) as stopped:
    os.kill(os.getpid(), signal.SIGINT)
    print(stopped.is_set(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
"""
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=4, check=False)
    assert (got.returncode, got.stdout, got.stderr) == (130, "True\n", "")


def test_signals_are_as_before_afterwards() -> None:
    from edge.door import stop_on_signals

    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals(lambda: None):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_the_runtimes_own_greeting_is_silenced_and_stderr_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    from edge.door import quiet_native_stderr

    with quiet_native_stderr():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
