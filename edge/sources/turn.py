"""Turning a picture as its orientation says."""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import UInt8Array

_RIGHT, _LEFT = cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE
_TURNS = {3: cv2.ROTATE_180, 5: _RIGHT, 6: _RIGHT, 7: _LEFT, 8: _LEFT}
_MIRRORED = {2: 1, 4: 0, 5: 1, 7: 1}


def turned(rgb: UInt8Array, orientation: int) -> UInt8Array:
    """The picture as it is meant to be seen.

    Args:
        rgb: uint8 [H, W, 3].
        orientation: 1 to 8, as in EXIF and TIFF.

    Returns:
        uint8 [H, W, 3] or [W, H, 3], contiguous.
    """
    if orientation in _TURNS:
        rgb = np.asarray(cv2.rotate(rgb, _TURNS[orientation]), np.uint8)
    if orientation in _MIRRORED:
        rgb = np.asarray(cv2.flip(rgb, _MIRRORED[orientation]), np.uint8)
    return rgb
