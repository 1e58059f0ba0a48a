"""Making fields smaller: averaged, not picked at, and every half made once."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from edge.pixels import Pyramid, pyramid, rescale


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_a_half_is_the_mean_of_two_by_two() -> None:
    rgb = noise(40, 60)
    mean = rgb.reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))
    assert np.abs(Pyramid(rgb).level(1) - mean).max() <= 0.75


def test_an_odd_last_row_and_column_are_dropped() -> None:
    assert Pyramid(noise(41, 61)).level(2).shape == (10, 15, 3)


def test_a_half_is_made_once() -> None:
    levels = Pyramid(noise(40, 60))
    assert levels.level(1) is levels.level(1)
    assert pyramid(levels) is levels


@pytest.mark.parametrize("scale", [0.07, 0.25, 0.3, 0.5, 0.8, 1.0, 1.7])
def test_the_size_asked_for_comes_out(scale: float) -> None:
    rgb = noise(120, 200)
    assert rescale(rgb, scale).shape == (max(8, round(120 * scale)), max(8, round(200 * scale)), 3)


def test_fine_checks_become_even_grey_not_other_checks() -> None:
    checks = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert np.ptp(rescale(np.dstack([checks] * 3), 0.3).astype(int)) < 30


def test_a_whole_field_is_not_copied_when_nothing_changes() -> None:
    rgb = noise(50, 50)
    assert rescale(rgb, 1.0) is rgb


AS_ON_X86_AND_ARM = "6d19c40d 62f89aca 9623fe44 a152dae1"  # make test-arm runs this test there


def test_every_processor_gives_the_same_bytes() -> None:
    sums = [zlib.crc32(rescale(noise(120, 200), scale).tobytes()) for scale in (0.3, 0.47, 0.8, 1.7)]
    assert " ".join(f"{value:08x}" for value in sums) == AS_ON_X86_AND_ARM
