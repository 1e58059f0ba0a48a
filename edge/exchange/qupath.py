"""QuPath: one GeoJSON of objects per field, beside the field as OME-TIFF, which carries the scale.

The form is what QuPath itself writes (File > Export objects as GeoJSON): detections with a classification, measurements and metadata.
A locked annotation around each field tells a field without anything from one that is not in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from edge import checked_json
from edge.exchange.naming import category_of, colour_of, id_of, index_of, last_part, name_of, stem_of
from edge.exchange.ome import write_picture
from edge.exchange.outgoing import Outgoing, Written, whole_folder
from edge.exchange.records import (
    CorrectedCell,
    CorrectedField,
    Corrections,
    ExchangeBox,
    ExchangeField,
    ExchangeSample,
)
from edge.exchange.untrusted import box, field_by_field, label, parse_json, read_bytes, refused, text_in

ENDING = ".geojson"
_FIELD = "edge field"


def write_qupath(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """A folder with ``NAME.geojson`` and ``NAME.ome.tif`` per field. Raises OutputError."""
    going = Outgoing(fields)
    with whole_folder(out) as folder:
        for field in going:
            whole = {"type": "FeatureCollection", "features": list(_features(sample, field))}
            (folder / f"{stem_of(field)}{ENDING}").write_text(json.dumps(whole), encoding="utf-8")
            rgb = going.pixels(field)
            if rgb is not None:
                write_picture(folder / f"{stem_of(field)}.ome.tif", field, rgb)
    return going.written()


def _features(sample: ExchangeSample, field: ExchangeField) -> Iterator[dict[str, object]]:
    about = {"edge_field": str(field.index), "edge_model": sample.model}
    size = {"edge_width": str(field.width), "edge_height": str(field.height), "edge_name": stem_of(field)}
    frame = {"objectType": "annotation", "name": _FIELD, "isLocked": True, "metadata": {**about, **size}}
    yield _feature((0, 0, field.width, field.height), frame, f"{sample.model}/{field.index}")
    for n, cell in enumerate(field.cells):
        category = category_of(cell)
        told = {"edge_cell": cell.cell, "edge_machine": cell.label, "edge_stage": cell.stage, **about}
        properties: dict[str, object] = {
            "objectType": "detection",
            "name": name_of(cell),
            "classification": {"name": category, "color": list(colour_of(category, sample))},
            "metadata": {key: value for key, value in told.items() if value},
        }
        if cell.score is not None:
            properties["measurements"] = {"positive score": round(cell.score, 4)}
        yield _feature(cell.box, properties, f"{sample.model}/{field.index}/{cell.cell or f'added {n}'}")


def _feature(place: ExchangeBox, properties: Mapping[str, object], key: str) -> dict[str, object]:
    x, y, w, h = place
    ring = [[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "id": str(uuid5(NAMESPACE_URL, key)), "geometry": geometry, "properties": properties}


def read_qupath(path: Path) -> Corrections:
    """The objects of a GeoJSON file, or of all in a folder, a field each; raises ReviewError."""
    with refused(path, "GeoJSON of QuPath"):
        files = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path]
        return field_by_field("qupath", path, files, _field)


def is_geojson(raw: object) -> bool:
    """Whether a JSON file is GeoJSON."""
    first = raw[0] if isinstance(raw, list) and raw else raw
    return isinstance(first, dict) and first.get("type") in ("FeatureCollection", "Feature")


def _field(file: Path) -> tuple[CorrectedField, str]:
    frame: Mapping[str, Any] = {}
    models, indices, cells = set[str](), set[str](), list[CorrectedCell]()
    for feature in _listed(parse_json(read_bytes(file))):
        properties = checked_json.mapping(feature.get("properties", {}), "an object's properties")
        raw = properties.get("metadata")
        metadata = raw if isinstance(raw, dict) else {}
        models.add(text_in(metadata, "edge_model"))
        indices.add(text_in(metadata, "edge_field"))
        if properties.get("name") == _FIELD:
            frame = metadata
        else:
            cells.append(_cell(feature, properties, metadata))
    models.discard("")
    indices.discard("")
    if len(models) > 1 or len(indices) > 1:
        raise ValueError(f"{file.name}: its objects are of several fields or models")
    said = next(iter(indices), "")
    if said and not (said.isascii() and said.isdigit() and len(said) < 10):
        raise ValueError(f"{file.name}: {said[:20]!r} is no field")
    index = int(said) if said else index_of(file.name)
    width, height = (_size(frame, key) for key in ("edge_width", "edge_height"))
    name = last_part(text_in(frame, "edge_name")) if said else file.name.removesuffix(ENDING)
    return CorrectedField(index, name, width, height, tuple(cells), whole=bool(frame)), next(iter(models), "")


def _size(frame: Mapping[str, Any], key: str) -> int:
    said = text_in(frame, key)
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0


def _listed(raw: Any) -> Iterator[Mapping[str, Any]]:
    listed = raw if isinstance(raw, list) else raw.get("features", [raw]) if isinstance(raw, dict) else []
    for one in checked_json.items(listed, "features"):
        yield checked_json.mapping(one, "an object")


def _cell(feature: Mapping[str, Any], properties: Mapping[str, Any], metadata: Mapping[str, Any]) -> CorrectedCell:
    name = text_in(properties, "name")
    classification = properties.get("classification")
    if not isinstance(classification, dict):
        raise ValueError(f"the object {name or 'without a name'} has no class")  # noqa: TRY004 - the file
    names = classification.get("names")
    category = classification.get("name")
    if category is None and isinstance(names, list):
        category = ": ".join(label(one) for one in names)
    place = _bounds(checked_json.mapping(feature.get("geometry"), "an object's geometry"), name)
    cell = id_of(text_in(metadata, "edge_cell")) or id_of(name)
    return CorrectedCell(cell, place, label(category), text_in(metadata, "edge_stage"))


def _bounds(geometry: Mapping[str, Any], name: str) -> ExchangeBox:
    kind = geometry.get("type")
    if kind not in ("Polygon", "MultiPolygon"):
        raise ValueError(
            f"the object {name or 'without a name'} is a {str(kind)[:20]}, which encloses no cell: delete it"
        )
    points = list(_points(geometry.get("coordinates"), 3 if kind == "Polygon" else 4))
    if not points:
        raise ValueError(f"the object {name or 'without a name'} has no outline")
    xs, ys = zip(*points, strict=True)
    return box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), what=f"the object {name}")


def _points(raw: Any, depth: int) -> Iterator[tuple[float, float]]:
    """The corners of a list of rings, or of a list of such lists: ``depth`` of them."""
    if depth == 1:
        pair = checked_json.items(raw, "a corner")
        if len(pair) < 2:
            raise ValueError("a corner is not x, y")
        yield checked_json.number(pair[0], "a corner", -1e6, 1e6), checked_json.number(pair[1], "a corner", -1e6, 1e6)
        return
    for one in checked_json.items(raw, "an outline"):
        yield from _points(one, depth - 1)
