"""The flat field: how unevenly a microscope lights its fields, from empty fields or from fields that the stage moved between.

Vignetting multiplies light. Where bytes are a power of light, as cameras nearly have it, it multiplies bytes too, and so do the gains
that take it off. They only ever make brighter: the lightest place of a field stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ScopeError
from edge.gate import measure
from edge.pixels import Pyramid
from edge.scope.light import PAPER, brightened
from edge.scope.spread import ONE, ringed, spread
from edge.types import Int32Array, UInt8Array

COLUMNS = 16
"""Tiles across a field. Light changes slowly, and each tile has to show some paper."""

FEWEST_EMPTY, FEWEST_MOVED = 5, 12
"""Fields that a flat field is made from at least: empty ones, and ones with cells."""

EMPTY = 0.02
"""Share of a field that may be filled (``edge.types.Quality.fill``) where it is called empty: dust is no cell."""

SAME_VIEW = 0.6
"""Correlation of two fields with cells from which on the stage has not moved between them."""

_BLACK, _CLIPPED = 20.0, 0.01
"""Mean luma below which a field is black; share of clipped pixels above which it is saturated."""

_PX = 640  # longer side of the halved field that tiles are measured on
_ENDS = (5, 95)  # percentiles of the tiles between which evenness is told
_THIN = (48, 36)  # pixels of the thumbnail that tells two views apart


@dataclass(frozen=True, slots=True, eq=False)
class FlatField:
    """What makes fields evenly lit.

    Attributes:
        tiles: int32 [h + 2, w + 2, 3], gains less one as ``edge.scope.spread`` has them, with a ring.
        fields: how many it was made from; ``moved``: they held cells, and the stage moved between them.
        uneven: how far the paper differs over the field before, as a share of the lightest: 95 % of the tiles less 5 %.
        residual: the same after correction, of fields that were not used for it.
    """

    tiles: Int32Array
    fields: int
    moved: bool
    uneven: float
    residual: float

    def gains(self, size: tuple[int, int]) -> UInt8Array:
        """Gains for frames of this width and height: uint8 [H, W, 3], in 1/256 above 1."""
        return spread(self.tiles, size)


def unfit_for_flat(rgb: UInt8Array) -> str:
    """Why nothing can be learnt from this field, in words; empty: it is neither black nor saturated."""
    quality = measure(rgb)
    if quality.brightness < _BLACK:
        return "the field is black: is the lamp on, and the light path open?"
    if quality.over > _CLIPPED:
        return f"{quality.over * 100:.0f} % of the field is saturated: turn the lamp down or shorten the exposure"
    return ""


def filled(rgb: UInt8Array) -> float:
    """The share of a field that is not paper, 0 to 1."""
    return measure(rgb).fill


def same_view(one: UInt8Array, other: UInt8Array) -> bool:
    """Whether two fields with cells show the same place."""
    return float(np.vdot(_relief(one), _relief(other))) >= SAME_VIEW


def _relief(rgb: UInt8Array) -> NDArray[np.float64]:
    """A thumbnail freed of illumination, zero mean, unit length."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, _THIN, interpolation=cv2.INTER_AREA).astype(np.float64)
    relief = small - cv2.GaussianBlur(small, (0, 0), 4.0)
    relief -= relief.mean()
    length = float(np.linalg.norm(relief))
    return relief / length if length > 1 else np.zeros_like(relief)


def check_fields(frames: Sequence[UInt8Array]) -> bool:
    """Whether these fields held cells and the stage moved between them; False: they are empty.

    Raises:
        ScopeError: they are too few, black, saturated, of several sizes, or show cells in the same place.
    """
    if len({frame.shape for frame in frames}) > 1:
        raise ScopeError("these fields are of several sizes: a flat field is of one camera in one mode")
    for number, frame in enumerate(frames, 1):
        if why := unfit_for_flat(frame):
            raise ScopeError(f"field {number}: {why}")
    moved = sorted(map(filled, frames))[len(frames) // 2] > EMPTY if frames else False
    fewest = FEWEST_MOVED if moved else FEWEST_EMPTY
    if len(frames) < fewest:
        kind = "with cells, the stage moved between them" if moved else "empty"
        raise ScopeError(f"{len(frames)} fields are too few: give {fewest} or more ({kind})")
    if moved:
        repeated = sum(same_view(one, other) for one, other in pairwise(frames))
        if repeated > len(frames) // 4:
            raise ScopeError(
                f"there are cells in these fields, and {repeated} of {len(frames)} show the same place as the one before: "
                "move to an empty place, or move the stage between fields"
            )
    return moved


def flat_field(frames: Sequence[UInt8Array]) -> FlatField:
    """Learn the flat field from fields of one microscope, uint8 [H, W, 3] of one size.

    Raises:
        ScopeError: as ``check_fields`` says; or a place has less than half of the light of another, or hardly any paper.
    """
    moved = check_fields(frames)
    before, tiles = _learnt(frames)
    return FlatField(tiles, len(frames), moved, _uneven(before), _left_over(frames))


def _learnt(frames: Sequence[UInt8Array]) -> tuple[NDArray[np.float64], Int32Array]:
    """Levels of the tiles, float64 [h, w, 3], and the gains that make them even.

    A tile on a slope shows its lighter side, so that the first gains are too small there. What is left is measured once more.
    """
    first = _middle(np.stack([_levels(frame) for frame in frames]))
    return first, _tiles(first * _middle(_corrected(frames, _tiles(first))))


def _corrected(frames: Sequence[UInt8Array], tiles: Int32Array) -> NDArray[np.float64]:
    """Levels of fields that are corrected by these gains, float64 [n, h, w, 3]."""
    gains = spread(tiles, _small(frames[0]).shape[1::-1])
    return np.stack([_levels(frame, gains) for frame in frames])


def _left_over(frames: Sequence[UInt8Array]) -> float:
    """Made from every second field and tried on the others, both ways: the larger one."""
    halves = (frames[::2], frames[1::2])
    return max(_uneven(_middle(_corrected(other, _learnt(one)[1]))) for one, other in (halves, halves[::-1]))


def _small(rgb: UInt8Array) -> UInt8Array:
    number = 0
    while max(rgb.shape[:2]) >> number > _PX:
        number += 1
    return Pyramid(rgb).level(number)


def _levels(rgb: UInt8Array, gains: UInt8Array | None = None) -> NDArray[np.float64]:
    """The paper of each tile, float64 [h, w, 3], as a share of the field's own."""
    view = _small(rgb)
    if gains is not None:
        view = brightened(view, gains)
    height, width = view.shape[:2]
    rows = max(2, round(COLUMNS * height / width))
    ys, xs = (np.linspace(0, side, n + 1).astype(int) for side, n in ((height, rows), (width, COLUMNS)))
    out: NDArray[np.float64] = np.array([
        [_paper(view[ys[j] : ys[j + 1], xs[i] : xs[i + 1]].reshape(-1, 3)) for i in range(COLUMNS)]
        for j in range(rows)
    ])  # fmt: skip
    middle: NDArray[np.float64] = np.median(out, axis=(0, 1))
    return np.asarray(out / np.maximum(middle, 1.0))


def _paper(pixels: UInt8Array) -> NDArray[np.float64]:
    """The paper among these pixels, uint8 [n, 3]: float64 [3]."""
    at = int(len(pixels) * PAPER)
    return np.asarray(np.partition(pixels, at, axis=0)[at], np.float64)


def _middle(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median over fields, smoothed over neighbours: float64 [h, w, 3]."""
    ring = ringed(np.median(levels, axis=0))
    kernel = np.array([1, 2, 1]) / 4
    for axis in (0, 1):
        ring = np.apply_along_axis(np.convolve, axis, ring, kernel, mode="valid")
    return np.asarray(ring)


def _tiles(levels: NDArray[np.float64]) -> Int32Array:
    """The gains less one that make these levels even; raises ScopeError where they would be too large."""
    lightest = levels.max(axis=(0, 1))
    gains = lightest / np.maximum(levels, 1e-6) - 1
    if gains.max() >= 1:
        raise ScopeError(
            f"the darkest place of the field has {levels.min() / lightest.max() * 100:.0f} % of the lightest one's brightness: "
            "centre lamp and condenser first, or leave more space around cells"
        )
    return np.asarray(np.clip(np.rint(ringed(gains) * ONE), 0, ONE - 1), np.int32)


def _uneven(levels: NDArray[np.float64]) -> float:
    low, high = np.percentile(levels, _ENDS, axis=(0, 1))
    return float(((high - low) / high).max())
