"""What fields look like: colour of paper and cells, size, sharpness, how sure the finder is. Measured where a field is analysed,
added up per sample, and compared with what a model or a calibration was made for.

A count is only worth something on fields of the kind that the model learned from. So the card carries, per measure, the range
that its own material keeps to (``Card.reference``), and a calibration carries what its blanks looked like.

The measures of a sample (``SampleAppearance.values``), each a plain number:

* ``colour``: how much of the contrast is hue. In optical density, ``-log(pixel / paper)``, a grey or evenly tinted picture has the
  same contrast in every channel; the value is the root mean square difference of red or blue from green (the larger), over the
  standard deviation of green. 0 without hue, 0.3 to 1.2 in stained films.
* ``density``: optical density of a typical cell's middle in green.
* ``red``, ``blue``: log of a cell's density in red and in blue over that in green: the stain's colour. Eosin takes away most
  in green (both below 0), haemoglobin without stain most in blue.
* ``size``: width of a typical cell in field pixels.
* ``light``: luma of the paper, 0 to 255; ``warm``, ``cool``: log of its red and its blue over its green.
* ``sharpness``: the gate's focus measure.
* ``confidence``: median over all cells of the finder's confidence.
"""

from __future__ import annotations

import statistics
from array import array
from math import sqrt

import numpy as np

from edge.boxes import median
from edge.pixels import Pyramid, thinned
from edge.types import Appearance, Cells, Int32Array, SampleAppearance, UInt8Array

MEASURES = ("colour", "density", "red", "blue", "size", "light", "warm", "cool", "sharpness", "confidence")
"""Every key of ``SampleAppearance.values``."""

BINS = 50
"""Confidences are kept as a histogram, so that a sample of any size takes the same memory."""

_PAPER = 0.92  # the share of a field's pixels that is darker than what is taken for paper, as the learned finder has it
_VIEW_PX = 400  # longer side of the halved field that is looked at
_STEP = 4  # every fourth pixel of it, both ways
_MIDDLE_PX = 6  # a cell is at least this wide where its middle is one pixel
_FAINT = 0.01  # density from which a ratio of densities means something
_LOG = -np.log((np.arange(256, dtype=np.float32) + 1) / 256)
_DIGITS = 4  # decimal places of every measure
_SURE = 1.96  # standard errors on either side: the median lies within them 95 times in 100


def appearance_of(levels: Pyramid, cells: Cells) -> Appearance:
    """Measure one field whose cells were found: uint8 [H, W, 3] with its halves. Takes some tenths of a millisecond."""
    number = 0
    while max(levels.rgb.shape[:2]) >> number > _VIEW_PX:
        number += 1
    rows = thinned(levels.level(number), _STEP)
    ranks = [rows.shape[1] // 2, int(rows.shape[1] * _PAPER)]
    middle, paper = np.partition(rows, ranks, axis=1)[:, ranks].T
    whole = np.flatnonzero(cells.kind == 0)
    boxes = cells.boxes[whole]
    tone = (float(paper[0]), float(paper[1]), float(paper[2]))
    if not len(boxes):
        return Appearance(0, tone, (0.0, 0.0, 0.0), 0.0, _colour(rows, middle), np.zeros(0, np.int32))
    sides = np.sqrt(boxes[:, 2].astype(np.float64) * boxes[:, 3])
    size = median(sides)
    middles = _middles(levels, boxes, size)
    density = [round(float(_LOG[_median_byte(middles[:, i])] - _LOG[paper[i]]), _DIGITS) for i in range(3)]
    places = np.clip((cells.confidence[whole] * BINS).astype(np.int32), 0, BINS - 1)
    histogram = np.bincount(places, minlength=BINS).astype(np.int32)
    return Appearance(
        len(boxes), tone, (density[0], density[1], density[2]), round(size, 2), _colour(rows, middle), histogram
    )


def _middles(levels: Pyramid, boxes: Int32Array, size: float) -> UInt8Array:
    """The colour of each cell's middle, uint8 [n, 3]: one pixel where cells are some pixels wide."""
    number = 0
    while size / 2 ** (number + 1) >= _MIDDLE_PX and min(levels.level(number).shape[:2]) > 1:
        number += 1
    view = levels.level(number)
    centres = (boxes[:, :2] + boxes[:, 2:] // 2) >> number
    columns = np.clip(centres[:, 0], 0, view.shape[1] - 1)
    lines = np.clip(centres[:, 1], 0, view.shape[0] - 1)
    return np.asarray(view[lines, columns], np.uint8)


def _colour(rows: UInt8Array, middle: UInt8Array) -> float:
    """How much of the contrast is hue; ``rows`` is uint8 [3, n], ``middle`` their medians. See the module."""
    red, green, blue = (_LOG.take(row) - _LOG[centre] for row, centre in zip(rows, middle, strict=True))
    spread = float(green.std()) + 1e-3
    return round(max(sqrt(float(np.square(part - green).mean())) for part in (red, blue)) / spread, _DIGITS)


def _median_byte(values: np.ndarray) -> int:
    """The upper median of uint8 [n], which is a byte again."""
    return int(np.sort(values)[len(values) // 2])


class Appearances:
    """Adds up what a sample's kept fields look like; memory grows by some 30 bytes per field."""

    def __init__(self) -> None:
        self._fields = 0
        self._cells = 0
        self._paper = (array("f"), array("f"), array("f"))  # red, green and blue, whole numbers
        self._colour, self._sharpness = array("d"), array("d")
        self._size = array("d")  # of the fields that hold cells
        self._density = np.zeros(3)  # times cells
        self._confidence = np.zeros(BINS, np.int64)

    def add(self, one: Appearance, sharpness: float) -> None:
        """Take one kept field."""
        self._fields += 1
        for values, value in zip(self._paper, one.paper, strict=True):
            values.append(value)
        self._colour.append(one.colour)
        self._sharpness.append(sharpness)
        self._density += np.multiply(one.density, one.cells)
        if one.cells:
            self._cells += one.cells
            self._size.append(one.size)
            self._confidence += one.confidence

    def sample(self) -> SampleAppearance:
        """The sample so far."""
        if not self._fields:
            return SampleAppearance(0, 0)
        paper = [statistics.median(values) + 1 for values in self._paper]
        values = {
            "colour": statistics.median(self._colour),
            "light": 0.299 * paper[0] + 0.587 * paper[1] + 0.114 * paper[2] - 1,
            "warm": float(np.log(paper[0] / paper[1])),
            "cool": float(np.log(paper[2] / paper[1])),
            "sharpness": statistics.median(self._sharpness),
        }
        bounds = None
        if self._cells:
            # densities are added up before their ratios are taken: a pale field's ratios are mostly noise
            density = self._density / self._cells
            red, green, blue = np.maximum(density, _FAINT)
            values |= {
                "density": float(density[1]),
                "red": float(np.log(red / green)),
                "blue": float(np.log(blue / green)),
                "size": statistics.median(self._size),
            }
            low, values["confidence"], high = _median_of(self._confidence)
            bounds = (low, high)
        rounded = {name: round(value, _DIGITS) for name, value in values.items()}
        return SampleAppearance(self._fields, self._cells, rounded, bounds)


def _median_of(histogram: np.ndarray) -> tuple[float, float, float]:
    """Median of binned values with the bounds of a sign test: order statistics ``n / 2 -+ 1.96 sqrt(n) / 2``, kept within."""
    upto = np.cumsum(histogram)
    n = int(upto[-1])
    reach = _SURE * sqrt(n) / 2
    ranks = [min(max(n / 2 + shift, 1), n) for shift in (-reach, 0.0, reach)]
    places = [int(np.searchsorted(upto, rank)) for rank in ranks]
    return places[0] / BINS, (places[1] + 0.5) / BINS, (places[2] + 1) / BINS
