"""Files being written: a plain error when they cannot be, and never half a file under the final name."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from edge.errors import OutputError

_LONGEST_NAME = 80
_MOST_BYTES = (
    120  # room for a number, an ending and a temporary name within the 143 bytes that the strictest disks allow
)
_RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)


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
    """Of any text, what can be part of a file name anywhere; perhaps nothing. It cannot leave a folder.

    Letters, marks and digits of any script, ``.``, ``_`` and ``-`` stay, all else becomes ``_``; nothing hidden (no dot in front),
    nothing that looks like an option, no name that Windows keeps for itself; up to 80 letters and 120 bytes.
    """
    # A terminal of another age (LANG=de_DE.ISO-8859-1) makes file names of fewer letters.
    encoding = sys.getfilesystemencoding()
    composed = unicodedata.normalize("NFC", text).encode(encoding, "replace").decode(encoding)
    kept = "".join(c if c in "._-" or unicodedata.category(c)[0] in "LMN" else "/" for c in composed)
    name = (
        re.sub("/+", "_", kept)
        .lstrip("._-")[:_LONGEST_NAME]
        .encode()[:_MOST_BYTES]
        .decode(errors="ignore")
        .rstrip("._")
    )
    return f"_{name}" if _RESERVED.match(name) else name


def same_place(name: str) -> str:
    """What two names share that some disk would keep in one file (capital letters, other forms of a letter)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class ReplacedFile:
    """A file written under a temporary name beside ``path``, which it takes on ``close``: the one writer of whole files.

    Opening it is the check that it can be written. A link is followed, so that it stays a link. After ``close`` it is on the
    medium: a power cut leaves the old file or the new one. Text goes to ``stream``, bytes to ``stream.buffer``.
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
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()
            # mkstemp makes files private; give it what a plain open would have given.
            mask = os.umask(0)
            os.umask(mask)
            self._part.chmod(0o666 & ~mask)
            self._part.replace(self.path)
        with suppress(OSError):  # not every file system can; the file is whole all the same
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def discard(self) -> None:
        """Leave no trace; a file of an earlier run stays as it was."""
        with suppress(OSError):  # a full disk fails here too, and there is nothing left to lose
            self.stream.close()
        self._part.unlink(missing_ok=True)


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


class ReaderGoneError(OutputError):
    """Whoever read our output has left (``| head``). Nothing to remedy: the run ends quietly."""
