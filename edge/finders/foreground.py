"""What stands out from a bright background: a stained film at low resolution, measured against its own background.

Illumination is taken out by division: the background is a wide mean of the pixels that a first Otsu threshold (Otsu
1979) leaves out, so vignetting and a coloured lamp go, and ``absorbed = 1 - pixel / background`` is what is left. The three
channels are then added up with Fisher's weights (difference of the means over the variances), so the contrast is
that of the best linear mix of the channels, whatever the stain. The scale of the sum is the field's own: background
is 0, a typical cell is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array

FAINTEST = 0.06
"""The least share of light a typical cell takes away in the best channel; below it there is nothing to see."""

CLEAREST_NOISE = 3.3
"""Cells must differ from the background by this many standard deviations of the background: a threshold through plain
noise reaches 2.5, the faintest of 308 real fields 4.0."""

_WINDOW = 0.3  # side of the background's window as a share of the picture's longer side
_COARSE = 8  # the background is estimated on a picture this many times smaller
_SAMPLE = 7  # every seventh pixel is enough for a colour


@dataclass(frozen=True, slots=True, eq=False)
class Foreground:
    """A field at low resolution, as light taken away.

    Attributes:
        absorbed: float32 [h, w, 3], share of the background's light that is missing, per channel; about 0 to 1.
        darkness: float32 [h, w], weighted sum of ``absorbed``; background 0, a typical cell 1.
        typical: float32 [3], ``absorbed`` of a typical cell.
    """

    absorbed: FloatArray
    darkness: FloatArray
    typical: FloatArray


def foreground(small: UInt8Array) -> Foreground | None:
    """Measure a small field, uint8 [h, w, 3], against its own background; None where nothing stands out.

    Cells are taken to be darker than what surrounds them (bright field).
    """
    smooth = np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.uint8)
    _, dark = cv2.threshold(smooth[..., 1], 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    few = 20
    if not few < int(cv2.countNonZero(dark)) < dark.size - few:
        return None
    light = np.float32(1) - dark.astype(np.float32)
    absorbed = 1 - smooth.astype(np.float32) / background(smooth, light)
    # a sample of the pixels is enough for means, and medians of all of them would be the slowest step
    rows = absorbed.reshape(-1, 3)[::_SAMPLE]
    is_dark = dark.reshape(-1)[::_SAMPLE] > 0
    if not few < int(is_dark.sum()) < len(is_dark) - few:
        return None
    cells, empty = rows[is_dark], rows[~is_dark]
    typical = np.median(cells, axis=0) - np.median(empty, axis=0)
    spread = empty.var(axis=0)
    weights = np.maximum(typical / (spread + cells.var(axis=0) + 1e-5), 0)
    contrast = float(weights @ typical)
    noise = float(np.sqrt((empty @ weights).var()))
    if typical.max() < FAINTEST or contrast < CLEAREST_NOISE * noise:
        return None
    darkness = cv2.transform(absorbed, (weights / contrast).astype(np.float32).reshape(1, 3))
    return Foreground(
        np.asarray(absorbed, np.float32), np.asarray(darkness, np.float32), np.asarray(typical, np.float32)
    )


def background(smooth: UInt8Array, light: FloatArray) -> FloatArray:
    """Mean colour of the light pixels around each pixel, float32 [h, w, 3], at least 1; ``light`` is 0 or 1, [h, w]."""
    height, width = light.shape
    coarse = (max(1, width // _COARSE), max(1, height // _COARSE))
    window = max(3, int(max(coarse) * _WINDOW) | 1)
    colour = cv2.resize(smooth.astype(np.float32) * light[..., None], coarse, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(light, coarse, interpolation=cv2.INTER_AREA)
    overall = colour.reshape(-1, 3).sum(axis=0) / max(float(weight.sum()), 1e-6)
    # where a clump fills the window the little background there is must not be noise: lean on the field's mean
    lean = np.float32(0.02)
    colour = cv2.blur(colour, (window, window)) + lean * overall
    weight = cv2.blur(weight, (window, window)) + lean
    fine = cv2.resize((colour / weight[..., None]).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(fine, 1), np.float32)
