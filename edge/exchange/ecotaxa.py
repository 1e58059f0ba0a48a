"""EcoTaxa: a ZIP with one picture per cell and ``ecotaxa_edge.tsv``, whose second line gives the types of its columns.

Back, an export of EcoTaxa (TSV, or a ZIP with one): what people validated counts, ``dubious`` is unsure, the rest was not looked at.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from edge.errors import OutputError
from edge.exchange.naming import UNSURE, category_of
from edge.exchange.outgoing import Outgoing, Written, png, put, whole_archive
from edge.exchange.records import (
    CorrectedCell,
    CorrectedField,
    Corrections,
    ExchangeBox,
    ExchangeCell,
    ExchangeField,
    ExchangeSample,
)
from edge.exchange.untrusted import box, label, members, not_too_many, read_bytes, refused
from edge.types import UInt8Array

TABLE = "ecotaxa_edge.tsv"
_AROUND = 1.5  # how much wider than the cell its picture is
_TEXT, _NUMBER = "[t]", "[f]"
_OBJECT = re.compile(r"(?:.*_)?cell-([0-9]{1,9}-[0-9]{1,9})", re.ASCII | re.DOTALL)
_TYPES = {
    "img_file_name": _TEXT,
    "img_rank": _NUMBER,
    "object_id": _TEXT,
    "object_annotation_category": _TEXT,
    "object_annotation_status": _TEXT,
    "object_x": _NUMBER,
    "object_y": _NUMBER,
    "object_width": _NUMBER,
    "object_height": _NUMBER,
    "object_positive_score": _NUMBER,
    "object_machine_class": _TEXT,
    "object_stage": _TEXT,
    "sample_id": _TEXT,
    "acq_id": _TEXT,
    "acq_field": _NUMBER,
    "acq_instrument": _TEXT,
    "process_id": _TEXT,
    "process_model": _TEXT,
    "process_um_per_pixel": _NUMBER,
}


def write_ecotaxa(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """A ZIP as EcoTaxa imports it; cells of fields whose picture is gone are left out. Raises OutputError."""
    going, text = Outgoing(fields), StringIO()
    rows = csv.DictWriter(text, _TYPES, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    rows.writeheader()
    rows.writerow(_TYPES)
    with whole_archive(out) as archive:
        for field in going:
            rgb = going.pixels(field)
            if rgb is None:
                continue
            for n, cell in enumerate(field.cells):
                name = f"{field.index:05d}-{n:05d}.png"
                put(archive, name, png(_cut(rgb, cell.box)))
                rows.writerow(_row(sample, field, cell, name))
        put(archive, TABLE, text.getvalue(), packed=True)
    return going.written()


def _row(sample: ExchangeSample, field: ExchangeField, cell: ExchangeCell, picture: str) -> dict[str, object]:
    x, y, w, h = cell.box
    said = cell.reviewed and cell.reviewed != UNSURE
    number = cell.cell or f"added-{picture.removesuffix('.png')}"
    return {
        "img_file_name": picture,
        "img_rank": 1,
        "object_id": f"{sample.name}_cell-{number}",
        "object_annotation_category": category_of(cell),
        "object_annotation_status": "validated" if said else "dubious" if cell.reviewed else "predicted",
        "object_x": x,
        "object_y": y,
        "object_width": w,
        "object_height": h,
        "object_positive_score": "" if cell.score is None else round(cell.score, 4),
        "object_machine_class": cell.label,
        "object_stage": cell.stage,
        "sample_id": sample.name,
        "acq_id": f"{sample.name}_{field.index}",
        "acq_field": field.index,
        "acq_instrument": sample.scope,
        "process_id": sample.model[:12],
        "process_model": sample.model,
        "process_um_per_pixel": "" if field.um_per_pixel is None else field.um_per_pixel,
    }


def _cut(rgb: UInt8Array, place: ExchangeBox) -> UInt8Array:
    """A cell and a little around it, as far as the field goes."""
    x, y, w, h = place
    height, width = rgb.shape[:2]
    more = (_AROUND - 1) / 2 * max(w, h)
    left, top = max(int(x - more), 0), max(int(y - more), 0)
    right, bottom = min(int(x + w + more) + 1, width), min(int(y + h + more) + 1, height)
    if left >= right or top >= bottom:
        raise OutputError(f"a cell at {x:g}, {y:g} lies outside its field")
    return rgb[top:bottom, left:right]


def read_ecotaxa(path: Path) -> Corrections:
    """What people validated in an export of EcoTaxa; raises ReviewError."""
    with refused(path, "a table of EcoTaxa"):
        data = read_bytes(path)
        if data[:2] == b"PK":
            found = [content for _, content in members(path, is_ecotaxa_table)]
            if len(found) != 1:
                raise ValueError(f"it holds {len(found)} tables, not one")
            data = found[0]
        try:
            rows = list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline=""), delimiter="\t", strict=True))
        except csv.Error as error:
            raise ValueError(str(error)) from error
        if rows and set(filter(None, rows[0].values())) <= {_TEXT, _NUMBER}:
            rows = rows[1:]
        not_too_many(len(rows))
        return _corrections(path, rows)


def is_ecotaxa_table(name: str) -> bool:
    """Whether a file of an archive is a table of EcoTaxa."""
    return name.lower().endswith(".tsv")


def is_ecotaxa(head: bytes) -> bool:
    """Whether a table begins like EcoTaxa's."""
    columns = head.partition(b"\n")[0].decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r").split("\t")
    return "object_id" in columns and "object_annotation_category" in columns


def _corrections(path: Path, rows: list[dict[str, str]]) -> Corrections:
    cells: dict[int, list[CorrectedCell]] = {}
    models, people = set[str](), set[str]()
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ValueError(f"row {number} has another number of columns than the first")
        status = row.get("object_annotation_status", "").strip().lower()
        if status not in ("validated", "v", "dubious", "d"):
            continue
        models.add(row.get("process_model", "").strip())
        people.add(label(row.get("object_annotation_person_name", ""), "a person"))
        index, cell = _cell(row, f"row {number}", dubious=status.startswith("d"))
        cells.setdefault(index, []).append(cell)
    for what, found in (("models", models), ("people", people)):
        if len(found) > 1:
            raise ValueError(f"its rows are of {len(found)} {what}: export one at a time")
    fields = (CorrectedField(index, "", 0, 0, tuple(found), whole=False) for index, found in sorted(cells.items()))
    return Corrections("ecotaxa", path, next(iter(people), ""), next(iter(models), ""), tuple(fields))


def _cell(row: Mapping[str, str], where: str, *, dubious: bool) -> tuple[int, CorrectedCell]:
    known = _OBJECT.fullmatch(row.get("object_id", "").strip())
    said = row.get("acq_field", "").strip().removesuffix(".0")
    if known is None and not (said.isascii() and said.isdigit() and len(said) < 10):
        raise ValueError(f"{where} says neither which cell nor which field")
    index = int(said) if known is None else int(known[1].partition("-")[0])
    corners = [row.get(f"object_{key}", "").strip() for key in ("x", "y", "width", "height")]
    place = None
    if all(corners):
        try:
            x, y, w, h = map(float, corners)
        except ValueError as error:
            raise ValueError(f"{where}: its box is not made of numbers") from error
        place = box(x, y, w, h, what=f"{where}: the box")
    if known is None and place is None:
        raise ValueError(f"{where} says neither which cell nor where")
    answer = UNSURE if dubious else label(row["object_annotation_category"], f"{where}: the category")
    stage = label(row.get("object_stage", ""), f"{where}: the stage")
    return index, CorrectedCell("" if known is None else known[1], place, answer, stage)
