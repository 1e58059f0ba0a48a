"""What a file is known by: its content. A renamed file is the same field, a changed one is another."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from threading import Lock

from edge.types import FieldIdentity

_PART = re.compile(r"\.tiff?(#[0-9]+)$", re.IGNORECASE)
"""The end of the path of one of several fields in a TIFF."""

_LONGEST = 2**30
"""Bytes of an unreadable file that is hashed all the same; a larger one is no picture, and is known by its name alone."""


class FileDigest:
    """Size and hash of one file, read when first asked for and only once; several fields of a file share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._known: tuple[int, str] | None = None

    def get(self) -> tuple[int, str]:
        """Bytes and SHA-256 of the file; raises OSError."""
        with self._lock:
            if self._known is None:
                with self._path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                    self._known = os.fstat(file.fileno()).st_size, digest
            return self._known


def identity_of(path: Path, number: int | None, size: int, sha256: str) -> FieldIdentity:
    """The identity of a field.

    Args:
        path: of its file.
        number: which of several fields in it, from 1; None: it is the only one.
        size: of the file in bytes.
        sha256: of the file.
    """
    return FieldIdentity(place_of(path, number), size, sha256)


def place_of(path: Path, number: int | None) -> str:
    """The path that an identity carries."""
    place = os.path.abspath(path)  # noqa: PTH100 - a link keeps its name
    return place if number is None else f"{place}#{number}"


def identity_of_unread(path: Path, number: int | None) -> FieldIdentity | None:
    """The identity of a file that is no picture; None where even its bytes cannot be read, or are very many."""
    try:
        if not path.is_file() or path.stat().st_size > _LONGEST:
            return None
        return identity_of(path, number, *FileDigest(path).get())
    except OSError:
        return None


def part_of(identity: FieldIdentity) -> str:
    """``#2`` of the second of several fields in a file; empty for the only one."""
    found = _PART.search(identity.path)
    return found[1] if found else ""


def file_of(identity: FieldIdentity) -> Path:
    """The file itself."""
    return Path(identity.path.removesuffix(part_of(identity)))
