"""Synthetic fields: discs with a rim on a bright ground, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from edge.types import UInt8Array

GROUND = (210, 225, 205)
CELL_COLOUR = (200, 130, 150)
NUCLEUS = (70, 15, 90)
PARASITE = (110, 30, 120)


def ground(height: int = 480, width: int = 640, noise: float = 2.0, seed: int = 0) -> UInt8Array:
    """An empty field with sensor noise, uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(GROUND, noise, (height, width, 3)), 0, 255).astype(np.uint8)


def add_cell(field: UInt8Array, x: float, y: float, radius: float, colour: Iterable[int] = CELL_COLOUR) -> None:
    """Lay one translucent disc on a field, in place: where cells overlap both absorb light."""
    shift = 4
    layer = np.full(field.shape, 255, np.uint8)
    through = [round(255 * c / g) for c, g in zip(colour, GROUND, strict=True)]
    centre = (round(x * 2**shift), round(y * 2**shift))
    cv2.circle(layer, centre, round(radius * 2**shift), through, -1, cv2.LINE_AA, shift)
    field[:] = (field.astype(np.uint16) * layer // 255).astype(np.uint8)


def field_of(
    centres: Iterable[tuple[float, float]], radius: float, height: int = 480, width: int = 640, seed: int = 0
) -> UInt8Array:
    """A field with equal discs at ``centres``."""
    field = ground(height, width, seed=seed)
    for x, y in centres:
        add_cell(field, x, y, radius)
    return field


def spread(
    count: int, radius: float, height: int = 480, width: int = 640, *, least: float = 2.4, seed: int = 1
) -> list[tuple[float, float]]:
    """Random centres inside the field, no two nearer than ``least`` radii."""
    rng = np.random.default_rng(seed)
    centres: list[tuple[float, float]] = []
    for _ in range(20000):
        x = float(rng.uniform(1.3 * radius, width - 1.3 * radius))
        y = float(rng.uniform(1.3 * radius, height - 1.3 * radius))
        if all(np.hypot(x - a, y - b) > least * radius for a, b in centres):
            centres.append((x, y))
        if len(centres) == count:
            break
    return centres
