"""Whether a frame is a picture of a field at all: torn, black, one colour, noise, or one that came before.

The measures are those of the gate and of the watch over fields (``edge.incomplete``, ``edge.no_picture``); here they are taken before
a frame is handed out.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Mapping

import cv2
import numpy as np

from edge.camera.formats import BadFrameError
from edge.camera.records import CameraTrouble
from edge.camera.settling import holds
from edge.incomplete import is_incomplete
from edge.no_picture import NoPicture, no_picture
from edge.region import find_region
from edge.types import UInt8Array

_THUMBNAIL = (32, 24)  # columns, rows
_GLANCE = 640  # columns of the copy from which it is made
_EVERY = 4  # rows apart that tell whether two frames are the same to the last bit
_REMEMBERED = 6  # frames; drivers keep no more buffers (OpenCV four, picamera2 six), whose old content may come again

_ROWS = 16  # in which bytes that are mixed up are looked for
_MIXED = 8.0  # levels by which neighbours then differ, and twice as much as every other one does
_SETTLED = 5  # frames over which light is measured
_OTHER_LIGHT = 0.25  # share by which it may change
_LASTS_S = 3.0  # seconds after which another light is the light
_SET = 0.05  # share by which a frame's exposure or gain may differ from what was to be held

_TROUBLES = {
    NoPicture.BLACK: (CameraTrouble.BLACK, ""),
    NoPicture.WHITE: (CameraTrouble.ONE_COLOUR, "white, too much light or too long an exposure"),
    NoPicture.EVEN: (CameraTrouble.ONE_COLOUR, ""),
    NoPicture.NOISE: (CameraTrouble.NOISE, ""),
}


class FrameChecker:
    """Looks at the frames of one opening of a camera, in order.

    Attributes:
        thumbnail: of the last frame, uint8 [24, 32].
    """

    def __init__(self) -> None:
        self.thumbnail = np.zeros(_THUMBNAIL[::-1], np.uint8)
        self._seen: deque[int] = deque(maxlen=_REMEMBERED)

    def check(self, rgb: UInt8Array) -> None:
        """Raise BadFrameError for a frame, uint8 [H, W, 3], that is no picture of a field, or that came before."""
        self.thumbnail = thumbnail(rgb)
        found = no_picture(self.thumbnail)
        if found is not None:
            raise BadFrameError(*_TROUBLES[found])
        if _mixed_up(rgb):
            raise BadFrameError(CameraTrouble.WRONG_FORMAT, "bytes of one format that are read as another")
        mark = zlib.crc32(np.ascontiguousarray(rgb[::_EVERY]).data)
        known = mark in self._seen
        self._seen.append(mark)
        if known:
            raise BadFrameError(CameraTrouble.FROZEN, "")
        if is_incomplete(rgb, find_region(rgb)):
            raise BadFrameError(CameraTrouble.TORN, "")


class HeldWatch:
    """Whether exposure, gains and light stay as they were when the camera was opened.

    A frame of another light is not handed out, for an exposure may still be settling. Where the light stays so, it is said, and is
    the light from then on: somebody turned the lamp.

    Args:
        held: what was to be held, by the names that frames have in their metadata.
    """

    def __init__(self, held: Mapping[str, object]) -> None:
        self._held = dict(held)
        self._off: dict[str, int] = {}
        self._first: deque[float] = deque(maxlen=_SETTLED)
        self._other_since: float | None = None

    def look(self, thumbnail: UInt8Array, metadata: Mapping[str, object], now: float) -> str | None:
        """What does not hold, in words, said once for each change; None: all does.

        Raises BadFrameError for a frame of another light, unless that has lasted.
        """
        for name, value in self._held.items():
            wrong = name in metadata and not holds(value, metadata[name], _SET)
            self._off[name] = self._off.get(name, 0) + 1 if wrong else 0
            if self._off[name] == _SETTLED:
                return f"does not hold {name}: {value} was set, frames have {metadata[name]}"
        return self._light(float(thumbnail.max()), now)  # the brightest spot is paper, wherever the cells are

    def _light(self, light: float, now: float) -> str | None:
        if len(self._first) < _SETTLED:
            self._first.append(light)
            return None
        change = light / max(float(np.median(self._first)), 1.0) - 1
        if abs(change) <= _OTHER_LIGHT:
            self._other_since = None
            return None
        words = f"the picture is {abs(change) * 100:.0f} % {'brighter' if change > 0 else 'darker'}"
        self._other_since = now if self._other_since is None else self._other_since
        if now - self._other_since < _LASTS_S:
            raise BadFrameError(CameraTrouble.NOT_HELD, words)
        self._first.clear()
        self._other_since = None
        return f"does not hold: {words}; look at exposure and lamp"


def _mixed_up(rgb: UInt8Array) -> bool:
    """Whether neighbours differ and every other pixel is alike: bytes of luma and colour, or a sensor's mosaic, side by side."""
    rows = rgb[:: max(1, len(rgb) // _ROWS), :, 1].astype(np.int16)
    beside = float(np.abs(rows[:, 1:] - rows[:, :-1]).mean())
    return beside > _MIXED and beside > 2 * float(np.abs(rows[:, 2:] - rows[:, :-2]).mean())


def thumbnail(rgb: UInt8Array) -> UInt8Array:
    """A small grey copy, uint8 [24, 32]."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _GLANCE / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    glance = cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(
        cv2.resize(cv2.cvtColor(glance, cv2.COLOR_RGB2GRAY), _THUMBNAIL, interpolation=cv2.INTER_AREA), np.uint8
    )
