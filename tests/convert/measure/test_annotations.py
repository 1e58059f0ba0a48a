"""Annotation files: what edge-run writes, what people keep, and what is wrong with some of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure.annotations import block_numbers, find_annotations, read_annotations
from edge.description import ModelLine
from edge.events import FieldEvent
from edge.modelfile import Card
from edge.outputs.coco import Coco
from edge.types import CELL, Cells, FieldResult, Tally, Timings
from tests.fakes import quality


def coco(**changes: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "f1.png", "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 2, "bbox": [1.4, 2, 10, 11.6]}],
        "categories": [{"id": 2, "name": "ring"}],
        **changes,
    }


def read(folder: Path, raw: Any, **options: Any) -> Any:
    file = folder / "annotations.json"
    file.write_text(json.dumps(raw) if not isinstance(raw, str) else raw)
    return read_annotations(folder, file, **options)


def test_coco_gives_boxes_names_and_the_size_they_were_drawn_at(tmp_path: Path) -> None:
    (field,) = read(tmp_path, coco())
    assert field.path == tmp_path / "f1.png"
    assert field.boxes.tolist() == [[1, 2, 10, 12]]
    assert field.boxes.dtype == np.int32
    assert field.types == ("ring",)
    assert field.size == (64, 48)
    assert field.of(["ring"]).tolist() == [True]
    assert not field.scored


def test_what_edge_run_writes_is_read_back_without_what_it_set_aside(tmp_path: Path) -> None:
    boxes = np.array([[10, 10, 20, 20], [40, 10, 20, 20], [5, 5, 9, 9]], np.int32)
    cells = Cells(boxes, np.full(3, 0.9, np.float32), np.array([0, 0, 1], np.int32), (CELL, "not-platelet"))
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0, 0]], np.float32)
    classes = np.array([0, 1, -1], np.int32)
    result = FieldResult(0, "s", "f.png", (48, 64), cells, scores, classes, quality(), Timings(0, 0, 0, 0, 0))
    card = Card("m", "classify", ("clear", "ring"), ("ring",))
    out = Coco(tmp_path / "det.json", card, ModelLine("m", "0", "f"))
    out.field(FieldEvent(0, "s", "f.png", result, None, None, Tally("s", {}, {}, 1, {})))
    out.close()
    raw = json.loads((tmp_path / "det.json").read_text())
    names_only = [{"id": c["id"], "name": c["name"]} for c in raw["categories"]]  # what CVAT and Label Studio hand back
    for categories in (raw["categories"], names_only):
        (tmp_path / "det.json").write_text(json.dumps(raw | {"categories": categories}))
        (field,) = read_annotations(tmp_path, find_annotations(tmp_path))
        assert field.types == ("clear", "ring")
        assert field.boxes.tolist() == boxes[:2].tolist()
        assert field.scored


def test_the_iml_form_and_points(tmp_path: Path) -> None:
    box = {"type": "ring", "bbox": {"x": 1, "y": 2, "w": 3, "h": 4}}
    raw = [{"image_name": "b.png", "objects": [box]}, {"image_name": "a.png", "points": [[5, 6]]}]
    points, boxes = read(tmp_path, raw)
    assert points.points.tolist() == [[5, 6]]
    assert len(points.boxes) == 0
    assert boxes.boxes.tolist() == [[1, 2, 3, 4]]
    assert boxes.points is None


def test_images_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "f1.png").write_bytes(b"")
    assert read(tmp_path, coco())[0].path == tmp_path / "images" / "f1.png"


def test_fields_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    raw = [{"image_name": f"f{n}.png", "objects": []} for n in (10, 9, 100)]
    assert [field.path.name for field in read(tmp_path, raw)] == ["f9.png", "f10.png", "f100.png"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no field"),
        ("3", "neither COCO nor"),
        ({"images": []}, "neither COCO nor"),
        (coco(annotations=[{"image_id": 8, "category_id": 2, "bbox": [0, 0, 1, 1]}]), "image 8"),
        (coco(annotations=[{"image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1]}]), "category 3"),
        (coco(annotations=[{"image_id": 7, "category_id": 2, "bbox": [0, 0, 0, 9]}]), "impossible box"),
        (coco(annotations=[{"image_id": 7, "category_id": 2, "bbox": [0, 0, 1e300, 9]}]), "impossible box"),
        (json.dumps(coco(annotations=[{"image_id": 7, "category_id": 2, "bbox": [float("nan"), 0, 1, 1]}])), "impossible box"),
        (coco(annotations=[{"image_id": 7, "category_id": 2, "bbox": [1, 2]}]), "impossible box"),
        (coco(images=[{"id": 7, "file_name": "../../etc/passwd"}]), "leads out"),
        (coco(images=[{"id": 7, "file_name": "/etc/passwd"}]), "leads out"),
        (coco(images=[{"id": 7, "file_name": ""}]), "leads out"),
        ([{"image_name": "a\x1b[2J.png", "objects": []}], "leads out"),
        ([{"image_name": "a.png"}], "neither COCO nor"),
        ([{"image_name": "a.png", "points": [["x", 1]]}], "neither COCO nor"),
        ([{"image_name": "a.png", "points": [[1e999, 1]]}], "not finite"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line(tmp_path: Path, raw: Any, said: str) -> None:
    with pytest.raises(CellsError, match=said) as caught:
        read(tmp_path, raw)
    assert "annotations.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_only_json_is_taken_and_two_are_asked_about(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match="there are none"):
        find_annotations(tmp_path)
    (tmp_path / "a.json").write_text("")
    assert find_annotations(tmp_path).name == "a.json"
    (tmp_path / "b.json").write_text("")
    with pytest.raises(CellsError, match=r"a\.json, b\.json: name it with --annotations"):
        find_annotations(tmp_path)
    assert find_annotations(tmp_path, tmp_path / "b.json").name == "b.json"
    with pytest.raises(CellsError, match="no such annotation file"):
        find_annotations(tmp_path, tmp_path / "c.json")
    with pytest.raises(CellsError, match="no such folder"):
        find_annotations(tmp_path / "none")


def test_blocks_are_so_many_consecutive_numbers() -> None:
    names = [f"P{n:03}.jpg" for n in (1, 2, 3, 4, 7, 8, 20)]
    assert block_numbers(names, 3) == [0, 0, 0, 1, 2, 2, 3]
    assert block_numbers(names, 4, gap=4) == [0, 0, 0, 0, 1, 1, 2]


def test_names_without_a_number_follow_each_other() -> None:
    assert block_numbers(["a", "b", "c"], 2) == [0, 0, 1]


def test_neighbours_with_a_number_missing_stay_together_where_the_user_splits(tmp_path: Path) -> None:
    fields = read(tmp_path, [{"image_name": f"f{n}.png", "objects": []} for n in range(0, 48, 2)])
    assert [fields[i].block for i in (0, 1)] == [0, 0]
    assert 2 < fields[-1].block < 24


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            coco(annotations=[{"image_id": 7, "category_id": 2, "bbox": [0, 0, 0, 9]}]),
            r"f1\.png: an impossible box: \[0, 0, 0, 9\]$",
        ),
        ([{"image_name": "a.png", "points": [[1e999, 1]]}], r"a\.png: a point that is not finite$"),
        (coco(annotations=[{"image_id": 8}]), "an annotation is of image 8, which is not among the images$"),
        (
            coco(annotations=[{"image_id": 7, "category_id": 3}]),
            "an annotation is of category 3, which is not among the categories$",
        ),
        (
            coco(images=[{"id": 7, "file_name": "../a.png"}], annotations=[]),
            r"the image name '\.\./a\.png' leads out of the folder$",
        ),
        ([], "no field is annotated in it$"),
    ],
)
def test_the_place_of_a_fault_is_told(tmp_path: Path, raw: Any, said: str) -> None:
    with pytest.raises(CellsError, match=said):
        read(tmp_path, raw)


def test_crowds_and_what_was_set_aside_are_no_cells_and_a_score_is_one_images_own(tmp_path: Path) -> None:
    box = {"category_id": 2, "bbox": [0, 0, 9, 9]}
    raw = coco(
        images=[{"id": number, "file_name": f"f{number}.png"} for number in (1, 2)],
        annotations=[
            {**box, "image_id": 1, "iscrowd": 1},
            {**box, "image_id": 1},
            {**box, "image_id": 2, "score": 0.5},
        ],
    )
    one, two = read(tmp_path, raw)
    assert (one.types, two.types) == (("ring",), ("ring",))
    assert (one.scored, two.scored) == (False, True)
    assert one.size is None


@pytest.mark.parametrize(("fields", "blocks"), [(1, 1), (5, 5), (12, 6), (60, 6), (210, 6), (420, 12)])
def test_unless_told_there_are_about_six_blocks_of_35_images_at_most(tmp_path: Path, fields: int, blocks: int) -> None:
    found = read(tmp_path, [{"image_name": f"f{n}.png", "objects": []} for n in range(fields)])
    assert len({field.block for field in found}) == blocks


def test_no_names_are_of_no_annotation(tmp_path: Path) -> None:
    (field,) = read(tmp_path, [{"image_name": "a.png", "objects": []}])
    assert field.of(["ring"]).dtype == bool
    assert len(field.of(["ring"])) == 0
