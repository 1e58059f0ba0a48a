"""What the stand-ins see: cells on bright paper, shifted from time to time, with a sensor's noise; and whether a frame shows it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edge.types import UInt8Array

_CELLS: Final = 140  # on the whole of it
_NOISES: Final = 7  # patterns of noise, used in turn with a shift
# blue, green, red
_PAPER, _CELL, _MIDDLE = (214, 222, 228), (150, 140, 205), (175, 170, 215)
_PLACES: Final = 12  # views, one after the other
_STEP: Final = 5  # pixels from one to the next
_STAYS: Final = 40  # frames in each
_BLOCK: Final = 16  # pixels: blocks whose means are compared
_OFF: Final = 12.0  # levels by which a block may be off: JPEG, noise


def _slide(width: int, height: int) -> UInt8Array:
    random = np.random.default_rng(1)
    wide = np.full((height, width + _PLACES * _STEP, 3), _PAPER, np.uint8)
    radius = max(4, width // 36)
    for x, y in random.integers(0, (wide.shape[1], height), (_CELLS, 2)).tolist():
        cv2.circle(wide, (x, y), radius, _CELL, -1, cv2.LINE_AA)
        cv2.circle(wide, (x, y), radius // 2, _MIDDLE, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), 1.2), np.uint8)


class MovingCells:
    """Frames without end: uint8 [H, W, 3], blue first. ``seed``: of the noise alone."""

    def __init__(self, width: int, height: int, seed: int = 1) -> None:
        self.size = (width, height)
        self._view = _slide(width, height).astype(np.int16)
        random = np.random.default_rng(seed)
        self._noise = random.normal(0, 3, (_NOISES, height + 16, width + 16, 3)).astype(np.int16)
        self._count = 0

    def frame(self) -> UInt8Array:
        """The next one."""
        self._count += 1
        width, height = self.size
        at, noise = self._count % 16, self._noise[self._count % _NOISES]
        move = self._count // _STAYS % _PLACES * _STEP
        turn = self._count // (16 * _NOISES) % 16  # a shift that comes again after some two thousand frames
        shot = self._view[:, move : move + width] + noise[at : at + height, turn : turn + width]
        return np.asarray(np.clip(shot, 0, 255), np.uint8)


class ScenePictures:
    """Tells whether a frame shows one of the views, all of it."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        wide = np.asarray(cv2.cvtColor(_slide(width, height), cv2.COLOR_BGR2RGB), np.uint8)
        self._views = [_blocks(wide[:, i * _STEP : i * _STEP + width]) for i in range(_PLACES)]

    def shows(self, rgb: UInt8Array, light: float = 1.0) -> bool:
        """Whether a frame, uint8 [H, W, 3], is one of them, or one of them ``light`` times as bright."""
        if rgb.shape != (self.size[1], self.size[0], 3):
            return False
        seen = _blocks(rgb)
        lights = {1.0, light}
        return any(float(np.abs(seen - view * by).max()) < _OFF for view in self._views for by in lights)


def _blocks(rgb: UInt8Array) -> np.ndarray:
    size = (rgb.shape[1] // _BLOCK, rgb.shape[0] // _BLOCK)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
