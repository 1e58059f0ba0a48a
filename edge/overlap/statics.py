"""Positions where every field shows something: dust on the sensor, burnt-in text. The stage does not move them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.overlap.fit import Landmarks
from edge.types import FloatArray

_BIN = 0.12  # typical cells: the finder puts what does not move nearly where it was
_VIEWS = 3  # different views that must show it
_SHARE = 0.6  # of the views; by chance it is a tenth in a dense field
_HALVED = 64  # views after which the counts are halved: what has gone is forgotten, what is new is learnt


class Statics:
    """Counts, place by place, in how many different views something stood there.

    Args:
        extent: width and height of the field in typical cells.
    """

    def __init__(self, extent: tuple[float, float]) -> None:
        columns, rows = (int(side / _BIN) + 3 for side in extent)
        self._counts = np.zeros((rows, columns), np.uint16)
        self._around = np.array([dy * columns + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
        self.views = 0

    def add(self, places: FloatArray) -> None:
        """Count a view that shows another place of the slide; places: float32 [n, 2] in typical cells."""
        self._counts.ravel()[self._bins(places)] += 1  # once, however many stand there
        self.views += 1
        if self.views == _HALVED:
            self._counts >>= 1
            self.views //= 2

    def moving(self, things: Landmarks) -> Landmarks:
        """The things that do not lie in such places."""
        if self.views < _VIEWS:
            return things
        there = self.among(things.places)
        return things.at(~there) if there.any() else things

    def among(self, places: FloatArray) -> NDArray[np.bool_]:
        """Which positions show something in most views, bool [n]."""
        # Summed, for what lies at the edge of two bins is counted now in the one, now in the other.
        counts = self._counts.ravel()[self._bins(places)[:, None] + self._around].sum(axis=1)
        return np.asarray(counts >= max(_VIEWS, _SHARE * self.views))

    def _bins(self, places: FloatArray) -> NDArray[np.int64]:
        rows, columns = self._counts.shape
        x, y = (places * np.float32(1 / _BIN)).astype(np.int64).T + 1
        return np.asarray(np.clip(y, 1, rows - 2) * columns + np.clip(x, 1, columns - 2))
