"""One page of a TIFF as a record of its own, so that a worker can read it without the file's structure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from edge.refusal import DamagedError, RefusedError

_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3  # values of SampleFormat, TIFF 6.0
_KINDS = {_SIGNED: "signed integers", _FLOAT: "floating-point numbers", 5: "complex numbers", 6: "complex numbers"}
_ALPHA = (1, 2)  # values of ExtraSamples: associated, unassociated


@dataclass(frozen=True, slots=True)
class Page:
    """One page; all sizes in pixels, offsets and counts in bytes.

    Attributes:
        samples: values per pixel.
        bits: of each value.
        planar: each channel stands for itself, one after the other.
        compression: TIFF's number; ``predictor``: 1 none, 2 differences along a row.
        photometric: TIFF's number for what the values mean.
        extra: TIFF's numbers for the values beyond the colours: 0 anything, 1 alpha multiplied in, 2 alpha.
        segment: (width, height) of a strip or tile; ``tiled`` says which.
        offsets, counts: where each segment is, and how long.
        big_endian: of values deeper than 8 bits.
        reversed_bits: the first pixel is in the lowest bit.
        orientation: 1 to 8, as in EXIF.
        tables: JPEG tables common to all segments.
        colours: palette, 3 x n values of 16 bits, red first.
        declared: bits that count, where the file says it.
    """

    width: int
    height: int
    samples: int
    bits: int
    planar: bool
    compression: int
    predictor: int
    photometric: int
    extra: tuple[int, ...]
    segment: tuple[int, int]
    tiled: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    big_endian: bool
    reversed_bits: bool
    orientation: int
    tables: bytes | None
    colours: tuple[int, ...] | None
    declared: int | None

    @property
    def per_plane(self) -> int:
        """Values per pixel in one segment."""
        return 1 if self.planar else self.samples

    @property
    def planes(self) -> int:
        """How many sets of segments cover the page."""
        return self.samples if self.planar else 1

    @property
    def grid(self) -> tuple[int, int]:
        """Segments across and down, of one plane."""
        return math.ceil(self.width / self.segment[0]), math.ceil(self.height / self.segment[1])

    @property
    def row_bytes(self) -> int:
        """Bytes in one row of a segment."""
        return (self.segment[0] * self.per_plane * self.bits + 7) // 8

    @property
    def alpha(self) -> int | None:
        """Which of the extra values is alpha, counted from the first extra one."""
        return next((i for i, kind in enumerate(self.extra) if kind in _ALPHA), None)


def page_of(raw: Any) -> Page:
    """The record of a ``tifffile.TiffPage``; raises RefusedError for what cannot be read whatever its pixels are."""
    kinds = raw.tags.get(339)
    kind = _first(kinds.value) if kinds is not None else _UNSIGNED
    bits = raw.tags.get(258)
    widths = set(_many(bits.value)) if bits is not None else {1}
    if kind in _KINDS or max(widths) > 16:
        what = _KINDS.get(kind, "integers")
        raise RefusedError(
            f"its pixels are {max(widths)}-bit {what}, whose scale is unknown: save it with 8 bits per channel"
            " (ImageJ: Image > Type > 8-bit or RGB Color)"
        )
    if len(widths) > 1:
        raise RefusedError("its channels have different depths: save it as RGB with 8 bits per channel")
    if raw.imagedepth > 1:
        raise RefusedError("its pages are volumes: export each plane as a picture")
    width, height = int(raw.imagewidth), int(raw.imagelength)
    if width <= 0 or height <= 0:
        raise DamagedError("its header says it has no pixels")
    tables, colours, largest = raw.tags.get(347), raw.tags.get(320), raw.tags.get(281)
    orientation = raw.tags.get(274)
    turn = int(_first(orientation.value)) if orientation is not None else 1
    planar = int(raw.planarconfig or 1) == 2 and raw.samplesperpixel > 1
    segment = (int(raw.tilewidth), int(raw.tilelength)) if raw.is_tiled else (width, min(int(raw.rowsperstrip), height))
    if min(segment) <= 0:
        raise DamagedError("its strips have no rows")
    return Page(
        width=width,
        height=height,
        samples=int(raw.samplesperpixel),
        bits=int(max(widths)),
        planar=planar,
        compression=int(raw.compression),
        predictor=int(raw.predictor),
        photometric=int(raw.photometric),
        extra=tuple(int(value) for value in raw.extrasamples),
        segment=segment,
        tiled=bool(raw.is_tiled),
        offsets=tuple(int(at) for at in raw.dataoffsets),
        counts=tuple(int(n) for n in raw.databytecounts),
        big_endian=raw.parent.byteorder == ">",
        reversed_bits=int(raw.fillorder) == 2,
        orientation=turn if 1 <= turn <= 8 else 1,
        tables=bytes(tables.value) if tables is not None else None,
        colours=tuple(int(value) for value in _flat(colours.value)) if colours is not None else None,
        declared=_declared(largest.value if largest is not None else None, int(max(widths))),
    )


def _declared(largest: Any, bits: int) -> int | None:
    """Bits that count: fewer than 16 in the file, or a largest value that is the end of a range."""
    if bits not in (8, 16):
        return bits
    top = int(_first(largest)) if largest is not None else 0
    return top.bit_length() if 8 < top.bit_length() < 16 and top & (top + 1) == 0 else None


def _many(value: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in value) if isinstance(value, tuple) else (int(value),)


def _first(value: Any) -> int:
    return _many(value)[0]


def _flat(value: Any) -> list[int]:
    return [int(v) for v in getattr(value, "ravel", lambda: value)()]
