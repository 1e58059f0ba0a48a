"""A cell beside the typical cell of its field: what the shelf's classifiers compare.

Nearly all cells of a field are healthy, so that the median of its finds shows what a healthy cell looks like in this stain, under
this lamp, at this focus, without a label and on any microscope. Cell and typical cell are given in optical density
d = -ln(value / 255) (Beer-Lambert: stain adds up in it), per channel brought to 0 at the field's paper and 1 at the middle of its
typical cell. What another microscope changes drops out; what is different in one cell stays.

Everything is done in whole numbers by tables, so that every processor gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.pixels import channels
from edge.types import Int32Array, UInt8Array

COMPARED = 6
"""Channels of a cell beside its typical cell: three of each."""

FEWEST = 9
"""Finds from which a field tells its own typical cell: of so few, four may be anything and the fifth still is one."""

_UNIT = 1024  # steps of density per natural unit
_DARKEST = 3  # a byte below counts as this: its density would be all noise
_DENSITY = np.rint(-np.log(np.maximum(np.arange(256), _DARKEST) / 255) * _UNIT).astype(np.int32)

PAPER_BYTE = 32
"""What the paper becomes: the net then sees -1.5."""

CELL_STEPS = 56
"""Bytes from the paper to the typical cell, which becomes 88. A density up to four times the typical cell's is told apart."""

_FAINT = round(0.08 * _UNIT)
"""Added to the typical cell's density over the paper, so that a channel in which cells hardly show is not blown up to noise."""

_FAINTEST = round(0.03 * _UNIT)
"""No typical cell is taken to be fainter than this over its paper."""

_MEDIAN_OF = 81
"""Crops that a typical cell is the median of, at most: a power of three."""

_BLOCK = 4  # pixels of a crop's side that are averaged before it is looked at as a whole
_GLINTS = 16  # one block in so many may be lighter than the paper


@dataclass(frozen=True, slots=True, eq=False)
class TypicalCells:
    """The typical cell of each of t fields.

    Attributes:
        papers: uint8 [t, 3], colour of the paper.
        cells: uint8 [t, s, s, 3], the typical cell's crop.
    """

    papers: UInt8Array
    cells: UInt8Array

    def __len__(self) -> int:
        return len(self.papers)

    def take(self, rows: np.ndarray) -> TypicalCells:
        """Those of some fields, int or bool [m]."""
        return TypicalCells(self.papers[rows], self.cells[rows])


def typical_cell(crops: UInt8Array) -> TypicalCells:
    """The typical cell of the field that all of these crops are from.

    Args:
        crops: uint8 [n, s, s, 3], RGB, at least one, in any order. Nearly half of them may be infected.

    Returns:
        That of one field. The paper is the median of the crops' lightest parts. The cell is their pixelwise median, by repeated
        medians of three (the remedian of Rousseeuw and Bassett 1990), which costs a tenth of sorting. Each three are a light, a
        middling and a dark cell, so that dark ones which chance puts side by side do not outvote the others.
    """
    blocks = _blocks(crops)
    number, across = blocks.shape[:2]
    edge = across // 4
    light = blocks[:, edge : across - edge, edge : across - edge].sum(axis=(1, 2, 3), dtype=np.int32)
    order = np.argsort(
        -light, kind="stable"
    )  # the lightest first: of two cells it is the one that is taken to be healthy
    count = _MEDIAN_OF if number >= _MEDIAN_OF else _MEDIAN_OF // 3
    left = crops[order[np.arange(count) * number // count]]
    while len(left) > 1:
        one, two, three = np.split(left, 3)
        left = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three))
    papers = np.sort(_lightest(blocks), axis=0)[number // 2]
    return TypicalCells(papers[None], np.asarray(left, np.uint8))


def density_over_paper(typical: TypicalCells) -> tuple[float, float, float]:
    """Optical density of the middle of the first field's typical cell over its paper: red, green, blue."""
    red, green, blue = (_over_paper(typical.papers[0], typical.cells[0]) / _UNIT).tolist()
    return red, green, blue


def beside_typical(crops: UInt8Array, typical: TypicalCells, of: Int32Array | None = None) -> UInt8Array:
    """Each cell beside the typical cell of its field, as the net sees them.

    Args:
        crops: uint8 [n, s, s, 3], RGB.
        typical: of t fields.
        of: int32 [n], the field of each crop; None: all are of the first.

    Returns:
        uint8 [n, s, s, 6]: density of the cell's three channels, then of the typical cell's; ``PAPER_BYTE`` is paper,
        ``CELL_STEPS`` more is the middle of the typical cell.
    """
    out = np.empty((*crops.shape[:3], COMPARED), np.uint8)
    if not len(crops):
        return out
    if of is None:
        _compare(crops, typical, 0, out)
        return out
    for number in np.unique(of).tolist():
        rows = np.flatnonzero(of == number)
        mine = np.empty((len(rows), *out.shape[1:]), np.uint8)
        _compare(crops[rows], typical, number, mine)
        out[rows] = mine
    return out


def _compare(crops: UInt8Array, typical: TypicalCells, number: int, out: UInt8Array) -> None:
    """Fill ``out`` for crops of one field."""
    count, side = crops.shape[:2]
    table = _table(typical.papers[number], typical.cells[number])
    common = channels(np.asarray(cv2.LUT(np.ascontiguousarray(typical.cells[number]), table), np.uint8))
    # A plane per channel: OpenCV looks up one channel in less than half the instructions that three in a row take.
    planes = channels(np.ascontiguousarray(crops).reshape(count * side, side, 3))
    for channel, plane in enumerate(planes):
        cv2.LUT(plane, np.ascontiguousarray(table[0, :, channel]), plane)
    planes += [np.tile(one, (count, 1)) for one in common]
    cv2.merge(planes, out.reshape(count * side, side, COMPARED))


def _table(paper: UInt8Array, cell: UInt8Array) -> UInt8Array:
    """What each byte becomes in a field: uint8 [1, 256, 3]."""
    zero = _DENSITY[paper]
    span = np.maximum(_over_paper(paper, cell), _FAINTEST) + _FAINT
    steps = (2 * CELL_STEPS * (_DENSITY[:, None] - zero) + span) // (2 * span)  # rounded to the nearest
    return np.asarray(np.clip(PAPER_BYTE + steps, 0, 255), np.uint8)[None]


def _over_paper(paper: UInt8Array, cell: UInt8Array) -> Int32Array:
    """Density of a cell's middle over the paper's, int32 [3], in steps."""
    edge = len(cell) // 4
    middle = cell[edge : len(cell) - edge, edge : len(cell) - edge].reshape(-1, 3)
    return np.asarray(_DENSITY[middle].sum(axis=0) // len(middle) - _DENSITY[paper], np.int32)


def _blocks(crops: UInt8Array) -> UInt8Array:
    """Means of blocks of pixels: uint8 [n, s, s, 3] to [n, b, b, 3]."""
    count, side = crops.shape[:2]
    blocks = max(1, side // _BLOCK)
    cropped = np.ascontiguousarray(crops[:, : blocks * _BLOCK, : blocks * _BLOCK]) if side > _BLOCK else crops
    tall = cropped.reshape(count * cropped.shape[1], -1, 3)
    means = cv2.resize(tall, (blocks, blocks * count), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.uint8).reshape(count, blocks, blocks, 3)


def _lightest(blocks: UInt8Array) -> UInt8Array:
    """The lightest part of each crop but its glints, by channel: uint8 [n, b, b, 3] to [n, 3]."""
    flat = blocks.reshape(len(blocks), -1, 3)
    nth = flat.shape[1] - 1 - flat.shape[1] // _GLINTS
    return np.asarray(np.partition(flat, nth, axis=1)[:, nth], np.uint8)
