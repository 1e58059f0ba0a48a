"""Work folders that are removed however the work ends.

A folder that only the program itself removes stays behind when the program is killed. So a shell in another session holds one
end of a pipe and removes the folder when the other end closes, which happens however the program ends.
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
_INSIDE = "EDGE_CONVERT_SCRATCH"  # the environment variable that names a folder which is watched already
_GRACE = 5.0  # seconds that the shell has to end
# Twice, because a process that is being killed may still write
_REMOVE = 'read -r _; rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }'


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A new, empty folder, removed on the way out, and when this process is killed."""
    folder, keeper = "", None
    try:
        with _signals_held():
            folder = tempfile.mkdtemp(prefix=PREFIX)
            keeper = _keeper(folder)
        yield Path(folder)
    finally:
        with _signals_held():
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
            _dismiss(keeper)


def _keeper(folder: str) -> subprocess.Popen[bytes] | None:
    """A shell that removes the folder when this process ends; None where a parent's shell does it, or where there is no shell."""
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
    """Environment of a child process that keeps its temporary files in ``folder``, which is watched already."""
    return {"TMPDIR": str(folder), _INSIDE: str(folder)}


def _dismiss(keeper: subprocess.Popen[bytes] | None) -> None:
    if keeper is None or keeper.stdin is None:
        return
    with contextlib.suppress(OSError):
        keeper.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(timeout=_GRACE)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Hold signals back: a folder is made together with its keeper, and removed whole."""
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
