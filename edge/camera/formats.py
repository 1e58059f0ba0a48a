"""From a camera's frame, as it lies in memory, to RGB: a table with a row for each format, and nothing guessed.

Names are those of V4L2, and for colours byte by byte those of libcamera and DRM, which name them from the last byte to the first:
``BGR888`` is red, green, blue in memory, and OpenCV's frames, which begin with blue, are ``RGB888``. Frames of YUV are of limited
range (luma 16 to 235, the usual one of USB cameras) unless ``-full`` follows the name (0 to 255, a JPEG's and most Pi
modes'); ``-709`` says that colours are BT.709's, else they are BT.601's.

A frame whose array does not fit its format and size is refused: it is never reshaped until it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.records import CameraTrouble
from edge.depth import SMALLEST, settle
from edge.headers import read_header
from edge.jpeg import decode_jpeg
from edge.refusal import RefusedError
from edge.types import FloatArray, UInt8Array

try:
    _simplejpeg: Any = import_module("simplejpeg")
except ImportError:
    _simplejpeg = None

_JPEG_START = b"\xff\xd8"
_PADDING = 256  # pixels at the end of a row, at most

FULL = "-full"
"""Ends the name of a YUV format whose luma reaches from 0 to 255."""

BT709 = "-709"
"""Ends the name of a YUV format whose colours are BT.709's; it stands before ``FULL``."""


class BadFrameError(Exception):
    """A frame that cannot be a picture: what is wrong with it, and the same in words."""

    def __init__(self, trouble: CameraTrouble, words: str) -> None:
        super().__init__(words)
        self.trouble = trouble
        self.words = words


@dataclass(frozen=True, slots=True)
class _Format:
    """A row: the array's type, its shape for a size (height first), and how its pixels become RGB.

    Attributes:
        kind: the NumPy type of its elements.
        shape: from height and width to the array's shape; None stands for "this or more": padding at the end of a row.
        convert: writes the frame, cut to its shape, into uint8 [H, W, 3].
        bits: that count of 16-bit elements; 0: 8-bit; None: the user says.
    """

    kind: type[np.generic]
    shape: Callable[[int, int], tuple[int, ...]]
    convert: Callable[[NDArray[Any], UInt8Array], None]
    bits: int | None = 0


def _by(code: int) -> Callable[[NDArray[Any], UInt8Array], None]:
    def convert(raw: NDArray[Any], out: UInt8Array) -> None:
        cv2.cvtColor(raw, code, dst=out)

    return convert


def _copied(raw: NDArray[Any], out: UInt8Array) -> None:
    np.copyto(out, raw)


def _planes_of_nv12(raw: NDArray[Any], swapped: bool = False) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
    height = raw.shape[0] * 2 // 3
    pairs = raw[height:].reshape(height // 2, -1, 2)
    blue, red = pairs[..., 0], pairs[..., 1]
    return (raw[:height], red, blue) if swapped else (raw[:height], blue, red)


def _planes_of_yuv420(raw: NDArray[Any]) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
    height, width = raw.shape[0] * 2 // 3, raw.shape[1]
    blue, red = raw[height:].reshape(2, height // 2, width // 2)
    return raw[:height], blue, red


def _planes_of_yuyv(raw: NDArray[Any]) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
    return raw[..., 0], raw[:, ::2, 1], raw[:, 1::2, 1]


_SOURCES: Mapping[str, tuple[type[np.generic], Callable[[int, int], tuple[int, ...]], int, Callable[..., Any]]] = {
    "NV12": (np.uint8, lambda h, w: (h * 3 // 2, w), cv2.COLOR_YUV2RGB_NV12, _planes_of_nv12),
    "YUV420": (np.uint8, lambda h, w: (h * 3 // 2, w), cv2.COLOR_YUV2RGB_I420, _planes_of_yuv420),
    "YUYV": (np.uint8, lambda h, w: (h, w, 2), cv2.COLOR_YUV2RGB_YUY2, _planes_of_yuyv),
}

# Weights of red and blue in luma; from them follow all matrices (ITU-R BT.601-7, BT.709-6).
_WEIGHTS = {"": (0.299, 0.114), BT709: (0.2126, 0.0722)}


def _matrix(standard: str, *, full: bool) -> FloatArray:
    """From Y, Cb, Cr to R, G, B: float32 [3, 4]."""
    red, blue = _WEIGHTS[standard]
    green = 1 - red - blue
    luma, chroma, black = (1.0, 1.0, 0.0) if full else (255 / 219, 255 / 224, 16.0)
    to_red, to_blue = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    rows = np.array(
        [[luma, 0, to_red], [luma, -to_blue * blue / green, -to_red * red / green], [luma, to_blue, 0]], np.float64
    )
    return np.column_stack([rows, -rows @ [black, 128, 128]]).astype(np.float32)


def _by_matrix(planes: Callable[..., Any], matrix: FloatArray) -> Callable[[NDArray[Any], UInt8Array], None]:
    def convert(raw: NDArray[Any], out: UInt8Array) -> None:
        luma, blue, red = planes(raw)
        size = (luma.shape[1], luma.shape[0])
        wide = [cv2.resize(np.ascontiguousarray(one), size, interpolation=cv2.INTER_NEAREST) for one in (blue, red)]
        cv2.transform(cv2.merge([np.ascontiguousarray(luma), *wide]), matrix, dst=out)

    return convert


def _yuv() -> dict[str, _Format]:
    found = {}
    for name, (kind, shape, code, planes) in _SOURCES.items():
        found[name] = _Format(kind, shape, _by(code))  # OpenCV's own conversions are BT.601 of limited range
        for standard, full in (("", True), (BT709, False), (BT709, True)):
            rows = _matrix(standard, full=full)
            found[name + standard + FULL * full] = _Format(kind, shape, _by_matrix(planes, rows))
    return found


def _grey(raw: NDArray[Any], out: UInt8Array) -> None:
    cv2.cvtColor(raw, cv2.COLOR_GRAY2RGB, dst=out)


def _plane(height: int, width: int) -> tuple[int, ...]:
    return height, width


def _pixels(channels: int) -> Callable[[int, int], tuple[int, ...]]:
    return lambda height, width: (height, width, channels)


FORMATS: Mapping[str, _Format] = {
    "BGR888": _Format(np.uint8, _pixels(3), _copied),
    "RGB888": _Format(np.uint8, _pixels(3), _by(cv2.COLOR_BGR2RGB)),
    "XBGR8888": _Format(np.uint8, _pixels(4), _by(cv2.COLOR_RGBA2RGB)),
    "XRGB8888": _Format(np.uint8, _pixels(4), _by(cv2.COLOR_BGRA2RGB)),
    **_yuv(),
    "GREY": _Format(np.uint8, _plane, _grey),
    "Y10": _Format(np.uint16, _plane, _grey, 10),
    "Y12": _Format(np.uint16, _plane, _grey, 12),
    "Y14": _Format(np.uint16, _plane, _grey, 14),
    "Y16": _Format(np.uint16, _plane, _grey, None),
    "RGB161616": _Format(np.uint16, _pixels(3), _by(cv2.COLOR_BGR2RGB), None),
}
"""By name. ``MJPG``, whose frames have no shape, is handled apart; of ``Y16`` and ``RGB161616`` the bits must be told."""

JPEG = "MJPG"
"""Frames that are a JPEG each: uint8 [n] or [1, n]."""

KNOWN = (*FORMATS, JPEG)
"""All formats that ``FrameConverter`` reads."""


class FrameConverter:
    """Turns the frames of one opening of a camera into RGB, all of them by one scale.

    Args:
        name: the format, one of ``KNOWN``.
        size: width and height in pixels.
        depth: bits that count of 16-bit frames; None: what the format says, or what the first bright frame shows.

    Raises:
        BadFrameError: the format is not known, or the size is too small for a field.
    """

    def __init__(self, name: str, size: tuple[int, int], depth: int | None = None) -> None:
        self.name, self.size = name, size
        if name not in KNOWN:
            raise BadFrameError(
                CameraTrouble.WRONG_FORMAT,
                f"it gives {name}, which is not read; ask for {size_words(size)} of another camera mode",
            )
        if min(size) < SMALLEST:
            raise BadFrameError(
                CameraTrouble.WRONG_SIZE,
                f"{size_words(size)} pixels are too few for a field: {SMALLEST} a side at least",
            )
        self._format = FORMATS.get(name)
        self._depth = depth or (self._format.bits if self._format else None) or None

    def convert(self, raw: NDArray[Any], out: UInt8Array) -> None:
        """Write a frame into ``out``, uint8 [H, W, 3], in one pass. Raises BadFrameError, and ``out`` is then void."""
        raw = np.asarray(raw)
        if self._format is None:
            self._decode(raw, out)
            return
        fitting = self._fitting(raw, self._format)
        if fitting.dtype == np.uint16:
            fitting = self._scaled(fitting)
        self._format.convert(fitting, out)

    def _fitting(self, raw: NDArray[Any], row: _Format) -> NDArray[Any]:
        width, height = self.size
        wanted = row.shape(height, width)
        if raw.dtype != row.kind:
            raise BadFrameError(CameraTrouble.WRONG_FORMAT, f"a frame of {raw.dtype} values instead of {self.name}")
        if raw.ndim == len(wanted) + 1 and raw.shape[-1] == 1:
            raw = raw[..., 0]
        if raw.shape == wanted:
            return raw
        if raw.ndim != len(wanted) or raw.shape[2:] != wanted[2:]:
            shape = "x".join(map(str, raw.shape))
            raise BadFrameError(CameraTrouble.WRONG_FORMAT, f"a frame of {shape} values instead of {self.name}")
        padded = raw.ndim == 2 and raw.shape[0] == wanted[0] and 0 < raw.shape[1] - wanted[1] <= _PADDING
        if padded:
            return _unpadded(raw, width, height, halves=self.name.startswith("YUV420"))
        seen = (raw.shape[1], raw.shape[0] * height // wanted[0])
        raise BadFrameError(CameraTrouble.WRONG_SIZE, _another_size(seen, self.size))

    def _scaled(self, raw: NDArray[Any]) -> UInt8Array:
        try:
            self._depth = settle(int(raw.max()), self._depth)
        except RefusedError as error:
            raise BadFrameError(CameraTrouble.WRONG_FORMAT, str(error)) from None
        return np.asarray(cv2.convertScaleAbs(raw >> max(0, self._depth - 8)), np.uint8)

    def _decode(self, raw: NDArray[Any], out: UInt8Array) -> None:
        flat = raw.dtype == np.uint8 and (raw.ndim == 1 or (raw.ndim == 2 and raw.shape[0] == 1))
        data = raw.tobytes() if flat else b""
        if not data.startswith(_JPEG_START):
            raise BadFrameError(CameraTrouble.WRONG_FORMAT, "a frame that is no JPEG instead of MJPG")
        try:
            header = read_header(data)
            seen = (header.width, header.height)
            if seen != self.size:
                raise BadFrameError(CameraTrouble.WRONG_SIZE, _another_size(seen, self.size))
            if _simplejpeg is None or header.channels != 3:
                np.copyto(out, decode_jpeg(data, header.channels))
            else:
                _simplejpeg.decode_jpeg(data, "RGB", buffer=out)
        except (ValueError, RefusedError) as error:
            raise BadFrameError(CameraTrouble.TORN, f"a JPEG that is not whole ({error})") from None


def _unpadded(raw: NDArray[Any], width: int, height: int, *, halves: bool) -> NDArray[Any]:
    """Rows without what drivers add at their ends; ``halves``: below the luma two half rows of chroma lie side by side."""
    if not halves:
        return np.ascontiguousarray(raw[:, :width])
    chroma = raw[height:].reshape(height, -1)[:, : width // 2].reshape(height // 2, width)
    return np.vstack([raw[:height, :width], chroma])


def size_words(size: tuple[int, int]) -> str:
    """``1280x960``."""
    return f"{size[0]}x{size[1]}"


def _another_size(seen: tuple[int, int], wanted: tuple[int, int]) -> str:
    return f"a frame of {size_words(seen)} pixels instead of {size_words(wanted)}"
