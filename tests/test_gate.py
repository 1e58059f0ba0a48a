"""The gate's measures, and which fields of a sample count."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
import pytest

from edge.gate import (
    EMPTY,
    INCOMPLETE,
    OUT_OF_FOCUS,
    OVER_EXPOSED,
    SAME_VIEW,
    UNDER_EXPOSED,
    Gate,
    GateLimits,
    measure,
)
from edge.types import Quality, Region, UInt8Array

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


PATTERNS = np.random.default_rng(8).normal(0, 25, (3, 24, 32))


def view(angle: float, pattern: int = 0) -> bytes:
    """The thumbnail of a view. Two of one pattern correlate by about the cosine of the angle between them, in degrees."""
    turned = PATTERNS[pattern] * np.cos(np.radians(angle)) + PATTERNS[pattern - 1] * np.sin(np.radians(angle))
    return bytes((128 + turned).clip(0, 255).round().astype(np.uint8))


def good(at: int = 0, **changes: object) -> Quality:
    """The measures of a field that counts, its view unlike any other's."""
    thumbnail = np.random.default_rng(1000 + at).integers(60, 200, (24, 32), np.uint8).tobytes()
    return Quality(0.5, 150.0, 0.25, 0.0, 0.1, thumbnail)._replace(**changes)  # type: ignore[arg-type]


def gate_of(*fields: Quality, limits: GateLimits | None = None, registered: bool = False) -> Gate:
    """A gate that has kept all of these fields."""
    gate = Gate(limits, registered=registered)
    assert [gate.judge(field) for field in fields] == [None] * len(fields)
    return gate


FIRST_FIELDS: dict[str, tuple[dict[str, Any], str | None]] = {
    "nothing wrong": ({}, None),
    "incomplete": ({"incomplete": True}, INCOMPLETE),
    "a part is missing and all else is wrong too": (
        {"incomplete": True, "under": 1.0, "fill": 0.0, "sharpness": 0.0},
        INCOMPLETE,
    ),
    "black, empty and without structure": ({"under": 1.0, "fill": 0.0, "sharpness": 0.0}, UNDER_EXPOSED),
    "white, empty and without structure": (
        {"over": 1.0, "brightness": 255.0, "fill": 0.0, "sharpness": 0.0},
        OVER_EXPOSED,
    ),
    "empty and without structure": ({"fill": 0.0, "sharpness": 0.0}, EMPTY),
    "clipped and white": ({"over": 0.971, "brightness": 235.1}, OVER_EXPOSED),
    "clipped, not white": ({"over": 1.0, "brightness": 235.0}, None),
    "white, clipped up to the limit": ({"over": 0.97, "brightness": 255.0}, None),
    "black up to the limit": ({"under": 0.97}, None),
    "black beyond the limit": ({"under": 0.971}, UNDER_EXPOSED),
    "as full as the limit": ({"fill": 0.002}, None),
    "less full than the limit": ({"fill": 0.0019}, EMPTY),
    "as sharp as the limit": ({"sharpness": 0.16}, None),
    "less sharp than the limit": ({"sharpness": 0.1599}, OUT_OF_FOCUS),
    "dim, which the sample may be": ({"brightness": 20.0}, None),
    "much clipped, which the sample may be": ({"over": 0.96}, None),
}


@pytest.mark.parametrize("name", FIRST_FIELDS)
def test_the_first_field_of_a_sample(name: str) -> None:
    changes, reason = FIRST_FIELDS[name]
    assert Gate().judge(good(**changes)) == reason


KNOWN: dict[str, tuple[dict[str, Any], str | None]] = {  # the sample: sharpness 0.5, brightness 150, a quarter clipped
    "as clipped as the sample and the step": ({"over": 0.5}, None),
    "more clipped than that": ({"over": 0.501}, OVER_EXPOSED),
    "less clipped than the sample": ({"over": 0.0}, None),
    "0.4 of the sample's brightness": ({"brightness": 60.0}, None),
    "less than that": ({"brightness": 59.9}, UNDER_EXPOSED),
    "0.55 of the sample's sharpness": ({"sharpness": 0.55 * 0.5}, None),
    "less sharp than that": ({"sharpness": 0.274}, OUT_OF_FOCUS),
    "a part is missing": ({"incomplete": True}, INCOMPLETE),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_field_of_a_known_sample(name: str) -> None:
    changes, reason = KNOWN[name]
    assert gate_of(*map(good, range(5))).judge(good(9, **changes)) == reason
    if name != "a part is missing":  # with a field less the sample is not known, and nothing is compared
        assert gate_of(*map(good, range(4))).judge(good(9, **changes)) is None


def test_a_hopeless_field_is_out_of_focus_whatever_the_sample() -> None:
    limits = GateLimits(hopeless=0.2, soft=0.1, softer=0.1)
    for fields in (0, 5):
        assert gate_of(*map(good, range(fields)), limits=limits).judge(good(9, sharpness=0.2)) is None
        assert gate_of(*map(good, range(fields)), limits=limits).judge(good(9, sharpness=0.199)) == OUT_OF_FOCUS


@pytest.mark.parametrize(("memory", "reason"), [(5, None), (31, UNDER_EXPOSED)])
def test_a_sample_is_what_its_latest_fields_are(memory: int, reason: str | None) -> None:
    fields = [good(at, brightness=200.0 if at < 5 else 90.0) for at in range(10)]
    assert gate_of(*fields, limits=GateLimits(memory=memory)).judge(good(20, brightness=40.0)) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"brightness": 50.0}, UNDER_EXPOSED),
        ({"over": 0.9}, OVER_EXPOSED),
        ({"sharpness": 0.01}, OUT_OF_FOCUS),
        ({"fill": 0.0}, EMPTY),
    ],
)
def test_rejected_fields_teach_nothing_about_the_sample(changes: dict[str, float], reason: str) -> None:
    gate = gate_of(*map(good, range(5)))
    assert {gate.judge(good(at, **changes)) for at in range(10, 50)} == {reason}
    assert gate.judge(good(99)) is None


RUNS = {  # a sample that was sharp (1.0); patience of 5; sharpness of the fields that follow, and which of them count
    "softer for good": ([0.4] * 5, "....K"),
    "what is softer for good is the new normal": ([0.4] * 5 + [0.23, 0.21], "....KK."),
    "after the new normal patience begins anew": ([0.4] * 5 + [0.2] * 5, "....K....K"),
    "a sharp field in between": ([0.4] * 4 + [1.0] + [0.4] * 5, "....K....K"),
    "as soft as a first field may be": ([0.16] * 5, "....K"),
    "softer than a first field may be": ([0.159] * 12, "." * 12),
    "half of them softer than that": ([0.1, 0.1, 0.2, 0.2, 0.2], "....K"),
    "most of them softer than that": ([0.1, 0.1, 0.1, 0.2, 0.2], "....."),
    "a drift that is brought back": ([0.1] * 10 + [0.3] * 3, "............K"),
    "hopeless ones neither count nor interrupt": ([0.4] * 3 + [0.01] * 3 + [0.4] * 2, ".......K"),
}


@pytest.mark.parametrize("name", RUNS)
def test_fields_that_are_only_too_soft(name: str) -> None:
    sharpness, counts = RUNS[name]
    gate = gate_of(*(good(at, sharpness=1.0) for at in range(6)), limits=GateLimits(patience=5))
    got = [gate.judge(good(10 + at, sharpness=value)) for at, value in enumerate(sharpness)]
    assert got == [None if mark == "K" else OUT_OF_FOCUS for mark in counts]


A, B, C, D, NEW = view(0), view(35), view(70), view(105), view(0, 2)
VIEWS = {  # neighbours of A, B, C, D are the same view (correlation 0.8), others are not (0.3)
    "the same twice": ([A, A], "K."),
    "a stage that jumps": ([A, C, A], "KKK"),
    "a stage that creeps is followed by the view last seen": ([A, B, C, D], "K..."),
    "beside it the view that was counted stays": ([A, B, C, A, B], "K...."),
    "a view seen before the last is forgotten": ([A, B, C, D, C, D, B], "K......"),
    "only the latest counted view": ([A, NEW, A], "KKK"),
    "a counted view takes the place of all before": ([A, B, NEW, B], "K.KK"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_that_are_the_same(name: str) -> None:
    views, counts = VIEWS[name]
    gate = Gate()
    got = [gate.judge(good(signature=one)) for one in views]
    assert got == [None if mark == "K" else SAME_VIEW for mark in counts]


def test_where_fields_are_registered_only_the_counted_view_is_the_same() -> None:
    gate = Gate(registered=True)
    assert [gate.judge(good(signature=one)) for one in (A, B, A, C, B, D)] == [
        None,
        SAME_VIEW,
        SAME_VIEW,
        None,
        *[SAME_VIEW] * 2,
    ]


def test_a_field_that_is_rejected_for_another_reason_is_no_view_to_compare_with() -> None:
    gate = gate_of(good(signature=A))
    assert gate.judge(good(signature=C, fill=0.0)) == EMPTY
    assert gate.judge(good(signature=C)) is None


def correlation(one: bytes, other: bytes) -> float:
    """Of two thumbnails freed of their illumination: what is coarser than 4 thumbnail pixels."""
    pictures = [np.frombuffer(view, np.uint8).reshape(24, 32).astype(np.float32) for view in (one, other)]
    reliefs = [picture - cv2.GaussianBlur(picture, (0, 0), 4.0) for picture in pictures]
    return float(np.corrcoef(np.stack([relief.ravel() for relief in reliefs]))[0, 1])


@pytest.mark.parametrize("angle", [10, 40, 75])
def test_views_are_compared_by_the_correlation_of_their_thumbnails(angle: float) -> None:
    shade = (np.add.outer(np.arange(24), np.arange(32)) * 1.2).round().astype(np.uint8)  # light from one corner
    other = (np.frombuffer(view(angle), np.uint8).reshape(24, 32) // 2 + shade).tobytes()
    level = correlation(A, other)
    assert level == pytest.approx(np.cos(np.radians(angle)), abs=0.15)
    for same, reason in ((level - 1e-4, SAME_VIEW), (level + 1e-4, None)):
        assert gate_of(good(signature=A), limits=GateLimits(same=same)).judge(good(signature=other)) == reason


def thumbnail(step: int) -> bytes:
    grey = np.full((24, 32), 120, np.uint8)
    grey[12, 16] += step
    return grey.tobytes()


@pytest.mark.parametrize(("step", "reason"), [(0, None), (1, None), (2, SAME_VIEW), (90, SAME_VIEW)])
def test_a_thumbnail_without_anything_to_see_is_no_view(step: int, reason: str | None) -> None:
    assert gate_of(good(signature=thumbnail(step))).judge(good(signature=thumbnail(step))) == reason


def test_a_correlation_at_the_limit_is_the_same_view() -> None:
    empty = thumbnail(0)  # correlates with nothing: exactly 0
    assert gate_of(good(signature=empty), limits=GateLimits(same=0.0)).judge(good(signature=A)) == SAME_VIEW


def grey_field(value: int, size: tuple[int, int] = (96, 128)) -> UInt8Array:
    return np.full((*size, 3), value, np.uint8)


LIGHT = {  # red, green, blue of a quarter of a field that is (120, 120, 120) elsewhere; over, under
    "one channel at the top": ((250, 100, 100), 0.25, 0.0),
    "another channel at the top": ((100, 100, 250), 0.25, 0.0),
    "just below the top": ((249, 249, 249), 0.0, 0.0),
    "white": ((255, 255, 255), 0.25, 0.0),
    "black": ((0, 0, 0), 0.0, 0.25),
    "close to black": ((15, 15, 15), 0.0, 0.25),
    "not quite so close to black": ((16, 16, 16), 0.0, 0.0),
    "dark in two channels, not in luma": ((0, 40, 0), 0.0, 0.0),
}


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("size", [(96, 128), (192, 256), (384, 512), (480, 640)])
def test_light_is_measured_as_shares_of_the_pixels(name: str, size: tuple[int, int]) -> None:
    colour, over, under = LIGHT[name]
    rgb = grey_field(120, size)
    rgb[: size[0] // 2, : size[1] // 2] = colour
    quality = measure(rgb)
    assert (quality.over, quality.under) == pytest.approx((over, under))
    luma = float(np.dot(colour, (0.299, 0.587, 0.114)))
    assert quality.brightness == pytest.approx(0.25 * luma + 0.75 * 120, abs=0.3)


def test_clipped_pixels_stay_clipped_in_the_small_picture() -> None:
    rgb = grey_field(0, (384, 1024))
    rgb[:, ::2] = 255  # averaged, they would be grey
    quality = measure(rgb)
    assert quality.over + quality.under == pytest.approx(1)


def test_the_signature_is_the_averaged_thumbnail_of_the_grey_field() -> None:
    rgb = cv2.resize(film(3), (256, 192), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    seen = np.frombuffer(measure(np.asarray(rgb, np.uint8)).signature, np.uint8).reshape(24, 32)
    assert np.abs(grey.reshape(24, 8, 32, 8).mean(axis=(1, 3)) - seen).max() < 1


def bars(width: int, *, upright: bool, level: int = 100) -> UInt8Array:
    """A dark bar in the middle of a bright field."""
    rgb = grey_field(200, (192, 256))
    side = 256 if upright else 192
    part = slice((side - width) // 2, (side + width) // 2)
    rgb[(slice(None), part) if upright else part] = level
    return rgb


def square(level: int) -> UInt8Array:
    rgb = grey_field(200, (192, 256))
    rgb[64:128, 64:128] = level
    return rgb


FILLS = {
    "a dark square": (square(100), (64 + 4) ** 2 / (192 * 256), 0.012),
    "a square hardly darker than the field": (square(186), 0.0, 0.0),
    "a square a little darker": (square(182), (64 - 8) ** 2 / (192 * 256), 0.005),
    "a bright square": (square(240), 0.0, 0.0),
    "an upright bar": (bars(64, upright=True), 72 / 256, 0.01),
    "a level bar": (bars(64, upright=False), 72 / 192, 0.01),
    "an upright bar that is wider than a clump": (bars(160, upright=True), 0.0, 0.0),
    "a level bar that is higher than a clump": (bars(160, upright=False), 0.0, 0.0),
    "dark on one side only": (np.roll(bars(128, upright=True), 64, axis=1), 0.0, 0.0),
    "dark below only": (np.roll(bars(96, upright=False), 48, axis=0), 0.0, 0.0),
}


@pytest.mark.parametrize("name", FILLS)
def test_the_filled_share_of(name: str) -> None:
    rgb, share, within = FILLS[name]
    assert measure(rgb).fill == pytest.approx(share, abs=within)


def energies(rgb: UInt8Array, factor: int, top: int = 0, height: int | None = None) -> tuple[float, float, float]:
    """L2, L4 and D16 of the module's equation, added up over four bands of 32 rows at a field 640 px wide."""
    last = (height or len(rgb)) - 32 * factor
    total = np.zeros(3)
    for start in (int(top + max(0, last) * at / 3) for at in range(4)):
        band = np.ascontiguousarray(rgb[start : start + 32 * factor, :, 1])
        work = cv2.resize(band, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        half = cv2.resize(work, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        laplacians = [cv2.Laplacian(picture.astype(np.float64), cv2.CV_64F) for picture in (work, half)]
        step = work[:, 8:].astype(float) - work[:, :-8]
        total += [np.square(values).mean() for values in (*laplacians, step)]
    fine, coarse, wide = total
    return fine, coarse, wide


@pytest.mark.parametrize(("size", "factor"), [((32, 640), 1), ((480, 640), 1), ((960, 1280), 2), ((900, 2000), 3)])
def test_sharpness_is_the_ratio_of_energies_in_four_bands_of_the_field(size: tuple[int, int], factor: int) -> None:
    rgb = cv2.resize(film(5, cells=150), size[::-1], interpolation=cv2.INTER_CUBIC)
    rgb = noisy(np.asarray(rgb, np.uint8), 2)
    rgb[size[0] // 2 :] = blurred(rgb, 2)[size[0] // 2 :]  # bands differ
    fine, coarse, wide = energies(rgb, factor)
    assert measure(rgb).sharpness == pytest.approx((coarse - fine / 4) / (wide - fine / 10), abs=2e-6)


def stripes(low: int, high: int) -> UInt8Array:
    rgb = grey_field(low, (64, 640))
    rgb[:, np.arange(640) % 16 < 8] = high
    return rgb


@pytest.mark.parametrize(
    ("rgb", "sharp"),
    [(stripes(100, 101), False), (stripes(100, 102), True), (stripes(100, 140), True), (stripes(100, 100), False)],
    ids=["a grey level of contrast", "two grey levels", "forty", "none"],
)
def test_a_picture_in_which_nothing_varies_is_not_sharp(rgb: UInt8Array, sharp: bool) -> None:
    assert (measure(rgb).sharpness > 0) == sharp


@pytest.mark.parametrize("size", [(1, 640), (640, 8), (1, 1)])
def test_a_picture_too_small_for_structure_is_not_sharp(size: tuple[int, int]) -> None:
    assert measure(np.random.default_rng(2).integers(0, 256, (*size, 3), dtype=np.uint8)).sharpness == 0


OUTSIDE = {"black": 0, "grey": 60, "white": 255}


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("factor", [1, 2])
def test_what_lies_beyond_the_lit_region_changes_no_measure(name: str, factor: int) -> None:
    region = Region(np.array([[140, 150], [500, 150], [500, 400], [140, 400]], np.float32) * factor)
    whole = np.asarray(cv2.resize(film(12, cells=150), None, fx=factor, fy=factor), np.uint8)
    rgb = np.full_like(whole, OUTSIDE[name])
    inside = np.s_[148 * factor : 402 * factor, 138 * factor : 502 * factor]
    rgb[inside] = whole[inside]
    reference, seen = measure(whole, region), measure(rgb, region)
    assert seen.sharpness == reference.sharpness > 0
    assert (seen.over, seen.under) == (0, 0)
    assert seen.brightness == pytest.approx(reference.brightness, abs=0.05)
    assert seen.fill == pytest.approx(reference.fill, abs=0.02)
    cut = whole[150 * factor : 400 * factor, 140 * factor : 500 * factor]
    assert seen.brightness == pytest.approx(float(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY).mean()), abs=1.5)


def test_a_field_that_stands_upright_is_measured_in_its_region_as_well() -> None:
    whole = np.ascontiguousarray(film(12, cells=150).transpose(1, 0, 2))
    region = Region(np.array([[100, 150], [380, 150], [380, 600], [100, 600]], np.float32))
    rgb = np.zeros_like(whole)
    rgb[148:602, 98:382] = whole[148:602, 98:382]
    assert measure(rgb, region).sharpness == measure(whole, region).sharpness > 0


def test_shares_are_those_of_the_lit_region() -> None:
    rgb = grey_field(120, (192, 256))
    rgb[:, 64:96] = 255
    rgb[:, 96:104] = 5
    rgb[:, 200:] = 255  # not in the region
    region = Region(np.array([[64, 0], [192, 0], [192, 192], [64, 192]], np.float32))
    quality = measure(rgb, region)
    assert quality.over == pytest.approx(32 / 128, abs=0.02)
    assert quality.under == pytest.approx(8 / 128, abs=0.02)
