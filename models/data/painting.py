"""What drawn cells are painted with: colours as optical densities, uneven outlines, windows of a view."""

from __future__ import annotations

import numpy as np

from edge.types import FloatArray

NUCLEUS = ((0.6, 1.3), (1.3, 2.6), (0.3, 1.2))
"""Optical density of a white cell's nucleus, from and to, in red, green and blue."""

CYTOPLASM = ((0.03, 0.4), (0.05, 0.7), (0.0, 0.5))
"""The same of its cytoplasm: grey, blue, pink or orange."""


def window(
    shape: tuple[int, ...], place: tuple[float, float], reach: float
) -> tuple[tuple[slice, slice], FloatArray, FloatArray]:
    """The part of the view around a place, and how far each of its pixels lies to the right and below."""
    x, y = place
    x0, x1 = max(0, int(x - reach)), min(shape[1], int(x + reach) + 2)
    y0, y1 = max(0, int(y - reach)), min(shape[0], int(y + reach) + 2)
    down, across = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    return np.s_[y0:y1, x0:x1], across - np.float32(x), down - np.float32(y)


def outline(radius: float, unevenness: float, rng: np.random.Generator, angle: FloatArray) -> FloatArray:
    """Radius of an uneven outline at these angles."""
    out = np.ones_like(angle)
    for order in range(2, 7):
        out += np.float32(rng.normal(0, unevenness / order)) * np.cos(order * angle + np.float32(rng.uniform(0, 6.3)))
    return np.asarray(np.float32(radius) * np.clip(out, 0.3, 2), np.float32)
