"""Draws what is no red cell into views to learn from: white cells, smudges, stain, ghosts, folds, scale bars.

Real fields hold few of them, and white cells in few stains. All but scale bars are drawn where no annotated thing lies, by
their optical density, so that they take part in whatever stain and lamp the view gets.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array
from models.data.scenes import OTHER, WHITE_CELL

_WHITES, _SMUDGES, _GHOSTS, _SPECKS = 0.25, 0.6, 0.35, 2.0
"""Mean numbers of white cells, smudges, ghosts and specks in a view."""

_FOLD, _BAR = 0.08, 0.12
"""Shares of views with a fold, and with a scale bar."""

_NUCLEUS = ((0.6, 1.3), (1.3, 2.6), (0.3, 1.2))
"""Optical density of a white cell's nucleus, from and to, in red, green and blue."""

_CYTOPLASM = ((0.03, 0.4), (0.05, 0.7), (0.0, 0.5))
"""The same of its cytoplasm: grey, blue, pink or orange."""

_TRIES = 6  # places that are looked at for one thing
_STAINS = ((0.6, 0.6, 0.6), (0.25, 0.5, 0.9))
"""Optical density (red, green, blue) of what dirties a film: black, brown.

None is purple or blue: a net that learned from such smudges took parasites of stains it had not seen for them."""


class Things(NamedTuple):
    """A view with what is in it: uint8 [h, w, 3], boxes float32 [n, 4], kinds int [n]."""

    rgb: UInt8Array
    boxes: np.ndarray
    kind: np.ndarray


def with_other_things(
    rgb: UInt8Array, boxes: np.ndarray, kind: np.ndarray, unit: float, rng: np.random.Generator
) -> Things:
    """The view with other things in it, and their boxes.

    Args:
        rgb: uint8 [h, w, 3].
        boxes: float32 [n, 4] of what is in it.
        kind: int [n].
        unit: width of a typical box in pixels.
        rng: draws them.
    """
    density = np.zeros(rgb.shape, np.float32)
    taken = _circles(boxes)
    made: list[tuple[float, float, float, float]] = []
    kinds: list[int] = []
    for paint, mean, sizes in _PLAN:
        for _ in range(int(rng.poisson(mean))):
            radius = float(np.exp(rng.uniform(*np.log(sizes)))) * unit
            place = _free(taken, radius, rgb.shape, rng)
            if place is None:
                continue
            box = paint(density, place, radius, rng)
            taken = np.vstack([taken, [*place, radius]])
            if box is not None:
                made.append(box)
                kinds.append(WHITE_CELL if paint is _white_cell else OTHER)
    if rng.random() < _FOLD:
        _fold(density, unit, rng)
    painted = np.asarray(rgb * np.exp(-density), np.uint8) if density.any() else rgb
    if rng.random() < _BAR:
        painted, box = _scale_bar(painted, unit, rng)
        made.append(box)
        kinds.append(OTHER)
    if not made:
        return Things(painted, boxes, kind)
    more = np.array(made, np.float32)
    return Things(painted, np.concatenate([boxes, more]), np.concatenate([kind, kinds]))


def _circles(boxes: np.ndarray) -> np.ndarray:
    """Circles about in boxes float32 [n, 4]: x, y, radius, [n, 3]."""
    return np.hstack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1, keepdims=True) * 0.42]).reshape(-1, 3)


def _free(
    taken: np.ndarray, radius: float, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[float, float] | None:
    """A place for something of that radius where nothing is; None: none was found."""
    for _ in range(_TRIES):
        x, y = float(rng.uniform(0, shape[1])), float(rng.uniform(0, shape[0]))
        if not len(taken) or (np.hypot(taken[:, 0] - x, taken[:, 1] - y) > taken[:, 2] + radius * 0.8).all():
            return x, y
    return None


def _window(
    shape: tuple[int, ...], place: tuple[float, float], reach: float
) -> tuple[tuple[slice, slice], FloatArray, FloatArray]:
    """The part of the view around a place, and how far each of its pixels lies to the right and below."""
    x, y = place
    x0, x1 = max(0, int(x - reach)), min(shape[1], int(x + reach) + 2)
    y0, y1 = max(0, int(y - reach)), min(shape[0], int(y + reach) + 2)
    down, across = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    return np.s_[y0:y1, x0:x1], across - np.float32(x), down - np.float32(y)


def _outline(radius: float, unevenness: float, rng: np.random.Generator, angle: FloatArray) -> FloatArray:
    """Radius of an uneven outline at these angles."""
    out = np.ones_like(angle)
    for order in range(2, 7):
        out += np.float32(rng.normal(0, unevenness / order)) * np.cos(order * angle + np.float32(rng.uniform(0, 6.3)))
    return np.asarray(np.float32(radius) * np.clip(out, 0.3, 2), np.float32)


def _white_cell(
    density: FloatArray, place: tuple[float, float], radius: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """A nucleus of one to five lobes, apart or joined, in a disc of cytoplasm with or without grains."""
    part, across, down = _window(density.shape, place, 1.5 * radius)
    soft = np.float32(0.08 * radius + 0.6)
    body = np.clip((_outline(radius, 0.2, rng, np.arctan2(down, across)) - np.hypot(across, down)) / soft + 0.5, 0, 1)
    lobes = int(rng.integers(1, 6))
    size = float(rng.uniform(0.6, 0.95) if lobes == 1 else rng.uniform(0.9, 1.15) / np.sqrt(lobes + 0.8)) * radius
    nucleus = np.zeros_like(body)
    turn = rng.uniform(0, 6.3)
    for lobe in range(lobes):
        far = 0.0 if lobes == 1 else float(rng.uniform(0.85, 1)) * (radius - size)
        angle = turn + lobe * float(rng.uniform(0.9, 1.6))
        x, y = across - np.float32(far * np.cos(angle)), down - np.float32(far * np.sin(angle))
        edge = _outline(size, 0.35, rng, np.arctan2(y, x))
        nucleus = np.maximum(nucleus, np.clip((edge - np.hypot(x, y)) / soft + 0.5, 0, 1))
    grain = cv2.GaussianBlur(rng.standard_normal(body.shape, np.float32), (0, 0), max(0.6, radius / 12))
    colours = [np.array([rng.uniform(*ends) for ends in table], np.float32) for table in (_CYTOPLASM, _NUCLEUS)]
    cytoplasm = body * np.clip(1 + grain * np.float32(rng.uniform(0, 3)), 0.2, 3)
    dense = nucleus * np.clip(1 + grain * np.float32(rng.uniform(0, 0.8)), 0.5, 1.5)
    density[part] += cytoplasm[..., None] * colours[0] + dense[..., None] * colours[1]
    return _box(part, np.maximum(body, nucleus) > 0.3, place, radius)


def _smudge(
    density: FloatArray, place: tuple[float, float], radius: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    part, across, down = _window(density.shape, place, 2 * radius)
    stretch = np.float32(np.exp(rng.normal(0, 0.3)))
    across, down = across * stretch, down / stretch
    edge = _outline(radius, 0.9, rng, np.arctan2(down, across))
    soft = np.float32(rng.uniform(0.1, 0.7) * radius + 0.7)
    body = np.clip((edge - np.hypot(across, down)) / soft + 0.5, 0, 1)
    grain = cv2.GaussianBlur(rng.standard_normal(body.shape, np.float32), (0, 0), max(0.7, radius / 6))
    body = body * np.clip(1 + grain * np.float32(rng.uniform(0, 2.5)), 0.1, 2)
    colour = np.array(_STAINS[int(rng.integers(len(_STAINS)))], np.float32)
    density[part] += body[..., None] * colour * np.float32(np.exp(rng.uniform(np.log(0.2), np.log(1.6))))
    return _box(part, body > 0.3, place, radius)


def _box(
    part: tuple[slice, slice], inside: np.ndarray, place: tuple[float, float], radius: float
) -> tuple[float, float, float, float]:
    """The box of what is painted, with the margin that annotated boxes have."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return place[0] - radius, place[1] - radius, 2 * radius, 2 * radius
    w, h = float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1)
    x, y = part[1].start + columns[0] - 0.08 * w, part[0].start + rows[0] - 0.08 * h
    return float(x), float(y), 1.16 * w, 1.16 * h


def _ghost(
    density: FloatArray, place: tuple[float, float], radius: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    part, across, down = _window(density.shape, place, 1.6 * radius)
    edge = _outline(radius, 0.3, rng, np.arctan2(down, across))
    width = np.float32(rng.uniform(0.08, 0.2) * radius + 0.4)
    rim = np.exp(-(((edge - np.hypot(across, down)) / width) ** 2) / 2)
    colour = np.array([0.5, 1.0, 0.6], np.float32) * np.float32(rng.uniform(0.04, 0.14))
    density[part] += rim[..., None] * colour
    return _box(part, np.hypot(across, down) < edge, place, radius)


def _speck(density: FloatArray, place: tuple[float, float], radius: float, rng: np.random.Generator) -> None:
    part, across, down = _window(density.shape, place, radius + 2)
    body = np.clip(np.float32(radius) - np.hypot(across, down) + 0.5, 0, 1)
    colour = np.array(_STAINS[int(rng.integers(len(_STAINS)))], np.float32)
    density[part] += body[..., None] * colour * np.float32(rng.uniform(0.4, 1.6))


def _fold(density: FloatArray, unit: float, rng: np.random.Generator) -> None:
    """A dark, curved line across the film; cells under it are cells."""
    height, width = density.shape[:2]
    start = rng.uniform(0, 1, 2) * (width, height)
    turn, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.08)
    angle = turn + bend * np.arange(40)
    points = start + np.cumsum(np.stack([np.cos(angle), np.sin(angle)], axis=1) * unit * 0.3, axis=0)
    line = np.zeros((height, width), np.uint8)
    thick = max(1, round(float(rng.uniform(0.08, 0.3)) * unit))
    cv2.polylines(line, [np.rint(points).astype(np.int32)], isClosed=False, color=255, thickness=thick)
    soft = cv2.GaussianBlur(line, (0, 0), float(rng.uniform(0.7, 2))).astype(np.float32) / 255
    density += soft[..., None] * np.float32(rng.uniform(0.15, 0.7))


def _scale_bar(
    rgb: UInt8Array, unit: float, rng: np.random.Generator
) -> tuple[UInt8Array, tuple[float, float, float, float]]:
    """A dark bar with a text below it, in a corner or anywhere."""
    height, width = rgb.shape[:2]
    length = int(unit * rng.uniform(1, 4))
    x, y = int(rng.uniform(2, max(3, width - length - 2))), int(rng.uniform(0.6, 0.93) * height)
    out = rgb.copy()
    ink = [int(rng.integers(0, 70))] * 3
    thick = int(rng.integers(1, 3))
    cv2.line(out, (x, y), (x + length, y), ink, thick)
    below = 0
    if rng.random() < 0.7:
        scale = unit * float(rng.uniform(0.012, 0.022))
        below = int(unit * 0.7)
        text = f"{int(rng.choice([5, 10, 20, 50, 60, 100]))} um"
        cv2.putText(out, text, (x + length // 8, y + below), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
    return out, (x - 1.0, y - 2.0, length + 2.0, below + 5.0)


_PLAN = (
    (_white_cell, _WHITES, (1.0, 1.4)),
    (_smudge, _SMUDGES, (0.35, 1.3)),
    (_ghost, _GHOSTS, (0.38, 0.55)),
    (_speck, _SPECKS, (0.03, 0.11)),
)
"""What draws a thing, the mean number of them in a view, and their radii from and to in typical boxes."""
