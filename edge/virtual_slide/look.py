"""How one slide looks: its stain, lamp, lens, camera and blood, all drawn from the seed.

Colours of things are optical densities per channel (natural logarithm): transmittance = exp(-OD).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from edge.types import FloatArray
from edge.virtual_slide.spec import SlideSpec, Stream

# Measured on real films: background levels of five scopes, optical density of red cells on six slides.
_BACKGROUNDS: Final = (
    (184, 214, 188),
    (196, 224, 199),
    (152, 164, 148),
    (176, 188, 186),
    (206, 208, 200),
    (166, 184, 206),
)
# Optical densities (red, green, blue) of red cells in six stains
_RED_DENSITY: Final = (
    (0.38, 0.58, 0.40),
    (0.27, 0.42, 0.31),
    (0.33, 1.40, 0.48),
    (0.22, 0.60, 0.33),
    (0.16, 0.42, 0.22),
    (0.20, 0.55, 0.24),
)
_RED_WEIGHTS: Final = (0.30, 0.25, 0.12, 0.35, 0.25, 0.30)  # weight of each stain in the mixture of a slide
_CHROMATIN: Final = (0.85, 1.75, 0.60)  # optical density of chromatin in a bluish stain
_CHROMATIN_RED: Final = (0.62, 1.70, 0.45)  # the same in a reddish stain
_CYTOPLASM: Final = (0.42, 0.40, 0.12)  # optical density of a parasite's cytoplasm
_PIGMENT: Final = (0.30, 0.55, 1.05)  # optical density of malaria pigment


@dataclass(frozen=True, eq=False)
class SlideLook:
    """One slide's properties; lengths are in red-cell radii unless said otherwise, colours float32 [3].

    Attributes:
        background: level of the empty field, 0 to 255.
        red: optical density of a red cell's thick part.
        rim: density added along its rim.
        nucleus: density of chromatin and of white cells' nuclei.
        cytoplasm: density of parasite cytoplasm.
        pigment: density of malaria pigment.
        halo: brightness added just outside each cell, as a share.
        fringe: shift of red against blue along the radius, as a share (the lens' colour error).
        softness: blur of the lens at best focus, in pixels at 66-pixel cells.
        drift: how far focus wanders along the stage path, in the same pixels.
        noise: standard deviation of the sensor noise, in levels.
        vignette: loss of light in the corners, as a share.
        lamp: x, y of the lamp's centre, in shares of the field.
        density: cells on this slide against the number asked for.
        clumping: overlaps on this slide against the share asked for.
        squeeze: density where two cells overlap against the denser of the two; dried cells give way to each other.
        size_spread: standard deviation of the log of the cell size.
        stretch: mean elongation of the red cells (0 is round).
        burr: share of crenated cells.
        tear: share of tear-drop cells.
        target: share of target cells.
        pallor_depth: how much of the density is missing in the middle, 0 to 1.
        pallor_width: radius of the pale part.
        pallor_edge: 2 is a Gaussian, more is a plateau.
        stages: float64 [4], shares of ring, trophozoite, schizont, gametocyte.
        banana: True where gametocytes are crescents (P. falciparum) and infected cells keep their size.
    """

    background: FloatArray
    red: FloatArray
    rim: FloatArray
    nucleus: FloatArray
    cytoplasm: FloatArray
    pigment: FloatArray
    halo: float
    fringe: float
    softness: float
    drift: float
    noise: float
    vignette: float
    lamp: tuple[float, float]
    density: float
    clumping: float
    squeeze: float
    size_spread: float
    stretch: float
    burr: float
    tear: float
    target: float
    pallor_depth: float
    pallor_width: float
    pallor_edge: float
    stages: tuple[float, float, float, float]
    banana: bool


class Brush(NamedTuple):
    """What every drawing function needs: the slide's look, chance, and the scale (1 for red cells of 66 pixels)."""

    look: SlideLook
    rng: np.random.Generator
    scale: float


@lru_cache(maxsize=64)
def look_of(spec: SlideSpec) -> SlideLook:
    """The look of a slide; only the seed of ``spec`` matters."""
    rng = spec.rng(Stream.LOOK)
    between = rng.dirichlet([0.4] * len(_BACKGROUNDS))
    background = between @ np.asarray(_BACKGROUNDS) * rng.uniform(0.94, 1.06) * rng.normal(1, 0.02, 3)
    # A small concentration keeps most slides near one real stain: an average of all would be nobody's stain.
    stain = rng.dirichlet(np.asarray(_RED_WEIGHTS) * 1.2) @ np.asarray(_RED_DENSITY)
    red = stain * rng.uniform(0.88, 1.15) * rng.normal(1, 0.05, 3)
    rim = red * rng.uniform(0.05, 0.42) * np.asarray([0.9, 1.25, 1.0])
    # A strongly stained slide stains its nuclei strongly too.
    depth = rng.uniform(0.8, 1.1) * (0.85 + 0.25 * min(float(red[1]), 1.4))
    pale, warm = rng.random() < 0.65, rng.random()
    banana = bool(rng.random() < 0.25)
    return SlideLook(
        background=np.clip(background, 100, 240).astype(np.float32),
        red=red.astype(np.float32),
        rim=rim.astype(np.float32),
        nucleus=_tinted(rng, tuple(np.asarray(_CHROMATIN) * (1 - warm) + np.asarray(_CHROMATIN_RED) * warm), depth),
        cytoplasm=_tinted(rng, _CYTOPLASM, depth),
        pigment=_tinted(rng, _PIGMENT, rng.uniform(0.8, 1.1)),
        halo=float(rng.uniform(0.0, 0.035)),
        fringe=float(rng.normal(0, 0.008)),
        softness=float(rng.uniform(0.55, 1.15)),
        drift=float(rng.uniform(0.2, 0.8)),
        noise=float(rng.uniform(1.3, 2.8)),
        vignette=float(rng.uniform(0.03, 0.22)),
        lamp=(float(rng.normal(0.5, 0.10)), float(rng.normal(0.5, 0.10))),
        density=float(rng.uniform(0.85, 1.15)),
        clumping=float(rng.uniform(0.7, 1.5)),
        squeeze=float(rng.uniform(1.15, 1.5)),
        size_spread=float(rng.uniform(0.055, 0.10)),
        stretch=float(rng.choice([0.06, 0.10, 0.16, 0.30], p=[0.35, 0.4, 0.17, 0.08])),
        burr=float(rng.choice([0.003, 0.02, 0.12], p=[0.6, 0.3, 0.1])),
        tear=float(rng.choice([0.005, 0.02, 0.05], p=[0.6, 0.3, 0.1])),
        target=float(rng.choice([0.01, 0.05, 0.25], p=[0.65, 0.25, 0.1])),
        pallor_depth=float(rng.uniform(0.45, 0.85) if pale else rng.uniform(0.08, 0.35)),
        pallor_width=float(rng.uniform(0.20, 0.50)),
        pallor_edge=float(rng.uniform(2.0, 3.2)),
        stages=(0.84, 0.06, 0.01, 0.09) if banana else (0.38, 0.24, 0.12, 0.26),
        banana=banana,
    )


def _tinted(rng: np.random.Generator, colour: tuple[float, ...], strength: float) -> FloatArray:
    return (np.asarray(colour) * strength * rng.normal(1, 0.06, 3)).astype(np.float32)
