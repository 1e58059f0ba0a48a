"""edge-run where stdout or stderr are full, closed or know no Unicode, and where somebody has second thoughts at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAKE = f'"{sys.executable}" -m tests.cli.fake_edge_run'
RUN = f"{FAKE} --camera --no-gate --max-fields 3"


def shell(command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
        env={**os.environ, "FAKE_SOURCE": "endless", **env},
    )


@pytest.mark.parametrize("options", ["", "--json", "--help", "--list-models", "--version"])
def test_a_stdout_that_is_full_is_one_plain_line(options: str) -> None:
    got = shell(f"{RUN} {options} > /dev/full")
    assert got.returncode == 7
    assert got.stderr == "edge-run: stdout: cannot be written: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", ">&- 2>&- <&-", "2>&-", "2>/dev/full"])
@pytest.mark.parametrize("options", ["", "--json"])
def test_a_run_nobody_listens_to_still_writes_its_files(tmp_path: Path, closed: str, options: str) -> None:
    table = tmp_path / "t.csv"
    got = shell(f"{RUN} {options} --csv {table} {closed}")
    assert got.returncode == 0, got.stderr
    lines = table.read_text().splitlines()
    assert len(lines) == 4  # and nothing of what belongs on a stream that is closed
    assert all(line.count(",") == lines[0].count(",") for line in lines)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_a_terminal_without_unicode_shows_escapes(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "细").mkdir()
    (tmp_path / "细" / "细.png").write_text("not an image")
    got = shell(f"{FAKE} {tmp_path}/细", PYTHONIOENCODING=encoding, FAKE_SOURCE="")
    assert got.returncode == 4
    assert "Sample \\u7ec6" in got.stdout
    assert "unreadable \\u7ec6.png: not a JPEG" in got.stdout


def test_the_version_is_told_without_being_installed_too() -> None:
    got = shell(f"{FAKE} --version")
    assert (got.returncode, got.stderr) == (0, "")
    assert got.stdout.startswith("edge-run ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_before_the_run_is_one_plain_line(number: signal.Signals) -> None:
    code = f"""
import builtins, os
from edge.cli import run_main
importing = builtins.__import__
def late(name, *rest):
    if name == "edge.cli.counting":
        os.kill(os.getpid(), {int(number)})
    return importing(name, *rest)
builtins.__import__ = late
import sys
sys.argv = ["edge-run", "--simulate"]
run_main()
"""
    got = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=20, check=False
    )
    assert (got.returncode, got.stdout, got.stderr) == (130, "", "edge-run: stopped\n")


def test_a_run_that_is_killed_leaves_nothing_that_looks_complete(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text("earlier")
    command = [sys.executable, "-m", "tests.cli.fake_edge_run"]
    process = subprocess.Popen(
        [*command, "--camera", "--no-gate", "--json", "--detections", str(tmp_path / "d.json")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "FAKE_SOURCE": "endless"},
    )
    assert process.stdout is not None
    for _ in range(3):
        json.loads(process.stdout.readline())
    process.kill()
    process.wait(timeout=10)
    process.stdout.close()
    time.sleep(0.05)
    assert (tmp_path / "d.json").read_text() == "earlier"
