"""What PNG, JPEG and BMP files say of themselves, read before anything is decoded, and whether all of it is there."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from edge.refusal import EXPORT, DamagedError, RefusedError

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_JPEG_END = b"\xff\xd9"
_ORIENTATION = 274  # the tag's number in TIFF and Exif
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_OTHERS = ((b"GIF8", "GIF"), (b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"\xff\x4f\xff\x51", "JPEG 2000"), (b"\xff\x0a", "JPEG XL"),
           (b"\0\0\0\x0cJXL ", "JPEG XL"), (b"%PDF", "PDF"), (b"FUJIFILMCCD-RAW", "camera raw"))  # fmt: skip


class Header(NamedTuple):
    """What the file says of itself before it is decoded.

    Attributes:
        rich: pixels may be deeper than 8 bits or have alpha, so OpenCV is asked for them unchanged.
        channels: of a JPEG, 1, 3 or 4; else 0.
        orientation: how EXIF says it is to be turned, 1 to 8.
    """

    width: int
    height: int
    rich: bool
    channels: int = 0
    orientation: int = 1


def other_format(data: bytes) -> str | None:
    """The name of a picture format that is known but not read, or None."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return (
            "HEIC"
            if brand in _HEIF
            else "AVIF"
            if brand in (b"avif", b"avis")
            else "camera raw"
            if brand == b"crx "
            else None
        )
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _OTHERS if data.startswith(magic)), None)


def read_header(data: bytes) -> Header:
    """The header of a whole PNG, JPEG or BMP file; raises RefusedError when it is none, or not all there."""
    try:
        if data.startswith(PNG):
            header = _png(data)
        elif data.startswith(JPEG):
            header = _jpeg(data)
        elif data.startswith(b"BM"):
            header = _bmp(data)
        elif (other := other_format(data)) is not None:
            raise RefusedError(f"{other} is not read: {EXPORT}")
        else:
            raise RefusedError("not a JPEG, PNG, TIFF or BMP image, whatever its name says")
    except (struct.error, IndexError):
        raise RefusedError("truncated within its header") from None
    if header.width <= 0 or header.height <= 0:
        raise DamagedError("its header says it has no pixels")
    return header


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, length) of every PNG chunk up to the last, each compared with its checksum."""
    view = memoryview(data)
    at = len(PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise DamagedError("a checksum of the PNG does not fit")
        yield kind, at + 8, length
        if kind == b"IEND":
            return
        at = end + 4
    raise RefusedError("truncated, the end of the PNG is missing")


def _png(data: bytes) -> Header:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    transparent, orientation = colour in (4, 6), 1
    for kind, start, length in _chunks(data):
        if kind == b"tRNS":
            transparent = True
        elif kind == b"eXIf":
            orientation = exif_orientation(data[start : start + length])
    return Header(width, height, rich=transparent or depth == 16, orientation=orientation)


def _jpeg(data: bytes) -> Header:
    """Walk the segments to the frame header and on to the first scan, then look for the end of the picture.

    Within a scan ``FF D9`` can be nothing but the end: a data byte ``FF`` is always followed by ``00``. Looking from the
    first scan on leaves out the EXIF thumbnail's own end; the first hit is the main picture's, whatever previews or
    padding follow it.
    """
    frame: Header | None = None
    orientation = 1
    at = 2
    while True:
        while data[at + 1] == 0xFF:  # fill bytes before a marker
            at += 1
        if data[at] != 0xFF:
            raise DamagedError("its JPEG segments do not follow each other")
        marker = data[at + 1]
        if marker in (0x01, *range(0xD0, 0xD8)):  # markers without a length
            at += 2
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, channels = struct.unpack_from(">HHB", data, at + 5)
            frame = Header(width, height, rich=False, channels=channels)
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", at + 4):
            orientation = exif_orientation(data[at + 10 : at + 2 + length])
        if marker in (0xDA, 0xD9):
            break
        at += 2 + length
    if frame is None or marker == 0xD9:
        raise DamagedError("the JPEG has no picture")
    if not data.endswith(_JPEG_END) and data.find(_JPEG_END, at) < 0:  # most files end with it: no need to search
        raise RefusedError("truncated, the end of the JPEG is missing")
    return frame._replace(orientation=orientation)


def _bmp(data: bytes) -> Header:
    width, height, _, _ = _bmp_facts(data)
    return Header(width, abs(height), rich=False)


def check_bmp(data: bytes) -> None:
    """Raise RefusedError when a BMP file is shorter than its header says."""
    width, height, bits, packed = _bmp_facts(data)
    offset = struct.unpack_from("<I", data, 10)[0]
    if not packed and offset + (width * bits + 31) // 32 * 4 * abs(height) > len(data):
        raise RefusedError("truncated, the BMP is shorter than its header says")


def _bmp_facts(data: bytes) -> tuple[int, int, int, bool]:
    """Width, height (negative: from the top), bits per pixel, and whether the pixels are packed to no fixed size."""
    size = struct.unpack_from("<I", data, 14)[0]
    if size == 12:
        width, height, _, bits = struct.unpack_from("<hhHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    return width, height, bits, compression in (1, 2, 4, 5)  # run lengths, JPEG, PNG


def exif_orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, in an EXIF block (which begins like a TIFF file); 1 where it says nothing that makes sense."""
    order = TIFF.get(exif[:4])
    if order is None:
        return 1
    try:
        at = struct.unpack_from(order + "I", exif, 4)[0]
        count = struct.unpack_from(order + "H", exif, at)[0]
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, entry)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
