"""Annotated fields: their groups, their split into calibration and check, their images; and the virtual ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure import fields as module
from convert.measure import virtual_cells as cells_module
from convert.measure.annotations import AnnotatedField
from convert.measure.fields import (
    SHARE,
    FieldSet,
    read_fields,
    read_image,
    split,
    spread,
    virtual_field,
    virtual_fields,
)
from convert.measure.virtual_cells import virtual_cells
from edge.errors import UnreadableFieldError


def one(name: str, *types: str, scored: bool = False, points: bool = False) -> AnnotatedField:
    boxes = np.array([[0, 0, 9, 9]] * len(types), np.int32).reshape(-1, 4)
    return AnnotatedField(
        Path(name), boxes, types, points=np.zeros((1, 2), np.float32) if points else None, scored=scored
    )


def some(count: int, infected: tuple[int, ...] = (), groups: str = "") -> FieldSet:
    """Fields in groups of two, or in those named; some hold a ring."""
    names = tuple(groups or (f"g{i // 2}" for i in range(count)))
    kinds = [("cell", "ring") if i in infected else ("cell",) for i in range(count)]
    return FieldSet(tuple(one(f"{i}.png", *kind) for i, kind in enumerate(kinds)), names, grouped=True)


def numbers(fields: FieldSet) -> list[int]:
    return [int(field.path.stem) for field in fields.fields]


def annotated(folder: Path, names: list[str], *, images: int = 1) -> Path:
    """A folder whose annotations name these images, the first few of which are there."""
    (folder / "a.json").write_text(json.dumps([{"image_name": name, "objects": []} for name in names]))
    for name in names[:images]:
        cv2.imwrite(str(folder / name), np.zeros((6, 8, 3), np.uint8))
    return folder


def test_fields_are_taken_with_their_groups() -> None:
    fields = some(6)
    assert numbers(fields.take([4, 1])) == [4, 1]
    assert fields.take([4, 1]).groups == ("g2", "g0")
    chosen = fields.take(np.array([False, True] * 3))
    assert (numbers(chosen), chosen.groups, chosen.grouped) == ([1, 3, 5], ("g0", "g1", "g2"), True)


def test_what_is_annotated_is_named_the_most_frequent_first_and_else_by_name() -> None:
    fields = FieldSet((one("0", "ring", "cell"), one("1", "cell", "bud")), ("a", "b"), grouped=False)
    assert fields.types == ("cell", "bud", "ring")


@pytest.mark.parametrize(
    ("fields", "pointed", "scored"),
    [
        pytest.param([one("0", "cell"), one("1")], False, False, id="boxes"),
        pytest.param([one("0", "cell"), one("1", points=True)], True, False, id="one with points"),
        pytest.param([one("0", "cell"), one("1", scored=True)], False, True, id="one that a program drew"),
    ],
)
def test_points_and_scores_are_noticed_in_a_single_field(
    fields: list[AnnotatedField], *, pointed: bool, scored: bool
) -> None:
    found = FieldSet(tuple(fields), ("a", "b"), grouped=False)
    assert (found.pointed, found.scored) == (pointed, scored)


@pytest.mark.parametrize("seed", range(8))
def test_a_split_keeps_groups_whole_and_the_check_has_the_infected_fields(seed: int) -> None:
    calibration, check = split(some(12, infected=(4, 5)), ("ring",), seed)
    assert not set(calibration.groups) & set(check.groups)
    assert sorted(numbers(calibration) + numbers(check)) == list(range(12))
    assert 0 < len(calibration) <= SHARE * 12
    assert any(field.of(("ring",)).any() for field in check.fields)


def test_a_split_depends_on_its_seed_alone() -> None:
    splits = [numbers(split(some(12), (), seed)[0]) for seed in range(8)]
    assert splits == [numbers(split(some(12), (), seed)[0]) for seed in range(8)]
    assert len({tuple(each) for each in splits}) > 1
    assert splits[0] == numbers(split(some(12), ("ring",), 0)[0])  # where nothing is infected, nothing is redrawn


def test_two_groups_can_be_split_and_one_cannot() -> None:
    calibration, check = split(some(4, groups="aaab"), (), 0)
    assert (numbers(calibration), numbers(check)) == ([3], [0, 1, 2])
    with pytest.raises(CellsError, match=r"^all 3 fields are one group \(a\): none is left to check the result on$"):
        split(some(3, groups="aaa"), (), 0)
    with pytest.raises(CellsError, match=r"one block of consecutive fields \(a\): none is left"):
        split(replace(some(3, groups="aaa"), grouped=False), (), 0)


@pytest.mark.parametrize(
    ("fields", "count", "chosen"),
    [(10, 3, [0, 4, 9]), (10, 1, [0]), (3, 9, [0, 1, 2]), (5, 5, [0, 1, 2, 3, 4]), (10, 2, [0, 9])],
)
def test_a_few_fields_are_spread_over_all(fields: int, count: int, chosen: list[int]) -> None:
    assert numbers(spread(some(fields), count)) == chosen


@pytest.mark.parametrize(
    ("group_by", "groups", "grouped"),
    [
        pytest.param(None, ("block 0", "block 1", "block 2"), False, id="blocks of consecutive images"),
        pytest.param(r"^[a-z]", ("a", "a", "b"), True, id="what the pattern finds"),
        pytest.param(r"([a-z])0*(\d)", ("a", "a", "b"), True, id="its first group"),
    ],
)
def test_groups_are_the_users_or_blocks(
    tmp_path: Path, group_by: str | None, groups: tuple[str, ...], *, grouped: bool
) -> None:
    found = read_fields(annotated(tmp_path, ["a001.png", "a002.png", "b900.png"]), None, group_by)
    assert (found.groups, found.grouped) == (groups, grouped)


@pytest.mark.parametrize(
    ("said", "group_by", "groups", "grouped"),
    [
        pytest.param(
            ["s2", "s1", "s2"], None, ("s2", "s1", "s2"), True, id="what the annotations say, neighbours or not"
        ),
        pytest.param([7, 7, 8], None, ("7", "7", "8"), True, id="numbers are names too"),
        pytest.param(
            ["s1", None, ""], None, ("s1", "block 1", "block 2"), False, id="its block where an image has none"
        ),
        pytest.param(["s1", "s1", "s1"], r"\d", ("1", "2", "3"), True, id="a pattern given goes before"),
    ],
)
def test_the_group_of_a_coco_image_makes_its_block(
    tmp_path: Path, said: list[object], group_by: str | None, groups: tuple[str, ...], *, grouped: bool
) -> None:
    images = [{"id": i, "file_name": f"f{i}.png", "group": group} for i, group in enumerate(said, 1)]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    cv2.imwrite(str(tmp_path / "f1.png"), np.zeros((6, 8, 3), np.uint8))
    found = read_fields(tmp_path, None, group_by)
    assert (found.groups, found.grouped) == (groups, grouped)


def test_fields_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    names = ["a1.png", "b.png", "c.png"]
    with pytest.raises(CellsError, match=r"none of the 3 annotated images is there, e\.g\. a1\.png"):
        read_fields(annotated(tmp_path, names, images=0), None, None)
    with pytest.raises(CellsError, match=r"--group-by '\\\\d' is not found in 2 of 3 file names, e\.g\. a1\.png"):
        read_fields(annotated(tmp_path, names), None, r"\d")


def test_an_image_is_read_only_at_the_size_it_was_annotated_at(tmp_path: Path) -> None:
    annotated(tmp_path, ["a.png"])
    field = one(str(tmp_path / "a.png"))
    assert read_image(field).shape == read_image(replace(field, size=(8, 6))).shape == (6, 8, 3)
    with pytest.raises(UnreadableFieldError, match=r"a\.png: 8x6 pixels, annotated at 6x8"):
        read_image(replace(field, size=(6, 8)))
    with pytest.raises(UnreadableFieldError, match=r"b\.png: there is no such image"):
        read_image(one(str(tmp_path / "b.png")))


def test_virtual_fields_differ_and_are_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_VIRTUAL", 2)
    told: list[tuple[str, float]] = []
    first, second = virtual_fields(lambda *progress: told.append(progress))
    assert told == [("drawing fields of virtual slides", 0), ("drawing fields of virtual slides", 0.5)]
    assert first.shape == second.shape == (480, 640, 3)
    assert (first != second).any()
    assert (first == virtual_field(7000, cell_px=33.0, parasitaemia=0.1)[0]).all()
    assert (second == virtual_field(7001, cell_px=33.0, parasitaemia=0.1)[0]).all()


def test_a_virtual_field_has_cells_of_the_wanted_size_and_parasites() -> None:
    rgb, truth = virtual_field(5000, cell_px=40.0, parasitaemia=0.3)
    assert rgb.shape == (480, 640, 3)
    red = np.array([kind == "red blood cell" for kind in truth.types])
    assert np.median(truth.boxes[red, 2]) == pytest.approx(40, rel=0.25)
    infected = np.array([kind in cells_module._INFECTED for kind in truth.types])
    assert 0.1 < infected.sum() / (infected.sum() + red.sum()) < 0.5


def test_cells_of_virtual_slides_are_whole_red_cells_evenly_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "_SLIDES", 2)
    told: list[tuple[str, float]] = []
    cells = virtual_cells(("a", "b", "c"), 24, lambda *progress: told.append(progress))
    assert told == [("drawing cells of virtual slides", 0), ("drawing cells of virtual slides", 0.5)]
    assert cells.images.shape == (len(cells), 24, 24, 3)
    assert cells.images.std(axis=(1, 2, 3)).min() > 0
    assert cells.labels == ("a", "b", "c")
    assert cells.truth[:6].tolist() == [0, 1, 2, 0, 1, 2]
    assert cells.grouped
    assert set(cells.groups) == {"virtual slide 5000", "virtual slide 5001"}
    for seed in (5000, 5001):
        _, truth = virtual_field(seed, cell_px=40.0, parasitaemia=0.3)
        left, top, right, bottom = truth.boxes[:, 0], truth.boxes[:, 1], *(truth.boxes[:, :2] + truth.boxes[:, 2:]).T
        whole = (left >= 0) & (top >= 0) & (right <= 640) & (bottom <= 480)
        red = np.array([kind == "red blood cell" or kind in cells_module._INFECTED for kind in truth.types])
        mine = np.flatnonzero(cells.groups == f"virtual slide {seed}")
        assert len(mine) == min(60, int((whole & red).sum()))
        assert [cells.names[i] for i in mine] == [f"{seed}/{number}" for number in range(len(mine))]


def test_virtual_cells_are_the_same_at_every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "_SLIDES", 1)
    small, large = (virtual_cells(("a", "b"), size, lambda *_: None) for size in (16, 48))
    assert small.names == large.names
    shrunk = np.stack([cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in large.images])
    assert np.abs(shrunk.astype(int) - small.images).mean() < 8
