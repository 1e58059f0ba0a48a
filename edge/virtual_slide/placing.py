"""Where cells come to lie: at random, in loose clumps and chains, never so deep over each other that none could count."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.types import FloatArray, Int32Array

DoubleArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_CANDIDATES: Final = 12  # places tried for each disc of a crowd
_APART: Final = 1.06
"""Distance over sum of radii beyond which two cells are seen apart, with room for uneven outlines."""

_CLOSEST: Final = 0.66
"""The same for the deepest overlap: two equal cells then cover 23 % of each other."""

_COVERED: Final = 0.5
"""Largest share of a cell that its neighbours may cover together."""


class Crowd:
    """Discs being placed one after the other into a field and a margin around it, so that the border cuts some.

    Attributes:
        centres: int32 [n, 2], x, y in pixels.
        radii: float32 [n], pixels.
    """

    def __init__(self, width: int, height: int, margin: float) -> None:
        self._low = np.asarray([-margin, -margin])
        self._span = np.asarray([width + 2 * margin, height + 2 * margin])
        self.centres: Int32Array = np.empty((0, 2), np.int32)
        self.radii: FloatArray = np.empty(0, np.float32)

    def scatter(self, rng: np.random.Generator, radii: DoubleArray, overlap: float, patchy: float = 0.0) -> BoolArray:
        """Place discs of ``radii`` [n]; returns bool [n], False for those that found no room.

        Args:
            rng: where chance comes from.
            radii: pixels.
            overlap: share of the discs that shall touch or overlap another.
            patchy: 0 for an even film, towards 1 for clearings and thick regions.
        """
        first, count = len(self.radii), len(radii)
        at = np.concatenate([self.centres.astype(np.float64), np.zeros((count, 2))])
        size = np.concatenate([self.radii, radii]).astype(np.float64)
        covered = np.zeros(len(size))
        free = _free_spots(rng, count, self._span, patchy) * self._span + self._low
        placed, kept = first, np.zeros(count, np.bool_)
        # Joining one cell to another makes two that touch; the share of joined ones is a little over half.
        joins = rng.random(count) < overlap * 0.56
        for k, radius in enumerate(size[first:].tolist()):
            joined = joins[k] and placed > first
            spots = self._beside(rng, at[first:placed], size[first:placed], radius) if joined else free[k]
            ratio = _closeness(spots, at[:placed], size[:placed], radius)
            near = ratio.min(1, initial=9.0)
            fine = (near >= _CLOSEST) & (near <= _APART) if joined else near >= _APART
            # In a full film the roomiest spot has to do, if cells can still be told apart there.
            pick = int(fine.argmax()) if fine.any() else int(near.argmax())
            if near[pick] < _APART:
                lens = _lens(ratio[pick])
                if near[pick] < _CLOSEST or lens.sum() > _COVERED or (covered[:placed] + lens > _COVERED).any():
                    continue
                covered[:placed] += lens
                covered[placed] = lens.sum()
            at[placed], size[placed], kept[k] = spots[pick], radius, True
            placed += 1
        self.centres = np.round(at[:placed]).astype(np.int32)
        self.radii = size[:placed].astype(np.float32)
        return kept

    def pressed(self) -> BoolArray:
        """Which discs lie over or under another, bool [n]."""
        away = np.hypot(*(self.centres[:, None] - self.centres[None]).astype(np.float32).transpose(2, 0, 1))
        near = away < 0.97 * (self.radii[:, None] + self.radii[None])
        np.fill_diagonal(near, val=False)
        out: BoolArray = near.any(1)
        return out

    def _beside(self, rng: np.random.Generator, at: DoubleArray, size: DoubleArray, radius: float) -> DoubleArray:
        """Candidate spots [12, 2] that touch or overlap a disc already there, a late one more often: chains."""
        parent = np.maximum(rng.integers(0, len(size), _CANDIDATES), rng.integers(0, len(size), _CANDIDATES))
        away = (size[parent] + radius) * rng.choice([0.985, 0.94, 0.85, 0.72], _CANDIDATES)
        turn = rng.uniform(0, 2 * np.pi, _CANDIDATES)
        spots = at[parent] + away[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
        inside: DoubleArray = np.clip(spots, self._low, self._low + self._span)
        return inside


def _free_spots(rng: np.random.Generator, count: int, span: DoubleArray, patchy: float) -> DoubleArray:
    """Candidate spots float64 [count, 12, 2] in shares of the field, those where the film is thicker first.

    The thickness of the film inside one field is a few long waves.
    """
    wave = rng.normal(0, 1, (3, 2)) * 5 * span / span.max()
    size = patchy * rng.uniform(0.2, 1) * np.asarray([0.5, 0.3, 0.2])
    spots = rng.random((count, _CANDIDATES, 2))
    thickness = 1 + np.cos(spots @ wave.T + rng.uniform(0, 2 * np.pi, 3)) @ size
    thin = rng.random((count, _CANDIDATES)) * 2 > thickness
    order = np.argsort(thin, axis=1, kind="stable")
    return np.take_along_axis(spots, order[..., None], axis=1)


def _closeness(spots: DoubleArray, at: DoubleArray, size: DoubleArray, radius: float) -> DoubleArray:
    """Distance over sum of radii, float64 [m, n], of a disc at each of m spots to each of n discs."""
    dx, dy = spots[:, :1] - at[:, 0], spots[:, 1:] - at[:, 1]
    ratio: DoubleArray = np.sqrt(dx * dx + dy * dy) / (size + radius)
    return ratio


def _lens(ratio: DoubleArray) -> DoubleArray:
    """Share of a disc that an equal one covers, within a hundredth for the overlaps allowed here."""
    deep = np.clip(1 - ratio, 0, None)
    share: DoubleArray = 1.15 * deep * np.sqrt(deep)
    return share
