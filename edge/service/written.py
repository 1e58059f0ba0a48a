"""Files that ``edge service install`` writes and a person may change: it is told whether somebody did, so that no change is lost.

The first line holds the SHA-256 of all that follows.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from edge.errors import OutputError
from edge.safe_file import plain_errors, write_text

_MARK = "# Written by edge service install, sha256 of what follows: "


def marked(text: str) -> str:
    """Return the file's whole text: the line that tells a later change, and the text."""
    return f"{_MARK}{_digest(text)}\n{text}"


def changed_by_hand(path: Path) -> bool:
    """Whether there is a file that is not as it was written here; raises OutputError where it cannot be read."""
    try:
        found = path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from error
    first, _, rest = found.partition("\n")
    return first != f"{_MARK}{_digest(rest)}"


def write_marked(path: Path, text: str) -> Path | None:
    """Write the file and make its folder; a file that was changed by hand is kept beside it.

    Returns:
        where what was changed by hand is now; None: nothing was.

    Raises:
        OutputError: it cannot be written.
    """
    kept = None
    with plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if changed_by_hand(path):
            kept = aside(path)
    try:
        write_text(path, marked(text))
    except BaseException:
        if kept is not None:
            with suppress(OSError):
                kept.replace(path)
        raise
    return kept


def aside(path: Path) -> Path:
    """Give the file another name beside it, and return that; raises OSError."""
    return path.replace(path.with_name(f"{path.name}.before"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
