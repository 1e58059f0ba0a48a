"""Regions as ImageJ and Fiji keep them: one ``.roi`` each, big-endian, with a second header for name, group and properties.

The layout is that of ImageJ's own ``RoiDecoder`` (version 228). Rectangles are written; whatever encloses an area is read as its
bounding box.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.exchange.records import ExchangeBox
from edge.exchange.untrusted import box

_MAGIC = b"Iout"
_VERSION = 228  # of the layout
_HEAD, _HEAD2 = 64, 64  # bytes of the two headers
_FIRST = struct.Struct(">4shBxhhhhH4fhi4s4shhBBhii")
_SECOND = struct.Struct(">4x3i2i4shBBif3i12x")
_RECT, _OVAL = 1, 2  # types of region
_AREAS = {0: "polygon", _RECT: "rectangle", _OVAL: "oval", 7: "freehand", 8: "traced"}
_OTHERS = {3: "line", 4: "freeline", 5: "polyline", 6: "none", 9: "angle", 10: "point"}
_SUBPIXEL = 128  # option: corners are floats
_EDGE = 30_000  # pixels: corners are 16 bits with a sign
_MOST_GROUP = 255  # it is kept in a byte


@dataclass(frozen=True, slots=True)
class ImageJRegion:
    """A region.

    Attributes:
        name: as the ROI Manager shows it.
        box: in pixels; it encloses the region.
        position: slice of the stack, from 1; 0: none.
        group: from 1; 0: none.
        colour: RGB of its line.
        properties: keys without white space, to values on one line.
    """

    name: str
    box: ExchangeBox
    position: int = 0
    group: int = 0
    colour: tuple[int, int, int] = (110, 110, 110)
    properties: Mapping[str, str] = field(default_factory=dict)


def encode_region(region: ImageJRegion) -> bytes:
    """A rectangle as the bytes of a ``.roi`` file; raises ValueError where it lies too far out."""
    x, y, w, h = region.box
    left, top, right, bottom = math.floor(x), math.floor(y), math.ceil(x + w), math.ceil(y + h)
    if min(left, top) < -_EDGE or max(right, bottom) > _EDGE:
        raise ValueError("a box lies too far out for ImageJ")
    whole = all(float(one).is_integer() for one in region.box)
    exact = (0.0, 0.0, 0.0, 0.0) if whole else region.box
    name = region.name.encode("utf-16-be")
    told = "".join(f"{key}: {value}\n" for key, value in sorted(region.properties.items()))
    properties = told.encode("utf-16-be")
    colour = bytes((255, *region.colour))
    head = _FIRST.pack(
        *(_MAGIC, _VERSION, _RECT, top, left, bottom, right, 0, *exact, 1, 0, colour, bytes(4)),
        *(0, 0 if whole else _SUBPIXEL, 0, 0, 0, region.position, _HEAD),
    )
    at = _HEAD + _HEAD2
    head2 = _SECOND.pack(
        *(0, 0, 0, at, len(name) // 2, bytes(4), 0, min(region.group, _MOST_GROUP), 0, 0, 1.0),
        *(at + len(name), len(properties) // 2, 0),
    )
    return head + head2 + name + properties


def decode_region(data: bytes, fallback: str) -> ImageJRegion:
    """A region from the bytes of a ``.roi`` file.

    Args:
        data: of the file.
        fallback: its name where the file holds none.

    Raises:
        ValueError: it is damaged, or encloses no area.
    """
    if len(data) < _HEAD or data[:4] != _MAGIC:
        raise ValueError(f"{fallback!r} is no region of ImageJ")
    (_, _, kind, top, left, bottom, right, _, *rest) = _FIRST.unpack(data[:_HEAD])
    floats, (_, shape_size, colour, _, _, options, _, _, _, position, at) = rest[:4], rest[4:]
    name, group, properties = fallback, 0, dict[str, str]()
    if 0 < at <= len(data) - _HEAD2:
        head2 = _SECOND.unpack(data[at : at + _HEAD2])
        name = _text(data, head2[3], head2[4]) or fallback
        group = head2[7]
        properties = _properties(_text(data, head2[11], head2[12]))
    if kind not in _AREAS:
        raise ValueError(f"{name[:60]!r} is a {_OTHERS.get(kind, 'thing')}, which encloses no cell: delete it")
    exact = options & _SUBPIXEL and kind in (_RECT, _OVAL) and not shape_size
    x, y, w, h = floats if exact else (left, top, right - left, bottom - top)
    rgb = (colour[1], colour[2], colour[3])
    return ImageJRegion(name, box(x, y, w, h, what=f"{name[:60]!r}"), max(position, 0), group, rgb, properties)


def _text(data: bytes, at: int, letters: int) -> str:
    """UTF-16 within the file; empty where it would lie outside."""
    if at <= 0 or letters <= 0 or at + 2 * letters > len(data):
        return ""
    return data[at : at + 2 * letters].decode("utf-16-be", "replace")


def _properties(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}
