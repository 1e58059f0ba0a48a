"""A real Dask scheduler and workers as processes of their own, whose processor time and memory can be told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import CaseError
from benchmarks.places import REPOSITORY
from edge.archive.packages import package

_START_S = 120.0  # seconds that scheduler and workers have to come up
_END_S = 10.0  # the same to go
_ALONE = "120s"
"""After which scheduler and workers end by themselves, should nobody be left to end them."""

_TICKS = os.sysconf("SC_CLK_TCK")  # of processor time, per second


@dataclass(frozen=True, slots=True)
class SchedulerProcesses:
    """Args:
    address: of the scheduler.
    scheduler: its process; ``workers``: theirs.
    threads: tasks that all workers do at a time.
    """

    address: str
    scheduler: int
    workers: tuple[int, ...]
    threads: int


@contextmanager
def cluster_processes(workers: int, threads: int) -> Iterator[SchedulerProcesses]:
    """While inside, a scheduler with its page and workers on free ports of this machine.

    Args:
        workers: processes.
        threads: of each: a process of many threads that wait stands for as many workers of a cluster.

    Raises:
        CaseError: they do not come up.
    """
    package("distributed")  # says what is missing
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="edge-scale-") as folder:
        told = Path(folder) / "scheduler.json"
        local = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        try:
            scheduler = _started("dask_scheduler", *local, "--scheduler-file", str(told), "--idle-timeout", _ALONE)
            running.append(scheduler)
            _wait_for(told, scheduler)
            own = (
                "--host",
                "127.0.0.1",
                "--nthreads",
                str(threads),
                "--no-nanny",
                "--no-dashboard",
                "--memory-limit",
                "0",
            )
            for number in range(workers):
                place = ("--local-directory", f"{folder}/worker-{number}", "--death-timeout", _ALONE)
                running.append(_started("dask_worker", "--scheduler-file", str(told), *own, *place))
            address = str(json.loads(told.read_text())["address"])
            yield SchedulerProcesses(address, scheduler.pid, tuple(one.pid for one in running[1:]), workers * threads)
        finally:
            for one in reversed(running):
                one.terminate()
            for one in running:
                _ended(one)


def _started(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_S
    while not (file.exists() and file.read_text().endswith("}")):
        if process.poll() is not None or time.monotonic() > until:
            raise CaseError("no Dask scheduler came up")
        time.sleep(0.1)


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def processor_s(process: int) -> float:
    """Processor time that a process has spent, seconds."""
    after = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(after[11]) + int(after[12])) / _TICKS


def peak_mb(process: int) -> float:
    """The most memory (resident, MiB) that a process has held."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
