"""COCO, plain and as CVAT takes it, out and back.

Out, a box that a person looked at carries what was said. Back, whatever writes COCO is taken: this program's own detections, CVAT's
export (whose pictures have new numbers), other tools' that keep nothing but file names and boxes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from edge import checked_json, installed_version, words
from edge.exchange.naming import category_of, choices_of, colour_of, id_of, index_of, last_part, stem_of
from edge.exchange.outgoing import Outgoing, Written, put, whole_archive
from edge.exchange.records import (
    CorrectedCell,
    CorrectedField,
    Corrections,
    ExchangeCell,
    ExchangeField,
    ExchangeSample,
)
from edge.exchange.untrusted import box, label, members, not_too_many, parse_json, pixels, read_bytes, refused, text_in
from edge.safe_file import whole_file
from edge.types import CELL

ANNOTATIONS = "annotations/instances_default.json"
"""Where CVAT's archives keep the boxes."""

_WHAT = "COCO"


def write_coco(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """One JSON file; pictures stay where they are. Raises OutputError."""
    going = Outgoing(fields)
    with whole_file(out) as stream:
        _CocoWriter(sample, outlines=True).write(stream, ((field, field.name) for field in going))
    return going.written()


def write_cvat(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """A ZIP with pictures, boxes (COCO 1.0), and ``labels.json``: what CVAT's Raw tab takes. Raises OutputError."""
    going = Outgoing(fields)
    with whole_archive(out) as archive:

        def pictured() -> Iterator[tuple[ExchangeField, str]]:
            for field in going:
                name = f"{stem_of(field)}.png"
                data = going.png(field)
                if data is not None:
                    put(archive, f"images/{name}", data)
                yield field, name

        writer, text = _CocoWriter(sample, outlines=False), StringIO()
        writer.write(text, pictured())
        put(archive, ANNOTATIONS, text.getvalue(), packed=True)
        put(archive, "labels.json", json.dumps(cvat_labels(sample, writer.classes), indent=1), packed=True)
    return going.written()


def cvat_labels(sample: ExchangeSample, names: Iterable[str]) -> list[dict[str, object]]:
    """Classes and attributes as a CVAT project takes them (Constructor, Raw)."""

    def attribute(name: str, kind: str, values: tuple[str, ...] = ("",)) -> dict[str, object]:
        first = values[0]
        return {"name": name, "input_type": kind, "mutable": False, "values": list(values), "default_value": first}

    told = [attribute("cell", "text"), attribute("machine", "text"), attribute("positive_score", "text")]
    if sample.stages:
        told.append(attribute("stage", "select", ("", *sample.stages)))
    colours = {name: "#{:02x}{:02x}{:02x}".format(*colour_of(name, sample)) for name in names}
    return [{"name": name, "color": colours[name], "type": "rectangle", "attributes": told} for name in names]


class _CocoWriter:
    """Writes one file, field by field: memory stays flat.

    Args:
        sample: that the fields are of.
        outlines: give each box its outline too (without it, CVAT makes a rectangle of it).
    """

    def __init__(self, sample: ExchangeSample, *, outlines: bool) -> None:
        self._sample, self._outlines, self._written = sample, outlines, 0
        self._numbers = {name: i for i, name in enumerate(choices_of(sample), 1)}

    @property
    def classes(self) -> tuple[str, ...]:
        """All that came up, in the order of their numbers."""
        return tuple(self._numbers)

    def write(self, stream: TextIO, fields: Iterable[tuple[ExchangeField, str]]) -> None:
        """Everything; with each field its picture's name."""
        info = {
            "description": "For research and triage, not for diagnosis.",
            "version": installed_version(),
            "model": {"name": self._sample.model_name, "sha256": self._sample.model},
            "threshold": self._sample.threshold,
        }
        stream.write(f'{{"info": {json.dumps(info)},\n"licenses": [],\n"annotations": [')
        images = list[dict[str, object]]()
        for field, name in fields:
            size = {"width": field.width, "height": field.height}
            images.append({"id": field.index, "file_name": name, **size, "field": field.index})
            for cell in field.cells:
                self._written += 1
                stream.write(("\n" if self._written == 1 else ",\n") + json.dumps(self._annotation(field, cell)))
        stream.write(f'\n],\n"images": {json.dumps(images)},\n"categories": {json.dumps(self._categories())}}}\n')

    def _annotation(self, field: ExchangeField, cell: ExchangeCell) -> dict[str, object]:
        x, y, w, h = map(_plain, cell.box)
        return {
            "id": self._written,
            "image_id": field.index,
            "category_id": self._numbers.setdefault(category_of(cell), len(self._numbers) + 1),
            "bbox": [x, y, w, h],
            "area": w * h,
            "segmentation": [_outline(cell, field)] if self._outlines else [],
            "iscrowd": 0,
            "attributes": _attributes(cell),
        }

    def _categories(self) -> list[dict[str, object]]:
        choices = choices_of(self._sample)
        return [
            {"id": i, "name": name, "supercategory": CELL if name in choices else words.SET_ASIDE}
            for name, i in self._numbers.items()
        ]


def _outline(cell: ExchangeCell, field: ExchangeField) -> list[float]:
    """The box as a polygon within the picture, as readers of COCO expect it: x, y, x, y, ..."""
    x, y, w, h = cell.box
    left, right = (min(max(one, 0), field.width) for one in (x, x + w))
    top, bottom = (min(max(one, 0), field.height) for one in (y, y + h))
    return list(map(_plain, (left, top, right, top, right, bottom, left, bottom)))


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def _attributes(cell: ExchangeCell) -> dict[str, object]:
    score = None if cell.score is None else round(cell.score, 4)
    told = {"cell": cell.cell, "machine": cell.label if cell.cell else "", "positive_score": score}
    told |= {"reviewed": cell.reviewed, "stage": cell.stage}
    return {key: value for key, value in told.items() if value not in ("", None)}


def read_coco(path: Path) -> Corrections:
    """The boxes of a COCO file; raises ReviewError."""
    with refused(path, _WHAT):
        return _read(path, parse_json(read_bytes(path)), "coco")


def read_cvat(path: Path) -> Corrections:
    """The boxes of a ZIP as CVAT exports it (COCO 1.0), or of the JSON file in it; raises ReviewError."""
    with refused(path, "COCO of CVAT"):
        if path.suffix.lower() == ".json":
            return _read(path, parse_json(read_bytes(path)), "cvat")
        found = [data for _, data in members(path, is_annotations)]
        if len(found) != 1:
            raise ValueError(f"it holds {len(found)} files annotations/*.json, not one")
        return _read(path, parse_json(found[0]), "cvat")


def is_annotations(name: str) -> bool:
    """Whether a file of an archive holds COCO's boxes."""
    folder, _, file = name.rpartition("/")
    return last_part(folder) == "annotations" and file.startswith("instances") and file.endswith(".json")


def is_coco(raw: object) -> bool:
    """Whether a JSON file is COCO."""
    return isinstance(raw, dict) and "images" in raw and "annotations" in raw


def _read(path: Path, raw: object, source: str) -> Corrections:
    top = checked_json.mapping(raw, "the file")
    info = top.get("info")
    model = info.get("model") if isinstance(info, dict) else None
    sha256 = text_in(model, "sha256") if isinstance(model, dict) else ""
    names = {}
    for one in checked_json.items(top.get("categories"), "categories"):
        category = checked_json.mapping(one, "a category")
        names[checked_json.count(category.get("id"), "a category's id")] = label(
            category.get("name"), "a category's name"
        )
    cells: dict[int, list[CorrectedCell]] = {}
    images = [checked_json.mapping(one, "an image") for one in checked_json.items(top.get("images"), "images")]
    for image in images:
        number = checked_json.count(image.get("id"), "an image's id")
        if number in cells:
            raise ValueError(f"two images have the id {number}")
        cells[number] = []
    annotations = checked_json.items(top.get("annotations"), "annotations")
    not_too_many(len(annotations) + len(images))
    for one in annotations:
        annotation = checked_json.mapping(one, "an annotation")
        image_id = checked_json.count(annotation.get("image_id"), "an annotation's image_id")
        if image_id not in cells:
            raise ValueError(f"an annotation is of image {image_id}, which is not in the file")
        cells[image_id].append(_cell(annotation, names))
    fields = tuple(_field(image, tuple(cells[image["id"]]), own=bool(sha256)) for image in images)
    return Corrections(source, path, "", sha256, fields)


def _cell(annotation: Mapping[str, Any], names: Mapping[int, str]) -> CorrectedCell:
    category = checked_json.count(annotation.get("category_id"), "an annotation's category_id")
    if category not in names:
        raise ValueError(f"an annotation is of category {category}, which is not in the file")
    corners = checked_json.items(annotation.get("bbox"), "a bbox")
    if len(corners) != 4:
        raise ValueError("a bbox is not x, y, width, height")
    x, y, w, h = corners
    attributes = annotation.get("attributes")
    told = attributes if isinstance(attributes, dict) else {}
    cell = text_in(annotation, "cell") or text_in(told, "cell")
    if cell and not id_of(cell):
        raise ValueError(f"{cell[:40]!r} is no cell: FIELD-N, as 12-7")
    return CorrectedCell(id_of(cell), box(x, y, w, h, "a bbox"), names[category], text_in(told, "stage"))


def _field(image: Mapping[str, Any], cells: tuple[CorrectedCell, ...], *, own: bool) -> CorrectedField:
    name = checked_json.text(image.get("file_name", ""), "a file_name")
    index: int | None = index_of(name)
    if image.get("field") is not None:
        index = checked_json.count(image["field"], "a field")
    elif own and "sample" in image:  # this program's own detections
        index = checked_json.count(image["id"], "an image's id")
    width, height = pixels(image.get("width"), "a width"), pixels(image.get("height"), "a height")
    return CorrectedField(index, last_part(name), width, height, cells, whole=True)
