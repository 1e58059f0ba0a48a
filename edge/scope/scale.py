"""µm per pixel: from the lines of a stage micrometer, from a bar of known length, or from how wide red cells are (an estimate)."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, pi, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ScopeError
from edge.scope.light import PAPER
from edge.scope.profile import PixelScale, ScaleSource
from edge.types import Int32Array, UInt8Array

RED_CELL_UM, RED_CELL_PART = 7.5, 0.1
"""Width of a red cell on a dried film in µm, and by what share slides and finders differ from it (95 %)."""

FEWEST_CELLS = 50
"""Red cells that an estimate rests on at least."""

AGREE = 0.02
"""Share that measurements of one scale may differ by."""

_SIDE = 512  # pixels of the square that lines are looked for in
_CYCLES = 4  # lines across that square at least, else it is no grating
_FINEST = 0.25  # cycles per pixel of the finest lines
_CLEAR = 25.0  # how far the lines' peak stands out of the mean of all others
_FINER = 4  # times the square that is transformed: peaks lie between whole cycles
_UNDERTONE = 0.2  # of the strongest peak, where one at half of its cycles counts
_LINE_PART = 0.003  # share that a grating's period may be wrong by
_FAR = 70  # levels by which a bar differs from what is around it
_THICK = 11  # pixels of a bar's thickness at most
_FREE = 0.7  # share of a bar's length that nothing stands above and below of
_ONE_COLOUR = 40.0  # levels that a bar's colour varies by at most
_STRAIGHT = 2.0  # pixels by which its thickness differs along it: where two cells overlap it is a lens
_LONG = 0.05  # share of the field's width that a bar takes at least
_ENDS_PX = 2.0  # pixels that both ends of a bar together may be wrong by
_MOST_CELLS = 300  # of a field that are measured
_SMALLEST_CELL = 10  # pixels of a box's side
_LEAST_AREA, _MOST_AREA = 0.4, 0.9  # share of its box that a cell fills
_ROUND = 0.8  # how round it is; a disc is 1, a square 0.79
_PALEST = 0.92  # of the paper: what is lighter is no cell
_NOISE = 1e-9  # a spectrum is never quite empty


def scale_of_lines(rgb: UInt8Array, division_um: float) -> PixelScale:
    """From a stage micrometer in view, whose lines are ``division_um`` apart.

    Raises:
        ScopeError: no evenly spaced lines are found.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float64)
    height, width = grey.shape
    side = min(_SIDE, 2 * min(height, width) // 3)
    low, right = height - side, width - side
    places = ((low // 2, right // 2), (0, 0), (0, right), (low, 0), (low, right))
    found = [_cycles(grey[top : top + side, left : left + side]) for top, left in places]
    first = found[0]
    # Cells lie so far apart in one part of a field, and otherwise in the next; lines go through.
    if first is None or any(one is None or hypot(one[0] - first[0], one[1] - first[1]) > 1 / side for one in found):
        raise ScopeError(
            "no evenly spaced lines are in view: bring the stage micrometer into focus, over the whole field, or leave --division out"
        )
    cycles = float(np.median([hypot(*one) for one in found if one is not None]))
    return PixelScale(division_um * cycles, _LINE_PART, ScaleSource.MICROMETER)


def _cycles(part: NDArray[np.float64]) -> tuple[float, float] | None:
    """Cycles per pixel down and across of the strongest lines in a square; None: nothing stands out."""
    side = len(part)
    flat = part - cv2.GaussianBlur(part, (0, 0), side / 2 / _CYCLES)
    window = np.hanning(side)
    size = side * _FINER
    power: NDArray[np.float64] = np.abs(np.fft.rfft2(flat * window[:, None] * window[None], (size, size))) ** 2
    far = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    power[(far < _CYCLES / side) | (far > _FINEST)] = 0
    y, x = (int(n) for n in np.unravel_index(int(power.argmax()), power.shape))
    if power[y, x] < _CLEAR * (float(power[power > 0].mean()) + _NOISE):
        return None
    y, x = _fundamental(power, (y, x))
    down = (y if y < size // 2 else y - size) + _between(
        power[(y - 1) % size, x], power[y, x], power[(y + 1) % size, x]
    )
    across = x + _between(power[y, abs(x - 1)], power[y, x], power[y, min(x + 1, power.shape[1] - 1)])
    turned = -1 if across < 0.5 and down < 0 else 1  # lines that run across have one direction, not two
    return turned * down / size, turned * across / size


def _between(before: float, at: float, after: float) -> float:
    """Where a parabola through the logarithms of three neighbours is highest, -0.5 to 0.5."""
    low, middle, high = (float(np.log(max(one, _NOISE))) for one in (before, at, after))
    bend = low - 2 * middle + high
    return 0.0 if bend >= 0 else float(np.clip((low - high) / 2 / bend, -0.5, 0.5))


def _fundamental(power: NDArray[np.float64], at: tuple[int, int]) -> tuple[int, int]:
    """The peak, or that at half of its cycles where one is: of thin lines an overtone may be the strongest."""
    (y, x), size = at, power.shape[0]
    half = (y if y < size // 2 else y - size) // 2
    down = (np.arange(-_FINER, _FINER + 1) + half) % size
    left = max(0, x // 2 - _FINER)
    window = power[down][:, left : x // 2 + _FINER + 1]
    if float(window.max()) < _UNDERTONE * float(power[y, x]):
        return at
    j, i = np.unravel_index(int(window.argmax()), window.shape)
    return int(down[int(j)]), left + int(i)


def scale_of_bar(rgb: UInt8Array, bar_um: float) -> PixelScale:
    """From a straight bar in view, level with the field, that is ``bar_um`` long.

    Raises:
        ScopeError: none is found.
    """
    around = cv2.medianBlur(np.ascontiguousarray(rgb), 4 * _THICK + 1)
    paper = np.quantile(rgb[::4, ::4].reshape(-1, 3), PAPER, axis=0)
    mask = cv2.absdiff(rgb, around).max(axis=2) > _FAR
    mask &= np.abs(rgb - paper).max(axis=2) > _FAR  # a gap between cells is no bar
    wide = [
        length
        for row in range(_THICK, len(mask) - _THICK)
        if (length := _bar_in(rgb, mask, row)) >= _LONG * rgb.shape[1]
    ]
    if not wide:
        raise ScopeError("no scale bar is in view: it has to be level, thin and of one colour; or leave --bar out")
    length = max(wide)
    return PixelScale(bar_um / length, _ENDS_PX / length, ScaleSource.BAR)


def _bar_in(rgb: UInt8Array, mask: NDArray[np.bool_], row: int) -> int:
    """Pixels of the longest run in a row that is thin and of one colour; 0: there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask[row].astype(np.int8), [0]])))
    longest = 0
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - first <= max(longest, _THICK):
            continue
        free = ~(mask[row - _THICK, first:end] | mask[row + _THICK, first:end])
        low, high = np.percentile(rgb[row, first:end], (10, 90), axis=0)
        thin, thick = np.percentile(mask[row - _THICK : row + _THICK + 1, first:end].sum(axis=0), (15, 85))
        if free.mean() > _FREE and float((high - low).max()) < _ONE_COLOUR and thick - thin <= _STRAIGHT:
            longest = end - first
    return longest


def cell_widths(rgb: UInt8Array, boxes: Int32Array) -> list[float]:
    """Diameters in pixels of the round, single cells in these boxes, int32 [n, 4]: of a disc of the cell's area.

    A finder's box leaves a margin, which differs from finder to finder; the cell's own outline is half as dark as the cell.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    paper = float(np.quantile(grey[::4, ::4], PAPER))
    found = []
    for x, y, w, h in boxes[:_MOST_CELLS].tolist():
        part = grey[max(0, y) : y + h, max(0, x) : x + w]
        if part.shape != (h, w) or min(w, h) < _SMALLEST_CELL:
            continue
        inner = part[h // 4 : h - h // 4, w // 4 : w - w // 4]
        dark = float(np.quantile(inner, 0.25))  # many cells are pale in the middle
        if dark > _PALEST * paper:
            continue
        half = (paper + dark) / 2
        outlines, _ = cv2.findContours((part < half).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not outlines:
            continue
        outline = max(outlines, key=cv2.contourArea)
        area, length = cv2.contourArea(outline), cv2.arcLength(outline, closed=True)
        if _LEAST_AREA * w * h < area < _MOST_AREA * w * h and 4 * pi * area > _ROUND * length**2:
            found.append(2 * sqrt(area / pi) + 1)  # an outline runs through the middles of its pixels
    return found


def scale_of_cells(widths: Sequence[float]) -> PixelScale:
    """From the widths of red cells in pixels: an estimate.

    Raises:
        ScopeError: they are too few.
    """
    if len(widths) < FEWEST_CELLS:
        raise ScopeError(f"{len(widths)} red cells are too few to estimate a scale from: {FEWEST_CELLS} or more")
    return PixelScale(RED_CELL_UM / float(np.median(widths)), RED_CELL_PART, ScaleSource.RED_CELLS)


def doubt_of_scale(scale: PixelScale, width_px: float | None) -> str:
    """What speaks against a scale, by how wide red cells would be, in words; empty: nothing, or no cells were seen."""
    if width_px is None or scale.source is ScaleSource.RED_CELLS:
        return ""
    um = scale.um_per_px * width_px
    if 0.7 * RED_CELL_UM <= um <= 1.4 * RED_CELL_UM:
        return ""
    return f"by it red cells would be {um:.1f} µm wide, and they are about {RED_CELL_UM:g}: is the length right?"
