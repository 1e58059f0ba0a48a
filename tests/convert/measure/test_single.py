"""A single cell's image as the device would crop it: on paper, on black, with its surroundings; of any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from convert.measure.single import cut, stands_on_black
from edge.crops import crop_cells
from edge.modelfile import CropSpec

CELL, PAPER = (200, 130, 150), (230, 226, 232)


def disc(height: int, width: int, around: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """A round cell that touches its frame, RGB uint8 [h, w, 3]."""
    image = np.full((height, width, 3), around, np.uint8)
    cv2.ellipse(image, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, CELL, -1)
    return image


def off_centre() -> np.ndarray:
    """Fills two corners of its frame, as an irregular cell may."""
    image = disc(40, 40)
    image[:12, :12] = image[:12, -12:] = CELL
    return image


def at_a_rim() -> np.ndarray:
    """A cell on its paper, one corner beyond the rim of the field of view."""
    image = disc(40, 40, PAPER)
    image[:14, :14] = 0
    return image


@pytest.mark.parametrize(
    ("name", "image", "black"),
    [
        ("cut out on black", disc(40, 50), True),
        ("cut out, two corners covered", off_centre(), True),
        ("cut out and saved as a JPEG", cv2.imdecode(cv2.imencode(".jpg", disc(60, 60))[1], cv2.IMREAD_COLOR), True),
        ("on paper", disc(40, 40, PAPER), False),
        ("on dark paper", disc(40, 40, (60, 50, 70)), False),
        ("at the rim of the field of view", at_a_rim(), False),
        ("one pixel, black", np.zeros((1, 1, 3), np.uint8), True),
    ],
)
def test_whether_a_cell_was_cut_out_on_black(name: str, image: np.ndarray, *, black: bool) -> None:
    assert stands_on_black(image) == black, name


@pytest.mark.parametrize("side", [12, 31, 33, 64, 142, 300])
def test_a_cell_cut_out_on_black_gets_pale_paper_around_it_at_any_size(side: int) -> None:
    crop = cut(disc(side, side), CropSpec(), black=True, keep_black=False)
    assert crop.shape == (32, 32, 3)
    assert min(crop[[0, -1]].min(), crop[:, [0, -1]].min()) > 130
    assert crop[0, 0].astype(int).tolist() == pytest.approx(
        [224, 145, 168], abs=3
    )  # brighter than the cell, of its tint
    assert crop[16, 16].astype(int).tolist() == pytest.approx(CELL, abs=3)


@pytest.mark.parametrize("side", [12, 31, 33, 64, 142])
@pytest.mark.parametrize("margin", [1.0, 1.5])
def test_for_a_net_that_wants_black_it_stays_there_and_black_is_added(side: int, margin: float) -> None:
    image = disc(side, side * 2)
    image[0, side] = CELL  # touches the frame: that pixel must not be smeared over what is added
    crop = cut(image, CropSpec(margin=margin), black=True, keep_black=True)
    rows = round(32 / margin / 4)  # the cell's half height in the crop
    assert crop[: 16 - rows - 3].max() == 0
    assert crop[16 + rows + 3 :].max() == 0
    assert crop[16, 16].astype(int).tolist() == pytest.approx(CELL, abs=3)


def test_a_cell_with_its_surroundings_is_cut_as_the_device_cuts_it() -> None:
    image = disc(40, 60, PAPER)
    for margin in (1.0, 1.3):
        spec = CropSpec(margin=margin, normalise="bounded", mask="black")
        crop = cut(image, spec, black=False, keep_black=False)
        assert (crop == crop_cells(image, np.array([[0, 0, 60, 40]], np.int32), CropSpec(margin=margin))[0]).all()
