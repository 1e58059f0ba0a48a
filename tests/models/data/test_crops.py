"""What the shelf's classifier learns from: windows, recolouring with the field's colour, groups held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convert.measure.colours import middle
from edge.crops import centre_colours, crop_cells
from edge.modelfile import CropSpec
from models.data.augment import Augmentation, augment
from models.data.cells import BOX, LabelledCells, join
from models.data.crops import SLACK, SPEC, cells_of, moved, with_slack
from models.data.nih import infected, slide_colours, with_second_opinions
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


def test_a_fields_colour_is_recoloured_with_its_cells() -> None:
    colours = RNG(3).uniform(60, 200, (64, 3)).astype(np.float32)
    crops = np.repeat(np.rint(colours).astype(np.uint8), 32 * 32, axis=0).reshape(64, 32, 32, 3)
    seen, recoloured = augment(crops, colours, RNG(4))
    assert np.abs(centre_colours(seen) - recoloured).max() < 3
    assert np.abs(recoloured - colours).max() > 10


def test_the_same_seed_recolours_alike_and_another_does_not() -> None:
    crops = RNG(5).integers(0, 255, (8, 32, 32, 3), dtype=np.uint8)
    colours = centre_colours(crops)
    one, again, other = (augment(crops, colours, RNG(seed))[0] for seed in (6, 6, 7))
    assert (one == again).all()
    assert (one != other).any()


def test_the_colour_of_a_scene_is_that_of_its_red_cells() -> None:
    rgb = np.full((100, 400, 3), 240, np.uint8)
    boxes = np.array([[10, 30, 40, 40], [110, 30, 40, 40], [210, 30, 40, 40]], np.float32)
    for (x, y, w, h), value in zip(boxes.astype(int), (150, 150, 20), strict=True):
        rgb[y - 6 : y + h + 6, x - 6 : x + w + 6] = value
    scene = Scene(rgb, boxes, np.array([0, 1, 2]), 40.0)
    cells = cells_of(scene, "block 1", ("clear", "sick"), SPEC, RNG(8))
    assert cells.truth.tolist() == [0, 1, 0]  # a white cell is no infected cell
    assert cells.crops.shape[1] == SPEC.size + 2 * SLACK
    assert cells.groups.tolist() == ["block 1"] * 3
    assert (cells.role == BOX).all()
    assert cells.reference == pytest.approx(np.full((3, 3), 150), abs=2)


def test_rare_cells_are_given_several_times_each_with_another_box() -> None:
    rgb = RNG(10).integers(100, 200, (100, 400, 3), dtype=np.uint8)
    scene = Scene(rgb, np.array([[50, 30, 40, 40], [200, 30, 40, 40]], np.float32), np.array([0, 1]), 40.0)
    cells = cells_of(scene, "g", ("clear", "sick"), SPEC, RNG(8), copies=3)
    assert cells.truth.tolist() == [0, 1, 1, 1]
    assert len({crop.tobytes() for crop in cells.crops}) == 4


def plain(crops: np.ndarray, reference: np.ndarray | None = None, lessons: np.ndarray | None = None) -> LabelledCells:
    count = len(crops)
    zeros = np.zeros(count, np.int32)
    groups = np.full(count, "g")
    return LabelledCells(
        crops, zeros, ("a", "b"), groups, zeros, zeros.astype(np.int8), reference=reference, lessons=lessons
    )


def test_cells_whose_field_is_not_known_stand_for_themselves() -> None:
    crops = RNG(9).integers(0, 255, (5, 32, 32, 3), dtype=np.uint8)
    every = np.arange(5)
    assert (plain(crops).references(every) == centre_colours(crops)).all()
    assert (plain(crops, np.full((5, 3), 7, np.float32)).references(every) == 7).all()


def test_joined_cells_keep_their_lessons_and_where_there_are_none_the_truth_is_taught() -> None:
    crops = np.zeros((2, 32, 32, 3), np.uint8)
    both = join([plain(crops), plain(crops, lessons=np.array([1, 0], np.int32))])
    assert both.taught.tolist() == [0, 0, 1, 0]
    assert both.take(np.array([2, 3])).taught.tolist() == [1, 0]
    assert both.truth.tolist() == [0, 0, 0, 0]


def test_platelets_are_drawn_only_where_they_are_asked_for() -> None:
    disc = np.full((32, 32), 230, np.uint8)
    y, x = np.mgrid[:32, :32]
    disc[np.hypot(y - 15.5, x - 15.5) < 11] = 150
    crops = np.repeat(np.repeat(disc[None, ..., None], 3, axis=3), 40, axis=0)
    still = replace(Augmentation(), stain=0, channels=0, darkness=0, blurred=0, noisy=0)
    colours = centre_colours(crops)
    assert np.abs(augment(crops, colours, RNG(1), still)[0].astype(int) - crops).max() <= 1
    drawn = augment(crops, colours, RNG(1), replace(still, platelets=0.5))[0].astype(int)
    changed = (np.abs(drawn - crops).reshape(40, -1).max(axis=1) > 10).sum()
    assert 10 <= changed <= 30


def test_a_slides_colour_is_the_median_of_its_cells() -> None:
    crops = np.array([50, 60, 100, 200], np.uint8)[:, None, None, None] * np.ones((1, 36, 36, 3), np.uint8)
    rows = [{"slide": name} for name in ("a", "a", "a", "b")]
    assert slide_colours(crops, rows, 32)[:, 0].tolist() == [60, 60, 60, 200]


def test_nets_learn_from_the_second_opinion_where_there_is_one_and_the_rows_stay_as_published() -> None:
    rows = [
        {"label": "parasitized", "second_label": "uninfected"},
        {"label": "uninfected", "second_label": "parasitized"},
        {"label": "parasitized", "second_label": ""},
    ]
    assert infected(with_second_opinions(rows)).tolist() == [False, True, True]
    assert infected(rows).tolist() == [True, False, True]
