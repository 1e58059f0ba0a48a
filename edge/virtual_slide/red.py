"""Red cells: a disc of haemoglobin, thick at the rim and thin in the middle."""

from __future__ import annotations

import numpy as np

from edge.types import FloatArray, UInt8Array
from edge.virtual_slide.layout import FieldLayout
from edge.virtual_slide.look import Brush, SlideLook
from edge.virtual_slide.spec import GAMETOCYTE, RED, RING, SCHIZONT, TROPHOZOITE
from edge.virtual_slide.sprites import CLEAR, REACH, TURNS, lay, lay_over, profile_patch, ripple, smooth

_BRIGHTEN = 120
"""Transmittance 1 in the patches of central pallor, which only brighten, up to 2.1-fold."""


def lay_red_cells(image: UInt8Array, lamp: UInt8Array, layout: FieldLayout, brush: Brush) -> None:
    """Lay all red cells, healthy and infected, over ``image``, which was ``lamp`` before anything lay on it."""
    look, rng, scale = brush
    which = np.flatnonzero((layout.kinds >= RED) & (layout.kinds <= GAMETOCYTE))
    kinds, count = layout.kinds[which], len(which)
    if not count:
        return
    outlines = layout.outlines[which]
    radii = outlines.mean(1)
    pressed = layout.pressed[which]
    filled = np.isin(kinds, [TROPHOZOITE, SCHIZONT, GAMETOCYTE])
    strength = np.exp(rng.normal(0, 0.07, count)) * np.where(pressed, rng.uniform(0.82, 1.0, count), 1.0)
    if not look.banana:
        # P. vivax empties the cell it lives in.
        strength = strength * np.where(filled, rng.uniform(0.55, 0.9, count), 1.0)
    tints = np.asarray(look.red * (strength[:, None] * rng.normal(1, 0.02, (count, 3))), np.float32)
    bodies = _body_tables(look, rng, tints, radii, 1.7 * scale)
    depth = np.clip(rng.normal(look.pallor_depth, 0.16, count), 0, 0.95)
    depth *= (
        np.where(rng.random(count) < 0.08, 0.1, 1.0)
        * np.where(pressed, rng.uniform(0.1, 0.8, count), 1.0)
        * np.where(filled, 0.1, 1.0)
    )
    depth *= np.where(kinds == RING, 0.35, 1.0)
    missing = np.asarray(tints * depth[:, None], np.float32)
    pale, pallors = _pallors(look, rng, missing, outlines)
    offset = np.round(rng.normal(0, 0.07, (count, 2)) * radii[:, None]).astype(np.int32)
    reach = np.ceil(outlines.max(1) * 1.12 + 2).astype(np.int32)
    pale_reach = np.ceil(pale.max(1) * 1.25).astype(np.int32)
    for i, (x, y) in enumerate(layout.centres[which].tolist()):
        body = profile_patch(outlines[i], bodies[i], int(reach[i]))
        if pressed[i]:
            lay_over(image, lamp, body, (x, y), look.squeeze)
        else:
            lay(image, body, (x, y))
        if depth[i] > 0.04:
            spot = profile_patch(pale[i], pallors[i], int(pale_reach[i]))
            lay(image, spot, (x + int(offset[i, 0]), y + int(offset[i, 1])), clear=_BRIGHTEN)


def _body_tables(
    look: SlideLook, rng: np.random.Generator, tints: FloatArray, radii: FloatArray, soft: float
) -> UInt8Array:
    """Transmittance over ``u``, uint8 [n, 256, 3]; tints are densities float32 [n, 3], ``soft`` the edge in pixels."""
    fringe = 1 + look.fringe * np.asarray([1, 0, -1])
    u = REACH[None, :, None] * fringe
    inside = np.clip((1 - u) * (radii / soft)[:, None, None] + 0.5, 0, 1)
    edge = smooth(inside.astype(np.float32))
    lip = rng.uniform(0.5, 1.5, (len(radii), 1, 1)) * np.exp(-np.square((u - 0.92) / 0.07))
    density = edge * (tints[:, None] * (1 - 0.10 * np.square(1 - u)) + look.rim * lip)
    halo = look.halo * np.exp(-np.square((u - 1.09) / 0.05)) * (1 - edge)
    shown = np.exp(-density) + halo
    shown[:, -4:] = 1
    return np.round(np.clip(shown * CLEAR, 0, 255)).astype(np.uint8)


def _pallors(
    look: SlideLook, rng: np.random.Generator, missing: FloatArray, outlines: FloatArray
) -> tuple[FloatArray, UInt8Array]:
    """Outlines [n, TURNS] and brightening tables [n, 256, 3] of the pale middles; ``missing`` is density [n, 3]."""
    count = len(missing)
    width = np.clip(look.pallor_width * np.exp(rng.normal(0, 0.2, count)), 0.15, 0.62)
    own = outlines.mean(1, keepdims=True) * (1 + ripple(rng, count, range(2, 5), 0.09))
    # Half the cell's own shape, half a shape of its own.
    pale = (0.5 * outlines + 0.5 * own) * (1.6 * width)[:, None]
    steep = np.clip(rng.normal(look.pallor_edge, 0.3, count), 1.8, 4)[:, None]
    curve = np.exp(-np.power(REACH[None] / 0.62, steep))
    target = rng.random(count) < look.target
    curve[target] *= 1 - 0.9 * np.exp(-np.square(REACH / 0.30))
    shown = np.exp(missing[:, None] * curve[..., None])
    shown[:, -6:] = 1
    tables = np.round(np.clip(shown * _BRIGHTEN, 0, 255)).astype(np.uint8)
    return np.maximum(pale, 1.5).astype(np.float32).reshape(count, TURNS), tables
