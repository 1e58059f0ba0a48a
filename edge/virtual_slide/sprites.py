"""Small pieces of drawing: outlines in polar form, density profiles, and laying a patch over a field.

An outline is a table of radii, one per ``1 / TURNS`` of a turn. With ``u = r / outline(angle)`` every cell, whatever
its shape, becomes a circle of radius 1, and all that varies from its middle to its rim is a table over ``u``. Two
look-ups per pixel draw a cell, so a field of 110 takes milliseconds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import FloatArray, Int32Array, UInt8Array
from edge.virtual_slide.spec import Stream

TURNS: Final = 512  # angles per outline
ANGLES: Final[FloatArray] = (np.arange(TURNS) * (2 * np.pi / TURNS)).astype(np.float32)

STEPS: Final = 200
"""Profile entries from the middle to the outline; the 55 that follow reach 27 % beyond it."""

REACH: Final[FloatArray] = (np.arange(256) / STEPS).astype(np.float32)
"""``u`` of each profile entry, float32 [256]."""

CLEAR: Final = 240
"""Transmittance 1 in a dark patch; what is above brightens (halos)."""

_COS: Final[FloatArray] = np.cos(ANGLES)
_SIN: Final[FloatArray] = np.sin(ANGLES)


@lru_cache(maxsize=4)
def _polar(half: int) -> tuple[FloatArray, NDArray[np.intp]]:
    """Distance from the middle in pixels and turn index, both [2 half + 1, 2 half + 1]."""
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    turn = np.round(np.arctan2(y, x) * (TURNS / (2 * np.pi))).astype(np.intp) % TURNS
    return np.hypot(x, y), turn


def polar(half: int) -> tuple[FloatArray, NDArray[np.intp]]:
    """Radius and turn index of every pixel of a patch with ``half`` pixels on each side of its middle."""
    size = 64
    while size < half:
        size *= 2
    radius, turn = _polar(size)
    window = slice(size - half, size + half + 1)
    return radius[window, window], turn[window, window]


def outline_boxes(centres: Int32Array, outlines: FloatArray) -> Int32Array:
    """Tight boxes int32 [n, 4] (x, y, w, h) of outlines float32 [n, TURNS] around centres int32 [n, 2]."""
    x, y = outlines * _COS, outlines * _SIN
    low = np.stack([x.min(1), y.min(1)], 1)
    high = np.stack([x.max(1), y.max(1)], 1)
    low, high = np.floor(low + 0.5), np.ceil(high + 0.5)
    return np.concatenate([centres + low, np.maximum(high - low, 1)], 1).astype(np.int32)


def ellipses(radius: FloatArray, stretch: FloatArray, angle: FloatArray) -> FloatArray:
    """Outlines [n, TURNS] of ellipses of the same area as circles of ``radius``; axes are in ratio exp(2 stretch)."""
    turned = ANGLES - angle[:, None]
    long, short = np.exp(stretch)[:, None], np.exp(-stretch)[:, None]
    shape = 1 / np.sqrt((np.cos(turned) / long) ** 2 + (np.sin(turned) / short) ** 2)
    out: FloatArray = (radius[:, None] * shape).astype(np.float32)
    return out


def ripple(rng: np.random.Generator, count: int, orders: range, size: float) -> FloatArray:
    """Smooth random unevenness [count, TURNS] around 0; ``size`` is the standard deviation of each order's share."""
    orders_array = np.asarray(orders)
    weight = rng.normal(0, size, (count, 2, len(orders))) / np.sqrt(orders_array - orders_array[0] + 1)
    waves = np.stack([np.cos(np.outer(orders_array, ANGLES)), np.sin(np.outer(orders_array, ANGLES))])
    out: FloatArray = np.einsum("nck,ckt->nt", weight, waves).astype(np.float32)
    return out


def profile_patch(outline: FloatArray, table: UInt8Array, half: int) -> UInt8Array:
    """Patch uint8 [2 half + 1, 2 half + 1, 3] of a table uint8 [256, 3] over ``u``."""
    radius, turn = polar(half)
    reach = cv2.convertScaleAbs(radius * np.take(STEPS / outline, turn))
    return cv2.LUT(cv2.cvtColor(reach, cv2.COLOR_GRAY2RGB), table.reshape(1, 256, 3))  # type: ignore[return-value]


def _meet(
    shape: tuple[int, ...], patch: tuple[int, ...], at: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where an image and a patch with its middle at ``at`` (x, y) meet: windows into the image and into the patch."""
    left, top = at[0] - patch[1] // 2, at[1] - patch[0] // 2
    x0, x1 = max(0, left), max(0, min(shape[1], left + patch[1]))
    y0, y1 = max(0, top), max(0, min(shape[0], top + patch[0]))
    x0, y0 = min(x0, x1), min(y0, y1)
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def lay(image: UInt8Array, patch: UInt8Array, at: tuple[int, int], clear: int = CLEAR) -> None:
    """Multiply ``image`` in place by ``patch / clear``, its middle at ``at`` (x, y); what overruns is cut off."""
    here, there = _meet(image.shape, patch.shape, at)
    if patch[there].size:
        cv2.multiply(image[here], patch[there], dst=image[here], scale=1 / clear)


def lay_over(image: UInt8Array, lamp: UInt8Array, patch: UInt8Array, at: tuple[int, int], squeeze: float) -> None:
    """``lay`` for a cell on another: their common part is at most ``squeeze`` times as dense as the denser of the two.

    ``lamp`` is the empty field, which tells how dense the image is already.
    """
    here, there = _meet(image.shape, patch.shape, at)
    part = patch[there]
    if part.size:
        roi, light = image[here], lamp[here]
        denser = cv2.min(cv2.divide(roi, light, scale=CLEAR), part)
        least = cv2.multiply(cv2.LUT(denser, _squeezed(squeeze)), light, scale=1 / CLEAR)
        cv2.max(cv2.multiply(roi, part, scale=1 / CLEAR), least, dst=roi)


@lru_cache(maxsize=8)
def _squeezed(squeeze: float) -> UInt8Array:
    """Transmittance ``T ** squeeze`` as a table uint8 [256] in units of ``CLEAR``."""
    out: UInt8Array = np.clip(np.power(np.arange(256) / CLEAR, squeeze) * CLEAR, 0, 255).astype(np.uint8)
    return out


def lay_density(image: UInt8Array, density: FloatArray, at: tuple[int, int]) -> None:
    """The same for an optical density float32 [h, w, 3]; negative densities brighten, at most twofold."""
    lay(image, np.clip(np.exp(-density) * 127.5, 0, 255).astype(np.uint8), at, clear=127)


def smooth(inside: FloatArray) -> FloatArray:
    """A straight edge, 0 to 1, rounded off at both ends."""
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)


class Patch:
    """An optical density under construction, float32 [2 half + 1, 2 half + 1, 3], origin in its middle."""

    def __init__(self, half: int) -> None:
        self.half = half
        step = np.arange(-half, half + 1, dtype=np.float32)
        self.y, self.x = step[:, None], step[None, :]
        self.density: FloatArray = np.zeros((2 * half + 1, 2 * half + 1, 3), np.float32)

    def blob(self, x: float, y: float, outline: FloatArray, soft: float) -> FloatArray:
        """Mask 0 to 1 of an outline float32 [TURNS] around ``x``, ``y``, its edge ``soft`` pixels wide."""
        dx, dy = self.x - np.float32(x), self.y - np.float32(y)
        turn = (np.arctan2(dy, dx) * (TURNS / (2 * np.pi))).astype(np.intp) % TURNS
        inside = np.clip((outline[turn] - np.hypot(dx, dy)) / soft + 0.5, 0, 1)
        return smooth(inside)

    def disc(
        self, x: float, y: float, radius: float, soft: float, *, stretch: float = 0, angle: float = 0
    ) -> FloatArray:
        """Mask 0 to 1 of an ellipse."""
        c, s = np.cos(angle), np.sin(angle)
        dx, dy = self.x - x, self.y - y
        u = (dx * c + dy * s) * np.exp(-stretch), (dy * c - dx * s) * np.exp(stretch)
        inside = np.clip((radius - np.hypot(*u)) / soft + 0.5, 0, 1)
        return smooth(inside)

    def add(self, mask: FloatArray, colour: FloatArray) -> None:
        """Put ``colour`` (density float32 [3]) where ``mask`` is."""
        self.density += mask[..., None] * colour


@lru_cache(maxsize=32)
def _grain_tile(sigma: float) -> FloatArray:
    rng = np.random.default_rng([int(Stream.GRAIN_TILE), round(sigma * 100)])
    tile = rng.standard_normal((512, 512), dtype=np.float32)
    tile = cv2.GaussianBlur(tile, (0, 0), sigma) - cv2.GaussianBlur(tile, (0, 0), 4 * sigma)
    return np.asarray(tile / tile.std(), np.float32)


def grain(rng: np.random.Generator, half: int, sigma: float) -> FloatArray:
    """Granular texture float32 [2 half + 1, 2 half + 1], mean 0 and deviation 1, grains ``sigma`` pixels wide."""
    tile = _grain_tile(max(0.4, round(sigma * 4) / 4))
    size = 2 * half + 1
    if size > 512:
        return cv2.resize(grain(rng, 255, sigma), (size, size))  # type: ignore[return-value]
    x, y = rng.integers(0, 513 - size, 2)
    return tile[y : y + size, x : x + size]
