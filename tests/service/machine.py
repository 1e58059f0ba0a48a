"""A machine that systemd runs, made of namespaces (``boot.sh``): for tests that install, stop, hang and kill the service for real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SCRIPT = Path(__file__).with_name("boot.sh")
ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 30.0


class Machine:
    """The booted machine; ``run`` is a shell in it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def run(self, *command: str, ok: bool = True, seconds: float = 120) -> str:
        """Run a command as root and return what it prints, both streams."""
        namespaces = ["nsenter", "-t", str(self._pid), "-m", "-p", "-C", "-u", "-i", "-n"]
        inside = [*namespaces, f"--root=/proc/{self._pid}/root", "--wd=/", *command]
        units = "/etc/systemd/system:/run/units"
        environment = {"PATH": os.defpath + ":/usr/sbin:/sbin", "SYSTEMD_UNIT_PATH": units, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            inside,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            timeout=seconds,
            check=False,
        )
        assert not ok or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def wait_for(self, wanted: str, *command: str, seconds: float = 60) -> str:
        """Run a command until it prints this; returns all it printed then."""
        end, said = time.monotonic() + seconds, ""
        while time.monotonic() < end:
            said = self.run(*command, ok=False)
            if wanted in said:
                return said
            time.sleep(0.3)
        raise AssertionError(f"{command} never said {wanted!r}, at last:\n{said}")


@contextmanager
def booted_machine(folder: Path) -> Iterator[Machine | str]:
    """Boot and give the machine, or the reason why none can be booted here; everything is gone at the end.

    Args:
        folder: empty, for what the machine writes.
    """
    if os.geteuid() != 0:
        yield "not root"
        return
    if not all(shutil.which(name) for name in ("unshare", "nsenter", "systemctl", "pivot_root")):
        yield "no systemd or no util-linux here"
        return
    groups = _groups()
    if not groups:
        yield "no control group can be made"
        return
    log = folder.with_suffix(".log")
    environment = {**os.environ, "SHOWN": " ".join(map(str, _elsewhere()))}
    command = [shutil.which("bash") or "", str(SCRIPT), str(folder), *map(str, groups)]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment)
    try:
        pid = _first_process(process)
        if pid is None:
            yield f"no systemd boots on this kernel: {log.read_text(errors='replace')[-300:].strip()}"
        else:
            yield Machine(pid)
    finally:
        process.send_signal(signal.SIGKILL)  # --kill-child ends the machine with it
        process.wait()
        _remove(groups)


def _groups() -> list[Path]:
    """Make a control group of our own in each tree that systemd uses."""
    made = []
    for place in ("/systemd", "/unified", ""):
        group = Path(f"/sys/fs/cgroup{place}/edge-test-{os.getpid()}")
        if (group.parent / "cgroup.procs").exists():
            with suppress(OSError):
                group.mkdir()
                made.append(group)
    return made


def _elsewhere() -> list[Path]:
    """What the service reads and the view of this machine's root does not show, as it lies on other file systems."""
    needed = {ROOT, Path(sys.prefix), Path(sys.base_prefix)}
    return sorted(path for path in needed if any(one.is_mount() for one in (path, *path.parents) if one != Path("/")))


def _first_process(process: subprocess.Popen[bytes]) -> int | None:
    """The process that is the machine's first, once systemd answers there; None: it never does."""
    end = time.monotonic() + PATIENCE_S
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while time.monotonic() < end and process.poll() is None:
        pids = children.read_text().split()
        if pids and Path(f"/proc/{pids[0]}/comm").read_text().strip() == "systemd":
            said = Machine(int(pids[0])).run("systemctl", "is-system-running", ok=False)
            if said.strip() in ("running", "degraded"):
                return int(pids[0])
        time.sleep(0.1)
    return None


def _remove(groups: list[Path]) -> None:
    end = time.monotonic() + PATIENCE_S
    for group in groups:
        while group.exists() and time.monotonic() < end:
            for inner in sorted(group.rglob("*/"), key=lambda path: -len(path.parts)):
                if inner.is_dir():
                    try:
                        inner.rmdir()
                    except OSError:
                        continue
            try:
                group.rmdir()
            except OSError:
                time.sleep(0.1)


def main() -> int:
    """Say whether a machine can be booted here, and why not."""
    with tempfile.TemporaryDirectory() as folder:
        (place := Path(folder) / "machine").mkdir()
        with booted_machine(place) as made:
            print(made if isinstance(made, str) else "systemd boots here", flush=True)  # noqa: T201
            return int(isinstance(made, str))


if __name__ == "__main__":
    sys.exit(main())
