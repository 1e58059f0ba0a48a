"""From the pages of one field to RGB: what the values mean, which plane is sharpest, how deep they are."""

from __future__ import annotations

from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.depth import settle, to_8_bit
from edge.refusal import EXPORT, RefusedError
from edge.sources.tiff.layout import FieldPlan
from edge.sources.tiff.page import Page
from edge.sources.tiff.segments import JPEG, read_values
from edge.sources.turn import turned
from edge.types import UInt8Array

# Values of PhotometricInterpretation, TIFF 6.0
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _INKS, _YCBCR = 0, 1, 2, 3, 5, 6
_LAB = (8, 9, 10)  # CIELab, ICCLab, ITULab
_MULTIPLIED = 1  # alpha that the colours were multiplied by already
_RAW = (32803, 34892)  # colour filter array, linear raw (DNG)


def read_field(plan: FieldPlan, file: BinaryIO, z: int | None, depth: int | None) -> tuple[UInt8Array, int | None]:
    """Read one field.

    Args:
        plan: from ``lay_out``.
        file: the TIFF, open.
        z: which of several planes, from 1; None for the sharpest.
        depth: bits that count of 16, where the user or the sample says it.

    Returns:
        uint8 [H, W, 3] RGB, and the depth its values were scaled by (None: 8 bits).

    Raises:
        RefusedError: damage, or a kind of pixels that is not read.
    """
    planes = plan.planes
    if z is not None and len(planes) > 1:
        if z > len(planes):
            raise RefusedError(f"it has {len(planes)} planes, --z {z} is none of them")
        planes = planes[z - 1 : z]
    declared = depth if depth is not None else plan.declared
    best, sharpest, top = None, -1.0, 0
    for pages in planes:
        colour = _channels(pages, file, declared)
        # The depth is settled over all planes: one of them alone may be dim.
        top = max(top, int(colour.max()) if colour.dtype == np.uint16 else 0)
        sharpness = _sharpness(colour) if len(planes) > 1 else 0.0
        if best is None or sharpness > sharpest:
            best, sharpest = colour, sharpness
    if best is None:
        raise RefusedError("it holds no picture")
    if best.dtype == np.uint16 and declared is None and top >= 1 << 14:
        declared = 16
    rgb, used = to_8_bit(best, declared)
    return turned(np.ascontiguousarray(rgb), planes[0][0].orientation), used


def _channels(pages: tuple[Page, ...], file: BinaryIO, depth: int | None) -> NDArray[Any]:
    """One plane: a page in colour, a grey page, or three grey pages that are red, green and blue. [H, W, 3]."""
    if len(pages) == 1:
        return _colours(pages[0], read_values(pages[0], file), depth)
    return np.stack([_colours(page, read_values(page, file), depth)[..., 0] for page in pages], axis=2)


def _colours(page: Page, values: NDArray[Any], depth: int | None) -> NDArray[Any]:
    """Values to RGB by what they mean; alpha is laid on white, other extra channels are left out."""
    meaning = page.photometric
    if meaning in _LAB:
        raise RefusedError("its colours are CIELAB: save it as RGB")
    if meaning in _RAW:
        raise RefusedError(f"camera raw is not read: {EXPORT}")
    if page.compression == JPEG and meaning == _YCBCR:
        meaning = _RGB  # the JPEG decoder has converted it
    if meaning in (_BLACK_IS_ZERO, _WHITE_IS_ZERO):
        grey = _spread(page, values[..., :1])
        if meaning == _WHITE_IS_ZERO:
            grey = grey.dtype.type(_white(grey, depth)) - grey
        return _laid_on_white(page, np.repeat(grey, 3, axis=2), values[..., 1:], depth)
    if meaning == _RGB and values.shape[2] >= 3:
        return _laid_on_white(page, _spread(page, values[..., :3]), values[..., 3:], depth)
    if meaning == _PALETTE and page.colours is not None:
        palette = np.array(page.colours, np.uint16).reshape(3, -1).T
        # 16 bits by definition; some writers put 8.
        palette = (palette >> 8 if palette.max() > 255 else palette).astype(np.uint8)
        return np.asarray(palette[np.minimum(values[..., 0], len(palette) - 1)], np.uint8)
    if meaning == _INKS and values.dtype == np.uint8 and values.shape[2] >= 4:
        paper = 255 - values[..., :4].astype(np.uint16)
        return ((paper[..., :3] * paper[..., 3:] + 127) // 255).astype(np.uint8)
    raise RefusedError("its colours are of a kind that is not read: save it as RGB")


def _white(values: NDArray[Any], depth: int | None) -> int:
    return 255 if values.dtype == np.uint8 else (1 << settle(int(values.max()), depth)) - 1


def _spread(page: Page, values: NDArray[Any]) -> NDArray[Any]:
    """1 to 7 bits spread over 8."""
    return values if page.bits >= 8 else (values.astype(np.uint16) * 255 // ((1 << page.bits) - 1)).astype(np.uint8)


def _laid_on_white(page: Page, colour: NDArray[Any], extra: NDArray[Any], depth: int | None) -> NDArray[Any]:
    if page.alpha is None or page.alpha >= extra.shape[2]:
        return colour
    full = (1 << page.bits) - 1  # of alpha, whatever depth the colours use
    alpha = extra[..., page.alpha].astype(np.uint64)[..., None]
    if alpha.min() >= full:
        return colour
    white = _white(colour, depth)
    lit = colour.astype(np.uint64) * (full if page.extra[page.alpha] == _MULTIPLIED else alpha)
    return np.asarray(np.minimum((lit + white * (full - alpha) + full // 2) // full, white), colour.dtype)


def _sharpness(colour: NDArray[Any]) -> float:
    """Fine structure of the green channel against its brightness; compares planes of one view, where noise is the same."""
    green = np.ascontiguousarray(colour[..., 1]).astype(np.float32)
    half = cv2.resize(green, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(half, cv2.CV_32F).var()) / max(float(half.mean()), 1.0) ** 2
