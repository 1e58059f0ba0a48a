"""The learned finder: a small int8 fully convolutional net that marks cell centres and their sizes at low resolution.

The net gives, for every 4 x 4 pixels of its input, one heat per kind and (dx, dy, w, h) of the box centred there (Zhou
et al. 2019, "Objects as Points"). It knows cells of one size, so the field is first brought to a scale at which its
cells have that size: the scale is guessed, the net itself measures the cells it finds, and the guess is mended where cells
and measured foreground do not agree. The same field gives the same cells; nothing is kept between fields.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from edge.boxes import median, suppress
from edge.errors import ModelError
from edge.finders.scale import estimate_cell_px
from edge.modelfile import FinderSpec, ModelFile
from edge.pixels import Image, Pyramid, looked_up, pyramid, rescale, thinned
from edge.runtime import Net
from edge.types import CELL, WHITE_CELL, Cells, FloatArray, Int32Array, UInt8Array

GUESS_PX = 256
"""Longer side of the net's input at the first guess: right for 15 to 16 cells across, the usual 100x oil field."""

SUSPECT = "suspect"
WHITE = 235  # grey level to which the net's input has its background brought
_BODY = 0.42  # radius, in sides of its box, of what belongs to a white cell
_BYTES = np.arange(256, dtype=np.float32)[:, None]  # every byte, a row each
_WIDER = 1.3  # widths of a red cell from which on a thing can be a white cell
_STEP = 8  # pixels by which the net's input is padded
_LONGEST = 2048  # pixels at the net's input, so that a mistaken scale cannot exhaust memory
_TRUSTED = (0.88, 1.3)  # measured width / expected width that needs no second look
_COVERED = (0.4, 1.4)  # area of the cells / area that is not background, for the same check
_DARK = int(WHITE * 0.9)  # as a byte, since NumPy compares bytes with bytes ten times faster than with fractions
_SURE = 0.42  # median confidence, for the same check: at another scale the net finds something, but is not sure of it
_FILLED = 0.785 / 1.2**2  # area of a round cell over that of its box with the usual margin
_SURE_AT_ONCE = 0.5  # the same for the first guess, before which nothing of the field is known
_MANY = 30  # cells that, fitting, need no other look: white cells are rare among as many
_WHITE_CELLS = 1.5  # what the first guess by rims is too wide by where white cells gave it
_SAME = 0.06  # scales that differ by less are the same
_SPREAD = 0.3  # standard deviation of the logarithm of the typical width that still speaks for a scale
_FURTHEST = 0.7  # logarithm of what a scale is mended by at one go, at most
_EVEN = 3  # levels between the darkest and the lightest pixel of a picture that holds nothing
_SLUGGISH = 1.6  # exponent, see where it is used
_KEPT = 3.0  # times the first guess: up to there the interpreter of second looks stays
_ENOUGH = 8  # cells needed to judge the scale from


def prepare(image: Image, scale: float) -> UInt8Array:
    """The net's input: the field resized by ``scale``, background brought to WHITE, padded to a multiple of 8 pixels.

    uint8 [H, W, 3] to uint8 [h, w, 3]. Training calls this too.
    """
    rgb = rescale(image, scale)
    height, width = rgb.shape[:2]
    bottom, right = -height % _STEP, -width % _STEP
    if bottom or right:
        rgb = np.asarray(cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
    return whiten(rgb)


def whiten(rgb: UInt8Array) -> UInt8Array:
    """Scale each channel so that the background (its 92nd percentile) becomes WHITE: uint8 [h, w, 3], same shape out."""
    sample = thinned(rgb, 4)
    nth = int(sample.shape[1] * 0.92)
    background = np.maximum(np.partition(sample, nth, axis=1)[:, nth].astype(np.float32), 32)
    gains = np.asarray(np.float32(WHITE) / background, np.float32)
    table = np.minimum(_BYTES * gains + np.float32(0.5), 255).astype(np.uint8)
    return looked_up(rgb, table.reshape(1, 256, 3), gains)


class _Look(NamedTuple):
    """What one run of the net found.

    Attributes:
        cells: in field pixels.
        scale: input pixels per field pixel.
        worth: area of red and white cells, each by the square of how sure the net is of it; less where red cells have not the size
            that it knows.
        sure: median confidence of the cells.
        fits: the net is sure, the cells have the size that it knows, and they cover what is not background.
        mended: by what to multiply the scale so that the cells have that size.
    """

    cells: Cells
    scale: float
    worth: float
    sure: float
    fits: bool
    mended: float


class LearnedFinder:
    """Finds cells with a net from the shelf. One per worker.

    Args:
        model: a finder's file.
        make_net: makes the interpreter around it (tools listen in here).

    Raises:
        ModelError: the model is not a finder, or its outputs do not match its card.
    """

    def __init__(self, model: ModelFile, make_net: Callable[[ModelFile], Net] = Net) -> None:
        card = model.card
        if card is None or card.finder is None:
            raise ModelError(f"{model.path}: this is not a finder's model (its card has no finder part)")
        self.name = card.name
        self.card = card
        self.spec: FinderSpec = card.finder
        self._model, self._make_net = model, make_net
        self.net = make_net(model)
        kinds = [CELL if kind == SUSPECT else kind for kind in self.spec.kinds]
        self.kinds = tuple(dict.fromkeys(kinds))
        self._kind_of = np.array([self.kinds.index(kind) for kind in kinds], np.int32)
        self._white = self.kinds.index(WHITE_CELL) if WHITE_CELL in self.kinds else None
        self.set_thresholds(self.spec.thresholds)
        channels = [shape[-1] if len(shape) == 4 else 0 for shape in self.net.output_shapes]
        try:
            self._heat = channels.index(len(kinds))
            self._reg = channels.index(4, 1 if self._heat == 0 else 0)
        except ValueError:
            raise ModelError(f"{model.path}: the net's outputs {channels} do not match its card") from None

    @cached_property
    def nearer(self) -> Net:
        """A second interpreter for second looks, so that neither has to be resized for the other's input."""
        return self._make_net(self._model)

    def set_thresholds(self, thresholds: tuple[float, ...]) -> None:
        """Other thresholds than the card's, one per heat channel (for choosing them)."""
        self._thresholds = np.array(thresholds, np.float32)

    def find(self, image: Image) -> Cells:
        """Cells of one field; see ``edge.finders.Finder``."""
        levels = pyramid(image)
        longest = max(levels.rgb.shape[:2])
        first = self._look(levels, GUESS_PX / longest, self.net)
        if first.fits and first.sure >= _SURE_AT_ONCE:
            return first.cells
        looks = [first]
        guess = self._other_scale(levels, first)
        for scale in (guess, guess * _WHITE_CELLS, None, None):
            best = max(looks, key=lambda one: one.worth)
            # In whole steps, so that what processors make of the guess in their last bits does not move a box.
            steps = round(min((scale or best.scale * best.mended) * longest, _LONGEST) / _STEP)
            scale = float(max(2, steps) * _STEP / longest)  # noqa: PLW2901
            if all(abs(scale / one.scale - 1) > _SAME for one in looks):
                looks.append(self._look(levels, scale, self.nearer))
            if looks[-1].fits and len(looks[-1].cells) >= _MANY:
                break
        if max(one.scale for one in looks) > _KEPT * first.scale:
            del self.nearer  # as large as that it is rarely wanted again, and holds a hundred megabytes
        return max(looks, key=lambda one: one.worth).cells

    def _other_scale(self, levels: Pyramid, first: _Look) -> float:
        """A second guess: by the field's rims, else by the cells that the first look found."""
        tight = estimate_cell_px(levels)
        return first.scale * first.mended if tight is None else self.spec.cell_px / (tight * 1.2)

    def _look(self, levels: Pyramid, scale: float, net: Net) -> _Look:
        """The cells found at one scale, and how well that scale suits them."""
        image = prepare(levels, scale)
        if np.ptp(image[::_STEP, ::_STEP]) < _EVEN:
            nothing = Cells(np.zeros((0, 4), np.int32), np.zeros(0, np.float32), np.zeros(0, np.int32), self.kinds)
            return _Look(nothing, scale, 0.0, 0.0, fits=False, mended=1.0)
        outputs = net.run(image[None])
        cells = self._decode(outputs[self._heat][0], outputs[self._reg][0], scale)
        typical = _typical(cells, scale) / self.spec.cell_px
        own = cells.confidence[cells.kind == 0]
        if not len(own):
            return _Look(cells, scale, 0.0, 0.0, fits=False, mended=1.0)
        # The net measures cells that are too small as larger than they are: half as much again is put right.
        away = float(np.log(typical)) * (_SLUGGISH if typical < 1 else 1)
        # A look that knows a white cell must not be worth less than one that takes it for a red cell.
        explained = (cells.kind == 0) | (cells.kind == self._white)
        area = cells.boxes[explained, 2:].prod(axis=1).astype(np.float32)
        worth = float(cells.confidence[explained] ** 2 @ area) * float(np.exp(-0.5 * (away / _SPREAD) ** 2))
        mended = float(np.exp(np.clip(-away, -_FURTHEST, _FURTHEST)))
        sure = median(own)
        fits = len(own) >= _ENOUGH and sure >= _SURE and _TRUSTED[0] < typical < _TRUSTED[1]
        return _Look(cells, scale, worth, sure, fits=fits and _covers(image, cells, scale), mended=mended)

    def _decode(self, heat: FloatArray, reg: FloatArray, scale: float) -> Cells:
        """Heat float32 [h, w, kinds] and boxes float32 [h, w, 4] to Cells in field pixels."""
        height, width, kinds = heat.shape
        limits = np.tile(self._thresholds, width)  # whole rows at a time: NumPy is slow where an axis has few entries
        relative = np.divide(heat.reshape(height, -1), limits, dtype=np.float32).reshape(height, width, kinds)
        # Int8 heat has plateaus: a trace of its blurred copy makes their middle the peak and merges no two peaks.
        # OpenCV drops the last axis of a heat of one kind.
        blurred = cv2.GaussianBlur(relative, (3, 3), 0.8).reshape(relative.shape)
        ranked = relative + np.float32(0.01) * blurred
        # Peaks are sought per channel: a suspect that overlaps another cell has its own peak where the cells' heat has one.
        highest = cv2.dilate(ranked, np.ones((3, 3), np.uint8)).reshape(ranked.shape)
        peak = (ranked >= highest) & (relative >= 1)
        places, channel = np.divmod(np.flatnonzero(peak), kinds)  # a tenth of the time of nonzero on three axes
        rows, columns = np.divmod(places, width)
        boxes = decode_boxes(reg[rows, columns], rows, columns, self.spec, scale)
        # Kinds compete by their heat itself: a nucleus makes the cells' heat rise, a schizont that of white cells, but less.
        confidence = heat[rows, columns, channel]
        kind = self._kind_of[channel]
        if self._white is not None:
            kind = self._as_wide_as_white_cells(boxes, kind, scale)
        keep = suppress(boxes, confidence, self.spec.overlap)
        if self._white is not None:
            white = keep[kind[keep] == self._white]
            keep = keep[~within(boxes[keep], confidence[keep], boxes[white], confidence[white])]
        return Cells(boxes[keep], confidence[keep].astype(np.float32), kind[keep], self.kinds)

    def _as_wide_as_white_cells(self, boxes: Int32Array, kind: Int32Array, scale: float) -> Int32Array:
        """The kinds, int32 [n], with what is hardly wider than this field's red cells a cell: a parasite may fill all of one."""
        own = boxes[kind == 0, 2:]
        typical = median(own) if len(own) >= _ENOUGH else self.spec.cell_px / scale
        narrow = (kind == self._white) & (boxes[:, 2:].mean(axis=1) < _WIDER * typical)
        return np.where(narrow, 0, kind).astype(np.int32)


def decode_boxes(reg: FloatArray, rows: np.ndarray, columns: np.ndarray, spec: FinderSpec, scale: float) -> Int32Array:
    """Boxes at grid positions.

    Args:
        reg: float32 [n, 4]: dx, dy from the position's middle in strides; w, h in typical cells.
        rows: int [n].
        columns: int [n].
        spec: the net's stride and typical cell.
        scale: input pixels per field pixel.

    Returns:
        int32 [n, 4], x, y, w, h in field pixels.
    """
    x = (columns + 0.5 + reg[:, 0]) * spec.stride
    y = (rows + 0.5 + reg[:, 1]) * spec.stride
    w, h = np.maximum(reg[:, 2:].T * spec.cell_px, 2)
    return np.rint(np.stack([x - w / 2, y - h / 2, w, h], axis=1) / scale).astype(np.int32)


def within(boxes: Int32Array, heat: FloatArray, bodies: Int32Array, body_heat: FloatArray) -> np.ndarray:
    """Which boxes have their middle in the body of a larger box with more heat, a white cell's.

    The lobes of a nucleus and the platelets on it are parts of the one white cell.

    Args:
        boxes: int32 [n, 4].
        heat: float32 [n].
        bodies: int32 [m, 4].
        body_heat: float32 [m].

    Returns:
        bool [n].
    """
    middle, other = (some[:, :2] + some[:, 2:] / 2 for some in (boxes, bodies))
    away = (((middle[:, None] - other[None]) / (_BODY * bodies[None, :, 2:])) ** 2).sum(axis=2)
    smaller = boxes[:, 2:].prod(axis=1)[:, None] < bodies[:, 2:].prod(axis=1)[None]
    return np.asarray((smaller & (away < 1) & (heat[:, None] < body_heat[None])).any(axis=1))


def _covers(image: UInt8Array, cells: Cells, scale: float) -> bool:
    """Whether what is found covers about what is not background."""
    thinned = image[::2, ::2, 1]
    foreground = np.count_nonzero(thinned <= _DARK) / thinned.size * image.shape[0] * image.shape[1]
    covered = float((cells.boxes[:, 2] * cells.boxes[:, 3]).sum()) * scale**2 * _FILLED
    return bool(_COVERED[0] < covered / max(foreground, 1.0) < _COVERED[1])


def _typical(cells: Cells, scale: float) -> float:
    """Median width of the cells at the net's input, in pixels."""
    sides = cells.boxes[cells.kind == 0, 2:]
    return median(sides) * scale if len(sides) else 0.0
