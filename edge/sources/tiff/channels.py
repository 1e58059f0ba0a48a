"""Which channels of a picture are red, green and blue, by their names and colours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from edge.refusal import RefusedError

_NAMES = ({"r", "red"}, {"g", "green"}, {"b", "blue"})
_PURE = ((255, 0, 0), (0, 255, 0), (0, 0, 255))  # RGB of the colours that name channels
_GENERIC = re.compile(r"(channel|ch|c|chan)?[ _:#-]*[0-9:]*", re.IGNORECASE)

Colour = tuple[int, int, int]


def pick(count: int, names: Sequence[str], colours: Sequence[Colour | None]) -> tuple[int, ...]:
    """Which channels make the picture: three that are red, green and blue, or one that is grey.

    Args:
        count: channels there are.
        names: what they are called, where that is known.
        colours: what they are shown in, where that is known.

    Raises:
        RefusedError: the names say that they are something else (stains of a fluorescence microscope).
    """
    if count == 1:
        return (0,)
    lower = [name.strip().lower() for name in names[:count]]
    by_name = [next((i for i, name in enumerate(lower) if name in wanted), None) for wanted in _NAMES]
    by_colour = [next((i for i, colour in enumerate(colours[:count]) if colour == pure), None) for pure in _PURE]
    for found in (by_name, by_colour):
        chosen = tuple(i for i in found if i is not None)
        if len(chosen) == 3:
            return chosen
    if any(not _GENERIC.fullmatch(name) for name in lower):
        raise RefusedError(f"its channels are {', '.join(names[:count])}, not red, green and blue: export it as RGB")
    return (0, 1, 2) if count >= 3 else (0,)


class Image:
    """What OME-XML says of one image: names and colours of its channels, bits that count (None: not said)."""

    def __init__(self, element: ET.Element) -> None:
        pixels = next((child for child in element if _tag(child) == "Pixels"), element)
        channels = [child for child in pixels if _tag(child) == "Channel"]
        self.names = [child.get("Name") or "" for child in channels]
        self.colours = [_colour(child.get("Color")) for child in channels]
        bits = pixels.get("SignificantBits")
        self.bits = int(bits) if bits is not None and bits.isdecimal() else None


def ome_images(xml: str | None) -> list[Image]:
    """Every image that OME-XML describes, in order; none where it cannot be parsed."""
    try:
        root = ET.fromstring(xml or "")  # noqa: S314 - expat refuses entities that grow; nothing is fetched
    except (ET.ParseError, ValueError):
        return []
    return [Image(child) for child in root if _tag(child) == "Image"]


def lut_colours(tables: Any) -> list[Colour | None]:
    """The colours that ImageJ shows channels in: the last entry of each table, uint8 [3, 256]."""
    try:
        return [(int(table[0][-1]), int(table[1][-1]), int(table[2][-1])) for table in tables]
    except (TypeError, IndexError, ValueError):
        return []


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _colour(text: str | None) -> Colour | None:
    """OME's colour: a signed number of 32 bits, red in the highest byte, alpha in the lowest."""
    try:
        value = int(text or "") & 0xFFFFFFFF
    except ValueError:
        return None
    return value >> 24, value >> 16 & 255, value >> 8 & 255
