"""Names and places of output files; ``edge.safe_file`` writes whole files."""

from __future__ import annotations

import re
import sys
import tempfile
import unicodedata
from pathlib import Path

from edge.safe_file import plain_errors

_LONGEST_NAME = 80  # letters
_MOST_BYTES = (
    120  # room for a number, an ending and a temporary name within the 143 bytes that the strictest disks allow
)
_RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)


def usable_folder(folder: Path) -> None:
    """Make the folder where it is missing; raises OutputError where no file can be made in it."""
    with plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # the only sure way to know that files can be made there


def safe_name(text: str) -> str:
    """The part of a text that can stand in a file name on any system; may be empty. It cannot lead out of a folder.

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
    """A key that is equal for two names which some file system keeps as one file (upper and lower case, forms of a letter)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
