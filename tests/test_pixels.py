"""Making fields smaller: averaged, not picked at, and every half made once."""

from __future__ import annotations

import zlib
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from edge.pixels import Pyramid, channels, distances, looked_up, pyramid, rescale, thinned
from edge.types import FloatArray, UInt8Array


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


@pytest.mark.parametrize(("height", "width", "step"), [(40, 60, 4), (41, 63, 4), (7, 5, 3), (3, 3, 8)])
def test_thinned_is_every_so_manyth_pixel_a_channel_a_row(height: int, width: int, step: int) -> None:
    rgb = noise(height, width)
    np.testing.assert_array_equal(thinned(rgb, step), rgb[::step, ::step].reshape(-1, 3).T)


def rounding_up(gains: FloatArray) -> UInt8Array:
    """uint8 [1, 256, 3]: bytes times gains, halves rounded up as float32 has them."""
    product = np.arange(256, dtype=np.float32)[:, None] * gains
    return np.asarray(np.minimum(product + np.float32(0.5), 255), np.uint8).reshape(1, 256, 3)


def test_what_is_looked_up_is_what_the_table_says_for_every_background() -> None:
    rgb = noise(33, 61)
    for level in range(32, 256):
        gains = np.float32(235) / np.array([level, 287 - level, 32 + level * 7 % 224], np.float32)
        table = rounding_up(gains)
        np.testing.assert_array_equal(looked_up(rgb, table, gains), cv2.LUT(rgb, table), str(level))


@pytest.mark.parametrize(
    ("levels", "looks"), [((200, 201, 202), 1), ((201, 202, 203), 0)], ids=["some halves up, some down", "usual"]
)
def test_a_table_that_no_factor_gives_is_looked_up_and_others_are_not(
    levels: tuple[int, ...], looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lut = Mock(wraps=cv2.LUT)
    monkeypatch.setattr(cv2, "LUT", lut)
    gains = np.float32(235) / np.array(levels, np.float32)
    looked_up(noise(10, 10), rounding_up(gains), gains)
    assert lut.call_count == looks


def test_channels_are_the_picture_s() -> None:
    rgb = noise(31, 47)
    for number, channel in enumerate(channels(rgb[::2])):
        np.testing.assert_array_equal(channel, rgb[::2, :, number])


@pytest.mark.parametrize("offset", range(0, 64, 7))
def test_distances_do_not_depend_on_where_in_memory_the_mask_lies(offset: int) -> None:
    place = np.zeros(offset + 90 * 130, np.uint8)
    mask = place[offset:].reshape(90, 130)
    cv2.circle(mask, (60, 40), 33, 1, -1)
    y, x = np.indices(mask.shape)
    off_y, off_x = np.nonzero(mask == 0)
    squares = (y[..., None] - off_y) ** 2 + (x[..., None] - off_x) ** 2
    np.testing.assert_array_equal(distances(mask), np.sqrt(squares.min(axis=2)).astype(np.float32))
