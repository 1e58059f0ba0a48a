from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import OutputError
from edge.modelfile import Card
from edge.outputs.coco import Coco
from edge.types import FieldResult
from tests.fakes import CARD, result
from tests.outputs import events
from tests.report.made import THREE


def coco(path: Path) -> Coco:
    return Coco(path, CARD, events.MODEL)


def test_it_holds_every_cell_of_every_kept_field(tmp_path: Path) -> None:
    out = coco(tmp_path / "out.json")
    for event in (events.kept(), events.rejected(), events.unreadable()):
        out.field(event)
    out.field(events.field(result([1], index=3, name="field-3.png"), index=3, name="field-3.png"))
    out.close()
    got = json.loads((tmp_path / "out.json").read_text())
    assert [(i["id"], i["file_name"], i["width"], i["height"]) for i in got["images"]] == [
        (0, "field-0.png", 320, 64),
        (3, "field-3.png", 320, 64),
    ]
    assert [(c["id"], c["name"], c["supercategory"]) for c in got["categories"]] == [
        (1, "uninfected", "cell"),
        (2, "parasitized", "cell"),
        (3, "red cell, set aside", "set aside"),
        (4, "cell cut by the border, set aside", "set aside"),
    ]
    assert [c.get("kind") for c in got["categories"]] == [None, None, "not-red-cell", "not-whole"]
    assert [a["category_id"] for a in got["annotations"]] == [1, 2, 3, 4, 2]
    assert [a["id"] for a in got["annotations"]] == [1, 2, 3, 4, 5]
    assert [a["cell"] for a in got["annotations"]] == ["0-0", "0-1", "0-2", "0-3", "3-0"]


def written(path: Path, *results: FieldResult, card: Card = CARD) -> list[dict[str, Any]]:
    """The annotations of these fields."""
    out = Coco(path, card, events.MODEL)
    for index, res in enumerate(results):
        out.field(events.field(res, index=index))
    out.close()
    annotations: list[dict[str, Any]] = json.loads(path.read_text())["annotations"]
    return annotations


def scored(*total: float, threshold: float) -> FieldResult:
    """A field with cells of these positive scores, counted at the threshold."""
    res = result([int(p >= threshold) for p in total])
    res.scores[:] = [[1 - p, p] for p in total]
    return res


def test_scores_are_in_category_order_and_the_positive_score_has_a_field_of_its_own(tmp_path: Path) -> None:
    first, second, aside, _ = written(tmp_path / "out.json", result([0, 1, -1, -1], kind=[0, 0, 1, 2]))
    assert (first["positive_score"], first["scores"]) == (0.25, [0.75, 0.25])
    assert (second["positive_score"], second["scores"]) == (0.75, [0.25, 0.75])
    assert (aside["score"], aside["positive_score"], aside["scores"]) == (0.9, 0, [0, 0])
    assert first["bbox"] == [10, 10, 20, 20]


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9745, 1.0])
def test_no_viewer_hides_a_near_miss_or_a_positive_cell(tmp_path: Path, threshold: float) -> None:
    totals = [0.0, 0.03, 0.29, 0.31, 0.97, 0.98, 1.0]
    found = written(
        tmp_path / "out.json", scored(*totals, threshold=threshold), card=replace(CARD, threshold=threshold)
    )
    assert all(0.5 <= a["score"] <= 1 for a in found)
    positives = [a["score"] for a in found if a["category_id"] == 2]
    others = [a["score"] for a in found if a["category_id"] == 1]
    assert positives == sorted(positives)  # the surer, the higher
    assert others == sorted(others, reverse=True)


def test_several_positive_classes_add_up(tmp_path: Path) -> None:
    res = replace(result([1]), scores=np.array([[0.3, 0.4, 0.3]], np.float32))
    (one,) = written(tmp_path / "out.json", res, card=replace(THREE, threshold=0.6))
    assert one["positive_score"] == pytest.approx(0.7)
    assert one["score"] == pytest.approx(0.5 + 0.5 * 0.1 / 0.4, abs=1e-4)


def test_without_positive_classes_score_is_the_classs_own(tmp_path: Path) -> None:
    (one,) = written(tmp_path / "out.json", result([0]), card=replace(CARD, positive=()))
    assert (one["score"], one["positive_score"]) == (0.75, None)


def test_without_masks_the_outline_is_the_box_within_the_image(tmp_path: Path) -> None:
    res = result([0, 0])
    res.cells.boxes[1] = [-3, 50, 20, 20]  # overruns a field of 320 x 64
    one, two = written(tmp_path / "out.json", res)
    assert one["segmentation"] == [[10, 10, 30, 10, 30, 30, 10, 30]]
    assert one["area"] == 400
    assert two["bbox"] == [-3, 50, 20, 20]
    assert two["segmentation"] == [[0, 50, 17, 50, 17, 64, 0, 64]]


def ring() -> FieldResult:
    """One cell with a round mask: half as wide as its crop, which is as wide as its box."""
    y, x = np.mgrid[:32, :32] - 15.5
    mask = np.where(x**2 + y**2 < 8**2, 255, 0).astype(np.uint8)
    res = result([1, 1])
    res.cells.boxes[:] = [[100, 10, 40, 40], [200, 10, 40, 40]]
    return replace(res, cells=replace(res.cells, masks=np.stack([mask, np.zeros_like(mask)])))


def test_with_masks_the_outline_is_the_masks_and_an_empty_mask_is_the_box(tmp_path: Path) -> None:
    card = replace(CARD, crop=replace(CARD.crop, margin=1.0))
    one, empty = written(tmp_path / "out.json", ring(), card=card)
    (outline,) = one["segmentation"]
    points = np.array(outline).reshape(-1, 2) - (120, 30)
    assert np.hypot(*points.T) == pytest.approx(np.full(len(points), 10), abs=1.4)
    assert one["area"] == pytest.approx(np.pi * 100, rel=0.05)
    assert len(empty["segmentation"][0]) == 8


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # its own, on NumPy 2
def test_pycocotools_reads_the_file_and_makes_masks(tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    path = tmp_path / "out.json"
    annotations = written(path, ring(), card=replace(CARD, crop=replace(CARD.crop, margin=1.0)))
    read = coco_module.COCO(str(path))
    for annotation in annotations:
        mask = read.annToMask(read.loadAnns(annotation["id"])[0])
        assert mask.shape == (64, 320)
        assert mask.sum() == pytest.approx(annotation["area"], rel=0.05)
    found = coco_module.COCO(str(path)).loadRes([a | {"score": a["score"]} for a in annotations])
    assert len(found.anns) == 2


def test_a_run_without_cells_is_valid_too(tmp_path: Path) -> None:
    out = coco(tmp_path / "out.json")
    out.field(events.field(result([])))
    out.close()
    got = json.loads((tmp_path / "out.json").read_text())
    assert got["annotations"] == []
    assert len(got["images"]) == 1


def test_the_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("of an earlier run")
    out = coco(path)
    out.field(events.kept())
    assert path.read_text() == "of an earlier run"
    out.discard()
    assert path.read_text() == "of an earlier run"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    out = coco(tmp_path / "link.json")
    out.close()
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["images"] == []


@pytest.mark.parametrize("path", ["missing/out.json", "."])
def test_what_cannot_be_written_is_said_at_once(tmp_path: Path, path: str) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        coco(tmp_path / path)


def test_a_device_is_never_replaced() -> None:
    with pytest.raises(OutputError, match="not a regular file"):
        coco(Path("/dev/null"))
