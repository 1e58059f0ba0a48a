"""A contact sheet: cells side by side with a line on each, as a PNG to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from convert.errors import OutputError
from edge.safe_file import write_bytes
from edge.types import UInt8Array

MOST = 60
_TILE, _TEXT, _COLUMNS, _GAP = 128, 34, 8, 6
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw(images: UInt8Array, lines: Sequence[tuple[str, str]]) -> UInt8Array:
    """RGB uint8 [n, s, s, 3] and two lines of text each to one RGB picture, the first ``MOST`` of them."""
    images, lines = images[:MOST], lines[:MOST]
    rows = max(1, -(-len(images) // _COLUMNS))
    height, width = rows * (_TILE + _TEXT + _GAP) + _GAP, _COLUMNS * (_TILE + _GAP) + _GAP
    page = np.full((height, width, 3), 255, np.uint8)
    for number, (image, texts) in enumerate(zip(images, lines, strict=True)):
        top = _GAP + number // _COLUMNS * (_TILE + _TEXT + _GAP)
        left = _GAP + number % _COLUMNS * (_TILE + _GAP)
        page[top : top + _TILE, left : left + _TILE] = cv2.resize(
            image, (_TILE, _TILE), interpolation=cv2.INTER_NEAREST
        )
        for line, text in enumerate(texts):
            plain = text.encode("ascii", "replace").decode()[:22]
            cv2.putText(page, plain, (left, top + _TILE + 13 + 15 * line), _FONT, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return page


def write(path: Path, page: UInt8Array) -> None:
    """As a PNG; raises OutputError."""
    done, data = cv2.imencode(".png", page[..., ::-1])
    if not done:
        raise OutputError(f"{path}: cannot write the contact sheet")
    write_bytes(path, data.tobytes())
