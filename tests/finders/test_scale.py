"""The cell-size estimate on fields whose cell size is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.finders.scale import estimate_cell_px
from tests.finders.drawing import add_cell, field_of, ground, spread


def near(estimate: float | None, width: float, share: float = 0.15) -> bool:
    return estimate is not None and abs(estimate / width - 1) <= share


@pytest.mark.parametrize("radius", [8, 15, 25, 40, 60])
def test_cells_of_any_width_are_measured(radius: float) -> None:
    centres = spread(60, radius)
    assert near(estimate_cell_px(field_of(centres, radius)), 2 * radius)


@pytest.mark.parametrize("count", [3, 10, 40, 90])
def test_a_sparse_field_and_a_dense_one_give_the_same_width(count: int) -> None:
    field = field_of(spread(count, 20, least=2.05), 20)
    assert near(estimate_cell_px(field), 40)


def test_cells_that_all_overlap_are_measured_by_their_rims() -> None:
    centres = [(x + 12 * (row % 2), y) for row, y in enumerate(range(60, 420, 33)) for x in range(60, 580, 33)]
    assert near(estimate_cell_px(field_of(centres, 20)), 40)


@pytest.mark.parametrize("factor", [0.5, 2, 3])
def test_a_resampled_field_gives_the_resampled_width(factor: float) -> None:
    field = field_of(spread(50, 20), 20)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(field, None, fx=factor, fy=factor, interpolation=how), np.uint8)
    assert near(estimate_cell_px(resized), 40 * factor)


def test_small_cells_in_a_large_field_are_found_by_looking_nearer() -> None:
    tile = field_of(spread(60, 9, 320, 320), 9, 320, 320)
    assert near(estimate_cell_px(np.tile(tile, (6, 8, 1))), 18)


def test_a_ring_counts_by_its_outer_rim() -> None:
    field = ground()
    for x, y in spread(40, 20):
        add_cell(field, x, y, 20)
        cv2.circle(field, (round(x), round(y)), 8, (205, 205, 195), -1, cv2.LINE_AA)
    assert near(estimate_cell_px(field), 40)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_field_of_one_colour_has_no_width(value: int) -> None:
    assert estimate_cell_px(np.full((480, 640, 3), value, np.uint8)) is None


@pytest.mark.parametrize("noise", [1, 5, 20, 60])
def test_noise_has_no_width(noise: float) -> None:
    assert estimate_cell_px(ground(noise=noise)) is None


def test_a_slope_of_light_has_no_width() -> None:
    ramp = np.linspace(60, 250, 640).astype(np.uint8)
    assert estimate_cell_px(np.tile(ramp[None, :, None], (480, 1, 3))) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (10, 10), (3, 4000)])
def test_a_field_too_small_to_judge_is_no_error(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    assert estimate_cell_px(rng.integers(0, 255, (*shape, 3), np.uint8)) is None


def test_a_grey_field_is_measured_like_a_coloured_one() -> None:
    grey = cv2.cvtColor(field_of(spread(50, 20), 20), cv2.COLOR_RGB2GRAY)
    assert near(estimate_cell_px(np.repeat(grey[..., None], 3, axis=2)), 40)
