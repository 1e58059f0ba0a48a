"""What the shelf's classifier learns from: windows, recolouring with the field's colour, groups held out."""

from __future__ import annotations

import numpy as np
import pytest

from convert.measure.colours import middle
from edge.crops import centre_colours, crop_cells
from edge.modelfile import CropSpec
from models.data.crops import SLACK, SPEC, CellSet, augment, cells_of, join, moved, of_field, with_slack
from models.data.nih import infected, slide_colours, with_second_opinions
from models.data.scenes import Scene
from models.train.sources import Source

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
    cells = cells_of(Scene(rgb, boxes, np.array([0, 1, 2]), 40.0, others=True), SPEC, RNG(8))
    assert cells.labels.tolist() == [0, 1, 0]  # a white cell is no infected cell
    assert cells.crops.shape[1] == SPEC.size + 2 * SLACK
    assert cells.reference == pytest.approx(np.full((3, 3), 150), abs=2)


def test_cells_whose_field_is_not_known_stand_for_themselves() -> None:
    crops = RNG(9).integers(0, 255, (5, 32, 32, 3), dtype=np.uint8)
    known = CellSet(crops, np.zeros(5, int), np.full((5, 3), 7, np.float32))
    both = join([CellSet(crops, np.ones(5, int)), known])
    assert (both.references(np.arange(5)) == centre_colours(crops)).all()
    assert (both.references(np.arange(5, 10)) == 7).all()


def test_a_fold_learns_nothing_of_the_groups_it_holds_out() -> None:
    crops = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    groups = np.array(["block 1", "block 2", "C33", "virtual", "block 2", "C34"])
    kept = Source("x", CellSet(crops, np.arange(6)), groups, 1.0).without(frozenset({"block 2", "C34"}))
    assert kept.labels.tolist() == [0, 2, 3]
    assert (kept.crops[:, 0, 0, 0] == [0, 2, 3]).all()


def test_a_slides_colour_is_the_median_of_its_cells() -> None:
    crops = np.array([50, 60, 100, 200], np.uint8)[:, None, None, None] * np.ones((1, 36, 36, 3), np.uint8)
    rows = [{"slide": name} for name in ("a", "a", "a", "b")]
    assert slide_colours(crops, rows, 32)[:, 0].tolist() == [60, 60, 60, 200]
    assert of_field(crops[:3], 32).tolist() == [60, 60, 60]


def test_nets_learn_from_the_second_opinion_where_there_is_one_and_the_rows_stay_as_published() -> None:
    rows = [
        {"label": "parasitized", "second_label": "uninfected"},
        {"label": "uninfected", "second_label": "parasitized"},
        {"label": "parasitized", "second_label": ""},
    ]
    assert infected(with_second_opinions(rows)).tolist() == [False, True, True]
    assert infected(rows).tolist() == [True, False, True]
