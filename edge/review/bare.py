"""JPEGs without what cameras and programs write beside the pixels: places, times, owners, comments, thumbnails."""

from __future__ import annotations

_START, _SCAN, _END = b"\xff\xd8", 0xDA, b"\xff\xd9"
_NOTES = frozenset({*range(0xE1, 0xF0), 0xFE})  # APP1 to APP15 and COM; APP0 (JFIF) says how pixels are to be shown


def bare_jpeg(data: bytes) -> bytes:
    """The same picture and nothing else, not a byte after its end either. Raises ValueError for what is no JPEG."""
    if not data.startswith(_START):
        raise ValueError("not a JPEG")
    kept, at = bytearray(_START), len(_START)
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == _SCAN:
            over = data.find(_END, end)  # within a scan no byte FF is followed by a marker's number
            return bytes(kept) + data[at : over + len(_END) if over >= 0 else len(data)]
        if kind not in _NOTES:
            kept += data[at:end]
        at = end
    raise ValueError("a JPEG without pixels")
