"""A single cell's image as the device would crop it: on paper, on black, with its surroundings; of any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from convert.measure.single import cut, on_paper, stands_on_black
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
        spec = CropSpec(margin=margin, normalise="typical", mask="black")
        crop = cut(image, spec, black=False, keep_black=False)
        assert (crop == crop_cells(image, np.array([[0, 0, 60, 40]], np.int32), CropSpec(margin=margin))[0]).all()


@pytest.mark.parametrize(
    ("corners", "border", "black"),
    [
        pytest.param(3, 0.0, True, id="three black corners"),
        pytest.param(2, 0.0, False, id="two black corners"),
        pytest.param(0, 0.5, True, id="half of the border is black"),
        pytest.param(0, 0.45, False, id="less than half of the border is black"),
    ],
)
def test_corners_and_border_tell_whether_it_is_black(corners: int, border: float, *, black: bool) -> None:
    image = np.full((22, 22, 3), 15, np.uint8)  # 15 counts as black, 16 does not
    image[1:-1, 1:-1] = 90
    frame = [(0, x) for x in range(1, 21)] + [(21, x) for x in range(1, 21)]
    frame += [(y, x) for x in (0, 21) for y in range(1, 21)]
    pale = frame[: round(80 - 84 * border)] if border else frame
    for y, x in pale:
        image[y, x] = 16
    for y, x in [(0, 0), (0, 21), (21, 0), (21, 21)][corners:]:
        image[y, x] = (0, 16, 0)
    assert stands_on_black(image) == black


@pytest.mark.parametrize(("height", "width"), [(20, 20), (20, 33), (41, 20)])
@pytest.mark.parametrize("margin", [0.8, 1.0, 1.5, 2.0])
def test_on_black_the_cell_stays_in_the_middle_and_has_its_size(height: int, width: int, margin: float) -> None:
    crop = cut(
        np.full((height, width, 3), 200, np.uint8), CropSpec(size=64, margin=margin), black=True, keep_black=True
    )
    lit = crop[:, :, 0] > 100
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    scale = 64 / (margin * max(height, width))
    for found, side in ((rows, height), (columns, width)):
        assert len(found) == pytest.approx(min(64, side * scale), abs=2)
        assert (found[0] + found[-1]) / 2 == pytest.approx(31.5, abs=1.6)


def test_on_paper_the_cell_stays_in_the_middle_with_the_margin_of_an_annotated_box() -> None:
    image, box = on_paper(disc(40, 50))
    assert image.shape == (160, 160, 3)
    assert box.tolist() == [50, 56, 60, 48]  # a fifth wider and higher than the cell
    assert box.dtype == np.int32
    cell = np.abs(image.astype(int) - CELL).max(axis=2) < 3
    rows, columns = np.flatnonzero(cell.any(axis=1)), np.flatnonzero(cell.any(axis=0))
    assert rows.mean() == pytest.approx(79.5, abs=1)
    assert columns.mean() == pytest.approx(79.5, abs=1)
    assert len(rows) == pytest.approx(40, abs=3)
    assert len(columns) == pytest.approx(50, abs=3)


@pytest.mark.parametrize(
    ("cell", "paper"),
    [
        pytest.param((100, 50, 60), (112, 56, 67), id="an eighth brighter than the cell"),
        pytest.param((240, 200, 230), (250, 224, 250), id="never brighter than 250"),
        pytest.param((0, 0, 0), (224, 224, 224), id="of a cell that is black itself"),
    ],
)
def test_the_paper_is_of_the_cells_tint(cell: tuple[int, ...], paper: tuple[int, ...]) -> None:
    image, _ = on_paper(np.full((20, 20, 3), cell, np.uint8))
    assert np.abs(image[0, 0].astype(int) - paper).max() <= 1
    assert image[80, 80].tolist() == list(cell if any(cell) else image[0, 0])


def test_a_card_s_mask_and_comparison_are_not_applied_when_cutting() -> None:
    image = disc(40, 40)
    plain = cut(image, CropSpec(), black=True, keep_black=True)
    assert (cut(image, CropSpec(mask="black", normalise="typical"), black=True, keep_black=True) == plain).all()


@pytest.mark.parametrize("size", [(100, 50), (64, 64), (300, 299)])
def test_large_cells_are_put_on_paper_at_a_size_that_fits(size: tuple[int, int]) -> None:
    crop = cut(disc(*size), CropSpec(), black=True, keep_black=False)
    assert crop.min() > 90  # paper on every side, and no black left
