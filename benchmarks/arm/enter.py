"""Running something in a root, as one of the boards, with the repository beside it.

Mounts and processes live in a namespace of their own: they are gone when the command ends, by Ctrl-C or ``kill -9`` as well.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.arm import host
from benchmarks.arm.boards import Board
from benchmarks.arm.roots import Root, cache
from benchmarks.places import REPOSITORY

WORK = "/work"
"""Where the shared folder is in a root."""

_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin",
    "PYTHONPATH": "/repo",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "HOME": "/tmp",  # noqa: S108 - a fresh one, in the root
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


_running: set[subprocess.Popen[str]] = set()


@dataclass(frozen=True, slots=True)
class Visit:
    """How a root is entered.

    Attributes:
        root: a root that is built.
        board: what the processor says it is.
        work: a folder of this machine that is ``/work`` inside and can be written.
        emulator: the counting emulator's folder, where instructions are counted.
        environment: further variables.
    """

    root: Root
    board: Board
    work: Path
    emulator: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, program: Sequence[str]) -> list[str]:
        """The whole command line that runs ``program`` in the root."""
        place = self.root.place
        variables = {**_ENVIRONMENT, "QEMU_CPU": self.board.cpu, **self.environment}
        pairs = [shlex.quote(f"{name}={value}") for name, value in variables.items()]
        inside = [*pairs, "chroot", shlex.quote(str(place)), shlex.join(program)]
        script = "\n".join(["set -e", *self._mounts(place), "/usr/bin/env -i " + " ".join(inside) + " || exit $?"])
        fixed = ["setarch", "-R"] if self.emulator else []  # no address space randomisation
        # If this process is killed, the command is killed too.
        return ["nice", "-n", "5", "setpriv", "--pdeathsig", "KILL", *fixed, *host.namespace(), "sh", "-c", script]

    def _mounts(self, place: Path) -> list[str]:
        def mount(source: Path | str, target: str, *options: str) -> str:
            return shlex.join(["mount", *options, str(source), str(place / target)])

        cpuinfo = cache() / f"cpuinfo.{self.board.cpu}"
        if not cpuinfo.exists() or cpuinfo.read_text() != self.board.cpuinfo:
            cpuinfo.write_text(self.board.cpuinfo)
        lines = [
            f"{mount('proc', 'proc', '-t', 'proc')} 2>/dev/null || {mount('/proc', 'proc', '--rbind')}",
            mount(cpuinfo, "proc/cpuinfo", "--bind"),
            mount(place / "opt/sys", "sys", "--bind"),
            mount("/dev", "dev", "--rbind"),
            mount("tmpfs", "tmp", "-t", "tmpfs"),
            mount(REPOSITORY, "repo", "--bind", "-o", "ro"),
            mount(self.work, "work", "--bind"),
        ]
        if self.emulator is not None:
            lines.append(mount(self.emulator, "opt/qemu", "--bind", "-o", "ro"))
        return lines

    def run(self, program: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run ``program`` in the root."""
        host.emulate(self.root.qemu)
        self.work.mkdir(parents=True, exist_ok=True)
        return subprocess.run(  # noqa: S603 - our own command line
            self.command(program), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )

    def stream(self, program: Sequence[str], heard: Callable[[str], None]) -> int:
        """Run ``program`` in the root, hand over each line it prints, and return its exit code."""
        host.emulate(self.root.qemu)
        self.work.mkdir(parents=True, exist_ok=True)
        with subprocess.Popen(  # noqa: S603 - our own command line
            self.command(program),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as process:
            _running.add(process)
            for line in process.stdout or ():
                heard(line.rstrip())
        _running.discard(process)
        return process.returncode


def end_all() -> None:
    """End what ``stream`` is still running in other threads."""
    for process in list(_running):
        process.kill()  # unshare --kill-child ends what it started
