"""Files being written: a plain error when they cannot be, and never half a file under the final name."""

from __future__ import annotations

import os
import re
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


@contextmanager
def stdout_errors() -> Iterator[None]:
    """Turn what the operating system says of stdout into one plain OutputError; a reader that has gone is a class of its own."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError("stdout: its reader has gone") from error
    except OSError as error:
        raise OutputError(f"stdout: cannot be written: {error.strerror or error}") from error


def usable_folder(folder: Path) -> None:
    """Make the folder where it is missing; raises OutputError where no file can be made in it."""
    with plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # the only sure way to know that files can be made there


def safe_name(text: str) -> str:
    """Of any text, what can be part of a file name anywhere: up to 80 ASCII letters, perhaps none; it cannot leave a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._")[:80]


class ReplacedFile:
    """A text file written under a temporary name beside ``path``, which it takes on ``close``.

    Opening it is the check that it can be written. A link is followed, so that it stays a link.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        with plain_errors(path):  # a name may be too long even to be looked for
            if self.path.exists() and not self.path.is_file():
                raise OutputError(f"{path}: cannot be written: it is not a regular file")
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".part")
        self._part = Path(name)
        self.stream: TextIO = os.fdopen(handle, "w", encoding="utf-8")

    def close(self) -> None:
        """Make it the file."""
        with plain_errors(self.path):
            self.stream.close()
            # mkstemp makes files private; give it what a plain open would have given.
            mask = os.umask(0)
            os.umask(mask)
            self._part.chmod(0o666 & ~mask)
            self._part.replace(self.path)

    def discard(self) -> None:
        """Leave no trace; a file of an earlier run stays as it was."""
        with suppress(OSError):  # a full disk fails here too, and there is nothing left to lose
            self.stream.close()
        self._part.unlink(missing_ok=True)


class ReaderGoneError(OutputError):
    """Whoever read our output has left (``| head``). Nothing to remedy: the run ends quietly."""
