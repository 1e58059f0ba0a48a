"""Whole files, written safely: a temporary name, fsync, rename, fsync of the folder. The one writer of whole files.

A power cut leaves the old file or the new one, never half of one.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from edge.errors import OutputError


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says into one plain OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def sync_file(path: Path) -> None:
    """Put what was written to a file on the medium; raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut. Not every file system can do this; the files are complete without it."""
    with suppress(OSError):
        sync_file(folder)


def _locked(folder: Path, before: str, after: str) -> tuple[int, str]:
    """Make a file of a new name between the two parts, locked where the file system has locks: its handle and path."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=before, suffix=after)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            return handle, name
        if os.fstat(handle).st_nlink:
            return handle, name
        os.close(handle)  # taken for one that was left, in the moment before it was locked


def _remove_left(folder: Path, before: str, after: str) -> None:
    """Remove such files that nobody has locked: their processes were killed."""
    for entry in os.scandir(folder):
        if not (entry.name.startswith(before) and entry.name.endswith(after)):
            continue
        with suppress(OSError):  # locked, another user's, or gone by now
            handle = os.open(entry.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry.path)  # noqa: PTH108 - a text
            finally:
                os.close(handle)


class ReplacedFile:
    """A file written under a temporary name beside ``path``, which it takes on ``close``: the one writer of whole files.

    Opening it is the check that it can be written. A link is followed, so that it stays a link. After ``close`` it is on the
    medium: a power cut leaves the old file or the new one. Text goes to ``stream``, bytes to ``stream.buffer``.

    While it is open it is locked, so that what a killed process left of the same file can be told from one at work.

    Args:
        path: of the file.
        ending: of the temporary name.
        errors: what becomes of text that is not Unicode, as ``open`` takes it.
        tidy: remove what killed processes left of the same file; looks through its folder.

    Attributes:
        path: of the file, links followed.
        temporary: where it is written until then; it ends in ``ending``.
        stream: UTF-8 text, to write to.
    """

    def __init__(self, path: Path, *, ending: str = "", errors: str = "strict", tidy: bool = False) -> None:
        self.path = Path(os.path.realpath(path))
        with plain_errors(path):  # a name may be too long even to be looked for
            if self.path.exists() and not self.path.is_file():
                raise OutputError(f"{path}: cannot be written: it is not a regular file")
            if tidy:
                _remove_left(self.path.parent, f".{self.path.name}.", f".part{ending}")
            handle, name = _locked(self.path.parent, f".{self.path.name}.", f".part{ending}")
        self.temporary = Path(name)
        self.stream: TextIO = os.fdopen(handle, "w", encoding="utf-8", errors=errors)

    def close(self) -> None:
        """Complete the file and give it its name."""
        with plain_errors(self.path):
            self.stream.flush()
            os.fsync(self.stream.fileno())
            # mkstemp makes files private; give it what a plain open would have given.
            mask = os.umask(0)
            os.umask(mask)
            self.temporary.chmod(0o666 & ~mask)
            self.temporary.replace(self.path)
            self.stream.close()  # not before: closing lets go of the lock
        sync_folder(self.path.parent)

    def discard(self) -> None:
        """Remove the temporary file; a file of an earlier run is kept."""
        with suppress(OSError):  # a full disk fails here too, and there is nothing left to lose
            self.stream.close()
        with suppress(OSError):  # of a disk that has become read-only nothing can be removed
            self.temporary.unlink()


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """The stream of a ReplacedFile that is closed when all went well and discarded when not; raises OutputError."""
    file = ReplacedFile(path)
    try:
        with plain_errors(path):
            yield file.stream
        file.close()
    except BaseException:
        file.discard()
        raise


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` with the same ending, for writers that take a path; it becomes ``path`` when all went well.

    Raises:
        OutputError: it cannot be written.
    """
    file = ReplacedFile(path, ending=path.suffix)
    try:
        with plain_errors(path):
            yield file.temporary
        file.close()
    except BaseException:
        file.discard()
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file; raises OutputError."""
    with whole_file(path) as stream:
        stream.buffer.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file in UTF-8; raises OutputError."""
    with whole_file(path) as stream:
        stream.write(text)
