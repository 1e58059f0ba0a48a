"""The lit region of a field: found, measured in, counted in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.checks import spoilt
from benchmarks.checks.tables import outline_of
from edge.analysis import Analyser, set_aside_outside
from edge.finders.grid import GridFinder
from edge.gate import SAME_VIEW, Gate, measure
from edge.inside import beyond, extent, lit_mask, mask_of, painted, scaled
from edge.region import find_region
from edge.types import NOT_WHOLE, Cells, Field, Region, UInt8Array
from tests.fakes import FakeClassifier
from tests.test_gate import film

SQUARE = Region(np.array([[20, 10], [80, 10], [80, 50], [20, 50]], np.float32))


def masked(mask: str, surround: str = "black", seed: int = 1) -> tuple[UInt8Array, np.ndarray]:
    rgb = film(seed)
    lit = spoilt.MASKS[mask](rgb.shape[:2])
    return spoilt.through(rgb, lit, surround, np.random.default_rng(seed)), lit


@pytest.mark.parametrize("surround", spoilt.SURROUNDS)
@pytest.mark.parametrize("mask", spoilt.MASKS)
def test_the_region_is_found_to_a_pixel_or_two(mask: str, surround: str) -> None:
    rgb, lit = masked(mask, surround)
    region = find_region(rgb)
    assert region is not None
    seen = mask_of(region, lit.shape[:2]) > 0
    rim = np.count_nonzero(lit ^ cv2.erode(lit.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool))
    assert np.count_nonzero(seen ^ lit) < 2.5 * rim


def with_corner(kind: str) -> UInt8Array:
    rgb = film(2)
    if kind == "a round stain in a corner":
        cv2.circle(rgb, (0, 0), 150, (10, 10, 10), -1)
    elif kind == "dark cells in every corner":
        for x, y in ((5, 5), (635, 5), (5, 475), (635, 475)):
            cv2.circle(rgb, (x, y), 30, (60, 30, 70), -1)
    elif kind == "shaded by the lens":
        y, x = np.mgrid[-1:1:480j, -1:1:640j]
        rgb = np.asarray(rgb * (1 - 0.45 * (x * x + y * y))[..., None], np.uint8)
    elif kind == "black":
        rgb[:] = 0
    elif kind == "bright specks on black":
        rgb = np.asarray(255 - rgb, np.uint8) // 2
    return rgb


@pytest.mark.parametrize(
    "kind",
    [
        "nothing",
        "a round stain in a corner",
        "dark cells in every corner",
        "shaded by the lens",
        "black",
        "bright specks on black",
    ],
)
def test_what_is_dark_in_a_corner_is_not_always_a_surround(kind: str) -> None:
    assert find_region(with_corner(kind)) is None


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (3, 500), (40, 900)])
def test_pictures_of_any_size_can_be_looked_at(shape: tuple[int, int]) -> None:
    assert find_region(np.zeros((*shape, 3), np.uint8)) is None


def test_a_region_can_be_scaled_and_measured() -> None:
    assert extent(SQUARE, (100, 100)) == (20, 10, 60, 40)
    assert extent(scaled(SQUARE, 2), (60, 100)) == (40, 20, 60, 40)
    assert np.count_nonzero(mask_of(SQUARE, (100, 100))) == pytest.approx(60 * 40, rel=0.05)


def test_the_frame_is_no_rim() -> None:
    half = Region(np.array([[0, 0], [100, 0], [100, 50], [0, 50]], np.float32), rim=5)
    mask = lit_mask(half, (100, 100))
    assert mask[:40].all()
    assert not mask[46:].any()


@pytest.mark.parametrize(
    ("box", "ellipse", "corners"),
    [
        ((30, 20, 20, 20), -10, -10),
        ((20, 20, 20, 20), 0, 0),
        ((10, 20, 20, 20), 10, 10),
        ((75, 20, 20, 10), 15, 15),
        ((0, 0, 4, 4), 20, 20),
    ],
)
def test_how_far_a_box_reaches_beyond_a_straight_rim(box: tuple[int, ...], ellipse: float, corners: float) -> None:
    boxes = np.array([box], np.int32)
    assert beyond(SQUARE, boxes)[0] == pytest.approx(ellipse, abs=1e-3)
    assert beyond(SQUARE, boxes, corners=True)[0] == pytest.approx(corners, abs=1e-3)


def test_at_a_slanted_rim_a_cell_reaches_less_far_than_its_box() -> None:
    diamond = Region(np.array([[50, 0], [100, 50], [50, 100], [0, 50]], np.float32))
    boxes = np.array([[20, 20, 20, 20]], np.int32)  # its middle is 7.07 px within, its corner 7.07 beyond
    assert beyond(diamond, boxes)[0] == pytest.approx(10 - 7.07, abs=0.1)
    assert beyond(diamond, boxes, corners=True)[0] == pytest.approx(7.07, abs=0.1)


@pytest.mark.parametrize(
    ("box", "outcome"),
    [
        ((30, 20, 20, 20), "cell"),
        ((19, 20, 20, 20), "cell"),  # the margin around a whole cell may overrun
        ((17, 20, 20, 20), NOT_WHOLE),
        ((62, 20, 20, 20), NOT_WHOLE),
        ((0, 20, 20, 20), None),
        ((75, 48, 20, 20), None),
    ],
)
def test_cells_at_the_rim_are_not_whole_and_beyond_it_there_are_none(box: tuple[int, ...], outcome: str | None) -> None:
    kinds = ("cell", "not-platelet", NOT_WHOLE)
    found = Cells(np.array([box], np.int32), np.ones(1, np.float32), np.zeros(1, np.int32), kinds)
    got = set_aside_outside(found, SQUARE)
    assert [got.kinds[kind] for kind in got.kind] == ([] if outcome is None else [outcome])


def test_nothing_dark_is_left_in_the_finders_copy_and_the_inside_is_untouched() -> None:
    rgb, lit = masked("circle off centre")
    region = find_region(rgb)
    assert region is not None
    copy = painted(rgb, region)
    inside = cv2.erode(lit.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert np.array_equal(copy[inside], rgb[inside])
    assert copy.max(axis=2).min() > 100


@pytest.mark.parametrize("mask", ["circle", "circle partly outside", "letterbox", "rounded rectangle"])
def test_light_focus_and_fill_are_those_of_the_inside(mask: str) -> None:
    rgb, lit = masked(mask)
    inside = measure(film(1), outline_of(lit))
    seen = measure(rgb, find_region(rgb))
    assert seen.sharpness == pytest.approx(inside.sharpness, rel=0.1)
    assert seen.brightness == pytest.approx(inside.brightness, rel=0.02)
    assert seen.fill == pytest.approx(inside.fill, rel=0.15)
    assert seen.under < 0.02
    assert not seen.incomplete


def test_a_mask_does_not_make_fields_the_same_and_the_same_field_still_is() -> None:
    def seen(seed: int, noise: int = 0) -> str | None:
        rgb, _ = masked("small circle", seed=seed)
        rgb = np.asarray((rgb + np.random.default_rng(seed).normal(0, noise, rgb.shape)).clip(0, 255), np.uint8)
        return gate.judge(measure(rgb, find_region(rgb)))

    gate = Gate()
    assert [seen(seed) for seed in range(20, 28)] == [None] * 8
    assert seen(27, noise=4) == SAME_VIEW
    assert seen(28) is None


def test_tiles_that_are_not_wholly_inside_are_set_aside() -> None:
    rgb, lit = masked("circle")
    result = Analyser(GridFinder(40), FakeClassifier())(Field(rgb, 0, "s", "f"))
    assert result.region is not None
    assert len(result.cells) == 16 * 12
    for (x, y, w, h), klass in zip(result.cells.boxes.tolist(), result.classes.tolist(), strict=True):
        share = lit[y : y + h, x : x + w].mean()
        assert (klass >= 0) == (share == 1) or share > 0.98


def test_a_field_without_a_mask_has_no_region() -> None:
    result = Analyser(GridFinder(40), FakeClassifier())(Field(film(1), 0, "s", "f"))
    assert result.region is None
    assert (result.classes >= 0).all()
