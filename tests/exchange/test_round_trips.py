"""What goes out through a door and comes back unchanged is what it was: boxes, classes, ids, stages, empty fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import OutputError
from edge.exchange.formats import FORMATS, kind_of
from edge.exchange.naming import stem_of
from edge.exchange.records import ExchangeField
from tests.exchange.made import FIELDS, MODEL, SAMPLE, as_corrected, as_read

WHOLE = [kind for kind, one in FORMATS.items() if one.read and one.write and kind not in ("csv", "ecotaxa")]
ANSWERED = ("csv", "ecotaxa")
"""Those that say only what was answered, cell by cell."""


def out(kind: str, folder: Path) -> Path:
    return folder / (kind if FORMATS[kind].folder else f"{kind}.file")


def looked_at(kind: str, path: Path) -> Path:
    """Where a person works on what went out before it comes back: Label Studio makes an annotation of each prediction."""
    if kind != "label-studio":
        return path
    tasks = json.loads((path / "tasks.json").read_text())
    for task in tasks:
        task["annotations"] = [{"completed_by": 1, "result": task["predictions"][0]["result"]}]
    (path / "tasks.json").write_text(json.dumps(tasks))
    return path


@pytest.mark.parametrize("kind", WHOLE)
def test_boxes_classes_ids_and_empty_fields_come_back_as_they_went(kind: str, tmp_path: Path) -> None:
    path, way = out(kind, tmp_path), FORMATS[kind]
    assert way.write is not None
    assert way.read is not None
    written = way.write(SAMPLE, iter(FIELDS), path)
    assert (written.fields, written.cells, written.without_picture) == (3, 7, 0)
    assert kind_of(path) == kind
    back = way.read(looked_at(kind, path))
    assert as_read(back) == as_corrected(FIELDS)
    assert (back.source, back.model) == (kind, MODEL)
    assert all(field.whole for field in back.fields)
    if kind != "coco":  # it has the field's own name
        stems = [stem_of(field) for field in FIELDS]
        assert [field.name.removesuffix(".png") for field in back.fields] == stems


@pytest.mark.parametrize("kind", ANSWERED)
def test_a_table_gives_back_the_answers_alone(kind: str, tmp_path: Path) -> None:
    path, way = out(kind, tmp_path), FORMATS[kind]
    assert way.write is not None
    assert way.read is not None
    way.write(SAMPLE, FIELDS, path)
    assert kind_of(path) == kind
    back = way.read(path)
    (field,) = back.fields
    assert (back.source, back.model, field.index, field.whole) == (kind, MODEL, 12, False)
    assert [(c.cell, c.label, c.stage) for c in field.cells] == [
        ("12-0", "parasitized", "ring"),
        ("12-1", "no cell", ""),
        ("12-7", "unsure", ""),
        ("", "parasitized", ""),
    ]
    assert field.cells[3].box == (7.5, 20.25, 9, 10.25)


@pytest.mark.parametrize("kind", [kind for kind, one in FORMATS.items() if one.write])
def test_a_field_without_its_picture_goes_out_with_its_boxes_and_is_counted(kind: str, tmp_path: Path) -> None:
    way = FORMATS[kind]
    assert way.write is not None
    gone = [replace(field, pixels=lambda: None) for field in FIELDS]
    written = way.write(SAMPLE, gone, out(kind, tmp_path))
    assert written.fields == 3
    if way.read is not None:
        kept = [field.index for field in way.read(looked_at(kind, out(kind, tmp_path))).fields]
        assert kept == {"csv": [12], "ecotaxa": []}.get(kind, [0, 1, 12])


@pytest.mark.parametrize("kind", [kind for kind, one in FORMATS.items() if one.write])
def test_a_failure_in_the_middle_leaves_nothing_behind(kind: str, tmp_path: Path) -> None:
    way = FORMATS[kind]
    assert way.write is not None

    def broken() -> Iterator[ExchangeField]:
        yield FIELDS[0]
        raise OutputError("the disk is full")

    with pytest.raises(OutputError, match="full"):
        way.write(SAMPLE, broken(), out(kind, tmp_path))
    assert list(tmp_path.iterdir()) == []
