"""Crops as another stain, lamp, lens and camera would have shown them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array
from edge.typical import TypicalCells
from models.data.platelets import with_platelets

_DENSITY = -np.log(np.maximum(np.arange(256), 3) / 255).astype(np.float32)
"""Optical density of a byte; darker than 3 counts as 3."""

_NOISE = np.random.default_rng(5).standard_normal(1 << 22, dtype=np.float32)
"""Drawn once: a crop's noise is a stretch of it from a random place."""


_DARKEST_LAMP = 0.35
"""Highest density of the paper under a dim lamp, besides what channels differ by."""

_BLUR = (0.3, 0.9)  # standard deviation in pixels


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How crops are changed before the net learns from them.

    Attributes:
        stain: standard deviation by which a channel's optical density takes from the others.
        channels: standard deviation of the logarithm of each channel's density.
        darkness: the same of all channels together.
        lamp: standard deviation of the paper's density from channel to channel.
        slip: standard deviation by which the paper's density is mistaken.
        blurred: share of the crops that are blurred.
        noisy: share of the crops that get noise.
        noise: largest standard deviation of that noise, in grey values.
        platelets: share of the crops that get a platelet drawn at the cell's rim; for blood cells.
    """

    stain: float = 0.06
    channels: float = 0.12
    darkness: float = 0.15
    lamp: float = 0.08
    slip: float = 0.02
    blurred: float = 0.3
    noisy: float = 0.5
    noise: float = 6.0
    platelets: float = 0.0


def augment(
    crops: UInt8Array, typical: TypicalCells, rng: np.random.Generator, how: Augmentation | None = None
) -> tuple[UInt8Array, TypicalCells]:
    """Recoloured, blurred or noisy copies; what a cell is compared with is recoloured and blurred with it.

    Args:
        crops: uint8 [n, s, s, 3].
        typical: n of them, one for each crop, of the same side.
        rng: gives the same for the same seed.
        how: None: the usual.

    Returns:
        both, as they would look elsewhere.
    """
    how = how or Augmentation()
    n, side = len(crops), crops.shape[1]
    if how.platelets:
        crops = with_platelets(crops, how.platelets, rng)
    mix = np.eye(3) + rng.normal(0, how.stain, (n, 3, 3))
    mix /= mix.sum(axis=2, keepdims=True)
    mix *= np.exp(rng.normal(0, how.channels, (n, 1, 3)) + rng.normal(0, how.darkness, (n, 1, 1)))
    stain = np.asarray(mix, np.float32)
    # Another lamp and camera show another paper; the stain changes what is denser than it.
    lamp = np.abs(rng.normal(0, how.lamp, (n, 3)) + rng.uniform(0, _DARKEST_LAMP, (n, 1))).astype(np.float32)
    paper = density(typical.papers[:, None, None])
    own = _recoloured(crops, paper, stain, lamp)
    common = _recoloured(typical.cells, paper, stain, lamp)
    for i in np.flatnonzero(rng.random(n) < how.blurred):
        sigma = float(rng.uniform(*_BLUR))
        own[i], common[i] = (cv2.GaussianBlur(one[i], (0, 0), sigma) for one in (own, common))
    for i in np.flatnonzero(rng.random(n) < how.noisy):
        first = int(rng.integers(len(_NOISE) - side * side * 3))
        own[i] += _NOISE[first : first + side * side * 3].reshape(side, side, 3) * np.float32(rng.uniform(0, how.noise))
    slip = rng.normal(0, how.slip, (n, 3)).astype(np.float32)
    papers = np.asarray(255 * np.exp(-(lamp + slip)), np.float32)
    return _bytes(own), TypicalCells(_bytes(papers), _bytes(common))


def _bytes(values: FloatArray) -> UInt8Array:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def density(values: UInt8Array) -> FloatArray:
    """Optical density of bytes, float32 of the same shape."""
    return np.asarray(_DENSITY[values], np.float32)


def _recoloured(crops: UInt8Array, paper: FloatArray, mix: FloatArray, lamp: FloatArray) -> FloatArray:
    """Crops uint8 [n, s, s, 3] in another stain and light, float32 0..255."""
    n, side = len(crops), crops.shape[1]
    above = density(crops) - paper
    out = np.empty_like(above)
    for source, weights, target in zip(above, mix, out, strict=True):
        cv2.transform(source, np.ascontiguousarray(-weights.T), target)
    out -= lamp[:, None, None]
    flat = out.reshape(n * side, -1)
    cv2.exp(flat, flat)
    np.multiply(out, np.float32(255), out=out)
    return out
