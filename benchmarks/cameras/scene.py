"""What the stand-ins see: cells on bright paper, shifted a little from frame to frame, with a sensor's noise."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import UInt8Array

_CELLS = 140  # on the whole view
_NOISES = 7  # patterns of noise, used in turn with a shift: no two of some hundred frames are the same
# blue, green, red
_PAPER, _CELL, _MIDDLE = (214, 222, 228), (150, 140, 205), (175, 170, 215)
_MARGIN = 64  # pixels by which the view may move


class MovingCells:
    """Frames without end: uint8 [H, W, 3], blue first."""

    def __init__(self, width: int, height: int, seed: int = 1) -> None:
        random = np.random.default_rng(seed)
        self.size = (width, height)
        wide = np.full((height + _MARGIN, width + _MARGIN, 3), _PAPER, np.uint8)
        radius = max(4, width // 36)
        for x, y in random.integers(0, (width + _MARGIN, height + _MARGIN), (_CELLS, 2)).tolist():
            cv2.circle(wide, (x, y), radius, _CELL, -1, cv2.LINE_AA)
            cv2.circle(wide, (x, y), radius // 2, _MIDDLE, -1, cv2.LINE_AA)
        self._view = np.asarray(cv2.GaussianBlur(wide, (0, 0), 1.2), np.int16)
        self._noise = random.normal(0, 3, (_NOISES, height + 16, width + 16, 3)).astype(np.int16)
        self._count = 0

    def frame(self) -> UInt8Array:
        """The next one."""
        self._count += 1
        width, height = self.size
        at, noise = self._count % 16, self._noise[self._count % _NOISES]
        move = self._count // 40 * 5 % _MARGIN
        shot = self._view[:height, move : move + width] + noise[at : at + height, at // 2 : at // 2 + width]
        return np.asarray(np.clip(shot, 0, 255), np.uint8)
