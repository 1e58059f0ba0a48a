"""A machine that systemd runs, made of namespaces (``boot.sh``): for tests that install, stop, hang and kill the service for real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
def booted_machine(folder: Path, shown: tuple[Path, ...] = ()) -> Iterator[Machine | str]:
    """Boot and give the machine, or the reason why none can be booted here; everything is gone at the end.

    Args:
        folder: empty, for what the machine writes.
        shown: folders of this machine that are seen in it as they are, where they lie on another file system.
    """
    if os.geteuid() != 0:
        yield "not root"
        return
    if not all(shutil.which(name) for name in ("unshare", "setpriv", "nsenter", "systemctl", "pivot_root")):
        yield "no systemd or no util-linux here"
        return
    groups = [Path(f"/sys/fs/cgroup{place}/edge-test-{os.getpid()}") for place in ("/systemd", "/unified", "")]
    groups = [group for group in groups if (group.parent / "cgroup.procs").exists()]
    process: subprocess.Popen[bytes] | None = None
    log = folder.with_suffix(".log")
    try:
        for group in groups:
            group.mkdir()
        environment = {**os.environ, "SHOWN": " ".join(map(str, shown))}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [shutil.which("bash") or "", str(SCRIPT), str(folder), *map(str, groups)],
                stdout=stream,
                stderr=stream,
                env=environment,
            )
        pid = _first_process(process)
        machine = None if pid is None else Machine(pid)
        yield (
            "this kernel lets no systemd boot: " + log.read_text(errors="replace")[-300:]
            if machine is None
            else machine
        )
    except OSError as error:
        yield f"no cgroup can be made: {error}"
    finally:
        if process is not None:
            process.send_signal(signal.SIGKILL)  # --kill-child ends the machine with it
            process.wait()
        _remove(groups)


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
