"""Files that may come from anybody: read to a limit, checked, and refused in one line."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from edge import checked_json
from edge.errors import ReviewError
from edge.exchange.records import CorrectedField, Corrections, ExchangeBox

LARGEST = 64 * 2**20
"""Bytes of a file, and of all that is read out of an archive: 50,000 cells take 20 MB in the longest format."""

MOST_CELLS = 200_000
"""Things in a file; more is no sample of this program."""

_MOST_MEMBERS = 100_000  # files of an archive
_LONGEST = 100  # letters of a class
_FARTHEST = 1e6  # pixels: no box lies farther out
_ROUND = 3  # decimals of a pixel: per cent and back must give the same box


@contextmanager
def refused(path: Path, what: str) -> Iterator[None]:
    """Turn whatever is wrong with a file into one ReviewError that names it; ``what``: what it was taken for."""
    try:
        yield
    except RecursionError as error:
        raise ReviewError(f"{path}: cannot be read as {what}: nested too deep") from error
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (
        *(ValueError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, NotImplementedError),
        ET.ParseError,
    ) as error:
        said = " ".join(str(error).split())[:300]
        raise ReviewError(f"{path}: cannot be read as {what}: {said or 'it is damaged'}") from error


def read_bytes(path: Path) -> bytes:
    """A whole file; raises OSError, ValueError where it is too large."""
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 20} MB")
    return data


def parse_json(data: bytes) -> Any:
    """JSON in UTF-8, with or without its mark; raises ValueError, RecursionError."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON (line {error.lineno})") from error
    except UnicodeDecodeError as error:
        raise ValueError("not text in UTF-8") from error


def members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The wanted files of a ZIP, name and bytes, never unpacked onto the disk.

    Raises:
        ValueError: it is huge, would become huge, or a name in it leads out of it.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_MEMBERS:
            raise ValueError(f"an archive of {len(entries):,} files")
        left = LARGEST
        for entry in entries:
            if entry.filename.startswith(("/", "\\")) or ".." in entry.filename.replace("\\", "/").split("/"):
                raise ValueError(f"a name in it leads out of it: {entry.filename[:60]!r}")
            if entry.is_dir() or not wanted(entry.filename):
                continue
            with archive.open(entry) as stream:
                data = stream.read(left + 1)  # what the entry says of its size may be a lie
            left -= len(data)
            if left < 0:
                raise ValueError(f"more than {LARGEST >> 20} MB when unpacked")
            yield entry.filename, data


def members_named(path: Path) -> list[str]:
    """The names in a ZIP; raises ValueError, OSError, BadZipFile."""
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()[:_MOST_MEMBERS]


def parse_xml(data: bytes) -> ET.Element:
    """XML in UTF-8 without a document type: entities can grow without end. Raises ValueError, ParseError."""
    try:
        text = data.decode("utf-8-sig")  # in UTF-16 a document type would not be seen
    except UnicodeDecodeError as error:
        raise ValueError("not XML in UTF-8") from error
    if "\0" in text or "<!" in text.replace("<!--", ""):
        raise ValueError("XML with a document type, entities or zeros")
    return ET.fromstring(text)  # noqa: S314 - no document type, no entities


def label(value: Any, what: str = "a class") -> str:
    """A class or stage: one short printable line, no markup."""
    said = checked_json.text(value, what).strip()
    if len(said) > _LONGEST:
        raise ValueError(f"{what} is longer than {_LONGEST} letters")
    if "<" in said and ">" in said:
        raise ValueError(f"{what} holds markup: {said[:40]!r}")
    return said


def box(x: Any, y: Any, w: Any, h: Any, what: str = "a box") -> ExchangeBox:
    """A box in pixels, to a thousandth of one; raises ValueError where it is empty, endless or far away."""
    found = [round(checked_json.number(one, what, -_FARTHEST, _FARTHEST), _ROUND) for one in (x, y, w, h)]
    if found[2] <= 0 or found[3] <= 0:
        raise ValueError(f"{what} is empty")
    return found[0], found[1], found[2], found[3]


def pixels(value: Any, what: str) -> int:
    """Width or height of a picture; 0 where it is not said."""
    return 0 if value is None else round(checked_json.number(value, what, 0, _FARTHEST))


def not_too_many(n: int) -> int:
    """The number; raises ValueError where no sample of this program holds so many things."""
    if n > MOST_CELLS:
        raise ValueError(f"{n:,} things, more than {MOST_CELLS:,}")
    return n


def text_in(values: Mapping[str, Any], key: str) -> str:
    """A short text under this key; empty where there is none. Raises ValueError."""
    value = values.get(key)
    return "" if value is None else label(value, key)


def field_by_field(
    source: str, path: Path, files: Sequence[Path], read: Callable[[Path], tuple[CorrectedField, str]]
) -> Corrections:
    """Corrections of which each file holds one field.

    Args:
        source: kind of the files.
        path: that was given.
        files: to read.
        read: a file's field, and the SHA-256 of the model it went out with (empty: not said).

    Raises:
        ValueError: there is no file, two are of one field, they are of several models, or hold too many things.
    """
    if not files:
        raise ValueError("no such file in it")
    found = [read(file) for file in files]
    indices = [field.index for field, _ in found]
    if len(set(indices)) < len(indices):
        raise ValueError("two of its files are of one field")
    not_too_many(sum(len(field.cells) for field, _ in found))
    models = {model for _, model in found if model}
    if len(models) > 1:
        raise ValueError("its fields are of several models")
    return Corrections(source, path, "", next(iter(models), ""), tuple(field for field, _ in found))
