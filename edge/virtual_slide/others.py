"""What is not a red cell: white cells, platelets, dust and stain specks."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from edge.types import FloatArray
from edge.virtual_slide.look import Brush
from edge.virtual_slide.sprites import Patch, grain, ripple

LARGE: Final = 46.0
"""Radius in pixels, at 66-pixel red cells, between lymphocytes and neutrophils."""


def white_cell_density(outline: FloatArray, brush: Brush) -> FloatArray:
    """Optical density float32 [h, w, 3] of a white cell of ``outline`` [TURNS]: neutrophil, or lymphocyte if small."""
    scale = brush.scale
    patch = Patch(int(np.ceil(outline.max() + 4)))
    draw = _neutrophil if outline.mean() > LARGE * scale else _lymphocyte
    draw(patch, outline, brush)
    return patch.density


def _neutrophil(patch: Patch, outline: FloatArray, brush: Brush) -> None:
    look, rng, scale = brush
    radius = float(outline.mean())
    body = patch.blob(0, 0, outline, 4 * scale)
    texture = np.clip(0.8 + 0.35 * grain(rng, patch.half, 1.3 * scale) + 0.3 * grain(rng, patch.half, 4 * scale), 0, 2)
    patch.add(body * texture, look.red * 0.22 + look.nucleus * 0.07)
    lobes = int(rng.integers(3, 6))
    # The chain of lobes bends into a C or an S, never into a closed ring.
    bend = rng.uniform(2.4, 4.2) / (lobes - 1)
    start = rng.uniform(0, 2 * np.pi)
    nucleus = np.zeros_like(body)
    points = []
    for k in range(lobes):
        turn = start + bend * k + rng.normal(0, 0.15)
        away = radius * rng.uniform(0.30, 0.46)
        points.append((away * np.cos(turn), away * np.sin(turn)))
        shape = radius * rng.uniform(0.21, 0.30) * (1 + ripple(rng, 1, range(2, 6), 0.07)[0])
        nucleus = np.maximum(nucleus, patch.blob(*points[-1], shape, 2.2 * scale))
    for (x0, y0), (x1, y1) in pairwise(points):
        for t in (0.25, 0.5, 0.75):
            bridge = patch.disc(x0 + t * (x1 - x0), y0 + t * (y1 - y0), radius * 0.13, 2.2 * scale)
            nucleus = np.maximum(nucleus, bridge)
    _stain_nucleus(patch, nucleus, brush)


def _lymphocyte(patch: Patch, outline: FloatArray, brush: Brush) -> None:
    look, rng, scale = brush
    radius = float(outline.mean())
    body = patch.blob(0, 0, outline, 2.5 * scale)
    texture = np.clip(0.9 + 0.25 * grain(rng, patch.half, 2.5 * scale), 0, 2)
    patch.add(body * texture * 0.9, look.cytoplasm)
    x, y = rng.normal(0, 0.06 * radius, 2)
    shape = outline * rng.uniform(0.76, 0.86) * (1 + ripple(rng, 1, range(2, 6), 0.03)[0])
    _stain_nucleus(patch, patch.blob(x, y, shape, 2.5 * scale) * body, brush)


def _stain_nucleus(patch: Patch, mask: FloatArray, brush: Brush) -> None:
    """Chromatin in clumps, darker and lighter."""
    look, rng, scale = brush
    texture = 0.85 + 0.13 * grain(rng, patch.half, 2.5 * scale) + 0.05 * grain(rng, patch.half, 1.0 * scale)
    patch.add(mask * np.clip(texture, 0.4, 1.3), look.nucleus)


def platelet_density(outline: FloatArray, brush: Brush) -> FloatArray:
    """Optical density of a platelet: a pale margin with purple granules in its middle."""
    look, rng, scale = brush
    patch = Patch(int(np.ceil(outline.max() + 4)))
    texture = np.clip(0.75 + 0.5 * grain(rng, patch.half, 1.3 * scale), 0.05, 2)
    strength = rng.uniform(0.6, 1.1)
    patch.add(patch.blob(0, 0, outline, 3.0 * scale) * 0.35 * strength, look.cytoplasm + look.nucleus * 0.1)
    patch.add(patch.blob(0, 0, outline * 0.78, 5.0 * scale) * texture * strength, look.nucleus * 0.33)
    return patch.density


def speck_density(outline: FloatArray, brush: Brush) -> FloatArray:
    """Optical density of a speck: precipitated stain, dust, or a bubble that only refracts."""
    look, rng, scale = brush
    radius = float(outline.mean())
    patch = Patch(int(np.ceil(outline.max() + 4)))
    mask = patch.blob(0, 0, outline, max(1.2, rng.uniform(0.8, 3.0) * scale))
    kind = rng.random()
    if kind < 0.5:
        patch.add(mask * rng.uniform(0.5, 1.0), look.nucleus * np.asarray([1.0, 0.95, 1.1], np.float32))
    elif kind < 0.8:
        patch.add(mask * rng.uniform(0.4, 1.6), np.full(3, 0.8, np.float32))
    else:
        bright = patch.disc(0, 0, radius * 0.5, radius * 0.5 + 0.5)
        patch.add(mask * 0.5, np.asarray([0.9, 0.9, 0.8], np.float32))
        patch.add(bright * -0.55, np.ones(3, np.float32))
    return patch.density
