"""How the author cut cells is found by what the net says of them; where nobody can tell, it is as the device does."""

from __future__ import annotations

import numpy as np
import pytest

from convert.classify import author
from convert.measure.cells import CellSet
from convert.measure.single import AUTHOR_CUTS, as_author
from tests.convert.classify.test_accuracy_gate import cells

COUNT = 200
MARKS = {None: 0, "stretch": 1, "pad": 2, "crop": 3}


def read(how: str | None) -> CellSet:
    """Cells whose pixels say how they were cut."""
    found = cells(COUNT)
    found.images[:] = MARKS[how]
    return found


def probabilities(own: dict[str | None, float]) -> object:
    """A net that gives a cell's own class so much, by the cut, give or take."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(-0.2, 0.2, COUNT)

    def scores(how: str | None, shown: CellSet) -> np.ndarray:
        p = np.clip(own.get(how, own[None]) + noise + rng.uniform(-0.05, 0.05, COUNT), 0, 1)
        p = np.where(shown.truth == 1, p, 1 - p)
        return np.stack([1 - p, p], axis=1)

    return scores


@pytest.mark.parametrize(
    ("own", "found"),
    [
        pytest.param({None: 0.7, "stretch": 0.75}, "stretch", id="one fits better"),
        pytest.param({None: 0.7, "stretch": 0.73, "crop": 0.76}, "crop", id="the best of two"),
        pytest.param({None: 0.7, "stretch": 0.65}, None, id="those that the device cannot make fit alike"),
        pytest.param({None: 0.7, "stretch": 0.71}, "stretch", id="a little better, and the device can make it"),
        pytest.param({None: 0.75, "stretch": 0.7, "pad": 0.7, "crop": 0.7}, None, id="the device's fits best"),
    ],
)
def test_the_cut_that_fits_best_is_taken(own: dict[str | None, float], found: str | None) -> None:
    got = author.find(None, read, probabilities(own))  # type: ignore[arg-type]
    assert got.how == found
    assert (f"--author {found}" in got.note) == (found is not None)


def test_what_is_given_is_not_tried() -> None:
    assert author.find("crop", lambda _: pytest.fail("read"), lambda *_: pytest.fail("scored")).how == "crop"


def test_cuts_that_are_the_same_pixels_cost_nothing() -> None:
    scored: list[str | None] = []

    def scores(how: str | None, shown: CellSet) -> np.ndarray:
        scored.append(how)
        return np.full((len(shown), 2), 0.5, np.float32)

    assert author.find(None, lambda _: read(None), scores).how is None
    assert scored == [None]


@pytest.mark.parametrize(
    ("how", "columns"),
    [
        pytest.param("stretch", [10, 20, 30, 40], id="all of it, whatever its sides"),
        pytest.param("pad", [10, 20, 30, 40], id="all of it, black above and below"),
        pytest.param("crop", [20, 20, 30, 30], id="only the middle"),
    ],
)
def test_what_is_left_of_an_image_twice_as_wide_as_high(how: str, columns: list[int]) -> None:
    image = np.repeat(np.repeat(np.array([10, 20, 30, 40], np.uint8), 20)[None, :, None], 40, axis=0).repeat(3, axis=2)
    square = as_author(image, 40, how)
    assert square.shape == (40, 40, 3)
    assert square[20, [2, 15, 25, 37], 0].tolist() == columns
    assert (square[1] == 0).all() == (how == "pad")


def test_there_is_no_other_cut() -> None:
    assert set(AUTHOR_CUTS) == set(MARKS) - {None}
