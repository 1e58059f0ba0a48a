"""Tiles cover the field; overlapping hits count once."""

from __future__ import annotations

import numpy as np
import pytest

from edge.finders.grid import MODEL_PX, GridFinder, merge_tiles
from edge.types import CELL, Cells

POSITIVE = np.array([False, True, True])


def blank(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def tiles(*corners: tuple[int, int], side: int = 32) -> Cells:
    boxes = np.array([(x, y, side, side) for x, y in corners], np.int32).reshape(-1, 4)
    return Cells(boxes, np.ones(len(boxes), np.float32), np.zeros(len(boxes), np.int32), (CELL,))


def kept(cells: Cells, classes: list[int], sure: list[float]) -> list[bool]:
    scores = np.zeros((len(cells), 3), np.float32)
    for i, (label, value) in enumerate(zip(classes, sure, strict=True)):
        if label >= 0:
            scores[i, label] = value
    return [bool(stays) for stays in merge_tiles(cells, np.array(classes, np.int32), scores, POSITIVE)]


@pytest.mark.parametrize("seed", range(60))
def test_tiles_cover_every_pixel_and_none_leaves_the_field(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width, tile = (int(n) for n in rng.integers(1, [200, 200, 80]))
    overlap = float(rng.uniform(0, 0.9))
    cells = GridFinder(tile, overlap).find(blank(height, width))
    covered = np.zeros((height, width), bool)
    for x, y, w, h in cells.boxes:
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        covered[y : y + h, x : x + w] = True
    assert covered.all()


def test_plain_tiles_lie_side_by_side_and_the_last_is_pushed_back_inside() -> None:
    boxes = GridFinder(40).find(blank(80, 100)).boxes
    assert boxes.tolist() == [[x, y, 40, 40] for y in (0, 40) for x in (0, 40, 60)]


def test_half_overlap_starts_a_tile_every_half_side() -> None:
    boxes = GridFinder(40, 0.5).find(blank(40, 100)).boxes
    assert boxes[:, 0].tolist() == [0, 20, 40, 60]


def test_without_a_size_a_tile_is_as_large_as_the_models_crop() -> None:
    assert GridFinder().tile_px == MODEL_PX
    assert GridFinder(None, 0.25).find(blank(64, 64)).boxes[0].tolist() == [0, 0, MODEL_PX, MODEL_PX]


def test_a_field_smaller_than_a_tile_is_one_tile() -> None:
    assert GridFinder(64).find(blank(10, 10)).boxes.tolist() == [[0, 0, 10, 10]]


def test_every_tile_is_a_cell_to_be_classified() -> None:
    cells = GridFinder(40).find(blank(80, 80))
    assert cells.kinds == (CELL,)
    assert not cells.kind.any()
    assert cells.boxes.dtype == cells.kind.dtype == np.int32
    assert cells.confidence.dtype == np.float32


@pytest.mark.parametrize(("tile", "overlap"), [(0, 0.0), (-3, 0.0), (32, -0.1), (32, 0.95), (32, float("nan"))])
def test_a_size_or_overlap_that_makes_no_grid_is_refused(tile: int, overlap: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        GridFinder(tile, overlap)


def test_an_object_under_two_overlapping_tiles_counts_once_in_the_surer() -> None:
    assert kept(tiles((0, 0), (16, 0)), [1, 1], [0.7, 0.9]) == [False, True]


def test_equally_sure_tiles_leave_the_first() -> None:
    assert kept(tiles((0, 0), (16, 0)), [1, 1], [0.8, 0.8]) == [True, False]


def test_tiles_that_only_touch_are_two_objects() -> None:
    assert kept(tiles((0, 0), (32, 0)), [1, 1], [0.7, 0.9]) == [True, True]


def test_two_positive_classes_on_one_object_are_one_hit() -> None:
    assert kept(tiles((0, 0), (16, 0)), [1, 2], [0.7, 0.9]) == [False, True]


def test_negative_tiles_and_what_is_set_aside_always_stay() -> None:
    assert kept(tiles((0, 0), (16, 0), (8, 0)), [0, 1, -1], [0.9, 0.6, 0.0]) == [True, True, True]


def test_the_ends_of_a_long_object_stay_two_hits() -> None:
    assert kept(tiles((0, 0), (24, 0), (48, 0)), [1, 1, 1], [0.9, 0.7, 0.8]) == [True, False, True]


def test_no_tiles_at_all() -> None:
    assert kept(tiles(), [], []) == []
