"""Pictures for students: of the same thing at both sizes, of known cells, on black where the cells are."""

from __future__ import annotations

import numpy as np
import pytest

from convert.classify.pictures import Pictures, draw, turned
from convert.measure.cells import CellSet
from edge.crops import crop_cells
from edge.modelfile import CropSpec

SIDE = 64


def cell_set(size: int, *, black: bool) -> CellSet:
    """Six cells, a disc with a spot each, on paper or black."""
    rng = np.random.default_rng(0)
    images = np.full((6, SIDE, SIDE, 3), 0 if black else 230, np.uint8)
    far = np.hypot(*(np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2))
    for number, image in enumerate(images):
        image[far < 28] = (200, 150 - 10 * number, 160)
        top, left = rng.integers(18, 36, 2)
        image[top : top + 8, left : left + 8] = (90, 40, 120)
    whole = np.array([[0, 0, SIDE, SIDE]], np.int32)
    crops = np.concatenate([crop_cells(image, whole, CropSpec(size=size)) for image in images])
    names = tuple(f"{number}.png" for number in range(6))
    return CellSet(
        crops, np.arange(6, dtype=np.int32) % 2, ("a", "b"), np.array(names), names, False, np.full(6, black)
    )


def drawn(*, black: bool = False, count: int = 200, seed: int = 0) -> Pictures:
    virtual = np.full((3, SIDE, SIDE, 3), 180, np.uint8)
    return draw(cell_set(SIDE, black=black), cell_set(32, black=black), virtual, count, seed)


def test_the_first_round_shows_every_cell_as_it_is() -> None:
    found, native, small = drawn(), cell_set(SIDE, black=False), cell_set(32, black=False)
    rows = found.cells[:6, 0]
    assert sorted(rows) == list(range(6))
    assert np.array_equal(found.native[:6], native.images[rows])
    assert np.array_equal(found.small[:6], small.images[rows])


def test_both_sizes_show_the_same() -> None:
    found = drawn()
    means = [images.reshape(200, -1, 3).mean(axis=1) for images in (found.native, found.small)]
    assert np.abs(means[0] - means[1]).max() < 3


def test_the_same_seed_draws_the_same() -> None:
    one, same, other = drawn(count=40), drawn(count=40), drawn(count=40, seed=1)
    assert np.array_equal(one.native, same.native)
    assert not np.array_equal(one.native, other.native)


def test_virtual_cells_are_of_no_cell_and_patched_ones_of_two() -> None:
    cells = drawn().cells
    assert 10 < int((cells[:, 0] < 0).sum()) < 50
    assert 10 < int((cells[:, 1] >= 0).sum()) < 50


@pytest.mark.parametrize("black", [True, False])
def test_virtual_cells_stand_on_what_the_cells_stand_on(black: bool) -> None:
    found = drawn(black=black)
    corners = found.native[found.cells[:, 0] < 0][:, 0, 0].max(axis=1)
    assert (corners == 0).all() if black else (corners > 50).all()


def test_eight_turns_differ() -> None:
    image = np.arange(27, dtype=np.uint8).reshape(1, 3, 3, 3)
    assert len({turned(image, turn).tobytes() for turn in range(8)}) == 8
