"""The gate's measures, and which fields of a sample count."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from edge.gate import EMPTY, OUT_OF_FOCUS, OVER_EXPOSED, SAME_VIEW, UNDER_EXPOSED, Gate, GateLimits, measure
from edge.types import Quality, UInt8Array

SIZE = (480, 640)


def film(seed: int, *, cells: int = 60, contrast: float = 1.0) -> UInt8Array:
    """Discs on a bright background, sharp-edged, with the grain of a real scene."""
    rng = np.random.default_rng(seed)
    rgb = np.full((*SIZE, 3), (200, 200, 190), np.uint8)
    for _ in range(cells):
        centre = (int(rng.integers(SIZE[1])), int(rng.integers(SIZE[0])))
        colour = tuple(int(c - contrast * rng.integers(50, 80)) for c in (220, 190, 200))
        cv2.circle(rgb, centre, int(rng.integers(14, 19)), colour, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.7), np.uint8)


def noisy(rgb: UInt8Array, sigma: float, seed: int = 0) -> UInt8Array:
    noise = np.random.default_rng(seed).normal(0, sigma, rgb.shape)
    return (rgb + noise).clip(0, 255).round().astype(np.uint8)


def blurred(rgb: UInt8Array, sigma: float) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)


def scaled(rgb: UInt8Array, gain: float, offset: float = 0) -> UInt8Array:
    return (rgb * gain + offset).clip(0, 255).astype(np.uint8)


def vignetted(rgb: UInt8Array, depth: float) -> UInt8Array:
    y, x = np.mgrid[-1 : 1 : SIZE[0] * 1j, -1 : 1 : SIZE[1] * 1j]
    return np.asarray(rgb * (1 - depth * (x * x + y * y) / 2)[..., None], np.uint8)


def known_sample(limits: GateLimits | None = None) -> Gate:
    gate = Gate(limits)
    assert [gate.judge(measure(film(seed))) for seed in range(100, 108)] == [None] * 8
    return gate


def test_measures_are_of_the_promised_kind() -> None:
    quality = measure(film(1))
    assert quality.sharpness > 0
    assert 0 <= quality.over <= 1
    assert 0 <= quality.under <= 1
    assert 0.05 < quality.fill < 0.6
    assert len(quality.signature) == 24 * 32
    assert measure(film(1)) == quality


@pytest.mark.parametrize("shape", [(1, 1), (3, 1000), (1000, 3), (64, 64), (3040, 4056)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_any_size_and_any_flat_picture_can_be_measured(shape: tuple[int, int], value: int) -> None:
    quality = measure(np.full((*shape, 3), value, np.uint8))
    assert all(np.isfinite([*quality[:5]]))
    assert quality.brightness == pytest.approx(value)
    assert quality.fill == 0
    assert Gate().judge(quality) in (EMPTY, OVER_EXPOSED, UNDER_EXPOSED)


@pytest.mark.parametrize("contrast", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("cells", [15, 60, 150])
def test_sharpness_is_of_the_focus_not_of_contrast_or_density(contrast: float, cells: int) -> None:
    reference = measure(film(1)).sharpness
    sharp = measure(film(2, cells=cells, contrast=contrast)).sharpness
    soft = measure(blurred(film(2, cells=cells, contrast=contrast), 2.5)).sharpness
    assert 0.6 < sharp / reference < 1.6
    assert soft < 0.45 * reference


def test_noise_does_not_pass_for_sharpness() -> None:
    soft = blurred(film(3), 2.5)
    assert measure(noisy(soft, 6)).sharpness == pytest.approx(measure(soft).sharpness, rel=0.25)


def test_twice_the_pixels_are_as_sharp() -> None:
    once = film(4)
    twice = np.asarray(cv2.resize(once, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert measure(twice).sharpness == pytest.approx(measure(once).sharpness, rel=0.25)


def test_vignetting_is_no_content() -> None:
    empty = vignetted(noisy(np.full((*SIZE, 3), 200, np.uint8), 3), 0.4)
    assert measure(empty).fill == 0
    assert measure(vignetted(film(5), 0.3)).fill == pytest.approx(measure(film(5)).fill, abs=0.05)


def test_different_fields_are_kept() -> None:
    known_sample()


def test_a_blurred_field_is_out_of_focus_for_its_sample() -> None:
    gate = known_sample()
    assert [gate.judge(measure(blurred(film(seed), 2.5))) for seed in range(5)] == [OUT_OF_FOCUS] * 5
    assert gate.judge(measure(film(9))) is None


@pytest.mark.parametrize("position", [0, 4])
def test_first_fields_are_judged_leniently(position: int) -> None:
    gate = Gate()
    for seed in range(position):
        gate.judge(measure(film(seed)))
    assert gate.judge(measure(blurred(film(50), 1.0))) is None


def test_a_sample_that_stays_softer_is_not_rejected_for_ever() -> None:
    gate = known_sample()
    softer = [q._replace(sharpness=0.45 * measure(film(1)).sharpness) for q in map(measure, map(film, range(12)))]
    verdicts = [gate.judge(q) for q in softer]
    assert verdicts == [OUT_OF_FOCUS] * 7 + [None] * 5


def test_a_microscope_that_is_softer_for_good_is_not_rejected_for_ever() -> None:
    gate = Gate()
    verdicts = [gate.judge(measure(film(seed))._replace(sharpness=0.1)) for seed in range(12)]
    assert verdicts == [OUT_OF_FOCUS] * 7 + [None] * 5


def test_a_stage_that_drifts_out_of_focus_is_rejected_as_long_as_it_lasts() -> None:
    gate = known_sample()
    assert {gate.judge(measure(film(seed))._replace(sharpness=0.1)) for seed in range(30)} == {OUT_OF_FOCUS}
    assert gate.judge(measure(film(99))) is None


def test_over_exposure_is_relative_to_the_sample() -> None:
    assert known_sample().judge(measure(scaled(film(1), 1.3))) == OVER_EXPOSED


def test_a_microscope_whose_background_is_always_clipped_is_usable() -> None:
    gate = Gate()
    fields = [measure(scaled(film(seed), 1.35)) for seed in range(8)]
    assert all(q.over > 0.5 for q in fields)
    assert [gate.judge(q) for q in fields] == [None] * 8


def test_under_exposure_is_relative_to_the_sample() -> None:
    gate = known_sample()
    assert gate.judge(measure(scaled(film(1), 0.3))) == UNDER_EXPOSED
    assert gate.judge(measure(scaled(film(2), 0.7))) is None


def test_an_empty_field_is_rejected_and_one_cell_is_not_nothing() -> None:
    gate = known_sample()
    assert gate.judge(measure(noisy(np.full((*SIZE, 3), 200, np.uint8), 4))) == EMPTY
    assert measure(film(8, cells=1)).fill > 0


@pytest.mark.parametrize("size", [(64, 64), (240, 320), (480, 640), (960, 1280)])
@pytest.mark.parametrize("how", ["as it is", "grey", "as JPEG"])
def test_noise_alone_never_counts(size: tuple[int, int], how: str) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        rgb = rng.integers(0, 256, (*size, 1 if how == "grey" else 3), dtype=np.uint8)
        frame = np.repeat(rgb, 3, axis=2) if how == "grey" else rgb
        if how == "as JPEG":
            frame = np.asarray(cv2.imdecode(cv2.imencode(".jpg", frame)[1], cv2.IMREAD_COLOR), np.uint8)
        assert Gate().judge(measure(frame)) is not None, seed


def test_the_same_view_counts_once_through_noise_jpeg_and_drift() -> None:
    gate = known_sample()
    view = film(30)
    assert gate.judge(measure(view)) is None
    packed = cv2.imencode(".jpg", noisy(view, 4), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    jpeg = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    copies = [noisy(view, 8, 1), jpeg, scaled(view, 0.9, 5), vignetted(view, 0.15), np.roll(view, 2, axis=1)]
    assert [gate.judge(measure(copy)) for copy in copies] == [SAME_VIEW] * 5
    assert gate.judge(measure(film(31))) is None


def test_a_stage_that_creeps_never_becomes_a_new_view() -> None:
    gate = known_sample()
    assert gate.judge(measure(film(30))) is None
    crept = [np.roll(film(30), 3 * step, axis=1) for step in range(1, 15)]
    assert [gate.judge(measure(view)) for view in crept] == [SAME_VIEW] * 14


def test_a_stage_that_creeps_is_looked_at_again_where_fields_are_registered() -> None:
    gate = Gate(registered=True)
    for at in range(8):
        gate.judge(measure(film(100 + at)))
    assert gate.judge(measure(film(30))) is None
    crept = [gate.judge(measure(np.roll(film(30), 3 * step, axis=1))) for step in range(1, 15)]
    assert crept[0] == SAME_VIEW
    assert None in crept


def test_a_view_that_comes_into_focus_counts() -> None:
    gate = known_sample()
    assert gate.judge(measure(blurred(film(40), 3))) == OUT_OF_FOCUS
    assert gate.judge(measure(film(40))) is None
    assert gate.judge(measure(film(40))) == SAME_VIEW


def test_a_bad_field_in_between_does_not_make_a_view_count_twice() -> None:
    gate = known_sample()
    assert gate.judge(measure(film(41))) is None
    assert gate.judge(measure(np.zeros((*SIZE, 3), np.uint8))) == UNDER_EXPOSED
    assert gate.judge(measure(film(41))) == SAME_VIEW


def test_the_same_fields_give_the_same_answers() -> None:
    fields: list[Quality] = [measure(film(seed % 9)) for seed in range(20)]
    first, second = Gate(), Gate()
    assert [first.judge(q) for q in fields] == [second.judge(q) for q in fields]


def test_measuring_costs_little() -> None:
    rgb = noisy(
        np.asarray(cv2.resize(film(1), (1280, 960)), np.uint8), 2
    )  # as a camera's: flat drawings are looked at twice
    took = []
    for _ in range(30):
        start = time.process_time()
        measure(rgb)
        took.append(time.process_time() - start)
    assert min(took) < 0.005  # 0.5 ms on an idle desktop; the bound is for a busy one
