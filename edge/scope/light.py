"""The light of a field: the colour of its paper, and how it differs from the day a microscope was set up.

Bytes are taken for sRGB and made linear (IEC 61966-2-1), so that "18 % darker" speaks of light. Cameras bend their bytes each in
its own way, so the figure is an estimate; that light is the same as it was does not depend on it.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import cv2
import numpy as np

from edge.pixels import Pyramid, thinned
from edge.types import UInt8Array

PAPER = 0.92
"""The share of a field's pixels that is darker than what is taken for paper, as finder and ``edge.appearance`` have it."""

_VIEW_PX = 400  # longer side of the smaller picture that is looked at, as in edge.appearance
_STEP = 2  # every second pixel of it, both ways
_LUMA = (0.2126, 0.7152, 0.0722)
"""Parts of red, green and blue in linear light (Rec. 709)."""

_TOE, _SLOPE, _LIFT, _POWER = 0.04045, 12.92, 0.055, 2.4
"""The sRGB curve."""


class Light(NamedTuple):
    """Linear light of the paper in red, green and blue, each 0 to 1."""

    red: float
    green: float
    blue: float

    @property
    def luma(self) -> float:
        """All three as one figure."""
        return sum(share * value for share, value in zip(_LUMA, self, strict=True))


class LightChange(NamedTuple):
    """Factors by which light differs: all of it, and red and blue beside green; 1 is no change."""

    light: float
    red: float
    blue: float

    @property
    def colour(self) -> float:
        """By how much the colour has changed: the larger of both, 0 is no change."""
        return max(abs(self.red - 1), abs(self.blue - 1))


def linear(value: float) -> float:
    """A byte, 0 to 255, to linear light, 0 to 1."""
    share = value / 255
    return share / _SLOPE if share <= _TOE else float(((share + _LIFT) / (1 + _LIFT)) ** _POWER)


def byte_of(light: float) -> float:
    """Linear light to a byte, not rounded."""
    share = light * _SLOPE if light <= _TOE / _SLOPE else (1 + _LIFT) * light ** (1 / _POWER) - _LIFT
    return 255 * share


def paper_of(rgb: UInt8Array, gains: UInt8Array | None = None) -> Light:
    """The light of a field's paper, uint8 [H, W, 3]; ``gains`` correct it first: uint8, of the size of ``glance(rgb)``."""
    view = glance(rgb)
    if gains is not None:
        view = brightened(view, gains)
    rows = thinned(view, _STEP)
    at = int(rows.shape[1] * PAPER)
    red, green, blue = (linear(float(value)) for value in np.partition(rows, at, axis=1)[:, at])
    return Light(red, green, blue)


def glance(rgb: UInt8Array) -> UInt8Array:
    """The field, halved until no side is longer than some hundred pixels."""
    return Pyramid(rgb).level(glance_level((rgb.shape[1], rgb.shape[0])))


def glance_level(size: tuple[int, int]) -> int:
    """How often ``glance`` halves a field of this width and height."""
    number = 0
    while max(size) >> number > _VIEW_PX:
        number += 1
    return number


def brightened(rgb: UInt8Array, gains: UInt8Array) -> UInt8Array:
    """A small picture corrected, as ``edge.scope.spread`` says it; no speed is needed here."""
    more = np.multiply(rgb, gains, dtype=np.uint16) >> np.uint16(8)
    return np.asarray(cv2.add(rgb, more.astype(np.uint8)), np.uint8)


def change(now: Light, then: Light) -> LightChange:
    """What changed between two lights; black counts as very dark."""
    least = 1e-4  # a third of what a byte of 1 stands for
    green = max(now.green, least) / max(then.green, least)
    factors = [
        max(one, least) / max(other, least) / green for one, other in ((now.red, then.red), (now.blue, then.blue))
    ]
    return LightChange(max(now.luma, least) / max(then.luma, least), *factors)


def middle_light(lights: list[Light]) -> Light:
    """The median of each channel."""
    return Light(*(float(np.median(values)) for values in zip(*lights, strict=True)))


def share_words(factor: float, more: str = "brighter", less: str = "darker") -> str:
    """``18 % darker``."""
    return f"{abs(factor - 1) * 100:.0f} % {more if factor > 1 else less}"


def colour_words(found: LightChange) -> str:
    """``12 % redder``: what changed most of the colour."""
    red, blue = found.red, found.blue
    if abs(red - 1) >= abs(blue - 1):
        return share_words(red, "more red", "less red")
    return share_words(blue, "more blue", "less blue")


def spread_of(lights: list[Light]) -> float:
    """By how much the lights of a set differ at most, as a share of their middle."""
    values = [one.luma for one in lights]
    return (max(values) - min(values)) / max(sqrt(max(values) * min(values)), 1e-4)
