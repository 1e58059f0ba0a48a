"""JPEG decoding that treats every warning of the decoder as damage.

``simplejpeg`` hands libjpeg's warnings over ("premature end of data", "bad Huffman code", a restart mark that is missing),
where OpenCV prints them and gives half a picture. Its pixels are OpenCV's, byte for byte (tests/real holds them together).

Where it is not installed (a 32-bit system without ``python3-simplejpeg``) OpenCV decodes and only a picture that was cut is
noticed: libjpeg fills what is missing with plain grey. So too for the few JPEGs whose colours are sampled in a way that
simplejpeg does not know.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import cv2
import numpy as np

from edge.refusal import DamagedError
from edge.types import UInt8Array

# OpenCV before 4.11 has no flag for RGB and swaps the channels in a second pass.
_COLOR_RGB: int | None = getattr(cv2, "IMREAD_COLOR_RGB", None)
_MISSING = 128  # grey level that a decoder fills missing blocks with
_CORNER = 8  # pixels: a JPEG's block

_strict: Any
try:
    _strict = import_module("simplejpeg")
except ImportError:
    _strict = None


def strict() -> bool:
    """Whether damage within a JPEG is noticed here."""
    return _strict is not None


def _known_revision(data: bytes) -> bytes:
    at = data.find(b"JFIF\0")
    return data[: at + 5] + b"\1" + data[at + 6 :] if at >= 0 else data


def _plain_scans(data: bytes) -> bytes:
    """With the three bytes at the end of each scan's header as they should be in a JPEG that is not progressive."""
    out = bytearray(data)
    at = data.find(b"\xff\xda")
    while 0 <= at < len(data) - 4:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        out[end - 3 : end] = b"\0\x3f\0"
        at = data.find(b"\xff\xda", end)
    return bytes(out)


# Complaints about bytes that no pixel depends on, and what to do about them.
_HARMLESS = {"JFIF revision": _known_revision, "SOS parameters": _plain_scans}
_UNKNOWN = "subsampling"


def decode_jpeg(data: bytes, channels: int) -> UInt8Array:
    """Decode a whole JPEG; EXIF is not heeded.

    Args:
        data: the file.
        channels: components in its frame header.

    Returns:
        uint8 [H, W, 3] RGB, contiguous; grey is repeated.

    Raises:
        DamagedError: libjpeg complained, or gave nothing.
    """
    if _strict is None:
        return _checked_tail(by_opencv(data))
    inks = channels == 4  # one conversion from CMYK is enough: OpenCV's
    rgb = _decode_strictly(data, "CMYK" if inks else "RGB")
    if rgb is None:
        return _checked_tail(by_opencv(data))
    return by_opencv(data) if inks else rgb


def _decode_strictly(data: bytes, colours: str) -> UInt8Array | None:
    """The pixels; None for a JPEG whose colours are sampled in a way that simplejpeg does not know. Raises DamagedError."""
    try:
        return np.asarray(_strict.decode_jpeg(data, colorspace=colours), np.uint8)
    except ValueError as error:
        said = str(error)
    for complaint, mended in _HARMLESS.items():
        if complaint in said and (better := mended(data)) != data:
            return _decode_strictly(better, colours)
    if _UNKNOWN in said:
        return None
    raise DamagedError(_plainly(said))


def _plainly(said: str) -> str:
    """What libjpeg said, without its prefixes, on one line."""
    line = (said.strip().splitlines() or [""])[0]
    for prefix in ("Corrupt JPEG data: ", "Warning: "):
        line = line.rpartition(prefix)[2]
    return f"the JPEG does not decode cleanly ({line})" if line else "it cannot be decoded"


def by_opencv(data: bytes) -> UInt8Array:
    """Decode with OpenCV, uint8 [H, W, 3] RGB; raises DamagedError when it gives nothing."""
    flags = cv2.IMREAD_COLOR if _COLOR_RGB is None else _COLOR_RGB
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.size == 0:
        raise DamagedError
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if _COLOR_RGB is None else pixels, np.uint8)


def _checked_tail(rgb: UInt8Array) -> UInt8Array:
    if (rgb[-_CORNER:, -_CORNER:] == _MISSING).all():
        raise DamagedError("the JPEG ends before its picture does")
    return rgb
