"""Work folders that go away whatever ends the work.

A folder that the program itself removes stays behind when the program is killed, or told twice to stop. So a shell, in a
session of its own, holds one end of a pipe and removes the folder when the other end closes, which no way of dying can prevent.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "edge-convert-"
_INSIDE = "EDGE_CONVERT_SCRATCH"
_GRACE = 5.0
# Twice, for what is being killed may still write
_REMOVE = 'read -r _; rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }'


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A new, empty folder, removed on the way out, and when this process is killed."""
    folder, keeper = "", None
    try:
        with _unheard():
            folder = tempfile.mkdtemp(prefix=PREFIX)
            keeper = _keeper(folder)
        yield Path(folder)
    finally:
        with _unheard():
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
            _dismiss(keeper)


def _keeper(folder: str) -> subprocess.Popen[bytes] | None:
    """What removes the folder when this process ends; None in a folder that has a keeper already, and where there is no shell."""
    if os.environ.get(_INSIDE) == tempfile.gettempdir():
        return None
    try:
        return subprocess.Popen(  # noqa: S603 - a fixed text, the folder is its argument
            ["/bin/sh", "-c", _REMOVE, "sh", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the work, not for it
        )
    except OSError:
        return None


def environment(folder: Path) -> dict[str, str]:
    """What tells a child process to keep its temporary files in ``folder``, which it need not have watched."""
    return {"TMPDIR": str(folder), _INSIDE: str(folder)}


def _dismiss(keeper: subprocess.Popen[bytes] | None) -> None:
    if keeper is None or keeper.stdin is None:
        return
    with contextlib.suppress(OSError):
        keeper.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(timeout=_GRACE)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Signals wait meanwhile: a folder is made together with its keeper, and removed whole."""
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
