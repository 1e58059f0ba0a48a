"""Work folders go away whatever ends the work: real signals to a real process with a real child. No TensorFlow."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convert.child import run_in_child
from convert.errors import EdgeError
from convert.scratch import scratch
from tests.convert.test_child import HERE, ROOT, gone, wait_for

WORK = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # started by a pytest under nohup, it would ignore SIGHUP
from pathlib import Path
from edge.door import door, stop_before_the_run
from convert.child import run_in_child
from convert.scratch import scratch
with door(debug=False, program="edge-convert"):
    stop_before_the_run()
    with scratch() as folder:
        Path(folder, "half.tflite").write_text("half")
        run_in_child("tests.convert.children:fill", {"pid": sys.argv[1]})
"""


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import tempfile

    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def start(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """The program at work, and its child's number."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WORK, str(tmp_path / "pid")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    return process, wait_for(tmp_path / "pid")


def empty(folder: Path) -> bool:
    for _ in range(100):
        if not list(folder.iterdir()):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_to_the_program_leaves_no_folder_and_no_child(
    temp: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process, child = start(tmp_path)
    assert len(list(temp.glob("edge-convert-*"))) == 2
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    expected = (-9, "") if number == signal.SIGKILL else (130, "edge-convert: stopped\n")
    assert (process.returncode, said) == expected
    assert gone(child)
    assert empty(temp), list(temp.rglob("*"))


def test_an_impatient_user_leaves_no_folder_either(temp: Path, tmp_path: Path) -> None:
    process, child = start(tmp_path)
    while process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        time.sleep(0.002)
    process.communicate(timeout=20)
    assert gone(child)
    assert empty(temp), list(temp.rglob("*"))


def test_a_child_that_is_killed_leaves_no_folder(temp: Path, tmp_path: Path) -> None:
    process, child = start(tmp_path)
    os.kill(child, signal.SIGKILL)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 10
    assert "out of memory" in said
    assert empty(temp)


@pytest.mark.parametrize("job", ["refuse", "defect", "segfault", "leave", "babble"])
def test_nor_does_one_that_fails(temp: Path, job: str) -> None:
    with pytest.raises((EdgeError, RuntimeError)):
        run_in_child(HERE + job, {"layer": "x"})
    assert list(temp.iterdir()) == []


def test_nor_one_that_takes_too_long(temp: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="too long"):
        run_in_child(HERE + "fill", {"pid": str(tmp_path / "pid")}, seconds=0.5)
    assert list(temp.iterdir()) == []


def test_the_folder_is_there_meanwhile_and_its_keeper_is_gone_afterwards(temp: Path) -> None:
    before = children()
    with scratch() as folder:
        assert folder.parent == temp
        (folder / "a").mkdir()
        (folder / "a" / "b").write_text("c")
        assert len(children() - before) == 1
    assert list(temp.iterdir()) == []
    assert children() == before


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
