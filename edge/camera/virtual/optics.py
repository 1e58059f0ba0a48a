"""From light behind the slide to a picture: defocus and motion blur, lamp and dust, gains, noise that is new in every frame."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array
from edge.virtual_slide.look import look_of
from edge.virtual_slide.render import TILE, TILE_SIGMA, empty_field, sensor_noise, soften
from edge.virtual_slide.spec import SlideSpec
from edge.virtual_slide.sprites import CLEAR

_DUST: Final = 2  # specks on the sensor at least: a profile of a microscope shall have something to find
_COARSE: Final = 2.4
"""Blur in pixels from which on half the resolution holds all there is to see; it is several times as quick."""

_LONGEST: Final = 24  # pixels at half resolution: what moves faster is as blurred as it gets


class Optics:
    """Lens and sensor of one virtual microscope, for views of one size.

    Attributes:
        slide: whose look (lamp, lens, sensor) it has.
        pad: pixels that a view must be larger on each side, so that blur sees what lies beside it.
        softness: blur at best focus in pixels.
    """

    def __init__(self, slide: SlideSpec) -> None:
        self.slide = slide
        look, scale = look_of(slide), slide.cell_px / 66.0
        self.pad = 2 * max(4, round(16 * scale))
        self.softness = look.softness * scale
        self._light = empty_field(slide, _DUST)
        self._noise = sensor_noise(slide.width, slide.height)
        self._noise_share = look.noise / TILE_SIGMA

    def see(self, light: UInt8Array, blur: float, motion: tuple[float, float]) -> UInt8Array:
        """The lens's picture of ``light``, uint8 [height + 2 pad, width + 2 pad, 3], without the rim that was padded.

        Args:
            light: transmittance in units of ``CLEAR``.
            blur: of the lens, pixels (standard deviation).
            motion: way of the picture during the exposure, x and y in pixels.
        """
        way = float(np.hypot(*motion))
        light = self._coarse(light, blur, motion) if blur >= _COARSE or way >= 2 else soften(light, blur)
        pad = self.pad
        return light[pad : pad + self.slide.height, pad : pad + self.slide.width]

    def expose(
        self, seen: UInt8Array, level: float, colours: tuple[float, float, float], gain: float, at: tuple[int, int]
    ) -> UInt8Array:
        """The sensor's frame, uint8 [height, width, 3] in memory of its own.

        Args:
            seen: what ``see`` returned.
            level: light and gain together, 1 as the slide's look has it.
            colours: factors of red, green and blue.
            gain: the sensor's, which makes noise larger.
            at: x, y from 0 to ``NOISE_PLACES`` - 1: where the noise of this frame begins.
        """
        most = max(colours)
        light = self._light
        if min(colours) < most:
            table = np.arange(256)[:, None] * (np.asarray(colours) / most)
            light = cv2.LUT(light, np.round(table).astype(np.uint8).reshape(1, 256, 3))  # type: ignore[assignment]
        picture = cv2.multiply(seen, light, scale=level * most / CLEAR)
        share = self._noise_share * float(np.sqrt(max(gain, 0.0)))
        noise = self._noise[at[1] : at[1] + self.slide.height, at[0] : at[0] + self.slide.width]
        return cv2.addWeighted(picture, 1.0, noise, share, -128 * share, dst=picture)  # type: ignore[return-value]

    def _coarse(self, light: UInt8Array, blur: float, motion: tuple[float, float]) -> UInt8Array:
        height, width = light.shape[:2]
        small = cv2.resize(light, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        small = soften(np.asarray(small, np.uint8), blur / 2)
        kernel = _streak(motion[0] / 2, motion[1] / 2)
        if kernel.size > 1:
            small = np.asarray(cv2.filter2D(small, -1, kernel), np.uint8)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


NOISE_PLACES: Final = TILE // 2
"""Places along x and y at which a frame's noise may begin."""


def _streak(dx: float, dy: float) -> FloatArray:
    """A straight line as a kernel that adds up to 1: what a point becomes that moves by ``dx``, ``dy`` pixels."""
    way = float(np.hypot(dx, dy))
    if way > _LONGEST:
        dx, dy, way = dx * _LONGEST / way, dy * _LONGEST / way, float(_LONGEST)
    half = int(np.ceil(max(abs(dx), abs(dy)) / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, max(1, 2 * round(way) + 1)):
        kernel[round(half + dy * share), round(half + dx * share)] += 1
    out: FloatArray = kernel / kernel.sum()
    return out
