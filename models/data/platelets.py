"""Platelets drawn at the rim of cells to learn from: what most often makes a net call a cell of a healthy slide infected.

In cut-out cells a platelet that touches is cut out with its cell, and annotated sets hold few. One drawn on either kind of cell
teaches that it says nothing.
"""

from __future__ import annotations

import numpy as np

from edge.types import UInt8Array

_NEAREST = 0.22
"""Share of the crop's side: no rim is nearer to the middle."""
_STEPS = 24  # angles of a platelet's outline
_RADIUS = (0.035, 0.1)  # in sides of the crop
_DENSITY = ((0.1, 0.5), (0.4, 1.3), (0.0, 0.3))
"""Optical density of a platelet in red, green and blue: purple, from pale to dark."""
_CONTRAST = 1.06
"""Paper over cell, below which no rim can be told."""


def with_platelets(crops: UInt8Array, share: float, rng: np.random.Generator) -> UInt8Array:
    """Some of the crops with a platelet at their cell's rim, more out than in.

    Args:
        crops: uint8 [n, s, s, 3], the cell in the middle on brighter paper; where that cannot be told nothing is drawn.
        share: of the crops that get one.
        rng: gives the same for the same seed.

    Returns:
        uint8 [n, s, s, 3], a copy.
    """
    out = crops.copy()
    rows = np.flatnonzero(rng.random(len(crops)) < share)
    if not len(rows):
        return out
    green = crops[rows, :, :, 1].astype(np.float32)
    side = crops.shape[1]
    middle = slice(round(side * 0.3), side - round(side * 0.3))
    paper = np.percentile(green, 97, axis=(1, 2))
    cell = np.median(green[:, middle, middle], axis=(1, 2))
    told = paper > _CONTRAST * cell
    rows, green, limit = rows[told], green[told], ((paper + cell) / 2)[told]
    if not len(rows):
        return out
    count, centre = len(rows), (side - 1) / 2
    angle = rng.uniform(0, 2 * np.pi, count)
    along = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    places = np.linspace(_NEAREST * side, centre, _STEPS)
    y, x = (np.rint(centre + along[:, k : k + 1] * places).astype(int) for k in (0, 1))
    beyond = green[np.arange(count)[:, None], y, x] > limit[:, None]
    beyond[:, -1] = True
    rim = places[beyond.argmax(axis=1)]
    radius = rng.uniform(*_RADIUS, count) * side
    spot = centre + along * (rim + rng.uniform(-0.3, 0.8, count) * radius)[:, None]
    flat = rng.uniform(0.75, 1.35, count)
    down, across = (np.arange(side)[None, :] - spot[:, k : k + 1] for k in (0, 1))
    distance = np.hypot((across * flat[:, None])[:, None, :], (down / flat[:, None])[:, :, None])
    edge = rng.uniform(0.3, 0.7, count)
    body = 1 / (1 + np.exp(np.clip((distance - radius[:, None, None]) / edge[:, None, None], -30, 30)))
    body *= np.clip(1 + 0.3 * rng.standard_normal(body.shape), 0.3, 1.7)  # grains
    density = np.stack([rng.uniform(*bounds, count) for bounds in _DENSITY], axis=1)
    shade = np.exp(-body[..., None] * density[:, None, None, :])
    out[rows] = np.asarray(crops[rows] * shade, np.uint8)
    return out
