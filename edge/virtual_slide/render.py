"""Renders a layout to pixels: lamp, film, lens, sensor."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array
from edge.virtual_slide.layout import FieldLayout, content_index, defect_of, lay_out, stage_position
from edge.virtual_slide.look import Brush, look_of
from edge.virtual_slide.others import platelet_density, speck_density, white_cell_density
from edge.virtual_slide.parasites import parasite_density
from edge.virtual_slide.red import lay_red_cells
from edge.virtual_slide.spec import PLATELET, RED, SPECK, WHITE, FieldTruth, SlideSpec, Stream
from edge.virtual_slide.sprites import lay_density

_REFERENCE_PX: Final = 66.0  # cell width in pixels at which brush widths are given
TILE: Final = 512  # pixels: the side of the tile that noise is drawn in once
TILE_SIGMA: Final = 12.0  # grey levels: the tile's standard deviation, kept in bytes


def render_field(spec: SlideSpec, index: int) -> tuple[UInt8Array, FieldTruth]:
    """Render field ``index`` of a slide: RGB uint8 [height, width, 3] and its truth.

    Pure: the same arguments give the same bytes in any process, in any order; no field is dearer to reach than another.
    """
    if index < 0:
        raise ValueError("fields are numbered from 0")
    defect, source = defect_of(spec, index), content_index(spec, index)
    layout = lay_out(spec, index)
    seen = defect_of(spec, source)
    image = film(spec, layout, source, empty_field(spec))
    image = soften(image, _blur(spec, source, seen))
    image = _sensor(spec, index, source, image, seen)
    if spec.jpeg is not None:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, spec.jpeg])
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)  # type: ignore[assignment]
    truth = layout.truth()
    return image, FieldTruth(truth.boxes, truth.types, defect)


def film(spec: SlideSpec, layout: FieldLayout, source: int, light: UInt8Array) -> UInt8Array:
    """``light``, uint8 [H, W, 3], after it went through everything of ``layout``; field ``source`` seeds how that looks in detail."""
    brush = Brush(look_of(spec), spec.rng(Stream.PAINT, source), spec.cell_px / _REFERENCE_PX)
    image = light.copy()
    lay_red_cells(image, light, layout, brush)
    for kind, at, outline in zip(layout.kinds.tolist(), layout.centres.tolist(), layout.outlines, strict=True):
        if kind != RED:
            lay_density(image, _density(kind, outline, brush), (at[0], at[1]))
    return image


def _density(kind: int, outline: FloatArray, brush: Brush) -> FloatArray:
    if kind == WHITE:
        return white_cell_density(outline, brush)
    if kind == PLATELET:
        return platelet_density(outline, brush)
    if kind == SPECK:
        return speck_density(outline, brush)
    return parasite_density(kind, outline, brush)


@lru_cache(maxsize=4)
def empty_field(spec: SlideSpec, least_dust: int = 0) -> UInt8Array:
    """The empty field, uint8 [height, width, 3]: vignette, tilt, and ``least_dust`` or more specks of dust on the sensor's glass."""
    look, rng = look_of(spec), spec.rng(Stream.LAMP)
    width, height, small_w, small_h = spec.width, spec.height, 80, 60
    y, x = np.mgrid[0:small_h, 0:small_w].astype(np.float32)
    x, y = x / small_w - look.lamp[0], (y / small_h - look.lamp[1]) * height / width
    fall = 1 - look.vignette * (x * x + y * y) / 0.39
    blotches = cv2.GaussianBlur(rng.standard_normal((small_h, small_w), dtype=np.float32), (0, 0), 6)
    light = fall * (1 + 0.012 * blotches / blotches.std())
    tint = 1 + rng.normal(0, 0.02, (2, 3)).astype(np.float32)
    level = light[..., None] * look.background * (1 + x[..., None] * (tint[0] - 1) + y[..., None] * (tint[1] - 1))
    full = cv2.resize(level.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(max(least_dust, int(rng.poisson(0.8)))):
        _sensor_dust(full, rng)
    # Rounding a slow gradient would leave steps; a grain of noise hides them.
    grain = rng.random((128, 128, 3), dtype=np.float32) - np.float32(0.5)
    full += np.tile(grain, (-(-height // 128), -(-width // 128), 1))[:height, :width]
    lamp: UInt8Array = cv2.convertScaleAbs(full)
    return lamp


def _sensor_dust(level: FloatArray, rng: np.random.Generator) -> None:
    """A faint round shadow that stays where it is while the stage moves."""
    height, width = level.shape[:2]
    radius = float(rng.uniform(0.006, 0.02) * width)
    x0, y0 = rng.uniform(0, width), rng.uniform(0, height)
    reach = int(2 * radius) + 1
    top, left = max(0, int(y0) - reach), max(0, int(x0) - reach)
    part = level[top : int(y0) + reach, left : int(x0) + reach]
    y, x = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    away = np.hypot(x - x0, y - y0) / radius
    part *= (1 - rng.uniform(0.03, 0.10) * np.exp(-np.power(away, 3)))[..., None].astype(np.float32)


def _blur(spec: SlideSpec, source: int, seen: str | None) -> float:
    """Blur in pixels: focus wanders along the stage path, and is lost in blurred fields."""
    look, scale = look_of(spec), spec.cell_px / _REFERENCE_PX
    x, y = stage_position(spec, source)
    rng = spec.rng(Stream.SENSOR, source)
    wander = abs(np.sin(x / 1900 + look.lamp[0] * 50) + 0.6 * np.sin(y / 1300 + look.lamp[1] * 50)) / 1.6
    sigma = look.softness + look.drift * (wander + 0.25 * abs(rng.normal()))
    if seen == "blurred":
        sigma = rng.uniform(4.5, 9.0)
    return float(sigma * scale)


def soften(image: UInt8Array, sigma: float) -> UInt8Array:
    """The lens: blur of ``sigma`` pixels."""
    if sigma < 0.3:
        return image
    # Five sigma across hold 99 % of the light; the rest would only cost time.
    size = 2 * max(1, round(2.5 * sigma)) + 1
    return cv2.GaussianBlur(image, (size, size), sigma)  # type: ignore[return-value]


def _sensor(spec: SlideSpec, index: int, source: int, image: UInt8Array, seen: str | None) -> UInt8Array:
    """Exposure, and noise that is new in every frame even where the stage did not move."""
    look, rng = look_of(spec), spec.rng(Stream.SENSOR, source)
    gain = rng.normal(1, 0.012)
    if seen == "overexposed":
        gain = rng.uniform(1.6, 2.4)
    elif seen == "underexposed":
        gain = rng.uniform(0.18, 0.38)
    tile = sensor_noise(spec.width, spec.height)
    x, y = spec.rng(Stream.FRAME, index).integers(0, TILE // 2, 2)
    view = tile[y : y + spec.height, x : x + spec.width]
    share = look.noise / TILE_SIGMA
    return cv2.addWeighted(image, gain, view, share, -128 * share)  # type: ignore[return-value]


@lru_cache(maxsize=2)
def sensor_noise(width: int, height: int) -> UInt8Array:
    """Sensor noise around 128, its deviation ``TILE_SIGMA``, larger than a field by half of ``TILE``; grainy as a debayered one."""
    rng = np.random.default_rng([int(Stream.NOISE_TILE)])
    fine = rng.standard_normal((TILE, TILE, 3), dtype=np.float32)
    shared = rng.standard_normal((TILE, TILE, 1), dtype=np.float32)
    noise = fine * 0.8 + shared * 0.6
    noise = 0.55 * noise + cv2.GaussianBlur(noise, (3, 3), 0.8, borderType=cv2.BORDER_REFLECT)
    noise *= TILE_SIGMA / noise.std()
    tile = np.clip(np.round(noise + 128), 0, 255).astype(np.uint8)
    down, across = -(-(height + TILE // 2) // TILE), -(-(width + TILE // 2) // TILE)
    return np.tile(tile, (down, across, 1))
