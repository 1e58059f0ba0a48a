"""Crops as another stain, lamp, lens and camera would have shown them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array
from models.data.platelets import with_platelets

_DENSITY = -np.log(np.maximum(np.arange(256), 3) / 255).astype(np.float32)
"""Optical density of a byte; darker than 3 counts as 3."""

_NOISE = np.random.default_rng(5).standard_normal(1 << 22, dtype=np.float32)
"""Drawn once: a crop's noise is a stretch of it from a random place."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How crops are changed before the net learns from them.

    Attributes:
        stain: standard deviation by which a channel's optical density takes from the others.
        channels: standard deviation of the logarithm of each channel's density.
        darkness: the same of all channels together.
        blurred: share of the crops that are blurred by one pixel.
        noisy: share of the crops that get noise.
        noise: largest standard deviation of that noise, in grey values.
        platelets: share of the crops that get a platelet drawn at the cell's rim; for blood cells.
    """

    stain: float = 0.06
    channels: float = 0.12
    darkness: float = 0.15
    blurred: float = 0.3
    noisy: float = 0.5
    noise: float = 6.0
    platelets: float = 0.0


def augment(
    crops: UInt8Array, reference: FloatArray, rng: np.random.Generator, how: Augmentation | None = None
) -> tuple[UInt8Array, FloatArray]:
    """Recoloured, blurred or noisy copies; a field's colour is recoloured with its cells.

    Args:
        crops: uint8 [n, s, s, 3].
        reference: float32 [n, 3], colour of each one's field.
        rng: gives the same for the same seed.
        how: None: the usual.

    Returns:
        both, recoloured.
    """
    how = how or Augmentation()
    n, side = len(crops), crops.shape[1]
    if how.platelets:
        crops = with_platelets(crops, how.platelets, rng)
    mix = np.eye(3) + rng.normal(0, how.stain, (n, 3, 3))
    mix /= mix.sum(axis=2, keepdims=True)
    mix *= np.exp(rng.normal(0, how.channels, (n, 1, 3)) + rng.normal(0, how.darkness, (n, 1, 1)))
    mix = mix.astype(np.float32)
    density = cv2.LUT(crops.reshape(n * side, side, 3), _DENSITY).reshape(crops.shape)
    out = np.empty_like(density)
    for source, weights, target in zip(density, mix, out, strict=True):
        cv2.transform(source, np.ascontiguousarray(-weights.T), target)
    flat = out.reshape(n * side, -1)
    cv2.exp(flat, flat)
    np.multiply(out, np.float32(255), out=out)
    for i in np.flatnonzero(rng.random(n) < how.blurred):  # mean of each pixel and its neighbours above and to the left
        out[i] = cv2.blur(out[i], (2, 2), anchor=(1, 1), borderType=cv2.BORDER_REPLICATE)
    for i in np.flatnonzero(rng.random(n) < how.noisy):
        first = int(rng.integers(len(_NOISE) - side * side * 3))
        out[i] += _NOISE[first : first + side * side * 3].reshape(side, side, 3) * np.float32(rng.uniform(0, how.noise))
    colour = -np.log(np.maximum(reference, 3) / 255)
    recoloured = 255 * np.exp(-np.einsum("nc,ncd->nd", colour, mix))
    return np.asarray(np.clip(out, 0, 255), np.uint8), np.asarray(recoloured, np.float32)
