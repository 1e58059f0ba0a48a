"""From a file to pixels, refusing what cannot be trusted before it costs anything.

The size is read from the file's own header (PNG IHDR, JPEG SOF, BMP, the first TIFF directory) because a 100 kB file may
unpack to gigabytes; only then does OpenCV see the bytes. Rules for what is not plain 8-bit colour:

* grey is repeated into three channels; palettes and CMYK become RGB; EXIF rotation is applied;
* alpha is composited on white, since a transparent background means "nothing here" and a bright field's nothing is white;
* 16-bit samples are shifted down to 8 bits by the depth in use: the smallest of 8, 10, 12, 14, 16 bits that holds the
  image's maximum. A full-range picture is ``>> 8``; 12-bit camera data kept in 16 bits is ``>> 4`` instead of black;
* of a multi-page TIFF the first page is taken; floating-point and 32-bit pixels are refused, their scale is unknown.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_MEGAPIXELS_VARIABLE = "EDGE_MAX_MEGAPIXELS"
DEFAULT_MAX_MEGAPIXELS = 50.0

# OpenCV reads these once, when it is first imported. Somebody else may have imported it already, so the header check
# below is the real guard and this the second one.
if not os.environ.get(MAX_MEGAPIXELS_VARIABLE):
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(int(DEFAULT_MAX_MEGAPIXELS * 1e6)))
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from edge.errors import UnreadableFieldError  # noqa: E402
from edge.types import UInt8Array  # noqa: E402

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_DEPTHS = (8, 10, 12, 14, 16)
_BYTES_PER_PIXEL = 8  # four channels of 16 bits, the most an uncompressed file holds
_FILE_SLACK = 64 << 20  # previews, profiles, further pages
# OpenCV before 4.11 has no flag for RGB and swaps the channels in a second pass.
_COLOR_RGB: int | None = getattr(cv2, "IMREAD_COLOR_RGB", None)


class _Header(NamedTuple):
    """What the file says of itself before it is decoded.

    Attributes:
        rich: pixels may be deeper than 8 bits or have alpha, so OpenCV is asked for them unchanged.
        plain_rgb: OpenCV may hand out RGB directly.
    """

    width: int
    height: int
    rich: bool
    plain_rgb: bool = False


class _BadHeaderError(Exception):
    """The header does not make sense; the message is the reason in words."""


def max_megapixels() -> float:
    """The largest image that is decoded, in megapixels: ``$EDGE_MAX_MEGAPIXELS``, else 50.

    Raises:
        UnreadableFieldError: the variable is not a positive number.
    """
    text = os.environ.get(MAX_MEGAPIXELS_VARIABLE, "").strip()
    try:
        limit = float(text) if text else DEFAULT_MAX_MEGAPIXELS
    except ValueError:
        limit = 0.0
    if not 0 < limit < 1e6:
        raise UnreadableFieldError(f"{MAX_MEGAPIXELS_VARIABLE} must be a positive number of megapixels, not {text!r}")
    return limit


def quiet_opencv() -> None:
    """Silence OpenCV's own lines on stderr (we say it ourselves, naming the file), unless OPENCV_LOG_LEVEL asks for them."""
    if os.environ.get("OPENCV_LOG_LEVEL"):
        return
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
    elif hasattr(cv2, "utils") and hasattr(cv2.utils, "logging"):
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


quiet_opencv()


def decode_image(path: str | os.PathLike[str]) -> UInt8Array:
    """Read one image file.

    Args:
        path: a JPEG, PNG, TIFF or BMP file, told apart by content, not by name.

    Returns:
        uint8 [H, W, 3] RGB, contiguous; the module's docstring says how other pixel formats are brought to it.

    Raises:
        UnreadableFieldError: one line naming the file and the reason.
    """
    name = shown(path)
    limit = max_megapixels()
    try:
        data = _read(path, int(limit * 1e6) * _BYTES_PER_PIXEL + _FILE_SLACK)
        header = _header(data)
        pixels = header.width * header.height
        if pixels > limit * 1e6:
            raise _BadHeaderError(  # noqa: TRY301
                f"{header.width}x{header.height} is {pixels / 1e6:,.0f} megapixels, the limit is {limit:g}"
                f" (set {MAX_MEGAPIXELS_VARIABLE} to raise it)"
            )
        return _decode(data, header)
    except (_BadHeaderError, OSError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise UnreadableFieldError(f"{name}: {reason}") from None
    except (cv2.error, MemoryError, struct.error, IndexError):
        raise UnreadableFieldError(f"{name}: damaged, it cannot be decoded") from None


def shown(path: str | os.PathLike[str]) -> str:
    """A path as it may stand in a message or a record: one line, printable on any terminal."""
    return "".join(c if c.isprintable() else "?" for c in os.fspath(path))


def _read(path: str | os.PathLike[str], limit: int) -> bytes:
    info = os.stat(path)  # noqa: PTH116 - a str path on the fast path
    if not stat.S_ISREG(info.st_mode):  # a pipe or a device would block for ever
        raise _BadHeaderError("not a regular file")
    if info.st_size > limit:
        raise _BadHeaderError(f"the file of {info.st_size / 1e6:,.0f} MB is larger than any image of the allowed size")
    with open(path, "rb") as file:  # noqa: PTH123
        data = file.read()
    if not data:
        raise _BadHeaderError("the file is empty (0 bytes)")
    return data


def _header(data: bytes) -> _Header:
    try:
        if data.startswith(_PNG):
            header = _png_header(data)
        elif data.startswith(_JPEG):
            header = _jpeg_header(data)
        elif data[:4] in _TIFF:
            header = _tiff_header(data)
        elif data.startswith(b"BM"):
            header = _bmp_header(data)
        else:
            raise _BadHeaderError("not a JPEG, PNG, TIFF or BMP image, whatever its name says")
    except (struct.error, IndexError):
        raise _BadHeaderError("truncated within its header") from None
    if header.width <= 0 or header.height <= 0:
        raise _BadHeaderError("damaged, its header says it has no pixels")
    return header


def _png_header(data: bytes) -> _Header:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if _PNG_END not in data[-4096:] and _PNG_END not in data:
        raise _BadHeaderError("truncated, the end of the PNG is missing")
    transparent = colour in (4, 6) or b"tRNS" in data[: data.find(b"IDAT")]
    return _Header(width, height, rich=transparent or depth == 16)


def _jpeg_header(data: bytes) -> _Header:
    """Walk the segments to the frame header and on to the first scan, then look for the end of the picture.

    Within a scan ``FF D9`` can be nothing but the end: a data byte ``FF`` is always followed by ``00``. Looking from the
    first scan on leaves out the EXIF thumbnail's own end; the first hit is the main picture's, whatever previews or
    padding follow it.
    """
    frame: _Header | None = None
    at = 2
    while True:
        while data[at + 1] == 0xFF:  # fill bytes before a marker
            at += 1
        if data[at] != 0xFF:
            raise _BadHeaderError("damaged, its JPEG segments do not follow each other")
        marker = data[at + 1]
        if marker in (0x01, *range(0xD0, 0xD8)):  # markers without a length
            at += 2
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, channels = struct.unpack_from(">HHB", data, at + 5)
            frame = _Header(width, height, rich=False, plain_rgb=channels == 3)
        if marker in (0xDA, 0xD9):
            break
        at += 2 + length
    if frame is None or marker == 0xD9:
        raise _BadHeaderError("damaged, the JPEG has no picture")
    if data.find(_JPEG_END, at) < 0:
        raise _BadHeaderError("truncated, the end of the JPEG is missing")
    return frame


def _bmp_header(data: bytes) -> _Header:
    size = struct.unpack_from("<I", data, 14)[0]
    width, height = struct.unpack_from("<hh" if size == 12 else "<ii", data, 18)
    return _Header(width, abs(height), rich=False)


def _tiff_entries(data: bytes, order: str) -> Iterator[tuple[int, int]]:
    """(tag, value) of the first directory, classic or BigTIFF; only values that stand in the entry itself."""
    big = data[2:4] in (b"+\0", b"\0+")
    at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    at += 8 if big else 2
    step, value_at = (20, 12) if big else (12, 8)
    for entry in range(at, at + min(count, 4096) * step, step):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        form = {3: "H", 4: "I", 16: "Q"}.get(kind)
        if form is not None:
            yield tag, struct.unpack_from(order + form, data, entry + value_at)[0]


def _tiff_header(data: bytes) -> _Header:
    tags = dict(_tiff_entries(data, _TIFF[data[:4]]))
    return _Header(tags.get(256, 0), tags.get(257, 0), rich=True)


def _decode(data: bytes, header: _Header) -> UInt8Array:
    buffer = np.frombuffer(data, np.uint8)
    if header.plain_rgb and _COLOR_RGB is not None:
        rgb = cv2.imdecode(buffer, _COLOR_RGB)
        return _checked(rgb, header)
    flags = cv2.IMREAD_UNCHANGED if header.rich else cv2.IMREAD_COLOR
    pixels = _to_8_bit(_checked(cv2.imdecode(buffer, flags), header))
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if pixels.shape[2] == 4:
        return _on_white(pixels)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _checked(pixels: NDArray[Any] | None, header: _Header) -> NDArray[Any]:
    if pixels is None or pixels.size == 0:
        raise _BadHeaderError("damaged or truncated, it cannot be decoded")
    if sorted(pixels.shape[:2]) != sorted((header.height, header.width)):
        raise _BadHeaderError("damaged, its size is not what its header says")
    return pixels


def _to_8_bit(pixels: NDArray[Any]) -> UInt8Array:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype != np.uint16:
        raise _BadHeaderError(f"its pixels are {pixels.dtype}; save it with 8 or 16 bits per channel")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        # Alpha is full range by definition, so it says nothing about the depth the colours use.
        colour, alpha = pixels[..., :3], pixels[..., 3:]
        return np.concatenate([_to_8_bit(colour), (alpha >> 8).astype(np.uint8)], axis=2)
    top = int(pixels.max())
    depth = next(d for d in _DEPTHS if top < 1 << d)
    return (pixels >> (depth - 8)).astype(np.uint8)


def _on_white(bgra: UInt8Array) -> UInt8Array:
    rgb = cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB)
    alpha = bgra[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.asarray(rgb, np.uint8)
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
