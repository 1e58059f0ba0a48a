"""Label Studio: tasks with the machine's boxes as predictions (per cent of the picture), and its export of annotations back.

A person's annotation is the whole truth of its picture: an annotation without a box says that there is nothing. A task without an
annotation has not been looked at, and predictions alone are no answers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from edge import checked_json
from edge.exchange.naming import category_of, choices_of, colour_of, id_of, index_of, last_part, name_of, stem_of
from edge.exchange.outgoing import Outgoing, Written, whole_folder
from edge.exchange.records import (
    CorrectedCell,
    CorrectedField,
    Corrections,
    ExchangeBox,
    ExchangeField,
    ExchangeSample,
)
from edge.exchange.untrusted import box, label, not_too_many, parse_json, pixels, read_bytes, refused, text_in

TASKS, CONFIG, PICTURES = "tasks.json", "config.xml", "images"
_FROM, _TO, _STAGE = "label", "image", "stage"


def write_label_studio(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """A folder with ``tasks.json``, the labelling interface ``config.xml`` and ``images``. Raises OutputError."""
    going, names = Outgoing(fields), dict.fromkeys(choices_of(sample))
    with whole_folder(out) as folder:
        (folder / PICTURES).mkdir()
        with (folder / TASKS).open("w", encoding="utf-8") as stream:
            glue = "["
            for field in going:
                names |= dict.fromkeys(category_of(cell) for cell in field.cells)
                data = going.png(field)
                if data is not None:
                    (folder / PICTURES / f"{stem_of(field)}.png").write_bytes(data)
                stream.write(glue + json.dumps(_task(sample, field)))
                glue = ",\n"
            stream.write("[]\n" if glue == "[" else "]\n")
        (folder / CONFIG).write_bytes(labelling_interface(sample, names))
    return going.written()


def labelling_interface(sample: ExchangeSample, names: Iterable[str]) -> bytes:
    """What a project is set up with (Settings, Labeling Interface, Code): XML in ASCII."""
    view = ET.Element("View")
    ET.SubElement(view, "Image", {"name": _TO, "value": "$image", "zoom": "true", "zoomControl": "true"})
    labels = ET.SubElement(view, "RectangleLabels", {"name": _FROM, "toName": _TO})
    for name in names:
        colour = "#{:02x}{:02x}{:02x}".format(*colour_of(name, sample))
        ET.SubElement(labels, "Label", {"value": name, "background": colour})
    if sample.stages:
        told = {"name": _STAGE, "toName": _TO, "perRegion": "true", "choice": "single"}
        choices = ET.SubElement(view, "Choices", told)
        for stage in sample.stages:
            ET.SubElement(choices, "Choice", {"value": stage})
    ET.indent(view)
    return bytes(ET.tostring(view, encoding="us-ascii"))


def _task(sample: ExchangeSample, field: ExchangeField) -> dict[str, object]:
    data = {
        "image": f"/data/local-files/?d={PICTURES}/{stem_of(field)}.png",
        "edge_field": field.index,
        "edge_model": sample.model,
        "edge_width": field.width,
        "edge_height": field.height,
    }
    scores = [cell.score for cell in field.cells if cell.score is not None]
    result = [one for n in range(len(field.cells)) for one in _regions(field, n)]
    said = {"model_version": sample.model_name, "score": round(max(scores, default=0.0), 4), "result": result}
    return {"data": data, "predictions": [said]}


def _regions(field: ExchangeField, n: int) -> Iterator[dict[str, object]]:
    cell = field.cells[n]
    x, y, w, h = cell.box
    place = {
        "x": 100 * x / field.width,
        "y": 100 * y / field.height,
        "width": 100 * w / field.width,
        "height": 100 * h / field.height,
        "rotation": 0,
    }
    head: dict[str, object] = {
        "id": f"cell-{cell.cell}" if cell.cell else f"added-{field.index}-{n}",
        "to_name": _TO,
        "original_width": field.width,
        "original_height": field.height,
        "image_rotation": 0,
    }
    region = {
        **head,
        "from_name": _FROM,
        "type": "rectanglelabels",
        "value": {**place, "rectanglelabels": [category_of(cell)]},
    }
    if cell.score is not None:
        region["score"] = round(cell.score, 4)
    yield {**region, "meta": {"text": [name_of(cell)]}}
    if cell.stage:
        yield {**head, "from_name": _STAGE, "type": "choices", "value": {**place, "choices": [cell.stage]}}


def read_label_studio(path: Path) -> Corrections:
    """The newest annotation of each task of an export (JSON or JSON-MIN); raises ReviewError."""
    with refused(path, "an export of Label Studio"):
        file = path / TASKS if path.is_dir() else path
        tasks = checked_json.items(parse_json(read_bytes(file)), "the file")
        found = [one for one in (_field(checked_json.mapping(task, "a task")) for task in tasks) if one is not None]
        if not found:
            raise ValueError("no task in it has an annotation yet")
        not_too_many(sum(len(field.cells) for field, _, _ in found))
        readers, models = {reader for _, reader, _ in found}, {model for _, _, model in found}
        if len(models) > 1:
            raise ValueError("its tasks are of several models")
        if len(readers) > 1:
            raise ValueError(f"annotations by {len(readers)} people: export those of one at a time")
        reader = next(iter(readers))
        return Corrections("label-studio", path, reader, next(iter(models)), tuple(field for field, _, _ in found))


def is_label_studio(raw: object) -> bool:
    """Whether a JSON file is a list of Label Studio's tasks."""
    first = raw[0] if isinstance(raw, list) and raw else None
    if not isinstance(first, dict):
        return False
    return ("data" in first and ("annotations" in first or "predictions" in first)) or "annotation_id" in first


def _field(task: Mapping[str, Any]) -> tuple[CorrectedField, str, str] | None:
    """A task's field, who annotated it, and the model it went out with; None: nobody has."""
    small = "annotation_id" in task  # JSON-MIN: data and answers in one object
    data = task if small else checked_json.mapping(task.get("data"), "a task's data")
    result, reader = (task.get(_FROM, []), task.get("annotator")) if small else _newest(task)
    if result is None:
        return None
    name = last_part(
        checked_json.text(data.get("image", ""), "a task's image").partition("?d=")[2] or str(data.get("image", ""))
    )
    number = data.get("edge_field")
    index = index_of(name) if number is None else checked_json.count(number, "edge_field")
    size = pixels(data.get("edge_width"), "edge_width"), pixels(data.get("edge_height"), "edge_height")
    cells, shown = _cells(checked_json.items(result, "a result"), size)
    person = reader.get("email") if isinstance(reader, dict) else reader
    who = label(person, "a person") if isinstance(person, str) else "" if person is None else f"person {person}"
    width, height = shown or size
    return CorrectedField(index, name, width, height, cells, whole=True), who, text_in(data, "edge_model")


def _newest(task: Mapping[str, Any]) -> tuple[list[Any] | None, Any]:
    """What the newest annotation of a task says, and by whom; None: there is none that was not cancelled."""
    listed = checked_json.items(task.get("annotations", []), "annotations")
    given = [checked_json.mapping(one, "an annotation") for one in listed]
    given = [one for one in given if not one.get("was_cancelled")]
    if not given:
        return None, None
    people = {json.dumps(one.get("completed_by"), sort_keys=True) for one in given}
    if len(people) > 1:
        raise ValueError(f"a task has annotations by {len(people)} people: export those of one at a time")
    newest = max(enumerate(given), key=lambda pair: (str(pair[1].get("updated_at", "")), pair[0]))[1]
    return checked_json.items(newest.get("result"), "a result"), newest.get("completed_by")


def _cells(result: list[Any], size: tuple[int, int]) -> tuple[tuple[CorrectedCell, ...], tuple[int, int] | None]:
    """The boxes of an annotation, and the size in pixels of the picture that was annotated; None: there is no box to tell."""
    regions = [checked_json.mapping(one, "a region") for one in result]
    stages, found, sizes = dict[str, str](), list[tuple[str, CorrectedCell]](), set[tuple[int, int]]()
    for one in regions:
        key, value = text_in(one, "id"), checked_json.mapping(one.get("value", one), "a region's value")
        if "rectanglelabels" in value:
            shown = (pixels(one.get("original_width"), "a width"), pixels(one.get("original_height"), "a height"))
            sizes.add(shown)
            found.append((key, _cell(one, value, shown if all(shown) else size)))
        elif "choices" in value and one.get("from_name") == _STAGE:
            stages[key] = label(_only(value["choices"], "a stage"), "a stage")
        else:
            raise ValueError(f"a region is a {str(one.get('type'))[:30]}, not a rectangle with a class")
    if len(sizes) > 1:
        raise ValueError("regions of one task are of pictures of different sizes")
    cells = tuple(
        CorrectedCell(cell.cell, cell.box, cell.label, stages.get(key, "")) if key in stages else cell
        for key, cell in found
    )
    return cells, next(iter(sizes), None)


def _cell(one: Mapping[str, Any], value: Mapping[str, Any], size: tuple[int, int]) -> CorrectedCell:
    if not all(size):
        raise ValueError("a region does not say how large its picture is")
    meta = one.get("meta")
    told = meta.get("text") if isinstance(meta, dict) else None
    named = told[0] if isinstance(told, list) and told and isinstance(told[0], str) else ""
    key = text_in(one, "id")
    cell = id_of(key.removeprefix("cell-")) if key.startswith("cell-") else id_of(named)
    return CorrectedCell(cell, _box(value, size), label(_only(value["rectanglelabels"], "a class"), "a class"))


def _only(listed: Any, what: str) -> Any:
    values = checked_json.items(listed, what)
    if len(values) != 1:
        raise ValueError(f"a region has {len(values)} of {what}, not one")
    return values[0]


def _box(value: Mapping[str, Any], size: tuple[int, int]) -> ExchangeBox:
    """A region's box in pixels; one that was turned is enclosed. Label Studio turns about the upper left corner."""
    x, y, w, h, turn = (checked_json.number(value.get(key, 0), f"a region's {key}", -1e4, 1e4) for key in _PLACE)
    left, top, wide, high = x * size[0] / 100, y * size[1] / 100, w * size[0] / 100, h * size[1] / 100
    if not turn:
        return box(left, top, wide, high, what="a region")
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    xs = [left, left + wide * cos, left - high * sin, left + wide * cos - high * sin]
    ys = [top, top + wide * sin, top + high * cos, top + wide * sin + high * cos]
    return box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), what="a region")


_PLACE = ("x", "y", "width", "height", "rotation")
