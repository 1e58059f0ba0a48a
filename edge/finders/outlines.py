"""Outlines: how far a cell reaches from its seed, ray by ray.

Along each of 24 rays the outline is where darkness falls most, weighed by how near that is to the typical radius: a
star-convex shape, as in StarDist (Schmidt et al. 2018), found here without a net. The share of rays that meet a clear fall
says how much of the rim there is to be seen, and that is the best single sign that a seed is a cell.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.finders.seeds import Seeds
from edge.types import FloatArray

_RAYS = 24  # per cell
_STEP = 0.75  # pixels along a ray
_CLEAR_FALL = 0.14  # fall of darkness across an edge that is believed
_DARKEST = 1.4  # darker pixels (nuclei) pull the edge no further inwards
_FEW = 5  # with fewer clear rays the typical radius stands in


class Outlines(NamedTuple):
    """Seeds' outlines in working pixels: boxes without margin float32 [n, 4] (x, y, w, h); seen float32 [n], 0 to 1."""

    boxes: FloatArray
    seen: FloatArray


def find_outlines(darkness: FloatArray, seeds: Seeds, radius: np.float32) -> Outlines:
    """Follow rays out of every seed to where ``darkness``, float32 [h, w], falls most near ``radius`` pixels."""
    angle = np.arange(_RAYS, dtype=np.float32) * np.float32(2 * np.pi / _RAYS)
    along = np.arange(0.45 * radius, 1.5 * radius, _STEP, dtype=np.float32)
    cos, sin = np.cos(angle), np.sin(angle)
    x = seeds.x[:, None, None].astype(np.float32) + cos[:, None] * along
    y = seeds.y[:, None, None].astype(np.float32) + sin[:, None] * along
    # one row per seed: remap takes no more than 32,767 columns, and a field has that many rays sooner than seeds
    flat = (len(seeds.x), -1)
    clipped = np.clip(darkness, 0, _DARKEST)
    sampled = cv2.remap(clipped, x.reshape(flat), y.reshape(flat), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = sampled.reshape(x.shape)
    fall = profile[:, :, :-2] - profile[:, :, 2:]
    middle = along[1:-1]
    near = np.exp(-0.5 * np.square((middle / radius - np.float32(0.95)) / np.float32(0.25)))
    best = np.argmax(fall * near, axis=2)
    clear = np.take_along_axis(fall, best[..., None], axis=2)[..., 0] > _CLEAR_FALL
    typical = _typical(middle[best], clear, radius)[:, None]
    # where a neighbour hides the rim the cell is as wide as elsewhere
    reach = np.clip(np.where(clear, middle[best], typical), 0.6 * typical, 1.4 * typical)
    left, right = _extent(cos * reach)
    top, bottom = _extent(sin * reach)
    centre_x, centre_y = seeds.x + np.float32(0.5), seeds.y + np.float32(0.5)
    boxes = np.stack([centre_x + left, centre_y + top, right - left, bottom - top], axis=1)
    return Outlines(np.asarray(boxes, np.float32), np.asarray(clear.mean(axis=1), np.float32))


def _typical(reach: FloatArray, clear: np.ndarray, radius: np.float32) -> FloatArray:
    """Median of the clear rays' reach, float32 [n]; the typical radius where only few are clear."""
    count = clear.sum(axis=1)
    ordered = np.sort(np.where(clear, reach, np.float32(np.inf)), axis=1)
    median = ordered[np.arange(len(reach)), np.minimum(count // 2, reach.shape[1] - 1)]
    return np.asarray(np.where(count >= _FEW, median, radius), np.float32)


def _extent(offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Low and high end of the rays' offsets, float32 [n, rays]: means of three, so that no single ray stretches a box."""
    ordered = np.sort(offset, axis=1)
    return np.asarray(ordered[:, :3].mean(axis=1)), np.asarray(ordered[:, -3:].mean(axis=1))
