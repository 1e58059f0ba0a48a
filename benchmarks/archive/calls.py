"""A program is called and watched: whole time, processor time of all its processes, and the most memory that each of them held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import CaseError

_LOOK_S = 0.25  # seconds between two looks at the processes
_TAIL = 2000  # characters of what a failed program said that are shown
_TICKS = os.sysconf("SC_CLK_TCK")  # of processor time, per second


@dataclass(frozen=True, slots=True)
class WatchedCall:
    """How a call went.

    Attributes:
        code: exit code; negative: the signal that ended it.
        seconds: from start to end.
        processor_s: of all its processes, seconds.
        own_mb: the most memory (resident, MiB) of the process that was called.
        others_mb: the same of the largest of the processes that it started; 0: it started none.
        said: what it wrote to standard output and error.
    """

    code: int
    seconds: float
    processor_s: float
    own_mb: float
    others_mb: float
    said: str


def edge(*arguments: str) -> list[str]:
    """The command ``edge ...`` of this environment."""
    return [sys.executable, "-m", "edge", *arguments]


def edge_run(*arguments: str) -> list[str]:
    """The command ``edge-run ...`` of this environment."""
    return [sys.executable, "-c", "from edge.cli import run_main; run_main()", *arguments]


def watched(
    command: Sequence[str],
    *,
    allowed: Sequence[int] = (0,),
    each_look: Callable[[int], None] = lambda _: None,
    most_s: float = 36_000,
) -> WatchedCall:
    """Call a program and wait for it.

    Args:
        command: and its arguments.
        allowed: exit codes that are no failure.
        each_look: is called a few times a second with the process's number.
        most_s: seconds after which it is ended.

    Raises:
        CaseError: it ended with another code.
    """
    memory: dict[int, float] = {}
    spent: dict[int, float] = {}
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        try:
            while process.poll() is None and time.monotonic() - began < most_s:
                for one in family(process.pid):
                    _look(one, memory, spent)
                each_look(process.pid)
                time.sleep(_LOOK_S)
        finally:
            seconds = time.monotonic() - began
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode not in allowed:
        raise CaseError(f"{' '.join(command[:4])} ...: exit code {process.returncode}: {text[-_TAIL:].strip()}")
    others = [value for one, value in memory.items() if one != process.pid]
    return WatchedCall(
        process.returncode,
        seconds,
        sum(spent.values()),
        memory.get(process.pid, 0.0),
        max(others, default=0.0),
        text,
    )


def family(root: int) -> list[int]:
    """A process and all that come from it."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                after = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(after[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def _look(process: int, memory: dict[int, float], spent: dict[int, float]) -> None:
    with suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{process}/status").read_text()
        peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0")
        memory[process] = max(memory.get(process, 0.0), int(peak.split()[1]) / 1024)
        after = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        spent[process] = (int(after[11]) + int(after[12])) / _TICKS
