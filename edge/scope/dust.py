"""The dust map: what is darker in the same place of every field, wherever the stage stands.

A faint speck takes off some of the light and is corrected with the flat field. A deep one hides what lies under it: it is left
as it is, and a cell that touches it is set aside (``edge.analysis``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ScopeError
from edge.gate import measure
from edge.pixels import Pyramid
from edge.scope.light import PAPER, brightened
from edge.types import UInt8Array

DEEP = 0.35
"""Share of light that a speck takes at its darkest from which on it is masked and not corrected."""

MOST = 200
"""Specks of a profile; with more the optics want cleaning."""

MOST_DEEP = 40
"""Deep specks: each costs cells."""

FEWEST = 5
"""Fields, however empty."""

_PX = 640  # longer side of the halved field that dust is looked for on
_SEED, _BOTH, _REACH = 0.06, 0.035, 0.015
"""Share of light missing: in the middle of a speck, there in each half of the fields, and as far as it reaches."""

_AROUND = 61  # pixels of the window whose median is what would be there without dust
_LEAST = 3  # pixels of a speck
_MARGIN = 2  # pixels around it
_BY_CHANCE = 1e-4  # share of places that cells may cover in nearly all fields
_MOST_FIELDS = 400  # more are never asked for
_LEVEL = 200.0  # byte that the paper of each field is brought to
_BYTE = 255  # the largest


@dataclass(frozen=True, slots=True, eq=False)
class DustSpeck:
    """One speck.

    Attributes:
        box: x, y, w, h as shares of the field's width and height.
        depth: share of the light that it takes at its darkest.
        gains: uint8 [h, w], gains less one in 1/256, spread over the box; zeros where it is deep.
    """

    box: tuple[float, float, float, float]
    depth: float
    gains: UInt8Array

    @property
    def deep(self) -> bool:
        """Whether it hides what lies under it."""
        return self.depth >= DEEP

    def pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Its box x, y, w, h in pixels of a field of this width and height, rounded outwards."""
        (x, y, w, h), (width, height) = self.box, size
        left, top = int(x * width), int(y * height)
        return (
            left,
            top,
            min(width, -int(-(x + w) * width // 1)) - left,
            min(height, -int(-(y + h) * height // 1)) - top,
        )


def dust_of(
    frames: Sequence[UInt8Array], gains_at: Callable[[tuple[int, int]], UInt8Array] | None, *, moved: bool
) -> tuple[DustSpeck, ...]:
    """The dust of these fields, uint8 [H, W, 3] of one size.

    Args:
        frames: the fields.
        gains_at: the flat field's, for a picture of this width and height; None: there is none.
        moved: they hold cells, and the stage moved between them.

    Raises:
        ScopeError: fields are too few, or there is more dust than can be worked with.
    """
    fewest = fields_for_dust(frames) if moved else FEWEST
    if len(frames) < fewest:
        raise ScopeError(
            f"{len(frames)} fields are too few to tell dust from cells: give {fewest} or more, or empty ones"
        )
    views = np.stack([_grey(frame, gains_at) for frame in frames])
    missing = _missing(views, moved)
    halves = [_missing(views[first::2], moved) for first in (0, 1)]
    seeds = (missing > _SEED) & (halves[0] > _BOTH) & (halves[1] > _BOTH)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((missing > _REACH).astype(np.uint8), connectivity=8)
    kept = np.unique(labels[seeds])
    found = [n for n in kept.tolist() if n and n < count and stats[n, cv2.CC_STAT_AREA] >= _LEAST]
    specks = tuple(_speck(missing, labels == n, stats[n]) for n in found)
    deep = sum(speck.deep for speck in specks)
    if len(specks) > MOST or deep > MOST_DEEP:
        raise ScopeError(
            f"{len(specks)} specks of dust, {deep} of them deep, are too many to work with: clean eyepiece, sensor and condenser"
        )
    return specks


def fields_for_dust(frames: Sequence[UInt8Array]) -> int:
    """How many fields with as many cells as these it takes so that hardly a place is covered in all but one of them."""
    fill = sorted(measure(frame).fill for frame in frames)[len(frames) // 2]
    return next(
        (n for n in range(FEWEST, _MOST_FIELDS) if fill**n + n * (1 - fill) * fill ** (n - 1) < _BY_CHANCE),
        _MOST_FIELDS,
    )


def _grey(rgb: UInt8Array, gains_at: Callable[[tuple[int, int]], UInt8Array] | None) -> UInt8Array:
    number = 0
    while max(rgb.shape[:2]) >> number > _PX:
        number += 1
    view = Pyramid(rgb).level(number)
    if gains_at is not None:
        view = brightened(view, gains_at((view.shape[1], view.shape[0])))
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    paper = float(np.quantile(grey, PAPER))
    return np.asarray(
        cv2.convertScaleAbs(grey, alpha=_LEVEL / max(paper, 1.0)), np.uint8
    )  # a lighter field is no cleaner


def _missing(views: UInt8Array, moved: bool) -> NDArray[np.float64]:
    """Share of light missing at each pixel, float64 [h, w]: of the middle of empty fields, of the second lightest of moved ones."""
    nth = max(0, len(views) - 2) if moved else len(views) // 2
    light: NDArray[Any] = np.partition(views, nth, axis=0)[nth]
    around = cv2.medianBlur(np.ascontiguousarray(light), _AROUND)
    return np.asarray(1 - light / np.maximum(around, 1.0), np.float64)


def _speck(missing: NDArray[np.float64], inside: NDArray[np.bool_], stats: NDArray[Any]) -> DustSpeck:
    height, width = missing.shape
    left, top, wide, high = (
        int(stats[n]) for n in (cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT)
    )
    x0, y0 = max(0, left - _MARGIN), max(0, top - _MARGIN)
    x1, y1 = min(width, left + wide + _MARGIN), min(height, top + high + _MARGIN)
    part = np.where(inside, missing, 0.0)[y0:y1, x0:x1]
    depth = float(part.max())
    gains = np.clip(np.rint((1 / (1 - np.minimum(part, 0.5)) - 1) * 256), 0, _BYTE) if depth < DEEP else part * 0
    box = (x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height)
    return DustSpeck(box, round(depth, 3), gains.astype(np.uint8))


def with_dust(gains: UInt8Array, specks: Sequence[DustSpeck]) -> UInt8Array:
    """The flat field's gains, uint8 [H, W, 3], with those of faint specks: a new array, or the same where there are none."""
    faint = [speck for speck in specks if not speck.deep]
    if not faint:
        return gains
    out = gains.astype(np.int32)
    size = (gains.shape[1], gains.shape[0])
    for speck in faint:
        x, y, w, h = speck.pixels(size)
        patch = cv2.resize(speck.gains, (w, h), interpolation=cv2.INTER_LINEAR_EXACT).astype(np.int32)[:, :, None]
        there = out[y : y + h, x : x + w]
        there += patch + ((there * patch) >> 8)  # (1 + a) (1 + b) - 1
    return np.minimum(out, _BYTE).astype(np.uint8)
