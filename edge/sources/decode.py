"""From a file to pixels, refusing what cannot be trusted before it costs anything.

The size is read from the file's own header (PNG IHDR, JPEG SOF, BMP, the TIFF's directories) because a 100 kB file may
unpack to gigabytes; only then does a decoder see the bytes. A file that is damaged is refused wherever its decoder or a
checksum can tell: half a picture must not be counted. Rules for what is not plain 8-bit colour:

* grey is repeated into three channels; palettes and CMYK become RGB; the orientation in EXIF or TIFF is applied;
* alpha is composited on white, since a transparent background means "nothing here" and a bright field's nothing is white;
* 16-bit samples are shifted down to 8 bits by the depth the file declares or its sample has (``depth`` says how);
* a TIFF is read by its metadata (``tiff``); floating-point and 32-bit pixels are refused, their scale is unknown.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.depth import to_8_bit
from edge.errors import UnreadableFieldError
from edge.headers import TIFF, Header, check_bmp, read_header
from edge.jpeg import decode_jpeg
from edge.opencv_limits import BYTES_PER_PIXEL, DEFAULT_MAX_MEGAPIXELS, MAX_MEGAPIXELS_VARIABLE
from edge.refusal import EXPORT, DamagedError, DepthUnknownError, RefusedError
from edge.sources.tiff import FieldPlan, TiffLayout, lay_out, may_hold_more, read_field
from edge.sources.turn import turned
from edge.types import UInt8Array

_FILE_SLACK = 64 << 20  # previews, profiles
_WHOLE_TIFF = 64 << 20  # bytes of a TIFF that is read as a whole, like other files; of a larger one only what is needed
RAW_SUFFIXES = frozenset({".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"})
"""Endings of files from a camera's sensor; they are never opened."""

_KEPT = (
    "\u00a0\u202f\u3000\u200c\u200d"  # spaces that file names have, and what joins letters of some scripts and emojis
)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says of the pictures.

    Attributes:
        z: which plane of a stack is read, from 1; None for the sharpest.
        depth: bits that count of 16-bit pixels; None for what the file or its sample says.
    """

    z: int | None = None
    depth: int | None = None


AS_IT_IS = ReadOptions()


class Picture(NamedTuple):
    """A field.

    Attributes:
        rgb: uint8 [H, W, 3].
        depth: bits it was scaled down from; None: it had 8.
        guessed: nobody said that depth, but its values need it.
        size: bytes of the file.
        sha256: of the bytes that were decoded; None: not all of the file was read (a large TIFF, or one of several fields).
    """

    rgb: UInt8Array
    depth: int | None
    guessed: bool
    size: int
    sha256: str | None


class UnknownDepthError(UnreadableFieldError):
    """A picture of 16 bits of which nothing says how many count. Give ``--depth``."""


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
    """Read a file that holds one image.

    Args:
        path: a JPEG, PNG, TIFF or BMP file, told apart by content, not by name.

    Returns:
        uint8 [H, W, 3] RGB, contiguous; the module's docstring says how other pixel formats are brought to it.

    Raises:
        UnreadableFieldError: one line naming the file and the reason; also for a file of several fields.
    """
    return decode_field(path).rgb


def decode_field(
    path: str | os.PathLike[str],
    reading: ReadOptions = AS_IT_IS,
    plan: FieldPlan | None = None,
    name: str | None = None,
    *,
    whole: bool = True,
) -> Picture:
    """Read one field of a file.

    Args:
        path: as for ``decode_image``.
        reading: what the user says of the pictures.
        plan: which field of a TIFF, from ``fields_in``; None for the only one.
        name: what messages call it, instead of the path.
        whole: read the file as a whole where that is not too much, for the hash; False for one field of several.

    Raises:
        UnreadableFieldError: as for ``decode_image``; UnknownDepthError when all it lacks is a depth.
    """
    name = name or shown(path)
    limit = max_megapixels()
    try:
        with _opened(path) as file:
            return _decode(file, limit, reading, plan, whole=whole)
    except DepthUnknownError as error:
        raise UnknownDepthError(f"{name}: {error}") from None
    except (RefusedError, OSError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise UnreadableFieldError(f"{name}: {reason}") from None
    except (cv2.error, MemoryError, struct.error, IndexError):
        raise UnreadableFieldError(f"{name}: damaged, it cannot be decoded") from None


def fields_in(path: str | os.PathLike[str]) -> TiffLayout | None:
    """What a TIFF that may be more than one plain picture holds; None for every other file, and for one that is damaged.

    Costs a glance at the file's first bytes unless it is such a TIFF.
    """
    try:
        with _opened(path) as file:
            return lay_out(file) if may_hold_more(file) else None
    except (RefusedError, OSError, MemoryError):
        return None  # reading it says why


def shown(path: str | os.PathLike[str]) -> str:
    """A path as it may stand in a message or a record: one line, printable on any terminal."""
    return "".join(c if c.isprintable() or c in _KEPT else "?" for c in os.fspath(path))


def _opened(path: str | os.PathLike[str]) -> BinaryIO:
    info = os.stat(path)  # noqa: PTH116 - a str path on the fast path
    if not stat.S_ISREG(info.st_mode):  # a pipe or a device would block for ever
        raise RefusedError("not a regular file")
    if PurePath(path).suffix.lower() in RAW_SUFFIXES:  # many are TIFFs that hold a small preview
        raise RefusedError(f"camera raw is not read: {EXPORT}")
    return open(path, "rb")  # noqa: PTH123 - closed by whoever opened it


def _decode(file: BinaryIO, limit: float, reading: ReadOptions, plan: FieldPlan | None, *, whole: bool) -> Picture:
    start = file.read(4)
    if not start:
        raise RefusedError("the file is empty (0 bytes)")
    if start in TIFF:
        return _decode_tiff(file, limit, reading, plan, whole=whole)
    data = start + _rest(file, int(limit * 1e6) * BYTES_PER_PIXEL + _FILE_SLACK)
    header = read_header(data)
    _check_pixels(header.width, header.height, limit)
    if header.channels:
        rgb, depth = _checked(decode_jpeg(data, header.channels), header), None
    else:
        rgb, depth = _by_opencv(data, header, reading.depth)
    guessed = depth is not None and reading.depth is None
    return Picture(turned(rgb, header.orientation), depth, guessed, len(data), hashlib.sha256(data).hexdigest())


def _rest(file: BinaryIO, limit: int) -> bytes:
    size = os.fstat(file.fileno()).st_size
    if size > limit:
        raise RefusedError(f"the file of {size / 1e6:,.0f} MB is larger than any image of the allowed size")
    return file.read()


def _check_pixels(width: int, height: int, limit: float) -> None:
    pixels = width * height
    if pixels > limit * 1e6:
        raise RefusedError(
            f"{width}x{height} is {pixels / 1e6:,.0f} megapixels, the limit is {limit:g}"
            f" (set {MAX_MEGAPIXELS_VARIABLE} to raise it)"
        )


def _decode_tiff(file: BinaryIO, limit: float, reading: ReadOptions, plan: FieldPlan | None, *, whole: bool) -> Picture:
    size, sha256 = os.fstat(file.fileno()).st_size, None
    if whole and size <= _WHOLE_TIFF:
        file.seek(0)
        data = file.read()
        size, sha256, file = len(data), hashlib.sha256(data).hexdigest(), io.BytesIO(data)
    if plan is None:
        fields = lay_out(file).fields
        if len(fields) > 1:
            raise RefusedError(f"it holds {len(fields)} fields: here each must be a file of its own")
        plan = fields[0]
    page = plan.planes[0][0]
    _check_pixels(page.width, page.height, limit)
    rgb, depth = read_field(plan, file, reading.z, reading.depth)
    guessed = depth is not None and reading.depth is None and plan.declared is None
    return Picture(rgb, depth, guessed, size, sha256)


def _by_opencv(data: bytes, header: Header, depth: int | None) -> tuple[UInt8Array, int | None]:
    if data.startswith(b"BM"):
        check_bmp(data)
    flags = cv2.IMREAD_UNCHANGED if header.rich else cv2.IMREAD_COLOR
    pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.size == 0:
        raise DamagedError
    pixels = _checked(pixels, header)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        # Alpha is full range by definition, so it says nothing about the depth the colours use.
        colour, used = to_8_bit(pixels[..., :3], depth)
        alpha = pixels[..., 3:] if pixels.dtype == np.uint8 else (pixels[..., 3:] >> 8).astype(np.uint8)
        return _on_white(np.concatenate([colour, alpha], axis=2)), used
    colour, used = to_8_bit(pixels, depth)
    code = cv2.COLOR_GRAY2RGB if colour.ndim == 2 or colour.shape[2] == 1 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(colour, code), np.uint8), used


def _checked(pixels: NDArray[Any], header: Header) -> NDArray[Any]:
    if pixels.shape[:2] != (header.height, header.width):
        raise DamagedError("its size is not what its header says")
    return pixels


def _on_white(bgra: UInt8Array) -> UInt8Array:
    rgb = cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB)
    alpha = bgra[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.asarray(rgb, np.uint8)
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
