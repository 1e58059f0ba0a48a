"""Fields of a made-up microscope: lamp, vignetting, dust and cells, and profiles of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from edge.scope.dust import dust_of
from edge.scope.flat import flat_field
from edge.scope.light import middle_light, paper_of
from edge.scope.profile import HeldSettings, LightReference, Profile, ScopeCamera
from edge.types import UInt8Array

SIZE = (480, 360)
Spot = tuple[int, int, int, float]
"""x, y, radius in pixels, and the share of light that it takes."""


@dataclass(frozen=True)
class Lit:
    """A microscope; ``lamp`` is the byte of its paper, a number or one per channel; ``corner`` the share that corners have of it."""

    lamp: float | tuple[float, float, float] = 215.0
    corner: float = 0.7
    dust: Sequence[Spot] = ()
    cells: int = 0
    size: tuple[int, int] = SIZE
    noise: float = 1.5

    def field(self, seed: int = 0) -> UInt8Array:
        """One field; another seed is another place of the slide."""
        width, height = self.size
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:height, 0:width].astype(np.float64)
        far = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) / 0.5
        light = 1 - (1 - self.corner) * far
        for at_x, at_y, radius, takes in self.dust:
            light *= 1 - takes * (np.hypot(x - at_x, y - at_y) <= radius)
        slide = np.ones((height, width, 3))
        for _ in range(self.cells):
            centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
            cv2.circle(slide, centre, 14, (0.75, 0.6, 0.65), -1)
        paper = np.broadcast_to(np.asarray(self.lamp, np.float64), 3)
        rgb = slide * light[..., None] * paper + rng.normal(0, self.noise, slide.shape)
        return np.asarray(np.clip(np.rint(rgb), 0, 255), np.uint8)

    def fields(self, many: int, first: int = 0) -> list[UInt8Array]:
        """So many places of the slide."""
        return [self.field(first + n) for n in range(many)]


@dataclass(frozen=True)
class Seen:
    """A frame with what a driver says of it."""

    rgb: UInt8Array
    metadata: Mapping[str, object] = field(default_factory=dict)


HELD = HeldSettings(8000.0, 1.5, (1.9, 1.4))
AS_HELD: Mapping[str, object] = {"exposure_us": 8000, "analogue_gain": 1.5, "colour_gains": (1.9, 1.4)}
CAMERA = ScopeCamera("simulated", "virtual", SIZE, "12 bit", "BGR888")


def profile_of(scope: Lit, name: str = "bench-3") -> Profile:
    """The profile of a microscope."""
    empty = replace(scope, cells=0).fields(6)
    flat = flat_field(empty)
    dust = dust_of(empty, flat.gains, moved=False)
    made = Profile(
        name,
        CAMERA,
        HELD,
        None,
        flat,
        dust,
        objective="100x/1.25 oil",
        operator="Ada",
        date="2026-11-30T00:00:00+00:00",
    )
    size = empty[0].shape[1::-1]
    correct = replace(made, camera=replace(CAMERA, size=size)).correction(size)
    light = LightReference(middle_light([paper_of(correct(one)) for one in empty]), fields=len(empty))
    return replace(made, light=light)
