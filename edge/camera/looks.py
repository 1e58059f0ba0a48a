"""Whether a frame is a picture of a field at all: torn, black, one colour, noise, or one that came before.

The measures are those of the gate and of the watch over fields (``edge.incomplete``, ``edge.no_picture``); here they are taken before
a frame is handed out, about two milliseconds per megapixel.
"""

from __future__ import annotations

import zlib
from collections import deque

import cv2
import numpy as np

from edge.camera.formats import BadFrameError
from edge.camera.records import CameraTrouble
from edge.incomplete import is_incomplete
from edge.no_picture import NoPicture, no_picture
from edge.region import find_region
from edge.types import UInt8Array

_THUMBNAIL = (32, 24)  # columns, rows
_GLANCE = 640  # columns of the copy from which it is made
_EVERY = 4  # rows apart that tell whether two frames are the same to the last bit
_REMEMBERED = 8  # frames; drivers keep no more buffers, whose old content may come again

_TROUBLES = {
    NoPicture.BLACK: (CameraTrouble.BLACK, ""),
    NoPicture.WHITE: (CameraTrouble.ONE_COLOUR, "white, too much light or too long an exposure"),
    NoPicture.EVEN: (CameraTrouble.ONE_COLOUR, ""),
    NoPicture.NOISE: (CameraTrouble.NOISE, ""),
}


class FrameChecker:
    """Looks at the frames of one opening of a camera, in order."""

    def __init__(self) -> None:
        self._seen: deque[int] = deque(maxlen=_REMEMBERED)

    def check(self, rgb: UInt8Array) -> None:
        """Raise BadFrameError for a frame, uint8 [H, W, 3], that is no picture of a field, or that came before."""
        found = no_picture(thumbnail(rgb))
        if found is not None:
            raise BadFrameError(*_TROUBLES[found])
        mark = zlib.crc32(np.ascontiguousarray(rgb[::_EVERY]).data)
        known = mark in self._seen
        self._seen.append(mark)
        if known:
            raise BadFrameError(CameraTrouble.FROZEN, "")
        if is_incomplete(rgb, find_region(rgb)):
            raise BadFrameError(CameraTrouble.TORN, "")


def thumbnail(rgb: UInt8Array) -> UInt8Array:
    """A small grey copy, uint8 [24, 32]."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _GLANCE / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    glance = cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(
        cv2.resize(cv2.cvtColor(glance, cv2.COLOR_RGB2GRAY), _THUMBNAIL, interpolation=cv2.INTER_AREA), np.uint8
    )
