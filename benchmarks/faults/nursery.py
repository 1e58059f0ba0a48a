"""Runs of ``edge-run``, one after the other, each disturbed at a chosen moment; the parent's end of ``benchmarks.faults.child``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from errno import ENOSPC
from pathlib import Path
from shutil import which
from typing import Any, Self

from benchmarks.errors import CaseError, NoInputError

SOURCE = Path(__file__).with_name("syscalls.c")


class Action(IntEnum):
    """What happens at the moment; the numbers are those of ``syscalls.c``."""

    NOTHING = 0
    KILL = 1
    STOP = 2
    FAIL = 3


class Calls(IntEnum):
    """Which calls fail from the moment on: all, those that need room, or fsync."""

    ALL = 1
    ROOM = 2
    SYNC = 4


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A disturbance.

    Attributes:
        action: what happens.
        at: the how-manieth call in the folder, from 1; 0: not at a call.
        after_s: seconds after the start, instead of a call; None: at the call.
        error: errno of calls that fail.
        calls: which calls fail.
    """

    action: Action = Action.NOTHING
    at: int = 0
    after_s: float | None = None
    error: int = ENOSPC
    calls: Calls = Calls.ROOM


@dataclass(frozen=True, slots=True)
class State:
    """How a run stands: stopped, or ended with a code (minus the signal that killed it); ``calls`` so far, ``call`` of the moment."""

    stopped: bool
    code: int | None
    pid: int
    calls: int
    call: str


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the program.

    Attributes:
        arguments: of the command line.
        folder: it works in.
        under: the folder whose calls count.
        log: where stdout and stderr go: ``LOG.out`` and ``LOG.err``.
        program, entry: its name, and ``module:function``.
        largest: bytes that a file may have (RLIMIT_FSIZE); None: any.
    """

    arguments: Sequence[str]
    folder: Path
    under: Path
    log: Path
    program: str = "edge-run"
    entry: str = "edge.cli:run_main"
    largest: int | None = None

    @property
    def out(self) -> Path:
        """What it wrote to stdout."""
        return self.log.with_name(f"{self.log.name}.out")

    @property
    def err(self) -> Path:
        """What it wrote to stderr."""
        return self.log.with_name(f"{self.log.name}.err")


def shim(folder: Path) -> Path:
    """Compile ``syscalls.c`` into the folder; raises NoInputError where there is no compiler, CaseError where it fails."""
    compiler = which("cc")
    if compiler is None:
        raise NoInputError("no C compiler: apt install gcc")
    library = folder / "syscalls.so"
    built = subprocess.run(  # noqa: S603
        [compiler, "-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(library), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise CaseError(f"cc: {(built.stderr.strip().splitlines() or ['failed'])[0]}")
    return library


class Nursery:
    """The process that runs are forked from. Use as a context manager.

    Args:
        folder: for its library.
    """

    def __init__(self, folder: Path) -> None:
        single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")  # threads do not survive a fork
        paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.faults.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **single, "PYTHONPATH": paths, "LD_PRELOAD": str(shim(folder))},
            start_new_session=True,
        )
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with self._process:  # closes the pipes and waits
            pass

    def run(
        self, job: Job, fault: Disturbance = Disturbance(), *, stopped: Callable[[State], bool] | None = None
    ) -> State:
        """Run the program to its end.

        Args:
            job: what to run.
            fault: what happens to it.
            stopped: called while it is stopped; returns whether it goes on (else it is killed).

        Returns:
            How it ended.
        """
        plain = {
            "arguments": list(job.arguments),
            "folder": str(job.folder),
            "under": str(job.under),
            "stdout": str(job.out),
            "stderr": str(job.err),
            "program": job.program,
            "entry": job.entry,
            "largest": job.largest,
            **asdict(fault),
            "kinds": int(fault.calls),
        }
        self._write(json.dumps(plain))
        state = State(**self._read())
        while state.stopped:
            self._write("go" if stopped is not None and stopped(state) else "kill")
            state = State(**self._read())
        return state

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise CaseError("the process that runs are forked from has ended")
        found: dict[str, Any] = json.loads(line)
        return found
