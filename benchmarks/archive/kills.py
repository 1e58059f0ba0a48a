"""A recount on a cluster whose workers are killed every few seconds and whose scheduler is killed once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.archive.calls import edge, watched
from benchmarks.errors import CaseError
from edge.archive.packages import package
from edge.errors import ArchiveError

_START_S = 120.0  # seconds that a scheduler and its workers have to start
_POLL_S = 0.1  # seconds between two looks at whether the scheduler has started
_CALLS = 20  # of edge recount, until it has come to its end


@dataclass(frozen=True, slots=True)
class KilledRun:
    """How a recount under fire went.

    Attributes:
        workers_killed, schedulers_killed: by signal 9.
        calls: of ``edge recount`` until all was counted.
        codes: their exit codes.
        seconds: of all calls together.
    """

    workers_killed: int
    schedulers_killed: int
    calls: int
    codes: tuple[int, ...]
    seconds: float


class _Fire:
    """A scheduler and workers on free ports of this machine, as a cluster's manager keeps them: who dies is started anew.

    A worker is killed every few seconds, in turn; the scheduler once, and whoever asks for a cluster after that gets a new one.
    """

    def __init__(self, folder: Path, workers: int, every_s: float, scheduler_at: float) -> None:
        self._folder = folder
        self._every_s = every_s
        self._scheduler_at = scheduler_at
        self._number = 0
        self._workers: list[subprocess.Popen[bytes] | None] = [None] * workers
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._last = time.monotonic()
        self.workers = self.schedulers = 0

    @property
    def _place(self) -> Path:
        return self._folder / f"scheduler-{self._number}.json"

    def address(self) -> str:
        """Where the scheduler is; a new one, with new workers, where it is dead."""
        if self._scheduler is None or self._scheduler.poll() is not None:
            self.end()
            self._number += 1
            told = ("--port", "0", "--dashboard-address", "127.0.0.1:0")
            self._scheduler = self._started("dask_scheduler", *told)
            until = time.monotonic() + _START_S
            while not self._place.exists():
                if time.monotonic() > until or self._scheduler.poll() is not None:
                    raise CaseError("the scheduler did not start")
                time.sleep(_POLL_S)
            self._keep_workers()
            self._last = time.monotonic()
        return str(json.loads(self._place.read_text())["address"])

    def look(self, _: int) -> None:
        """Kill who is due, start who is missing."""
        now = time.monotonic()
        if self._scheduler is not None and not self.schedulers and now > self._scheduler_at:
            self._scheduler.kill()
            self.schedulers += 1
        elif now - self._last >= self._every_s:
            self._last = now
            one = self._workers[self.workers % len(self._workers)]
            if one is not None and one.poll() is None:
                one.kill()
                self.workers += 1
        self._keep_workers()

    def end(self) -> None:
        """End all of them."""
        for one in (*self._workers, self._scheduler):
            if one is not None:
                with suppress(ProcessLookupError):
                    one.kill()
                one.wait()
        self._workers = [None] * len(self._workers)

    def _keep_workers(self) -> None:
        if self._scheduler is None or self._scheduler.poll() is not None:
            return
        told = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--death-timeout", "60")
        for number, one in enumerate(self._workers):
            if one is None or one.poll() is not None:
                local = ("--local-directory", str(self._folder))
                self._workers[number] = self._started("dask_worker", *told, *local)

    def _started(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """One of Dask's programs, with this program's code."""
        code = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        here = ("--host", "127.0.0.1", "--scheduler-file", str(self._place))
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", f"distributed.cli.{name}", *here, *arguments],
            env={**os.environ, "PYTHONPATH": code},
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def recount_under_fire(
    archive: Path, results: Path, scratch: Path, *, workers: int, every_s: float, scheduler_after_s: float
) -> KilledRun:
    """Count an archive until it is counted, while processes are killed.

    Args:
        archive: of fields.
        results: a new folder.
        scratch: a folder for what the cluster writes.
        workers: processes of the cluster.
        every_s: seconds between two kills of a worker.
        scheduler_after_s: seconds until the scheduler is killed, once.

    Raises:
        CaseError: it did not come to an end, or it ended in a way that it should not.
    """
    package("distributed")
    scratch.mkdir(parents=True)
    codes: list[int] = []
    began = time.monotonic()
    fire = _Fire(scratch, workers, every_s, began + scheduler_after_s)
    try:
        while len(codes) < _CALLS:
            command = edge("recount", str(archive), "-o", str(results), "--on", fire.address())
            codes.append(watched(command, allowed=(0, 3, ArchiveError.exit_code), each_look=fire.look).code)
            if codes[-1] != ArchiveError.exit_code:
                return KilledRun(fire.workers, fire.schedulers, len(codes), tuple(codes), time.monotonic() - began)
    finally:
        fire.end()
    raise CaseError(f"{_CALLS} calls did not come to an end")
