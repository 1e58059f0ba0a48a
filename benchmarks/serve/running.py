"""``edge serve --simulate`` in processes of its own, ended in all ways out; and what its processes use."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.errors import CaseError
from edge.serve.wire import listening

_ENTRY: Final = (
    "import ctypes, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0); "  # PR_SET_PDEATHSIG
    "sys.argv = ['edge', *sys.argv[1:]]; from edge.cli import main; main()"
)
_START_S: Final = 60.0  # that it may take to start
_END_S: Final = 30.0  # that it may take to end
_TICKS: Final = os.sysconf("SC_CLK_TCK")  # of processor time in a second


@dataclass(frozen=True, slots=True)
class RunningPage:
    """A page that is served.

    Attributes:
        port: of the loopback.
        process: of the page; the one that counts and the camera's are its children.
        log: what it wrote to stderr.
    """

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def complaints(self) -> list[str]:
        """Lines on stderr."""
        return self.log.read_text(errors="replace").splitlines()

    def page_cpu_s(self) -> float:
        """Processor seconds of the page's own process."""
        return _cpu_s(self.process.pid)

    def count_cpu_s(self) -> float:
        """Processor seconds of the process that counts."""
        return sum(_cpu_s(pid) for pid in _children(self.process.pid))

    def camera_cpu_s(self) -> float:
        """Processor seconds of the camera's process."""
        return sum(_cpu_s(pid) for one in _children(self.process.pid) for pid in _children(one))


@contextmanager
def running_page(folder: Path, options: Sequence[str]) -> Iterator[RunningPage]:
    """Serve the virtual microscope; ``folder`` takes book and log. Raises CaseError where it does not start."""
    (free,) = listening(["127.0.0.1"], 0)
    with free:
        port = free.getsockname()[1]
    log = folder / "serve.log"
    command = [sys.executable, "-c", _ENTRY, "serve", "--simulate", "--port", str(port), *options]
    with log.open("wb") as stream, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream) as process:  # noqa: S603
        try:
            page = RunningPage(port, process, log)
            if process.stdout is None or not process.stdout.readline().startswith(b"Page"):
                raise CaseError(f"edge serve did not start: {' '.join(page.complaints)}")
            yield page
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in file.read_text().split()]
    return found


def _cpu_s(pid: int) -> float:
    """User and system time of a process."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(word) for word in words[11:13]) / _TICKS


def until(done: Callable[[], object], what: str, within: float = _START_S) -> None:
    """Wait until ``done()`` is true. Raises CaseError."""
    deadline = time.monotonic() + within
    while not done():
        if time.monotonic() > deadline:
            raise CaseError(f"not within {within:g} s: {what}")
        time.sleep(0.1)


def token_in(page: str) -> str:
    """The token that a page's posts carry."""
    return str(re.findall(r'name="csrf" content="([^"]*)"', page)[0])
