"""Whether a part of a picture is missing: a band or block that is empty, lines that repeat, a frame torn in two.

A file whose end was never written decodes to zeros, a decoder that ran out of data paints one colour or copies its last line, and
a camera's frame that lost packets ends in green or goes on with another frame. All of these leave patterns too exact for a lens.
Every row is looked at in some columns, every column in some rows:

* **bands**: rows alike to the last bit, of one colour that ends at once over the whole width, or of a varied line. White that
  is clipped has no such end: cells reach into it. Bars on two opposite sides are a film's and no loss;
* **zeros**: black, or the green that zeros are in YUV, for most of a row without a break;
* **blocks**: a rectangle of one colour that does not occur around it. White ones are labels, thin ones scale bars;
* **tears**: one row in which many columns jump, beside rows in which few do.

Nothing is looked for outside a lit region, unless that is a bar on one side: a frame that ends early looks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.inside import extent, lit_mask, mask_of, scaled
from edge.pixels import channels
from edge.types import Region, UInt8Array

_SAMPLES = (64, 32)  # columns in which every row is looked at; rows in which every column is
_NEAR = 12  # levels within which two pixels have one colour
_EVEN = 3  # levels within which a whole row has one colour
_VARIED = 0.25  # share of a row's steps that are larger than that
_BAND = (6, 0.006)  # rows, and share of all rows, that are a band
_REPEATS = (24, 0.02)  # the same for a copied line: enlarged pictures repeat each a few times
_BEYOND = 20  # rows within which the picture must have begun beyond a band's end
_SHARED = 0.3  # of the columns may still have the band's colour there
_SUDDEN = 0.6  # of the whole change in one row
_OPPOSITE = 0.5  # a bar is no narrower than this against the one on the other side
_MARGIN = (
    0.05  # of the side: so narrow a dark bar that is not exact to its end was there when the picture was compressed
)
_ZERO = 2  # level
_ZERO_RUN = 0.6  # of a row
_PARTLY = 0.2  # of the rows hold some zeros: a picture whose ground is black
_GRID = 160  # steps across the longer side in which blocks are looked for
_FINEST = 8  # pixels of a step
_BLOCK = 4  # steps, in both directions
_MOST_BLOCKS = 50  # looked at closely; a damaged picture has one or few
_SOLID = 0.95  # share of a row or column that must be of one colour
_WHITE = 250  # grey level; a lighter blank is paper, not a missing part
_JUMP = 14  # levels more than to the rows before and after
_PARTS = 8  # of a row
_TORN = (
    0.3,
    3.0,
    0.2,
)  # share of the columns that jump; times what they do in other rows; share in half the parts of the row
_ENLARGED = 0.4  # share of lines that are the same as the one before
_QUIET = 0.02  # share below which rows are alike in that


class _Lines(NamedTuple):
    """Rows of a picture, or its columns laid flat.

    Attributes:
        pixels: uint8 [n, columns, 3].
        inside: bool [n, columns], what belongs to the field.
        known: bool [n], whether enough of a row does.
    """

    pixels: UInt8Array
    inside: np.ndarray
    known: np.ndarray


class _Band(NamedTuple):
    """Rows ``first`` to ``end`` (exclusive) of one colour, int16 [3]."""

    first: int
    end: int
    colour: np.ndarray


def is_incomplete(rgb: UInt8Array, region: Region | None = None) -> bool:
    """Whether a part of a picture is missing.

    Args:
        rgb: uint8 [H, W, 3]; smaller than 32 pixels a side: never.
        region: its lit region.
    """
    height, width = rgb.shape[:2]
    if min(height, width) < 32:
        return False
    lit = None if region is None or _one_sided(region, (height, width)) else region
    for turned in (False, True):
        samples, length = _sampled(rgb, turned=turned), width if not turned else height
        red, green, _ = channels(samples)
        if lit is not None or _worth_a_look(*(side if turned else cv2.transpose(side) for side in (red, green))):
            pixels = np.asarray(cv2.transpose(samples) if turned else samples, np.uint8)
            if _missing(_lines(pixels, lit, length, turned=turned), turned=turned):
                return True
    return _has_block(rgb, lit)


def _sampled(rgb: UInt8Array, *, turned: bool) -> UInt8Array:
    """Some of the columns, uint8 [H, columns, 3]; turned: some of the rows, uint8 [rows, W, 3]. OpenCV's choice in both."""
    height, count = len(rgb), _SAMPLES[turned]
    if not turned:
        return np.asarray(cv2.resize(rgb, (count, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    step = 1 / (count / height)  # as OpenCV takes it, rounding and all
    return rgb[np.minimum((np.arange(count) * step).astype(np.intp), height - 1)]


def _worth_a_look(red: NDArray[Any], green: NDArray[Any]) -> bool:
    """A quick first test whether lines may be missing; most pictures need no other.

    Args:
        red: uint8 [columns, n], the lines upright: the fast direction for OpenCV. Red alone shows every zero.
        green: the same of green.
    """
    step = cv2.absdiff(green[:, 1:], green[:, :-1])
    # along the samples NumPy is faster than OpenCV
    alike = step.shape[1] - np.count_nonzero(step.max(axis=0))
    even = np.count_nonzero(green.max(axis=0) - green.min(axis=0) <= _EVEN)
    zeros = _counts(red <= _ZERO)
    jumps = cv2.subtract(step[:, 1:-1], cv2.max(step[:, :-2], step[:, 2:]))
    torn = _counts(jumps > _JUMP)
    return bool(
        alike >= _rows(_REPEATS, green.shape[1])
        or even >= _rows(_BAND, green.shape[1])
        or (zeros[:-1] + zeros[1:]).max() > _ZERO_RUN * len(green)
        or torn.max() >= _TORN[0] * len(green)
    )


def _counts(chosen: NDArray[np.bool_]) -> UInt8Array:
    """How many of bool [columns, n] are True in each line, uint8 [n]: twice a column still fits into a byte."""
    return np.asarray(np.add.reduce(chosen.view(np.uint8), axis=0, dtype=np.uint8), np.uint8)


def _rows(limit: tuple[int, float], count: int) -> float:
    return max(limit[0], limit[1] * count)


def _one_sided(region: Region, shape: tuple[int, int]) -> bool:
    """Whether the region is the frame less a bar on one side, or less two that have little to do with each other."""
    x, y, width, height = extent(region, shape)
    if cv2.contourArea(region.outline) < 0.98 * width * height:
        return False
    across, down = sorted((x, shape[1] - x - width)), sorted((y, shape[0] - y - height))
    return (across[1] == 0) != (down[1] == 0) and any(
        bars[1] > 0 and bars[0] < _OPPOSITE * bars[1] for bars in (across, down)
    )


def _lines(pixels: UInt8Array, region: Region | None, length: int, *, turned: bool) -> _Lines:
    """Lines that were ``length`` pixels long, with what of them lies well inside the region."""
    count, columns = pixels.shape[:2]
    if region is None:
        return _Lines(pixels, np.ones((count, columns), bool), np.ones(count, bool))
    outline = region.outline[:, ::-1] if turned else region.outline
    narrow = Region(np.ascontiguousarray(outline * np.array([columns / length, 1], np.float32)))
    off = 2 * int(np.ceil(region.rim + 0.01 * count)) + 1
    inside = cv2.erode(mask_of(narrow, (count, columns)), np.ones((off, 3), np.uint8)) > 0
    return _Lines(pixels, inside, inside.sum(axis=1) > columns / 4)


def _missing(lines: _Lines, *, turned: bool) -> bool:
    step = np.asarray(cv2.absdiff(lines.pixels[1:], lines.pixels[:-1]).max(axis=2))
    step[~(lines.inside[1:] & lines.inside[:-1])] = 0
    low, high = _range(lines)
    bands = _bands(lines, low, high)
    bars = _bars(bands, lines)
    if any(_ends_at_once(band, lines) for band in bands if band not in bars):
        return True
    torn = not turned and _is_torn(step, lines, bars)  # cameras send rows; a seam between columns is a stitched picture
    return torn or _has_zeros(lines, bars) or _is_copied(step, lines)


def _range(lines: _Lines) -> tuple[np.ndarray, np.ndarray]:
    """The least and the highest level of each row and channel, int16 [n, 3] each."""
    low, high = lines.pixels, lines.pixels
    if not lines.inside.all():
        low, high = (np.where(lines.inside[..., None], lines.pixels, np.uint8(other)) for other in (255, 0))
    # OpenCV's is ten times NumPy's speed along rows, and knows channels
    ends = (cv2.reduce(side, 1, how) for side, how in ((low, cv2.REDUCE_MIN), (high, cv2.REDUCE_MAX)))
    first, last = (end[:, 0].astype(np.int16) for end in ends)
    return first, last


def _runs(chosen: np.ndarray) -> list[tuple[int, int]]:
    """First and end of each run of True in bool [n]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.view(np.int8), [0]])))
    return [(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _bands(lines: _Lines, low: np.ndarray, high: np.ndarray) -> list[_Band]:
    even = ((high - low).max(axis=1) <= _EVEN) & lines.known
    return [
        _Band(first, end, np.asarray(np.median(low[first:end], axis=0), np.int16))
        for first, end in _runs(even)
        if end - first >= _rows(_BAND, len(even))
    ]


def _bars(bands: list[_Band], lines: _Lines) -> list[_Band]:
    """The bands that are a film's bars, on two opposite sides, or a narrow margin that fades into the picture."""
    count = len(lines.pixels)
    sides = [band for band in bands if (band.first == 0) != (band.end == count)]
    wide = [band.end - band.first for band in sides]
    if (
        len(sides) == 2
        and np.abs(sides[0].colour - sides[1].colour).max() <= _NEAR
        and min(wide) >= _OPPOSITE * max(wide)
    ):
        return sides
    return [band for band in sides if _fades(band, lines)]


def _fades(band: _Band, lines: _Lines) -> bool:
    near = _near(band, lines)
    fading = range(band.end, len(near)) if band.first == 0 else range(band.first - 1, -1, -1)
    wide = band.end - band.first
    rows = next((at for at, row in enumerate(fading) if near[row] < _SOLID), 0)
    return rows >= 3 and wide + rows <= _MARGIN * len(near)


def _near(band: _Band, lines: _Lines) -> np.ndarray:
    """Share of each row that has nearly the band's colour, float [n]."""
    like = (np.abs(lines.pixels.astype(np.int16) - band.colour).max(axis=2) <= _NEAR) & lines.inside
    return np.asarray(like.sum(axis=1) / np.maximum(lines.inside.sum(axis=1), 1))


def _ends_at_once(band: _Band, lines: _Lines) -> bool:
    """Whether the picture begins at each end of the band in one step, all along it: clipped paper fades, cells reach into it."""
    before, after = lines.pixels[max(0, band.first - _BEYOND) : band.first], lines.pixels[band.end : band.end + _BEYOND]
    known = (
        lines.known[max(0, band.first - _BEYOND) : band.first].all(),
        lines.known[band.end : band.end + _BEYOND].all(),
    )
    sides = [(side, ok) for side, ok in ((before[::-1], known[0]), (after, known[1])) if len(side)]
    return bool(sides) and all(ok and _begins_at_once(side, band.colour) for side, ok in sides)


def _begins_at_once(pixels: UInt8Array, colour: np.ndarray) -> bool:
    """Whether nearly all columns of rows, int [n, columns, 3], leave a colour, the first row's neighbour, by one large step."""
    rows = np.concatenate([np.broadcast_to(colour, (1, *pixels.shape[1:])), pixels.astype(np.int16)])
    off = np.abs(rows - colour).max(axis=2)
    step = np.abs(np.diff(rows, axis=0)).max(axis=2)
    left = off[1:] > _NEAR
    gone = left.any(axis=0)
    first = left.argmax(axis=0)
    columns = np.arange(left.shape[1])
    sudden = step[first, columns] >= _SUDDEN * off[1:][np.minimum(first + 2, len(left) - 1), columns]
    return bool((gone & sudden).mean() > 1 - _SHARED)


def _is_torn(step: np.ndarray, lines: _Lines, bars: list[_Band]) -> bool:
    """Whether the picture jumps between two rows all along them, and not only at a bar that is painted over a part of them."""
    jumps = (cv2.subtract(step[1:-1], cv2.max(step[:-2], step[2:])) > _JUMP) & lines.inside[1:-2]
    seen = lines.inside[1:-2].sum(axis=1)
    share = np.where(lines.known[1:-2], jumps.sum(axis=1) / np.maximum(seen, 1), 0)
    for bar in bars:
        share[max(0, bar.first - _BEYOND) : bar.end + _BEYOND] = 0
    at = int(share.argmax())
    others = np.delete(share, slice(max(0, at - 3), at + 4))
    if np.mean(step.max(axis=1) == 0) > _ENLARGED:  # pixels made larger: every line that is not repeated jumps
        return False
    if share[at] < max(_TORN[0], _TORN[1] * max(float(np.sort(others)[-3]), _QUIET)):
        return False
    parts = np.array_split(jumps[at][lines.inside[1:-2][at]], _PARTS)
    return float(np.median([part.mean() for part in parts])) >= _TORN[2]


def _is_copied(step: np.ndarray, lines: _Lines) -> bool:
    """Whether a varied row is followed by many that are the same: flat drawings have rows alike, but little changes along them."""
    alike = (step.max(axis=1) == 0) & lines.known[1:]
    return any(
        end - first >= _rows(_REPEATS, len(lines.pixels)) and _is_varied(lines.pixels[end], lines.inside[end])
        for first, end in _runs(alike)
    )


def _is_varied(row: UInt8Array, inside: np.ndarray) -> bool:
    changes = np.abs(np.diff(row[inside].astype(np.int16), axis=0)).max(axis=1)
    return bool(changes.size) and float((changes > _EVEN).mean()) >= _VARIED


def _has_zeros(lines: _Lines, bars: list[_Band]) -> bool:
    """Whether one unbroken run of zeros, row after row, is as long as most of a row, in a picture whose background is not black."""
    zero = (lines.pixels[..., 0] <= _ZERO) & (lines.pixels[..., 2] <= _ZERO) & lines.inside
    if not 0 < zero.mean() <= 1 - _QUIET:
        return False
    for bar in bars:
        zero[max(0, bar.first - _BEYOND) : bar.end + _BEYOND] = False
    ends = zero[: _BAND[0]], zero[-_BAND[0] :]
    if all(end.mean(axis=1).max() > _SOLID for end in ends):  # a line drawn around the picture
        for end in ends:
            end[:] = False
    share = zero.mean(axis=1)
    if np.mean((share > _QUIET) & (share < _SOLID)) > _PARTLY:
        return False
    return any(end - first > _ZERO_RUN * zero.shape[1] for first, end in _runs(zero.ravel()))


def _has_block(rgb: UInt8Array, region: Region | None) -> bool:
    """Whether a rectangle has exactly one colour that does not occur around it."""
    step = max(_FINEST, max(rgb.shape[:2]) // _GRID)
    height, width = (side // step for side in rgb.shape[:2])
    grid = cv2.resize(rgb[: height * step, : width * step], (width, height), interpolation=cv2.INTER_NEAREST)
    samples = np.asarray(grid, np.uint8)
    green = channels(samples)[1]
    same = (green[1:, 1:] == green[:-1, 1:]) & (green[1:, 1:] == green[1:, :-1])
    core = cv2.erode(
        same.view(np.uint8), np.ones((_BLOCK - 1, _BLOCK - 1), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    if not cv2.countNonZero(core):
        return False
    inside = None if region is None else lit_mask(scaled(region, 1 / step), (height, width))
    contours, _ = cv2.findContours(core, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = sorted((cv2.boundingRect(contour) for contour in contours), key=lambda box: -box[2] * box[3])
    found = (box for box in boxes[:_MOST_BLOCKS] if _stands_out(samples, box))
    inside = None if region is None else lit_mask(region, (rgb.shape[0], rgb.shape[1]))
    return any(_is_block(rgb, [step * value for value in box], step, inside) for box in found)


def _stands_out(grid: UInt8Array, core: Sequence[int]) -> bool:
    """Whether none of the samples a block's width beyond a core, x, y, w, h, has its colour, and that is not white."""
    x, y, width, height = core
    rows, columns = grid.shape[:2]
    middle_x, middle_y = x + 1 + width // 2, y + 1 + height // 2
    colour = grid[middle_y, middle_x].astype(np.int16)
    off = _BLOCK + 1
    beyond = [(middle_y, x - off), (middle_y, x + width + off), (y - off, middle_x), (y + height + off, middle_x)]
    near = [np.abs(grid[at] - colour).max() <= _NEAR for at in beyond if 0 <= at[0] < rows and 0 <= at[1] < columns]
    return len(near) >= 2 and not any(near) and bool(colour.min() < _WHITE)


def _is_block(rgb: UInt8Array, core: Sequence[int], step: int, inside: UInt8Array | None) -> bool:
    """Whether the pixels around a core (x, y, w, h) that have its colour form a rectangle of a block's size."""
    off = _BLOCK * step
    left, top = max(0, core[0] - off), max(0, core[1] - off)
    part = rgb[
        top : core[1] + core[3] + off : 2, left : core[0] + core[2] + off : 2
    ]  # every other pixel shows a rectangle
    at_x, at_y = (core[0] + step + core[2] // 2 - left) // 2, (core[1] + step + core[3] // 2 - top) // 2
    colour = part[at_y, at_x].astype(np.float64)
    like = cv2.inRange(part, colour - _NEAR, colour + _NEAR)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(like, connectivity=4)
    x, y, width, height, area = (int(value) for value in stats[labels[at_y, at_x]])
    if 2 * min(width, height) < (_BLOCK - 1) * step or area < _SOLID * width * height:
        return False
    end_x, end_y = left + 2 * (x + width), top + 2 * (y + height)
    cut = [x == 0 and left > 0, y == 0 and top > 0, x + width == part.shape[1] and end_x < rgb.shape[1]]
    cut.append(y + height == part.shape[0] and end_y < rgb.shape[0])
    whole = inside is None or inside[top + 2 * y : end_y, left + 2 * x : end_x].all()
    return bool(whole and not any(cut))
