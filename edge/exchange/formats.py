"""All doors: what can be written, what can be read back, and which kind a file is."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ReviewError
from edge.exchange.coco import is_annotations, is_coco, read_coco, read_cvat, write_coco, write_cvat
from edge.exchange.ecotaxa import is_ecotaxa, is_ecotaxa_table, read_ecotaxa, write_ecotaxa
from edge.exchange.fiji import PICTURES, ROI_SET, is_region, read_fiji, write_fiji
from edge.exchange.label_studio import TASKS, is_label_studio, read_label_studio, write_label_studio
from edge.exchange.ome import is_ome, read_ome, write_ome
from edge.exchange.outgoing import Written
from edge.exchange.qupath import ENDING, is_geojson, read_qupath, write_qupath
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
        Format(
            "label-studio", "Label Studio: tasks, predictions, pictures", True, write_label_studio, read_label_studio
        ),
        Format("fiji", "Fiji: RoiSet.zip and TIFFs", True, write_fiji, read_fiji),
        Format("qupath", "QuPath: GeoJSON and OME-TIFF per field", True, write_qupath, read_qupath),
        Format("ome", "OME-TIFF per field, with regions", True, write_ome, read_ome),
        Format("ecotaxa", "EcoTaxa: a ZIP with a picture per cell", False, write_ecotaxa, read_ecotaxa),
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
    if path.is_dir():
        return _of_folder(path)
    if is_ome(path):
        return "ome"
    if zipfile.is_zipfile(path):
        return _of_archive(members_named(path))
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _of_json(parse_json(read_bytes(path)))
    if is_ecotaxa(head):
        return "ecotaxa"
    return "csv" if is_table(head) else ""


def _of_folder(folder: Path) -> str:
    names = {file.name for file in folder.iterdir()}
    if ROI_SET in names and PICTURES in names:
        return "fiji"
    if TASKS in names:
        return "label-studio"
    if any(name.endswith(ENDING) for name in names):
        return "qupath"
    return "ome" if any(is_ome(Path(name)) for name in names) else ""


def _of_archive(names: list[str]) -> str:
    for kind, known in (("cvat", is_annotations), ("fiji", is_region), ("ecotaxa", is_ecotaxa_table)):
        if any(map(known, names)):
            return kind
    return ""


def _of_json(raw: object) -> str:
    for kind, known in (("coco", is_coco), ("qupath", is_geojson), ("label-studio", is_label_studio)):
        if known(raw):
            return kind
    return ""


_HEAD = 4000  # bytes that hold a table's first line
