"""Which runs are alive: each holds a lock on a small file beside the book for as long as it lives.

The system lets go of the lock when a process ends, however it ends, so a sample that is being counted by a run without a lock was
interrupted. A process id would not do: after a power cut another process may have it.
"""

from __future__ import annotations

import fcntl
import glob
import os
import time
from contextlib import suppress
from pathlib import Path

_YOUNG_S = 3600.0  # of a lock's file


def _file(book: Path, uuid: str) -> Path:
    return book.with_name(f".{book.name}.{uuid}.run")


class Hold:
    """The lock of one run. Where the file system has no locks, none is held, and other runs take this one for ended."""

    def __init__(self, book: Path, uuid: str) -> None:
        self._path = _file(book, uuid)
        self._handle: int | None = None
        with suppress(OSError):
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """Let go, also twice."""
        if self._handle is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._handle)
            self._handle = None


def sweep(book: Path) -> None:
    """Remove what runs left that died before they had a field, so that the book knows nothing of them."""
    name = f".{book.name}."
    for path in book.parent.glob(f"{glob.escape(name)}*.run"):
        with suppress(OSError):
            # one that is younger may be about to take its lock
            if time.time() - path.stat().st_mtime > _YOUNG_S:
                is_alive(book, path.name.removeprefix(name).removesuffix(".run"))


def is_alive(book: Path, uuid: str) -> bool:
    """Whether the run still holds its lock; what a dead one left is removed."""
    path = _file(book, uuid)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:  # another user's: it cannot be told, and a run that lives must not be disturbed
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        with suppress(OSError):
            path.unlink()
        return False
    finally:
        os.close(handle)
