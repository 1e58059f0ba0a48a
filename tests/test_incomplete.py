"""Pictures of which a part is missing, and odd ones of which none is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.checks import spoilt
from edge.gate import INCOMPLETE, REASONS, Gate, measure
from edge.incomplete import _sampled, is_incomplete
from edge.region import find_region
from edge.types import UInt8Array
from tests.test_gate import film, noisy

SEEDS = (3, 4, 5)


def make(maker: spoilt.Maker, seed: int) -> UInt8Array:
    rgb, other = (noisy(film(at, cells=150), 2) for at in (seed, seed + 50))
    return maker(rgb, other, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", spoilt.DAMAGES)
def test_a_missing_part_is_noticed(kind: str, seed: int) -> None:
    rgb = make(spoilt.DAMAGES[kind], seed)
    assert is_incomplete(rgb, find_region(rgb))


@pytest.mark.parametrize("kind", ["zeros to the end", "green to the end", "last line repeated", "64 kB of zeros"])
def test_a_picture_that_was_turned_is_as_incomplete(kind: str) -> None:
    rgb = np.ascontiguousarray(make(spoilt.DAMAGES[kind], 3).transpose(1, 0, 2))
    assert is_incomplete(rgb, find_region(rgb))


def test_a_seam_between_columns_is_a_stitched_picture_and_between_rows_a_torn_frame() -> None:
    one, other = (noisy(film(at, cells=150), 2) for at in (3, 53))
    half = one.shape[1] // 2
    stitched = np.hstack([one[:, :half], (other[:, half:] * 0.8).astype(np.uint8)])
    assert not is_incomplete(stitched)
    assert is_incomplete(np.ascontiguousarray(stitched.transpose(1, 0, 2)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", spoilt.WHOLE)
def test_an_odd_picture_is_not_incomplete(kind: str, seed: int) -> None:
    rgb = make(spoilt.WHOLE[kind], seed)
    assert not is_incomplete(rgb, find_region(rgb))


@pytest.mark.parametrize("colour", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (31, 400), (64, 64), (480, 640)])
def test_a_picture_of_nothing_but_one_colour_has_other_reasons(shape: tuple[int, int], colour: int) -> None:
    assert not is_incomplete(np.full((*shape, 3), colour, np.uint8))


def barred(top: int, bottom: int, *, fading: bool = False) -> UInt8Array:
    rgb = noisy(film(6), 2)
    for rows in (slice(0, top), slice(len(rgb) - bottom, None)):
        rgb[rows] = 0
    if fading:
        rgb[top - 4 : top] = noisy(np.full((4, *rgb.shape[1:]), 5, np.uint8), 2)
    return rgb


@pytest.mark.parametrize(
    ("rgb", "incomplete"),
    [
        (barred(60, 60), False),
        (barred(60, 40), False),
        (barred(60, 0), True),
        (barred(0, 60), True),
        (barred(60, 12), True),
        (barred(16, 0), True),
        (barred(16, 0, fading=True), False),
        (barred(60, 0, fading=True), True),
    ],
    ids=["two bars", "two unlike bars", "on top", "below", "one much wider", "narrow", "narrow margin", "wide margin"],
)
def test_one_exact_bar_is_a_missing_part_and_two_are_a_film(rgb: UInt8Array, incomplete: bool) -> None:
    assert is_incomplete(rgb, find_region(rgb)) == incomplete


def test_the_gate_names_it_before_anything_else_and_does_not_learn_from_it() -> None:
    assert INCOMPLETE in REASONS
    gate = Gate()
    torn = [make(spoilt.DAMAGES["zeros to the end"], seed) for seed in range(10)]
    assert {gate.judge(measure(rgb, find_region(rgb))) for rgb in torn} == {INCOMPLETE}
    dim = np.asarray(film(7) * 0.3, np.uint8)  # nothing is known of the sample yet, so it may be dim
    assert gate.judge(measure(dim)) is None


@pytest.mark.parametrize("height", [32, 186, 198, 480, 960, 1200, 3040, 5988])
def test_the_rows_looked_at_are_those_that_opencv_picks(height: int) -> None:
    rows = np.random.default_rng(0).integers(0, 255, (height, 40, 3), dtype=np.uint8)
    picked = _sampled(rows, turned=True)
    np.testing.assert_array_equal(picked, cv2.resize(rows, (40, len(picked)), interpolation=cv2.INTER_NEAREST))
