"""The one preprocessing: what a classifier sees of a cell."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.crops import channels_of, compared, crop_cells, crop_channels, net_channels, to_colour
from edge.errors import ModelError
from edge.modelfile import Card, CropSpec
from edge.pixels import Pyramid
from edge.typical import TypicalCells, beside_typical, typical_cell

PLAIN = CropSpec()
TYPICAL = CropSpec(normalise="typical")


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


@pytest.mark.parametrize(("spec", "channels"), [(PLAIN, 3), (TYPICAL, 6)])
def test_no_cells_give_an_empty_batch(spec: CropSpec, channels: int) -> None:
    for none in (
        crop_cells(field(), np.empty((0, 4), np.int32), spec),
        compared(np.empty((0, 32, 32, 3), np.uint8), spec),
    ):
        assert none.shape == (0, 32, 32, channels)
        assert none.dtype == np.uint8


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


def test_a_box_is_stretched_where_the_card_asks() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[40:60, 50:114] = 200
    stretched = crop_cells(image, box(50, 40, 64, 20), CropSpec(shape="stretch"))[0]
    assert (stretched[3:-3, 3:-3] == 200).all()  # its border mixes with what lies around
    assert (stretched > 100).all()
    square = crop_cells(image, box(50, 40, 64, 20), PLAIN)[0]
    assert (square[:8] == 0).all()
    square_box = box(50, 30, 40, 40)
    both = [crop_cells(image, square_box, CropSpec(shape=shape)) for shape in ("square", "stretch")]
    assert np.array_equal(both[0], both[1])


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


def image_of_cells() -> tuple[np.ndarray, np.ndarray]:
    """A field of noise in which each second row of boxes is darker, and its 252 boxes."""
    image = np.random.default_rng(7).integers(40, 220, (300, 400, 3), dtype=np.uint8)
    image[:150] //= 2
    return image, np.array([[x, y, 40, 40] for y in range(0, 260, 20) for x in range(0, 360, 20)], np.int32)


def test_cells_are_put_beside_the_typical_cell_of_all_that_are_cut() -> None:
    image, boxes = image_of_cells()
    plain = crop_cells(image, boxes, PLAIN)
    seen = crop_cells(image, boxes, TYPICAL)
    assert len(boxes) > 128  # more than a block
    assert seen.shape == (len(boxes), 32, 32, 6)
    assert (seen == beside_typical(plain, typical_cell(plain))).all()


def test_or_beside_one_that_is_given() -> None:
    image, boxes = image_of_cells()
    plain = crop_cells(image, boxes, PLAIN)
    known = typical_cell(plain)
    whole = crop_cells(image, boxes, TYPICAL)
    for part in (slice(0, 1), slice(100, 103)):
        assert (crop_cells(image, boxes[part], TYPICAL, typical=known) == whole[part]).all()
        assert (crop_cells(image, boxes[part], TYPICAL) != whole[part]).any()
        assert (crop_cells(image, boxes[part], PLAIN, typical=known) == plain[part]).all()  # nothing is compared


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
    spec = CropSpec(size=size)
    # The whole batch decides how often the field is halved: here, not at all.
    together, alone = (
        crop_cells(image, boxes, spec),
        [crop_cells(image, boxes[n : n + 1], spec)[0] for n in range(count)],
    )
    assert (together == np.array(alone)).all()


def ramp(side: int = 512) -> np.ndarray:
    """A field in which each pixel's red is half its column, its green half its row and its blue 90."""
    rows, columns = np.mgrid[:side, :side]
    return np.dstack([columns / 2, rows / 2, np.full((side, side), 90)]).astype(np.uint8)


PLACES = {  # box, margin; the square that is cut: its middle and its side
    "a box of the crop's size": ((100, 140, 32, 32), 1.0, (116, 156), 32),
    "an odd box": ((101, 143, 21, 25), 1.0, (111.5, 155.5), 25),
    "a broad box": ((60, 100, 90, 30), 1.0, (105, 115), 90),
    "a high box": ((60, 100, 30, 90), 1.0, (75, 145), 90),
    "a box with context": ((100, 140, 40, 40), 1.5, (120, 160), 60),
    "less than the box": ((100, 140, 60, 60), 0.5, (130, 170), 30),
    "a box of four times the crop's size": ((200, 100, 128, 120), 1.0, (264, 160), 128),
    "a box of eight times the crop's size": ((120, 200, 256, 256), 1.0, (248, 328), 256),
    "a box without a side": ((100, 140, 0, 0), 1.0, (100, 140), 1),
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("size", [32, 40])
def test_each_pixel_of_a_crop_shows_its_place_in_the_field(name: str, size: int) -> None:
    row, margin, (x, y), side = PLACES[name]
    crop = crop_cells(ramp(), box(*row), CropSpec(size=size, margin=margin))[0].astype(float)
    steps = ((np.arange(size) + 0.5) / size - 0.5) * side
    assert np.abs(crop[..., 0] - (x + steps - 0.5)[None, :] / 2).max() <= 1.2
    assert np.abs(crop[..., 1] - (y + steps - 0.5)[:, None] / 2).max() <= 1.2
    assert np.abs((crop[..., 0] - (x + steps - 0.5)[None, :] / 2).mean()) <= 0.8
    assert (crop[..., 2] == 90).all()


def test_beyond_each_border_its_pixels_are_repeated() -> None:
    rng = np.random.default_rng(11)
    image = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
    left, right, top, bottom = (
        crop_cells(image, box(*row), PLAIN)[0]
        for row in ((-60, 4, 32, 32), (90, 4, 32, 32), (4, -60, 32, 32), (4, 80, 32, 32))
    )
    assert (left == image[4:36, :1]).all()
    assert (right == image[4:36, -1:]).all()
    assert (top == image[:1, 4:36]).all()
    assert (bottom == image[-1:, 4:36]).all()


class Levels(Pyramid):
    """A field that remembers the smallest of its halves that was asked for."""

    last = 0

    def level(self, number: int) -> np.ndarray:
        self.last = number
        return super().level(number)


HALVES = {  # longer sides of the boxes, and how often the field is halved for crops of 32
    "less than twice the crop's size": ([63], 0),
    "twice its size": ([64], 1),
    "less than four times its size": ([127], 1),
    "four times its size": ([128], 2),
    "eight times its size": ([256], 3),
    "the median decides": ([20, 64, 300], 1),
    "the median of an even number": ([60, 67], 0),
    "that of an even number reaches it": ([60, 68], 1),
}


@pytest.mark.parametrize("name", HALVES)
def test_how_often_a_field_is_halved(name: str) -> None:
    sides, halvings = HALVES[name]
    boxes = np.array([[100, 100, side, side // 2] for side in sides], np.int32)
    levels = Levels(ramp())
    crop_cells(levels, boxes, PLAIN)
    assert levels.last == halvings


@pytest.mark.parametrize(("shape", "halvings"), [((1, 1), 0), ((2, 300), 1), ((300, 5), 2), ((1, 300), 0)])
def test_a_field_is_not_halved_away(shape: tuple[int, int], halvings: int) -> None:
    levels = Levels(np.zeros((*shape, 3), np.uint8))
    crop_cells(levels, box(0, 0, 1000, 1000), PLAIN)
    assert levels.last == halvings


def test_crops_that_are_not_compared_are_left_as_they_are() -> None:
    batch = np.random.default_rng(13).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    assert compared(batch, PLAIN) is batch
    assert (crop_cells(batch[0], box(0, 0, 32, 32), PLAIN)[0] == batch[0]).all()


def test_crops_of_several_fields_are_each_compared_with_their_own() -> None:
    image, boxes = image_of_cells()
    plain = crop_cells(image, boxes, PLAIN)
    of = (np.arange(len(boxes)) % 3 == 0).astype(np.int32)
    each = [typical_cell(plain[of == number]) for number in range(2)]
    known = TypicalCells(*(np.concatenate([getattr(one, name) for one in each]) for name in ("papers", "cells")))
    got = compared(plain, TYPICAL, known, of)
    for number in range(2):
        assert (got[of == number] == compared(plain[of == number], TYPICAL)).all()


@pytest.mark.parametrize("inside", [1, 255])
def test_every_mask_value_but_zero_is_inside(inside: int) -> None:
    masks = np.zeros((2, 32, 32), np.uint8)
    masks[0, :, :16] = inside
    masks[1, 16:] = inside
    crops = crop_cells(
        np.full((100, 100, 3), 70, np.uint8), np.array([[10, 10, 40, 40]] * 2, np.int32), CropSpec(mask="black"), masks
    )
    assert (crops == np.where(masks[..., None] > 0, 70, 0)).all()


def test_the_mask_is_put_on_only_where_the_card_asks() -> None:
    image = np.random.default_rng(14).integers(60, 200, (100, 100, 3), dtype=np.uint8)
    masks = np.zeros((1, 32, 32), np.uint8)
    masks[:, 4:20, 4:20] = 1
    bare, masked = (crop_cells(image, box(10, 10, 40, 40), CropSpec(mask=mask), masks) for mask in ("none", "black"))
    assert (masked == np.where(masks[..., None] > 0, bare, 0)).all()
    assert (bare[masks == 0] > 0).any()


@pytest.mark.parametrize(("colour", "channels"), [("rgb", 3), ("bgr", 3), ("hsv", 3), ("grey", 1)])
def test_how_many_channels_a_colour_has(colour: str, channels: int) -> None:
    assert channels_of(colour) == channels
    for count in (0, 2):
        batch = to_colour(np.zeros((count, 16, 24, 3), np.uint8), colour)
        assert batch.shape == (count, 16, 24, channels)
        assert batch.dtype == np.uint8


@pytest.mark.parametrize(
    ("colour", "normalise", "channels", "into_net"),
    [("rgb", "none", 3, 3), ("grey", "none", 3, 1), ("hsv", "none", 3, 3), ("rgb", "typical", 6, 6)],
)
def test_how_many_channels_crops_have_and_the_net_takes(
    colour: str, normalise: str, channels: int, into_net: int
) -> None:
    spec = CropSpec(normalise=normalise)
    assert crop_channels(spec) == channels
    assert net_channels(Card("any", "classify", ("a", "b"), crop=spec, colour=colour)) == into_net
