"""What the shelf's classifier learns from: windows, other stains and lamps, what cells are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convert.measure.typicals import middle
from edge.crops import compared, crop_cells
from edge.modelfile import CropSpec
from edge.typical import TypicalCells, typical_cell
from models.data.augment import Augmentation, augment
from models.data.cells import BOX, LabelledCells, join
from models.data.crops import SLACK, SPEC, cells_of, moved, varied_slides, with_slack
from models.data.nih import infected, slide_typicals, with_second_opinions
from models.data.scenes import Scene

RNG = np.random.default_rng


def test_crops_with_slack_hold_the_devices_crop_in_their_middle() -> None:
    image = RNG(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    box = np.array([[80, 70, 32, 32]], np.int32)
    plain = CropSpec(size=SPEC.size, margin=SPEC.margin)
    assert (middle(crop_cells(image, box, with_slack(SPEC)), SPEC.size) == crop_cells(image, box, plain)).all()


def test_a_moved_crop_is_a_window_of_its_own_turned() -> None:
    crops = RNG(1).integers(0, 255, (40, 10, 10, 3), dtype=np.uint8)
    for crop, got in zip(crops, moved(crops, 8, RNG(2)), strict=True):
        windows = [crop[y : y + 8, x : x + 8] for y in range(3) for x in range(3)]
        turned = [np.rot90(w, k) for w in windows for k in range(4)] + [
            np.rot90(w[:, ::-1], k) for w in windows for k in range(4)
        ]
        assert any((got == one).all() for one in turned)


def film(count: int = 40) -> np.ndarray:
    """Crops uint8 [n, 36, 36, 3] of grey cells on paper of 230, each of another darkness; the last is three times as dense."""
    depth = np.where(np.arange(count) == count - 1, 3, RNG(3).normal(1, 0.1, count))
    y, x = np.mgrid[:36, :36] - 17.5
    shape = np.clip(13 - np.hypot(y, x), 0, 1)[None] * depth[:, None, None]
    return np.repeat(np.rint(230 * np.exp(-0.4 * shape)).astype(np.uint8)[..., None], 3, axis=3)


def each(crops: np.ndarray) -> TypicalCells:
    """The typical cell of these crops, once for each of them."""
    return typical_cell(crops).take(np.zeros(len(crops), int))


QUIET = Augmentation(stain=0, channels=0, darkness=0, lamp=0, slip=0, blurred=0, noisy=0)
CHANGES = {  # what is changed, and by how much a net sees it: mean difference of its input's bytes
    "nothing but the light of the lamp": (QUIET, 1.0),
    "its colour": (replace(QUIET, lamp=0.2), 1.0),
    "the density of the stain": (replace(QUIET, darkness=0.3), 4.0),
    "the density of each channel's stain": (replace(QUIET, channels=0.3), 4.0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_cell_is_compared_with_is_recoloured_with_it(name: str) -> None:
    how, most = CHANGES[name]
    crops, typical = film(), each(film())
    seen, beside = augment(crops, typical, RNG(4), how)
    of = np.arange(len(crops), dtype=np.int32)
    one, other = (compared(pixels, SPEC, known, of).astype(int) for pixels, known in ((crops, typical), (seen, beside)))
    assert np.abs(seen.astype(int) - crops).mean() > 15
    assert np.abs(one - other).mean() < most
    dark = other[:, 16:20, 16:20, :3].mean(axis=(1, 2, 3))
    assert int(dark.argmax()) == len(crops) - 1  # the dense cell stays the densest


def test_a_mistaken_paper_is_learned_from_too() -> None:
    crops, typical = film(), each(film())
    still, slipped = (augment(crops, typical, RNG(4), replace(QUIET, slip=slip))[1].papers for slip in (0, 0.05))
    assert 1 < np.abs(still.astype(int) - slipped).mean() < 15


def test_the_same_seed_recolours_alike_and_another_does_not() -> None:
    crops, typical = film(8), each(film(8))
    one, again, other = (augment(crops, typical, RNG(seed)) for seed in (6, 6, 7))
    assert (one[0] == again[0]).all()
    assert (one[1].cells == again[1].cells).all()
    assert (one[0] != other[0]).any()


def test_a_scenes_red_cells_alone_are_learned_from_and_its_typical_cell_is_one_of_them() -> None:
    rgb = np.full((100, 400, 3), 240, np.uint8)
    boxes = np.array([[10, 30, 40, 40], [110, 30, 40, 40], [210, 30, 40, 40]], np.float32)
    for (x, y, w, h), value in zip(boxes.astype(int), (150, 150, 20), strict=True):
        rgb[y - 9 : y + h + 9, x - 9 : x + w + 9] = value
    scene = Scene(rgb, boxes, np.array([0, 1, 2]), 40.0)
    cells = cells_of(scene, "block 1", ("clear", "sick"), SPEC, RNG(8))
    assert cells.truth.tolist() == [0, 1]  # the white cell is the finder's to set aside
    assert cells.crops.shape[1] == SPEC.size + 2 * SLACK
    assert cells.groups.tolist() == ["block 1"] * 2
    assert (cells.role == BOX).all()
    assert cells.typical is not None
    assert cells.typical.of.tolist() == [0, 0]
    device = cells.typical.typical.cells[0]
    assert np.abs(device.astype(int) - 150).max() <= 2
    assert cells.typical.variants == len(cells.typical.typical) > 1


TAUGHT = {  # bytes of a slide's cells, which of them are healthy; the byte of the typical cell to learn from
    "its healthy cells alone, where half are infected": ([60] * 9 + [200] * 20, [True] * 9 + [False] * 20, 60),
    "all cells, where too few are healthy": ([60] * 8 + [200] * 20, [True] * 8 + [False] * 20, 200),
    "all cells, where all are healthy": ([60] * 20, [True] * 20, 60),
}


@pytest.mark.parametrize("name", TAUGHT)
def test_cells_are_learned_beside_the_typical_healthy_cell_of_their_slide(name: str) -> None:
    values, healthy, wanted = TAUGHT[name]
    every = np.array([*values, 120], np.uint8)  # the last is alone on a slide of its own
    crops = np.repeat(every, 32 * 32 * 3).reshape(-1, 32, 32, 3)
    slides = np.array([0] * len(values) + [1], np.int32)
    known = varied_slides(crops, np.array([*healthy, True]), slides, RNG(0))
    rows = np.arange(len(every))
    assert known.each(rows, RNG(1)).cells[:, 0, 0, 0].tolist() == [wanted] * len(values) + [120]
    device = typical_cell(crops[:-1]).cells[0, 0, 0, 0]  # judged by: nobody tells the device who is healthy
    assert known.typical.cells[known.of, 0, 0, 0].tolist() == [device] * len(values) + [120]
    assert len(known.typical) == 2 * known.variants
    assert set(known.typical.cells[known.variants :, 0, 0, 0].tolist()) == {120}


def test_rare_cells_are_given_several_times_each_with_another_box() -> None:
    rgb = RNG(10).integers(100, 200, (100, 400, 3), dtype=np.uint8)
    scene = Scene(rgb, np.array([[50, 30, 40, 40], [200, 30, 40, 40]], np.float32), np.array([0, 1]), 40.0)
    cells = cells_of(scene, "g", ("clear", "sick"), SPEC, RNG(8), copies=3)
    assert cells.truth.tolist() == [0, 1, 1, 1]
    assert len({crop.tobytes() for crop in cells.crops}) == 4


def plain(crops: np.ndarray, lessons: np.ndarray | None = None) -> LabelledCells:
    count = len(crops)
    zeros = np.zeros(count, np.int32)
    groups = np.full(count, "g")
    return LabelledCells(crops, zeros, ("a", "b"), groups, zeros, zeros.astype(np.int8), lessons=lessons)


def test_joined_cells_keep_their_lessons_and_where_there_are_none_the_truth_is_taught() -> None:
    crops = np.zeros((2, 32, 32, 3), np.uint8)
    both = join([plain(crops), plain(crops, lessons=np.array([1, 0], np.int32))])
    assert both.taught.tolist() == [0, 0, 1, 0]
    assert both.take(np.array([2, 3])).taught.tolist() == [1, 0]
    assert both.truth.tolist() == [0, 0, 0, 0]


def test_platelets_are_drawn_only_where_they_are_asked_for() -> None:
    crops = film()
    for share, fewest, most in ((0.0, 0, 0), (0.5, 10, 30)):
        seen, _ = augment(crops, each(crops), RNG(1), replace(QUIET, platelets=share))
        purple = np.ptp(seen.astype(int), axis=3).reshape(len(crops), -1).max(axis=1) > 10  # all else is grey
        assert fewest <= purple.sum() <= most


def test_the_typical_cell_of_a_slide_is_the_median_of_its_cells() -> None:
    crops = np.array([50, 60, 100, 200], np.uint8)[:, None, None, None] * np.ones((1, 36, 36, 3), np.uint8)
    rows = [{"slide": name} for name in ("a", "a", "a", "b")]
    known = slide_typicals(crops, rows, 32)
    assert known.typical.cells[known.of, 0, 0, 0].tolist() == [60, 60, 60, 200]
    assert known.typical.cells.shape == (2, 32, 32, 3)


def test_nets_learn_from_the_second_opinion_where_there_is_one_and_the_rows_stay_as_published() -> None:
    rows = [
        {"label": "parasitized", "second_label": "uninfected"},
        {"label": "uninfected", "second_label": "parasitized"},
        {"label": "parasitized", "second_label": ""},
    ]
    assert infected(with_second_opinions(rows)).tolist() == [False, True, True]
    assert infected(rows).tolist() == [True, False, True]
