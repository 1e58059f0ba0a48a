"""The child process: what it hands back, and how each way of dying is told. No TensorFlow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convert.child import run_in_child
from convert.errors import GateError, LimitError, ModelError, UntrustedError

HERE = "tests.convert.children:"
ROOT = Path(__file__).parents[2]


def test_values_and_progress_come_back_and_noise_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[str, float]] = []
    got = run_in_child(HERE + "echo", {"a": [1, None, "ü"]}, progress=lambda what, share: seen.append((what, share)))
    assert got["got"] == {"a": [1, None, "ü"]}
    assert len(got["long"]) == 3_000_000
    assert seen == [("step 0", 0.0), ("step 1", 0.5), ("step 2", 1.0)]
    assert capfd.readouterr() == ("", "")


def test_verbose_lets_the_noise_through(capfd: pytest.CaptureFixture[str]) -> None:
    run_in_child(HERE + "echo", {}, verbose=True)
    assert "more noise" in capfd.readouterr().err


def test_known_failures_come_back_as_their_class_with_their_line() -> None:
    with pytest.raises(UntrustedError, match=r"^layer 'x': refused"):
        run_in_child(HERE + "refuse", {"layer": "x"})
    with pytest.raises(GateError, match="3 points") as caught:
        run_in_child(HERE + "gate", {})
    assert caught.value.exit_code == 8
    assert "children.py" in caught.value.__notes__[0]


def test_a_defect_stays_a_defect() -> None:
    with pytest.raises(RuntimeError, match="KeyError"):
        run_in_child(HERE + "defect", {})
    with pytest.raises(RuntimeError, match="TypeError"):
        run_in_child(HERE + "lie", {})


def test_a_crash_is_not_ours() -> None:
    with pytest.raises(ModelError, match="SIGSEGV"):
        run_in_child(HERE + "segfault", {})
    with pytest.raises(ModelError, match="exit code 3"):
        run_in_child(HERE + "leave", {})
    with pytest.raises(ModelError, match="makes no sense"):
        run_in_child(HERE + "babble", {})


def test_memory_and_time_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convert.child._WALL", 60)  # a busy machine gives a second of processor time late
    with pytest.raises(LimitError, match="out of memory"):
        run_in_child(HERE + "eat", {}, memory_mb=2000)
    with pytest.raises(LimitError, match="out of memory"):
        run_in_child(HERE + "kill_itself", {})
    with pytest.raises(LimitError, match="processor time"):
        run_in_child(HERE + "spin", {}, seconds=1)


def test_sleeping_has_an_end_too(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(LimitError, match="too long"):
        run_in_child(HERE + "sleep", {"pid": str(tmp_path / "pid")}, seconds=0.5)
    assert time.monotonic() - started < 10
    assert gone(int((tmp_path / "pid").read_text()))


def test_there_is_no_network() -> None:
    assert run_in_child(HERE + "call_home", {}) == "refused"


def test_ctrl_c_takes_the_child_along(tmp_path: Path) -> None:
    # Started in the background, this test inherits a SIGINT that is ignored, and so would the parent.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = f"from convert.child import run_in_child; run_in_child('{HERE}sleep', {{'pid': {str(tmp_path / 'pid')!r}}})"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, "-c", heard + code], stderr=subprocess.PIPE, env=env)
    child = wait_for(tmp_path / "pid")
    parent.send_signal(signal.SIGINT)
    parent.communicate(timeout=10)
    assert gone(child)


def test_a_killed_parent_takes_the_child_along(tmp_path: Path) -> None:
    code = f"from convert.child import run_in_child; run_in_child('{HERE}sleep', {{'pid': {str(tmp_path / 'pid')!r}}})"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=env)
    child = wait_for(tmp_path / "pid")
    parent.kill()
    parent.wait(timeout=10)
    assert gone(child)


def wait_for(path: Path) -> int:
    for _ in range(200):
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.05)
    raise AssertionError(path)


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
