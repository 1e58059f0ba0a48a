"""Draws parasites into the red cells of views to learn from: of any size, colour and shape, up to those that fill a swollen cell.

Real infected cells are few and of two stains. Their colours are drawn from those of drawn white cells, so that a net cannot
tell the two by colour, but by how large they are.
"""

from __future__ import annotations

import cv2
import numpy as np

from convert.measure.single import BOX_MARGIN
from edge.types import FloatArray, UInt8Array
from models.data.painting import CYTOPLASM, NUCLEUS, outline, window
from models.data.scenes import CELL, SUSPECT

_VIEWS = 0.6
"""Share of views that parasites are drawn into."""

_SHARE = (0.02, 0.3)
"""Share of the red cells of such a view that get one, from and to."""

_SWOLLEN = 0.4
"""Share of these cells that are enlarged, as P. vivax does to its cells."""

_GROWTH = (1.1, 1.4)
"""Times as wide as before, from and to."""

_GROWN = 0.55
"""Share of parasites that fill their cell; the cell's own stain then fades, as it does in P. vivax."""

_CHROMATIN = (((1, 2), (0.2, 0.6)), ((1, 4), (0.1, 0.3)), ((6, 18), (0.09, 0.17)))
"""Grains of chromatin, from and below, and their radii in those of the parasite: one mass, a few, or those of a schizont."""


def with_parasites(
    rgb: UInt8Array, boxes: np.ndarray, kind: np.ndarray, rng: np.random.Generator
) -> tuple[UInt8Array, np.ndarray, np.ndarray]:
    """The view with parasites in some of its red cells: the image, boxes and kinds.

    Args:
        rgb: uint8 [h, w, 3].
        boxes: float32 [n, 4] of what is in it.
        kind: int [n].
        rng: draws them.
    """
    if rng.random() >= _VIEWS:
        return rgb, boxes, kind
    share = float(np.exp(rng.uniform(*np.log(_SHARE))))
    chosen = np.flatnonzero((kind == CELL) & (rng.random(len(kind)) < share))
    if not len(chosen):
        return rgb, boxes, kind
    out, boxes, kind = rgb.copy(), boxes.copy(), kind.copy()
    kind[chosen] = SUSPECT
    tables = [np.array([rng.uniform(*ends) for ends in table], np.float32) for table in (CYTOPLASM, NUCLEUS)]
    paper = np.maximum(np.percentile(rgb[::4, ::4].reshape(-1, 3), 92, axis=0), 1).astype(np.float32)
    for number in chosen.tolist():
        if rng.random() < _SWOLLEN:
            boxes[number] = _swell(out, boxes[number], float(rng.uniform(*_GROWTH)))
        _infect(out, boxes[number], paper, (tables[0], tables[1]), rng)
    return out, boxes, kind


def _swell(rgb: UInt8Array, box: np.ndarray, factor: float) -> np.ndarray:
    """Enlarge what a box holds in place, over what lies around it; the box that it then has, float32 [4]."""
    middle, sides = box[:2] + box[2:] / 2, box[2:] * np.float32(factor)
    x0, y0 = np.maximum(np.floor(middle - sides / 2).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(middle + sides / 2).astype(int), rgb.shape[1::-1])
    down, across = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    across, down = across - middle[0], down - middle[1]
    larger = cv2.remap(
        rgb, middle[0] + across / factor, middle[1] + down / factor, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    away = np.hypot(across / (sides[0] / 2), down / (sides[1] / 2))
    alpha = np.clip((1 / BOX_MARGIN + 0.08 - away) / 0.1, 0, 1)[..., None]
    rgb[y0:y1, x0:x1] = (rgb[y0:y1, x0:x1] * (1 - alpha) + larger * alpha).astype(np.uint8)
    return np.concatenate([middle - sides / 2, sides]).astype(np.float32)


def _infect(
    rgb: UInt8Array,
    box: np.ndarray,
    paper: FloatArray,
    colours: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
) -> None:
    """Stain a parasite into the cell of a box, whose own stain may fade: grown up, it fills the cell."""
    x, y = (box[:2] + box[2:] / 2).tolist()
    radius = float(box[2:].mean()) / 2 / BOX_MARGIN
    part, across, down = window(rgb.shape, (x, y), 1.2 * radius + 2)
    soft = np.float32(0.06 * radius + 0.6)
    wide, high = (box[2:] / box[2:].mean()).tolist()
    host = np.clip((radius - np.hypot(across / wide, down / high)) / soft + 0.5, 0, 1)
    grown = rng.random() < _GROWN
    reach = float(rng.uniform(0.85, 1.1) if grown else rng.uniform(0.3, 0.9)) * radius
    slack, turn = max(0.0, radius - reach) * float(np.sqrt(rng.random())), rng.uniform(0, 6.3)
    across, down = across - np.float32(slack * np.cos(turn)), down - np.float32(slack * np.sin(turn))
    angle, away = np.arctan2(down, across), np.hypot(across, down)
    body = np.clip(
        (outline(reach, float(rng.uniform(0.05, 0.4 if grown else 0.7)), rng, angle) - away) / soft + 0.5, 0, 1
    )
    if rng.random() < 0.25:  # a vacuole, around which the parasite is a ring
        body = body * (1 - np.clip((float(rng.uniform(0.4, 0.8)) * reach - away) / soft + 0.5, 0, 1))
    dense = np.zeros_like(body)
    count, size = _CHROMATIN[int(rng.choice(len(_CHROMATIN)))]
    for _ in range(int(rng.integers(*count))):
        far, turn = reach * float(np.sqrt(rng.random())) * 0.85, rng.uniform(0, 6.3)
        dot = float(rng.uniform(*size)) * max(reach, 0.5 * radius)
        gap = np.hypot(across - np.float32(far * np.cos(turn)), down - np.float32(far * np.sin(turn)))
        dense = np.maximum(dense, np.clip((dot - gap) / soft + 0.5, 0, 1))
    if rng.random() < 0.5:
        dense = np.maximum(dense, body * np.float32(rng.uniform(0.1, 0.8)))
    pale = body * _texture(body.shape, radius, rng) * np.float32(rng.uniform(0.4, 1.6))
    dark = dense * _texture(body.shape, radius, rng) * np.float32(rng.uniform(0.4, 1))
    faded = host * np.float32(rng.uniform(0, 0.8) if grown else rng.uniform(0, 0.3))
    clear = (np.maximum(rgb[part], 1) / paper) ** (1 - faded[..., None]) * paper
    density = host[..., None] * (pale[..., None] * colours[0] + dark[..., None] * colours[1])
    rgb[part] = np.clip(clear * np.exp(-density), 0, 255).astype(np.uint8)


def _texture(shape: tuple[int, ...], radius: float, rng: np.random.Generator) -> FloatArray:
    """Grains of one size, float32 [h, w] about 1."""
    grain = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), float(rng.uniform(0.5, 0.5 + radius / 5)))
    return np.clip(1 + grain / max(float(grain.std()), 1e-6) * np.float32(rng.uniform(0, 0.8)), 0, 2.5).astype(
        np.float32
    )
