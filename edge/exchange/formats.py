"""All doors: what can be written, what can be read back, and which kind a file is."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ReviewError
from edge.exchange.coco import is_annotations, is_coco, read_coco, read_cvat, write_coco, write_cvat
from edge.exchange.outgoing import Written
from edge.exchange.records import Corrections, ExchangeField, ExchangeSample
from edge.exchange.table import is_table, read_csv, write_csv
from edge.exchange.untrusted import members_named, parse_json, read_bytes, refused

ExchangeWriter = Callable[[ExchangeSample, Iterable[ExchangeField], Path], Written]
"""Writes fields, given in field order, to a file or folder; raises OutputError."""

ExchangeReader = Callable[[Path], Corrections]
"""Reads a file (or a folder of them); raises ReviewError in one line, whatever the file holds."""


@dataclass(frozen=True, slots=True)
class Format:
    """A door.

    Attributes:
        kind: its name on the command line, and ``Corrections.source``.
        words: what comes out, for people.
        folder: a new folder is written, else a file.
        write: None: it is only read.
        read: None: what it holds says nothing back.
    """

    kind: str
    words: str
    folder: bool
    write: ExchangeWriter | None
    read: ExchangeReader | None


FORMATS: Mapping[str, Format] = {
    one.kind: one
    for one in (
        Format("csv", "a table with a column for the answer", False, write_csv, read_csv),
        Format("coco", "COCO: one JSON file, without pictures", False, write_coco, read_coco),
        Format("cvat", "CVAT: a ZIP of pictures and boxes (COCO 1.0)", False, write_cvat, read_cvat),
    )
}
"""By name. ``csv`` and ``coco`` here are what goes to a reader; ``edge export`` writes those of ``edge-run`` under these names."""


def kind_of(path: Path) -> str:
    """Which door a file (or folder) came through, found by looking into it; raises ReviewError where it is none of them."""
    with refused(path, "a file of answers"):
        kind = _looked_at(path)
    if not kind:
        known = ", ".join(one.kind for one in FORMATS.values() if one.read)
        raise ReviewError(f"{path}: cannot be read: it is none of these: {known}")
    return kind


def _looked_at(path: Path) -> str:
    if zipfile.is_zipfile(path):
        return _of_archive(members_named(path))
    with path.open("rb") as stream:
        head = stream.read(1000)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _of_json(parse_json(read_bytes(path)))
    return "csv" if is_table(head) else ""


def _of_archive(names: list[str]) -> str:
    return "cvat" if any(map(is_annotations, names)) else ""


def _of_json(raw: object) -> str:
    return "coco" if is_coco(raw) else ""
