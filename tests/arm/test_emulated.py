"""In the emulated roots: minutes, so only where EDGE_ARM is set (``make test-arm``); roots are built if need be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.arm import equality, instructions, suite
from benchmarks.arm.boards import PI_5
from benchmarks.arm.build import build
from benchmarks.arm.enter import Visit
from benchmarks.arm.roots import ARMHF, BOOKWORM, ROOTS, TRIXIE, Root, cache
from benchmarks.places import REPOSITORY

pytestmark = [
    pytest.mark.arm,
    pytest.mark.skipif(not os.environ.get("EDGE_ARM"), reason="emulation takes minutes: make test-arm"),
]


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_the_root_is_what_it_says(root: Root, tmp_path: Path) -> None:
    build(root)
    code = "import platform, sys, cv2; from edge.runtime import runtime_version; "
    code += "print(platform.machine(), *sys.version_info[:2], runtime_version())"
    got = Visit(root, root.board, tmp_path).run(["/usr/bin/python3", "-c", code])
    runtime = "tflite-runtime" if root is ARMHF else "ai-edge-litert"
    assert got.stdout.split()[:4] == [root.machine, *root.python.split("."), runtime], got.stderr


def test_the_runners_own_tests_pass() -> None:
    outcomes = suite.run((BOOKWORM, TRIXIE, ARMHF))
    assert [name for one in outcomes for name in one.failed] == []
    assert all(one.passed > 500 for one in outcomes)


def test_nets_and_fields_come_out_the_same_on_every_core() -> None:
    found = equality.compare(fields=True)
    assert [str(one) for one in found if one.difference] == []


def test_counts_repeat_within_one_percent() -> None:
    first, second = (instructions.count([PI_5], cells=1024, fields=2) for _ in range(2))
    assert instructions.moved(first, second, 0.01) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_run_leaves_no_mount_and_no_process(number: signal.Signals) -> None:
    build(BOOKWORM)
    work = cache() / "work" / "killed"
    code = f"""
from pathlib import Path
from benchmarks.arm.enter import Visit
from benchmarks.arm.roots import BOOKWORM
Visit(BOOKWORM, BOOKWORM.board, Path({str(work)!r})).run(["/usr/bin/sh", "-c", "touch /work/up; sleep 4321"])
"""
    (work / "up").unlink(missing_ok=True)
    running = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (work / "up").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert (work / "up").exists()
    running.send_signal(number)
    running.wait(30)
    time.sleep(0.5)
    assert str(cache()) not in Path("/proc/mounts").read_text()
    alive = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert b"sleep\x004321\x00" not in alive
