"""Scenes to learn from: annotated fields, fields composed of the cells of one slide each, and virtual slides; each with its group."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.measure.single import BOX_MARGIN
from models.data import sets
from models.data.classes import ClassScheme, Naming
from models.data.composed import CellPool
from models.data.crops import SPEC
from models.data.scene_sources import GroupedScene, SceneSource, annotated, composed, virtual
from models.data.scenes import CELL_PX
from tests.models import tiny_data

SCHEME = ClassScheme(("red blood cell", "ring"), "red blood cell", ("ring",))
LEARNED = ClassScheme(("uninfected", "parasitized"), "uninfected", ("parasitized",))


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_DATA", str(tiny_data.make(tmp_path)))
    return tmp_path


def drawn(source: SceneSource, scheme: ClassScheme = SCHEME, *, full_size: bool = False) -> list[GroupedScene]:
    return list(source.draw(scheme, full_size))


def middles(one: GroupedScene) -> np.ndarray:
    """Colour at the middle of each cell whose middle is in view, int [n, 3]."""
    centres = (one.scene.boxes[:, :2] + one.scene.boxes[:, 2:] / 2).astype(int)
    height, width = one.scene.rgb.shape[:2]
    seen = (centres >= 0).all(axis=1) & (centres[:, 0] < width) & (centres[:, 1] < height)
    return np.asarray(one.scene.rgb[centres[seen, 1], centres[seen, 0]], int)


def test_annotated_fields_keep_their_cells_kinds_and_blocks() -> None:
    source = annotated(sets.get("iml_fields"), 3, 0)
    assert (source.name, source.copies) == ("iml_fields", 3)
    assert source.names()["ring"] == 8 * 8
    found = drawn(source)
    assert [one.group for one in found] == [f"iml_fields/block {number // 2}" for number in range(8)]
    for number, one in enumerate(found):
        cells = one.scene.kind[:48]
        assert cells.tolist() == [int(place % 6 == 0) for place in range(48)]
        assert one.scene.known == (0, 1, 2, 3)
        assert one.scene.unit == 2 * CELL_PX
        assert one.scene.boxes[:48] == pytest.approx(tiny_data.boxes() * 2 * CELL_PX / 40)
        assert np.abs(middles(one)[:48, 0] - tiny_data.code_of_block(number // 2)).max() <= 2


@pytest.mark.parametrize(("full_size", "unit"), [(True, 50.0), (False, 2 * CELL_PX)])
def test_large_fields_are_shrunk_to_twice_the_nets_resolution_unless_asked(
    data: Path, unit: float, *, full_size: bool
) -> None:
    path = data / "iml_fields" / "annotations.json"
    path.write_text(path.read_text().replace('"w": 40, "h": 40', '"w": 50, "h": 50'))
    (one, *_) = drawn(annotated(sets.get("iml_fields"), 1, 0), full_size=full_size)
    assert one.scene.unit == unit
    assert one.scene.rgb.shape == ((320, 416, 3) if full_size else (205, 266, 3))
    assert one.scene.boxes[1].tolist() == pytest.approx([value * unit / 50 for value in (60, 8, 50, 50)])


def test_fields_without_a_cell_of_these_classes_and_torn_ones_are_left_out(data: Path) -> None:
    source = annotated(sets.get("iml_fields"), 1, 0)
    assert drawn(source, ClassScheme(("amoeba",), "amoeba", ())) == []
    (data / "iml_fields" / "images" / "P100.png").write_bytes(b"torn")
    assert len(drawn(source)) == 7
    unsure = drawn(source, ClassScheme(("red blood cell",), "red blood cell", ()))
    assert unsure[0].scene.kind[:7].tolist() == [-1, 0, 0, 0, 0, 0, -1]


def test_small_fields_with_white_cells_are_put_together_part_by_part(data: Path) -> None:
    source = annotated(sets.get("raabin_fields"), 1, 0)
    found = drawn(
        source, ClassScheme(("cell", "suspect"), "cell", ("suspect",), Naming(merge={"red blood cell": "cell"}))
    )
    assert {one.group for one in found} <= {f"raabin_fields/part {part}" for part in range(4)}
    assert sum(len(one.scene.pieces) for one in found if one.scene.pieces is not None) == 3 * tiny_data.PIECES
    for one in found:
        assert one.scene.known == (0, 1, 2, 3)  # white cells are annotated: there are no weak labels
        assert one.scene.pieces is not None
        assert (one.scene.kind == 2).sum() == len(one.scene.pieces)
        white = one.scene.boxes[one.scene.kind == 2]
        middle = (white[:, :2] + white[:, 2:] / 2).astype(int)
        assert (one.scene.rgb[middle[:, 1], middle[:, 0], 1] < 60).all()
        assert np.median(one.scene.boxes[one.scene.kind == 0, 2:]) == pytest.approx(2 * CELL_PX)
    whole = drawn(source, SCHEME, full_size=True)
    assert {one.group for one in whole} == {f"raabin_fields/{n}.png" for n in range(tiny_data.PIECES)}


def rows(data: Path) -> list[dict[str, str]]:
    with (data / "nih_cells" / "cells.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_pooled_cells_keep_their_slide_their_label_and_their_size_within_the_slide(data: Path) -> None:
    table = rows(data)
    for row in table[:12]:
        row.update(native_width="60", native_height="100")
    table[0]["native_height"] = "150"
    table[1].update(native_width="50", native_height="40")
    pool = CellPool(data / "nih_cells", table)
    assert sorted(pool.by_slide) == sorted(tiny_data.SLIDES)
    usual = 2 * CELL_PX / BOX_MARGIN
    sides = [max(image.shape[:2]) for image, _ in pool.by_slide["C00"]]
    assert sides[:3] == [round(usual * 1.5), round(usual * 0.5), round(usual)]
    assert {max(image.shape[:2]) for image, _ in pool.by_slide["C01"]} == {round(usual)}
    for slide, cells in pool.by_slide.items():
        assert [infected for _, infected in cells] == [False, True] * 6
        assert all(
            abs(int(image[len(image) // 2, len(image) // 2, 0]) - tiny_data.code_of_slide(slide)) <= 2
            for image, _ in cells
        )


def test_a_composed_field_shows_cells_of_one_slide_where_its_boxes_say(data: Path) -> None:
    pool = CellPool(data / "nih_cells", rows(data))
    for seed in range(4):
        scene = pool.scene(np.random.default_rng(seed), "C05")
        one = GroupedScene(scene, "")
        assert scene.rgb.shape == (480, 640, 3)
        assert (scene.unit, scene.known) == (2 * CELL_PX, (0, 1, 2))
        assert 20 < len(scene.boxes) == len(scene.kind) < 190
        assert set(scene.kind) == {0, 1}
        assert scene.boxes[:, 2:] == pytest.approx(27 * BOX_MARGIN)
        inner = middles(one)
        assert np.median(np.abs(inner - (tiny_data.code_of_slide("C05"), tiny_data.GREEN, 110)).max(axis=1)) < 6
        centres = scene.boxes[:, :2] + scene.boxes[:, 2:] / 2
        apart = np.linalg.norm(centres[:, None] - centres[None], axis=2) + 1e9 * np.eye(len(centres))
        assert apart.min() > 0.6 * 27 - 2
        assert apart.min() < 1.05 * 28 + 3
        assert (centres > -1).all()
        assert (centres < (641, 481)).all()
        assert np.percentile(scene.rgb[..., 0], 95) > tiny_data.code_of_slide("C05")  # paper is paler than the cells


def test_a_field_of_no_given_slide_is_of_a_random_one(data: Path) -> None:
    pool = CellPool(data / "nih_cells", rows(data))
    reds = {
        round(float(np.median(middles(GroupedScene(pool.scene(np.random.default_rng(i)), ""))[:, 0]))) for i in range(6)
    }
    assert len(reds) > 2


def test_composed_fields_are_named_by_their_slide_and_labelled_by_the_second_opinion(data: Path) -> None:
    source = composed(sets.get("nih_cells"), 5, 2, 7)
    assert (source.name, source.copies, source.seed) == ("nih_cells", 2, 7)
    assert source.names() == Counter(uninfected=61, parasitized=59)  # one cell has another label by the second opinion
    found = drawn(source)
    assert len(found) == 5
    for one in found:
        folder, slide = one.group.split("/")
        assert folder == "nih_cells"
        assert np.median(middles(one)[:, 0]) == pytest.approx(tiny_data.code_of_slide(slide), abs=4)
    again = drawn(source)
    assert [one.group for one in again] == [one.group for one in found]
    assert all((one.scene.rgb == two.scene.rgb).all() for one, two in zip(found, again, strict=True))
    other = drawn(composed(sets.get("nih_cells"), 5, 2, 8))
    assert [one.group for one in other] != [one.group for one in found]


def test_cells_of_scenes_are_cut_to_learn_from_with_copies_of_the_infected_ones(data: Path) -> None:
    source = annotated(sets.get("iml_fields"), 3, 0)
    scheme = replace(SCHEME)
    told: list[tuple[str, float]] = []
    cells, notes = source.read(scheme, SPEC, lambda *progress: told.append(progress))
    kinds = [scene.scene.kind for scene in drawn(source, full_size=True)]
    sick, well = sum(int((kind == 1).sum()) for kind in kinds), sum(int((kind != 1).sum()) for kind in kinds)
    assert cells.counts().tolist() == [well, 3 * sick]
    assert cells.labels == scheme.labels
    assert set(cells.groups) == {f"iml_fields/block {block}" for block in range(4)}
    assert told == [("cutting cells of iml_fields", -1)]
    assert notes == []
    again, _ = source.read(scheme, SPEC, lambda *_: None)
    assert (again.crops == cells.crops).all()
    other, _ = replace(source, seed=1).read(scheme, SPEC, lambda *_: None)
    assert (other.crops != cells.crops).any()


def test_virtual_slides_are_one_group_and_nothing_is_annotated_in_them() -> None:
    source = virtual(2, 4, 3)
    assert (source.name, source.copies, source.seed, source.names()) == ("virtual slides", 4, 3, Counter())
    found = drawn(source, LEARNED)
    assert [one.group for one in found] == ["virtual slides"] * 2
    assert (found[0].scene.rgb != found[1].scene.rgb).any()


def test_images_are_read_in_colour(data: Path) -> None:
    path = next((data / "nih_cells").rglob("*.png"))
    cv2.imwrite(str(path), np.full((40, 40, 3), (10, 20, 200), np.uint8))
    table = [row for row in rows(data) if path.name == Path(row["file"]).name]
    ((image, _),) = next(iter(CellPool(data / "nih_cells", table).by_slide.values()))
    assert image[16, 16].tolist() == [200, 20, 10]


def test_small_cells_are_not_enlarged(data: Path) -> None:
    path = data / "iml_fields" / "annotations.json"
    path.write_text(path.read_text().replace('"w": 40, "h": 40', '"w": 20, "h": 20'))
    (one, *_) = drawn(annotated(sets.get("iml_fields"), 1, 0))
    assert one.scene.unit == 20
    assert one.scene.rgb.shape == (320, 416, 3)
