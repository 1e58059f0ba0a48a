"""Cells of annotated fields: matched finds, hard negatives, jittered boxes, lost cells; faulty annotations are counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure.fields import read_fields
from edge.card import NORMALISE
from edge.crops import crop_cells
from edge.modelfile import CropSpec
from edge.pixels import Image
from edge.sources.decode import decode_image
from edge.types import CELL, Cells
from models.data.cells import BOX, FOUND, HARD
from models.data.classes import ClassScheme, Naming, make_scheme
from models.data.fieldset import COPIES, Fields, open_fields
from tests.convert.finding import discs

PLAIN = CropSpec()


class Known:
    """A finder that gives what it was told."""

    name = "known"

    def __init__(self, boxes: np.ndarray) -> None:
        self.boxes = boxes

    def find(self, image: Image) -> Cells:
        del image
        count = len(self.boxes)
        return Cells(self.boxes, np.ones(count, np.float32), np.zeros(count, np.int32), (CELL,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return discs.write(tmp_path / "fields", 1)


def truth_of(folder: Path) -> np.ndarray:
    raw = json.loads((folder / "truth.json").read_text())
    return np.array([one["bbox"] for one in raw["annotations"]], np.int32)


def change(folder: Path, edit: Callable[[Any], None]) -> None:
    raw = json.loads((folder / "truth.json").read_text())
    edit(raw)
    (folder / "truth.json").write_text(json.dumps(raw))


def opened(folder: Path, boxes: np.ndarray) -> tuple[Fields, ClassScheme]:
    fields = Fields(folder.name, read_fields(folder, None, None), Known(boxes))
    return fields, make_scheme(fields.names(), Naming(), None, (), whole_fields=True)


def central(boxes: np.ndarray) -> np.ndarray:
    x, y, w, h = boxes.T
    kept: np.ndarray = boxes[(x >= 8) & (y >= 8) & (x + w <= 312) & (y + h <= 232)]
    return kept


def test_a_find_is_what_the_box_under_it_says(folder: Path) -> None:
    fields, plan = opened(folder, truth_of(folder))
    cells, notes = fields.read(plan, PLAIN, lambda *_: None)
    assert plan.labels == ("clear", "dotted")
    assert len(cells) == len(central(truth_of(folder)))
    assert (cells.role == FOUND).all()
    assert len(cells.lost_truth) == 0
    assert 0 < cells.counts()[1] < cells.counts()[0]
    assert not notes


def test_a_find_without_a_box_is_a_hard_negative(folder: Path) -> None:
    away = np.array([[150, 100, 4, 4], [60, 60, 4, 4]], np.int32)
    fields, plan = opened(folder, np.concatenate([truth_of(folder), away]))
    cells, _ = fields.read(plan, PLAIN, lambda *_: None)
    assert (cells.role == HARD).sum() == 2
    assert (cells.truth[cells.role == HARD] == plan.background_index).all()


def test_a_cell_the_finder_lost_is_remembered_with_its_class(folder: Path) -> None:
    boxes = central(truth_of(folder))
    fields, plan = opened(folder, boxes[3:])
    cells, _ = fields.read(plan, PLAIN, lambda *_: None)
    assert len(cells.lost_truth) == 3
    assert len(cells) == len(boxes) - 3
    assert set(cells.lost_groups) == set(cells.groups)


def test_rare_classes_are_learned_from_their_boxes_too_moved_a_little(folder: Path) -> None:
    fields, plan = opened(folder, truth_of(folder))
    cells, _ = fields.read(plan, PLAIN, lambda *_: None, learn=True)
    boxes = cells.role == BOX
    dotted = plan.labels.index("dotted")
    assert (cells.truth[boxes] == dotted).all()
    raw = json.loads((folder / "truth.json").read_text())
    inside = [one for one in raw["annotations"] if one["category_id"] == 2 and min(one["bbox"][:2]) >= 1]
    assert boxes.sum() == COPIES * len(inside)
    assert len(np.unique(cells.crops[boxes].reshape(int(boxes.sum()), -1), axis=0)) > len(inside)
    assert not (fields.read(plan, PLAIN, lambda *_: None)[0].role == BOX).any()


def test_crops_are_those_of_the_device_whatever_they_are_compared_with(folder: Path) -> None:
    boxes = truth_of(folder)
    fields, plan = opened(folder, central(boxes))
    rgb = decode_image(folder / "f00.png")
    for normalise in NORMALISE:
        spec = replace(PLAIN, normalise=normalise)
        cells, _ = fields.read(plan, spec, lambda *_: None)
        assert np.array_equal(cells.crops, crop_cells(rgb, central(boxes), spec))


def test_boxes_outside_the_image_are_left_out_and_those_that_overrun_are_cut(folder: Path) -> None:
    def edit(raw: Any) -> None:
        raw["annotations"][0]["bbox"] = [1000, 1000, 20, 20]
        raw["annotations"][1]["bbox"] = [-6, 100, 20, 20]

    change(folder, edit)
    fields, plan = opened(folder, truth_of(folder))
    _, notes = fields.read(plan, PLAIN, lambda *_: None)
    assert any(note.startswith("1 annotated boxes lie outside") for note in notes)
    assert any(note.startswith("1 annotated boxes overrun") for note in notes)


def test_a_field_that_is_there_twice_counts_once(folder: Path) -> None:
    def edit(raw: Any) -> None:
        raw["images"].append({**raw["images"][0], "id": 9, "file_name": "f09.png"})
        raw["annotations"] += [{**one, "id": 900 + i, "image_id": 9} for i, one in enumerate(raw["annotations"])]

    shutil.copy(folder / "f00.png", folder / "f09.png")
    change(folder, edit)
    fields, plan = opened(folder, central(truth_of(folder)))
    _, notes = fields.read(plan, PLAIN, lambda *_: None)
    assert any("1 fields are copies" in note for note in notes)


def test_a_folder_of_unreadable_fields_is_refused(folder: Path) -> None:
    (folder / "f00.png").write_bytes(b"x")
    fields, plan = opened(folder, truth_of(folder))
    with pytest.raises(CellsError, match="1 of 1 images cannot be read"):
        fields.read(plan, PLAIN, lambda *_: None)


def test_annotations_that_a_program_drew_are_pointed_out(folder: Path) -> None:
    def edit(raw: Any) -> None:
        for one in raw["annotations"]:
            one["score"] = 0.9

    change(folder, edit)
    notes = open_fields(folder, None, None, "classical").notes
    assert any("carry a score: a program drew them" in note for note in notes)


def test_points_have_no_class(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"image_name": "x.png", "points": [[3, 4]]}]))
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(CellsError, match="points, which have no class"):
        open_fields(tmp_path, None, None, "classical")
