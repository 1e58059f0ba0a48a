"""The one preprocessing: what a classifier sees of a cell."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.crops import centre_colours, crop_cells, to_colour, to_reference
from edge.errors import ModelError
from edge.modelfile import CropSpec

PLAIN = CropSpec()
OWN = CropSpec(normalise="cell", target=128)
BOUNDED = CropSpec(normalise="bounded", target=128, reach=0.1)


def field(height: int = 200, width: int = 300) -> np.ndarray:
    """A smooth field in which each pixel tells where it is: red grows with x, green with y."""
    rows, columns = np.mgrid[:height, :width]
    return np.dstack([columns * 255 / width, rows * 255 / height, np.full((height, width), 90)]).astype(np.uint8)


def box(*values: int) -> np.ndarray:
    return np.array([values], np.int32)


def test_crops_are_square_bytes_whatever_the_box() -> None:
    crops = crop_cells(field(), np.array([[10, 10, 60, 20], [100, 50, 5, 5], [0, 0, 200, 200]], np.int32), PLAIN)
    assert crops.shape == (3, 32, 32, 3)
    assert crops.dtype == np.uint8


def test_no_cells_give_an_empty_batch() -> None:
    assert crop_cells(field(), np.empty((0, 4), np.int32), PLAIN).shape == (0, 32, 32, 3)


def test_a_box_of_the_crops_own_size_is_cut_out_unchanged() -> None:
    image = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    crop = crop_cells(image, box(20, 30, 32, 32), PLAIN)[0]
    assert np.abs(crop.astype(int) - image[30:62, 20:52]).max() <= 1


def test_aspect_is_kept_by_cutting_a_square_of_the_longer_side() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 30:70] = 255
    crop = crop_cells(image, box(30, 40, 40, 20), PLAIN)[0, :, :, 0]
    assert (crop[8:24] > 250).mean() > 0.95
    assert (crop[:6] < 5).all()
    assert (crop[26:] < 5).all()


def test_the_margin_widens_what_is_seen() -> None:
    narrow = crop_cells(field(), box(100, 100, 40, 40), PLAIN)[0]
    wide = crop_cells(field(), box(100, 100, 40, 40), CropSpec(margin=2.0))[0]
    assert np.ptp(wide[..., 0].astype(int)) > 1.8 * np.ptp(narrow[..., 0].astype(int))


def test_beyond_the_border_the_last_pixels_are_repeated() -> None:
    crop = crop_cells(field(), box(-20, 50, 40, 40), PLAIN)[0]
    assert (crop[:, :15, 0] == 0).all()


def test_large_cells_are_averaged_not_picked_at() -> None:
    checks = (np.indices((640, 640)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = crop_cells(np.dstack([checks] * 3), box(0, 0, 320, 320), PLAIN)[0]
    assert np.abs(crop.astype(int) - 127).max() < 20


def test_more_cells_than_one_remap_takes_are_all_cut() -> None:
    many = np.tile(box(50, 50, 30, 30), (2500, 1))
    crops = crop_cells(field(), many, PLAIN)
    assert (crops == crops[0]).all()


def test_each_cell_is_cut_the_same_alone_as_in_a_batch_of_its_like() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)
    many = np.column_stack([rng.integers(0, 160, (50, 2)), np.full((50, 2), 36)]).astype(np.int32)
    together = crop_cells(image, many, PLAIN)
    for i in range(0, 50, 7):
        assert (crop_cells(image, many[i : i + 1], PLAIN)[0] == together[i]).all()


def test_the_colour_reference_takes_the_lamp_out() -> None:
    rng = np.random.default_rng(2)
    crops = rng.integers(60, 120, (4, 32, 32, 3), dtype=np.uint8)
    dimmer = np.rint(crops * [0.8, 0.6, 0.9]).astype(np.uint8)
    assert np.abs(to_reference(crops, OWN).astype(int) - to_reference(dimmer, OWN)).max() <= 4


def test_the_middle_of_a_referenced_crop_averages_the_target() -> None:
    crops = np.random.default_rng(3).integers(40, 160, (3, 32, 32, 3), dtype=np.uint8)
    middle = to_reference(crops, OWN)[:, 8:24, 8:24].mean(axis=(1, 2))
    assert np.abs(middle - 128).max() < 1.5


def test_a_black_crop_stays_black() -> None:
    assert to_reference(np.zeros((1, 32, 32, 3), np.uint8), OWN).max() == 0


def test_a_cell_that_is_all_parasite_stays_darker_than_its_neighbours() -> None:
    crops = np.full((9, 32, 32, 3), 180, np.uint8)
    crops[4] = 100
    bounded = to_reference(crops, BOUNDED)
    assert np.abs(bounded[[0, 8]].astype(int) - 128).max() <= 1
    assert np.abs(bounded[4].astype(int) - round(100 * 128 / (180 * 0.9))).max() <= 1
    assert np.abs(to_reference(crops, OWN)[4].astype(int) - 128).max() <= 1


def test_a_reach_of_one_is_the_cells_own_colour_and_none_is_the_fields() -> None:
    crops = np.random.default_rng(6).integers(60, 200, (12, 32, 32, 3), dtype=np.uint8)
    crops[3] //= 2
    whole = to_reference(crops, replace(BOUNDED, reach=1.0))
    assert (whole == to_reference(crops, OWN)).all()
    none = to_reference(crops, replace(BOUNDED, reach=0.0)).astype(int)
    assert np.abs(none[3] - none[0] // 2).mean() < 30
    assert none[3].mean() < 0.6 * none[0].mean()


def test_a_field_is_cut_as_its_crops_are_referenced_one_by_one() -> None:
    image = np.random.default_rng(7).integers(40, 220, (300, 400, 3), dtype=np.uint8)
    image[:150] //= 2
    boxes = np.array([[x, y, 40, 40] for y in range(0, 260, 20) for x in range(0, 360, 20)], np.int32)
    plain = crop_cells(image, boxes, PLAIN)
    field = np.broadcast_to(np.median(centre_colours(plain), axis=0), (len(boxes), 3)).astype(np.float32)
    cut = crop_cells(image, boxes, BOUNDED)
    assert len(boxes) > 128  # more than a block
    assert (cut == to_reference(plain, BOUNDED)).all()
    for i in (0, 100, 230):
        assert (cut[i] == to_reference(plain[i : i + 1], BOUNDED, field[i : i + 1])[0]).all()


def test_masked_crops_are_black_outside_the_mask() -> None:
    masks = np.zeros((1, 32, 32), np.uint8)
    masks[:, 10:20, 10:20] = 255
    crop = crop_cells(field(), box(100, 100, 40, 40), CropSpec(mask="black"), masks)[0]
    assert (crop[masks[0] == 0] == 0).all()
    assert (crop[12:18, 12:18, 2] == 90).all()


def test_a_model_that_wants_masks_says_so_when_there_are_none() -> None:
    with pytest.raises(ModelError, match="masks"):
        crop_cells(field(), box(100, 100, 40, 40), CropSpec(mask="black"))


def test_a_box_far_larger_than_the_field_is_cut_all_the_same() -> None:
    for shape in ((1, 1), (3, 200), (64, 64)):
        rgb = np.full((*shape, 3), 90, np.uint8)
        assert (crop_cells(rgb, box(-1000, -1000, 100_000, 100_000), CropSpec()) == 90).all()


def test_hsv_is_opencvs_own_8_bit_hsv() -> None:
    crops = np.random.default_rng(4).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    hsv = to_colour(crops, "hsv")
    for crop, got in zip(crops, hsv, strict=True):
        assert (got == cv2.cvtColor(np.ascontiguousarray(crop[..., ::-1]), cv2.COLOR_BGR2HSV)).all()
    assert hsv[..., 0].max() == 179


def test_bgr_is_rgb_reversed_and_grey_has_one_channel() -> None:
    crops = np.random.default_rng(5).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    assert (to_colour(crops, "bgr") == crops[..., ::-1]).all()
    assert to_colour(crops, "rgb") is crops
    grey = to_colour(crops, "grey")
    assert grey.shape == (3, 32, 32, 1)
    assert np.abs(grey[..., 0] - crops @ [0.299, 0.587, 0.114]).max() < 1


def test_no_crops_have_a_colour_too() -> None:
    empty = np.empty((0, 32, 32, 3), np.uint8)
    assert to_colour(empty, "grey").shape == (0, 32, 32, 1)
    assert to_colour(empty, "hsv").shape == (0, 32, 32, 3)


@pytest.mark.parametrize(("count", "size"), [(300, 32), (7, 224), (40, 50)])
def test_a_cell_looks_the_same_whatever_block_it_is_cut_in(count: int, size: int) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (300, 400, 3), dtype=np.uint8)
    boxes = np.hstack([rng.integers(-5, 300, (count, 2)), rng.integers(30, 60, (count, 2))]).astype(np.int32)
    spec = CropSpec(size=size, normalise="cell")
    # The whole batch decides how often the field is halved: here, not at all.
    together, alone = (
        crop_cells(image, boxes, spec),
        [crop_cells(image, boxes[n : n + 1], spec)[0] for n in range(count)],
    )
    assert (together == np.array(alone)).all()
