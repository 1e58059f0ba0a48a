"""The values of a page out of its strips or tiles. Whatever is missing, too short or does not unpack is damage."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.jpeg import decode_jpeg
from edge.refusal import DamagedError, RefusedError
from edge.sources.tiff.page import Page
from edge.types import UInt8Array

NONE, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE, LZMA = 1, 5, 7, 8, 32773, 32946, 34925  # values of Compression
_NAMES = {2: "CCITT", 3: "CCITT", 4: "CCITT", 6: "old-style JPEG", 34712: "JPEG 2000", 50000: "Zstandard", 50001: "WebP",
          50002: "JPEG XL", 33003: "JPEG 2000", 33005: "JPEG 2000"}  # fmt: skip
_RGB = 2  # value of PhotometricInterpretation
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def read_values(page: Page, file: BinaryIO) -> NDArray[Any]:
    """All values of a page.

    Returns:
        uint8 or uint16 [H, W, samples], as they stand in the file (no colour conversion, not turned).

    Raises:
        RefusedError: a compression that is not read, or damage.
    """
    across, down = page.grid
    needed = page.planes * across * down
    if len(page.offsets) < needed or len(page.counts) < needed:
        raise DamagedError("some of its strips are missing")
    page = _joined(page)
    across, down = page.grid
    planes = []
    for plane in range(page.planes):
        start = plane * across * down
        data = [_segment(file, page, i) for i in range(start, start + across * down)]
        planes.append(_plane(page, data))
    return planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)


def _joined(page: Page) -> Page:
    """The page with each plane as one strip, where its strips are not packed and follow each other."""
    down = page.grid[1]
    if page.compression != NONE or page.tiled or down == 1:
        return page
    sizes = [_rows(page, i) * page.row_bytes for i in range(page.planes * down)]
    ends = [at + size for at, size in zip(page.offsets, sizes, strict=False)]
    breaks = [i for i in range(1, len(sizes)) if i % down and ends[i - 1] != page.offsets[i]]
    if breaks or any(count < size for count, size in zip(page.counts, sizes, strict=False)):
        return page
    return replace(
        page,
        segment=(page.width, page.height),
        offsets=page.offsets[::down],
        counts=(page.height * page.row_bytes,) * page.planes,
    )


def _segment(file: BinaryIO, page: Page, number: int) -> bytes:
    at, count = page.offsets[number], page.counts[number]
    if page.compression == NONE:
        count = min(count, _rows(page, number) * page.row_bytes) if count else _rows(page, number) * page.row_bytes
    file.seek(at)
    data = file.read(count) if at > 0 else b""
    if len(data) < count or not data:
        raise RefusedError("truncated, some of its pixels lie beyond the end of the file")
    return data.translate(_REVERSED) if page.reversed_bits and page.compression != JPEG else data


def _rows(page: Page, number: int) -> int:
    """Rows that segment ``number`` must hold: the last strip is shorter, a tile never is."""
    across, down = page.grid
    row = number % (across * down) // across
    return page.segment[1] if page.tiled else min(page.segment[1], page.height - row * page.segment[1])


def _plane(page: Page, data: Sequence[bytes]) -> NDArray[Any]:
    """Segments of one plane, packed, to [H, W, values]."""
    if page.compression == JPEG:
        return _assembled(page, [_jpeg(page, part) for part in data])
    if page.compression == LZW:
        rows = [_rows(page, i) for i in range(len(data))]
        unpacked = _unpacked_by_libtiff(data, page.segment[1], rows, page.row_bytes)
        blocks = np.split(unpacked, np.cumsum(rows)[:-1]) if page.tiled else [unpacked]
    else:
        blocks = [_block(page, part, _rows(page, i)) for i, part in enumerate(data)]
    if page.tiled:
        return _assembled(page, [_values(page, block) for block in blocks])
    return _values(page, blocks[0] if len(blocks) == 1 else np.concatenate(blocks))


def _block(page: Page, data: bytes, rows: int) -> UInt8Array:
    """One segment's bytes, uint8 [rows, row_bytes]."""
    size = rows * page.row_bytes
    full = page.segment[1] * page.row_bytes  # some writers fill the last strip up
    if page.compression in (DEFLATE, OLD_DEFLATE):
        data = _inflated(data, full)
    elif page.compression == PACKBITS:
        data = _unpackbits(data, full)
    elif page.compression == LZMA:
        data = _unlzma(data, full)
    elif page.compression != NONE:
        name = _NAMES.get(page.compression, f"method {page.compression}")
        raise RefusedError(f"compressed by {name}, which is not read: save it with LZW, Deflate or no compression")
    if len(data) < size:
        raise DamagedError("some of its strips are too short")
    return np.frombuffer(data, np.uint8, size).reshape(rows, page.row_bytes)


def _inflated(data: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        out = unpacker.decompress(data, most)
        if not unpacker.eof:  # the checksum comes after the last byte
            out += unpacker.decompress(unpacker.unconsumed_tail, 1)
    except zlib.error:
        raise DamagedError("some of its strips do not unpack") from None
    if not unpacker.eof:
        raise DamagedError("some of its strips do not end where they should")
    return out


def _unpackbits(data: bytes, most: int) -> bytes:
    parts, at, length = [], 0, 0
    while at < len(data) and length < most:
        head = data[at]
        if head < 128:  # so many bytes and one more, as they stand
            part, step = data[at + 1 : at + 2 + head], head + 2
        else:  # one byte, repeated; 128 is nothing
            part, step = data[at + 1 : at + 2] * (257 - head) if head > 128 else b"", 2 if head > 128 else 1
        parts.append(part)
        length += len(part)
        at += step
    if not len(data) - 1 <= at <= len(data):  # a byte may fill up to an even number
        raise DamagedError("some of its strips do not end where they should")
    return b"".join(parts)


def _unlzma(data: bytes, most: int) -> bytes:
    unpacker = lzma.LZMADecompressor()
    try:
        out = unpacker.decompress(data, most)
    except (lzma.LZMAError, EOFError):
        raise DamagedError("some of its strips do not unpack") from None
    return out


def _unpacked_by_libtiff(data: Sequence[bytes], per_strip: int, rows: Sequence[int], row_bytes: int) -> UInt8Array:
    """Bytes of LZW strips: uint8 [sum of rows, row_bytes].

    A grey TIFF is made of them, as wide as a row (or two) has bytes. It is said to hold 16 bits where that is possible, for
    OpenCV passes over errors in strips of 8 bits.
    """
    height, pairs = sum(rows), row_bytes % 2 and not any(n % 2 for n in (per_strip, *rows))
    if pairs:
        return _unpacked_by_libtiff(data, per_strip // 2, [n // 2 for n in rows], row_bytes * 2).reshape(
            height, row_bytes
        )
    bits = 8 if row_bytes % 2 else 16
    width = row_bytes * 8 // bits
    tiff = _grey_tiff(data, per_strip, (height, width), bits)
    pixels = cv2.imdecode(np.frombuffer(tiff, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.shape != (height, width):
        raise DamagedError("some of its strips do not unpack")
    return np.ascontiguousarray(pixels).view(np.uint8)


def _grey_tiff(data: Sequence[bytes], per_strip: int, shape: tuple[int, int], bits: int) -> bytes:
    """A little-endian TIFF of one grey page, LZW."""
    n = len(data)
    counts = [len(part) for part in data]
    arrays = 8 + 2 + 9 * 12 + 4
    starts = np.cumsum([arrays + (8 * n if n > 1 else 0), *counts[:-1]]).tolist()
    fields = [
        (256, 1, shape[1]), (257, 1, shape[0]), (258, 1, bits), (259, 1, LZW), (262, 1, 1),
        (273, n, arrays if n > 1 else starts[0]), (277, 1, 1), (278, 1, per_strip), (279, n, arrays + 4 * n if n > 1 else counts[0]),
    ]  # fmt: skip
    head = (
        b"II*\0"
        + struct.pack("<IH", 8, len(fields))
        + b"".join(struct.pack("<HHII", tag, 4, k, v) for tag, k, v in fields)
    )
    tables = struct.pack(f"<{2 * n}I", *starts, *counts) if n > 1 else b""
    return b"".join([head, bytes(4), tables, *data])


def _jpeg(page: Page, data: bytes) -> UInt8Array:
    """A strip or tile that is a JPEG: with the tables it shares, and told whether its three channels are RGB already."""
    if page.bits != 8 or page.per_plane not in (1, 3):
        raise RefusedError(
            "compressed by JPEG with other than 1 or 3 channels of 8 bits: save it with LZW, Deflate or no compression"
        )
    if not data.startswith(b"\xff\xd8"):
        raise DamagedError("some of its strips do not unpack")
    tables = page.tables[2:-2] if page.tables else b""
    adobe = b"\xff\xee\0\x0eAdobe\0d\0\0\0\0" + (b"\0" if page.photometric == _RGB else b"\1")
    rgb = decode_jpeg(data[:2] + adobe + tables + data[2:], page.per_plane)
    return rgb[..., : page.per_plane]


def _values(page: Page, block: UInt8Array) -> NDArray[Any]:
    """Bytes of one segment, uint8 [rows, row_bytes], to values [rows, width, per_plane]."""
    shape = (len(block), page.segment[0], page.per_plane)
    if page.bits == 8:
        values: NDArray[Any] = block.reshape(shape)
    elif page.bits == 16:
        # libtiff gives the values of LZW data in the order of the little-endian file it was handed: as they stand.
        values = block.view(">u2" if page.big_endian else "<u2").astype(np.uint16).reshape(shape)
    else:
        values = _unpacked_bits(block, page.bits, shape)
    if page.predictor == 2:
        values = np.add.accumulate(values, axis=1, dtype=values.dtype)
    elif page.predictor != 1:
        raise RefusedError("its predictor is that of floating-point pixels: save it with 8 bits per channel")
    return values


def _unpacked_bits(block: UInt8Array, bits: int, shape: tuple[int, int, int]) -> NDArray[Any]:
    per_row = shape[1] * shape[2]
    single = np.unpackbits(block, axis=1)[:, : per_row * bits].reshape(shape[0], per_row, bits)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    values = (single * weights).sum(axis=2, dtype=np.uint16).reshape(shape)
    return np.asarray(values, np.uint8 if bits <= 8 else np.uint16)


def _assembled(page: Page, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Segments of one plane side by side, cut to the page's size."""
    across, _ = page.grid
    width, height = page.segment
    if len(parts) == 1 and parts[0].shape[:2] == (page.height, page.width):
        return parts[0]
    out = np.empty((page.height, page.width, page.per_plane), parts[0].dtype)
    for i, part in enumerate(parts):
        y, x = i // across * height, i % across * width
        target = out[y : y + height, x : x + width]
        if part.shape[0] < target.shape[0] or part.shape[1] < target.shape[1] or part.shape[2] != page.per_plane:
            raise DamagedError("some of its strips have another size than the header says")
        target[...] = part[: target.shape[0], : target.shape[1]]
    return out
