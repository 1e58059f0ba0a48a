"""Whether a field counts: measures taken where it is analysed, judged in field order where the sample is known.

**Focus.** Defocus removes fine structure, contrast and cell density change coarse and fine structure alike, so the measure
is a ratio of energies: the Laplacian at 4 px over squared differences 16 px apart (at a field 1280 px wide). White noise
would pass for structure; its share is known exactly (a Laplacian sums to 20 times the noise's variance, a quarter of that
after averaging 2 x 2 pixels) and is subtracted at both scales by what the 2 px Laplacian shows::

    sharpness = (L4 - L2 / 4) / (D16 - L2 / 10)

**Fill.** The share of pixels darker than what lies to both sides of them, so vignetting does not count as content.

**The same view.** Two thumbnails, each freed of its illumination, are correlated. Cells are a few thumbnail pixels wide:
a stage that moved decorrelates them, noise averaged over a thousand pixels does not.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.incomplete import is_incomplete
from edge.inside import extent, lit_mask, mask_of, painted, scaled
from edge.pixels import channels
from edge.types import FloatArray, Quality, Region, UInt8Array

OUT_OF_FOCUS = "out of focus"
OVER_EXPOSED = "over-exposed"
UNDER_EXPOSED = "under-exposed"
EMPTY = "empty"
INCOMPLETE = "incomplete"
SAME_VIEW = "same as the one before"
REASONS = (INCOMPLETE, OUT_OF_FOCUS, OVER_EXPOSED, UNDER_EXPOSED, EMPTY, SAME_VIEW)
"""Every reason ``Gate.judge`` gives."""

_WORKING_WIDTH = 640  # the finest structure that is focus and not sensor is about 1/640 of a field
_LAG = 8  # pixels at working scale over which sharpness compares neighbours
_BANDS = 4  # horizontal bands in which the fine structure is measured: a part of the field stands for it
_BAND_SHARE = 0.25  # share of the field's height that all bands together take
_STRUCTURE = 0.3  # of what varies, the share that must be structure: a picture of noise has none to focus on
_GLANCE_WIDTH = 256  # pixels of the small picture on which light and fill are measured
_SIGNATURE = (32, 24)  # width, height of the thumbnail that tells views apart
_FILL_SIZE = (64, 48)  # width, height of the picture on which the filled share is measured
_FILL_REACH = 19  # of 64: how far the background may be from the middle of a clump
_CONTENT = 0.08  # darker by this share
_DIGITS = 6  # of the sharpness: what follows is the processor's own
_WHITE = 250  # grey level from which on a pixel counts as overexposed
_BLACK = 16  # grey level below which a pixel counts as underexposed


def measure(rgb: UInt8Array, region: Region | None = None) -> Quality:
    """Take the gate's measures of one field.

    Args:
        rgb: uint8 [H, W, 3]; any size from 64 x 64 up gives sensible figures.
        region: its lit region, in which all is measured; None: the whole field.

    Returns:
        The measures; ``edge.types.Quality`` says what each is.
    """
    height, width = rgb.shape[:2]
    scale = _GLANCE_WIDTH / max(width, _GLANCE_WIDTH)
    # Picking pixels is enough for shares and means, and leaves clipped pixels clipped.
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    glance = cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST)
    lit, pixels = None, size[0] * size[1]
    if region is not None:
        lit = mask_of(scaled(region, scale), (size[1], size[0]))
        pixels = max(1, cv2.countNonZero(lit))
        glance = painted(np.asarray(glance, np.uint8), scaled(region, scale))
    grey = cv2.cvtColor(glance, cv2.COLOR_RGB2GRAY)
    red, green, blue = channels(np.asarray(glance, np.uint8))
    unclipped = cv2.inRange(cv2.max(cv2.max(red, green), blue), 0, _WHITE - 1)
    black = cv2.inRange(grey, 0, _BLACK - 1)
    thumbnail = cv2.resize(grey, _SIGNATURE, interpolation=cv2.INTER_AREA)
    return Quality(
        sharpness=round(_sharpness(rgb, region), _DIGITS),
        brightness=float(cv2.mean(grey, lit)[0]),
        over=1 - _count(unclipped, lit) / pixels,
        under=_count(black, lit) / pixels,
        fill=_fill(grey, lit),
        signature=thumbnail.tobytes(),
        incomplete=is_incomplete(rgb, region),
    )


def _count(chosen: NDArray[Any], lit: UInt8Array | None) -> int:
    return cv2.countNonZero(chosen if lit is None else cv2.bitwise_and(chosen, chosen, mask=lit))


def _sharpness(rgb: UInt8Array, region: Region | None) -> float:
    height, width = rgb.shape[:2]
    factor = max(1, round(width / _WORKING_WIDTH))
    if min(height, width) < 2 * factor or width <= _LAG * factor:
        return 0.0
    rows = max(4 * _LAG * factor, int(height * _BAND_SHARE / _BANDS) // factor * factor)
    _, top, _, rows_lit = (0, 0, width, height) if region is None else extent(region, (height, width))
    whole, halved = (_shrunk(region, by, (height, width)) for by in (factor, 2 * factor))
    fine = coarse = wide = 0.0
    for start in np.linspace(top, top + max(0, rows_lit - rows), _BANDS).astype(int):
        green = channels(rgb[start : start + rows])[1]
        work = (
            cv2.resize(green, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA) if factor > 1 else green
        )
        half = cv2.resize(work, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        lit, half_lit = (
            _part(mask, start / by, part.shape)
            for mask, by, part in ((whole, factor, work), (halved, 2 * factor, half))
        )
        both = None if lit is None else lit[:, _LAG:] & lit[:, :-_LAG]
        fine += _laplacian_energy(work, lit)
        coarse += _laplacian_energy(half, half_lit)
        wide += _energy(work[:, _LAG:], both, work[:, :-_LAG])
    signal = wide - fine / 10
    return max(0.0, coarse - fine / 4) / signal if signal > max(_BANDS, _STRUCTURE * wide) else 0.0


def _shrunk(region: Region | None, factor: int, shape: tuple[int, int]) -> UInt8Array | None:
    """The lit mask of a field of (H, W) pixels made smaller by ``factor``, a little wider and higher than that."""
    if region is None:
        return None
    # a Laplacian sees one pixel further, and bands do not begin with a pixel of the smaller field
    return lit_mask(scaled(region, 1 / factor), (shape[0] // factor + 2, shape[1] // factor + 2), 3)


def _part(mask: UInt8Array | None, start: float, shape: tuple[int, ...]) -> UInt8Array | None:
    return None if mask is None else mask[int(start) : int(start) + shape[0], : shape[1]]


def _laplacian_energy(grey: NDArray[Any], lit: UInt8Array | None) -> float:
    """Mean square of the 4-neighbour Laplacian."""
    return _energy(cv2.Laplacian(grey, cv2.CV_16S), lit)


def _energy(values: NDArray[Any], lit: UInt8Array | None, less: NDArray[Any] | None = None) -> float:
    """Mean square of ``values``, or of ``values - less``, where ``lit`` is not 0; 0 where ``lit`` is 0 everywhere."""
    if lit is None:
        return (
            cv2.norm(values, cv2.NORM_L2SQR) if less is None else cv2.norm(values, less, cv2.NORM_L2SQR)
        ) / values.size
    total = cv2.norm(values, cv2.NORM_L2SQR, lit) if less is None else cv2.norm(values, less, cv2.NORM_L2SQR, lit)
    return total / max(1, cv2.countNonZero(lit))


def _fill(grey: NDArray[Any], lit: UInt8Array | None) -> float:
    """Content is darker than something on both sides of it; a slope of the illumination is darker than one side only."""
    small = cv2.GaussianBlur(cv2.resize(grey, _FILL_SIZE, interpolation=cv2.INTER_AREA), (3, 3), 0)
    reach = np.ones((1, _FILL_REACH), np.uint8)
    end = _FILL_REACH - 1
    across = cv2.min(cv2.dilate(small, reach, anchor=(0, 0)), cv2.dilate(small, reach, anchor=(end, 0)))
    down = cv2.min(cv2.dilate(small, reach.T, anchor=(0, 0)), cv2.dilate(small, reach.T, anchor=(0, end)))
    limit = cv2.convertScaleAbs(cv2.max(across, down), alpha=1 - _CONTENT)
    content = cv2.compare(small, limit, cv2.CMP_LT)
    if lit is None:
        return cv2.countNonZero(content) / small.size
    lit = np.asarray(cv2.resize(lit, _FILL_SIZE, interpolation=cv2.INTER_NEAREST), np.uint8)
    return _count(content, lit) / max(1, cv2.countNonZero(lit))


def _flat(thumbnail: NDArray[Any]) -> FloatArray:
    """The thumbnail freed of illumination, zero mean, unit length: float32 [24, 32]; zeros where there is nothing."""
    grey = thumbnail.astype(np.float32)
    relief = grey - cv2.GaussianBlur(grey, (0, 0), 4.0)
    relief -= relief.mean()
    length = float(np.linalg.norm(relief))
    return relief / length if length > 1 else np.zeros_like(relief)


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Thresholds of the gate; the defaults were set on 308 real fields of two microscopes (tests/real).

    Attributes:
        hopeless: below this sharpness a field is out of focus whatever the sample is like.
        soft: below this sharpness a field is out of focus while the sample is not known yet (warm-up).
        softer: afterwards, below this share of the sample's median sharpness.
        patience: after this many fields in a row that are only too soft, their sharpness is the sample's new normal: a
            higher magnification or a poorer objective stays softer. Not once the sample has shown that it can be sharp
            and they are below ``soft``: that is a stage that drifted out of focus.
        over: above this share of clipped pixels a field is over-exposed whatever the sample is like, if it is white too
            (a warm lamp clips the red of whole fields that can be counted).
        white: mean luma from which a field counts as white.
        over_step: a field is over-exposed above the sample's median share plus this.
        under: above this share of black pixels a field is under-exposed whatever the sample is like.
        darker: a field is under-exposed below this share of the sample's median brightness.
        fill: below this a field is empty.
        same: correlation with a counted view from which a field is taken for the same.
        warm_up: kept fields before anything is compared with the sample.
        memory: kept fields the medians are taken over.
    """

    hopeless: float = 0.06
    soft: float = 0.16
    softer: float = 0.55
    patience: int = 8
    over: float = 0.97
    white: float = 235.0
    over_step: float = 0.25
    under: float = 0.97
    darker: float = 0.4
    fill: float = 0.002
    same: float = 0.75
    warm_up: int = 5
    memory: int = 31


class Gate:
    """Decides in field order which fields of one sample count. The same fields in the same order give the same answers.

    What a sample is like is the running median of the fields that were kept, so a sample that changes slowly is followed.
    A view is "the same" only as one that was kept: a field brought back into focus counts.

    Args:
        limits: thresholds.
        registered: fields are registered against each other (``edge.overlap``), so that a view which crept away from the one that
            was counted may be looked at again: only what is new in it will count.
    """

    def __init__(self, limits: GateLimits | None = None, *, registered: bool = False) -> None:
        self._limits = limits or GateLimits()
        self._registered = registered
        self._kept: deque[Quality] = deque(maxlen=self._limits.memory)
        self._too_soft: deque[Quality] = deque(maxlen=self._limits.patience)
        self._counted_views: list[FloatArray] = []

    @property
    def usual(self) -> float | None:
        """Median sharpness of the fields that were kept lately; None: too few so far."""
        return self._typical([q.sharpness for q in self._kept])

    @property
    def needed(self) -> float:
        """Sharpness from which on a field counts as things stand."""
        usual = self.usual
        return max(self._limits.hopeless, self._limits.soft if usual is None else self._limits.softer * usual)

    @property
    def limits(self) -> GateLimits:
        """Its thresholds."""
        return self._limits

    def judge(self, quality: Quality) -> str | None:
        """Return None when the field counts, else one of ``REASONS``. Call once per field, in field order."""
        if quality.incomplete:
            return INCOMPLETE
        view = _flat(np.frombuffer(quality.signature, np.uint8).reshape(_SIGNATURE[::-1]))
        reason = self.light(quality) or self._content(quality) or self._focus(quality) or self._novelty(view)
        if reason is None:
            self._kept.append(quality)
            self._counted_views = [view]
        return reason

    def _typical(self, values: list[float]) -> float | None:
        return statistics.median(values) if len(values) >= self._limits.warm_up else None

    def light(self, quality: Quality) -> str | None:
        """``OVER_EXPOSED`` or ``UNDER_EXPOSED`` where a field with these measures would be; nothing is noted."""
        limits = self._limits
        over = self._typical([q.over for q in self._kept])
        if quality.over > limits.over and quality.brightness > limits.white:
            return OVER_EXPOSED
        if over is not None and quality.over > over + limits.over_step:
            return OVER_EXPOSED
        brightness = self._typical([q.brightness for q in self._kept])
        if quality.under > limits.under or (brightness is not None and quality.brightness < limits.darker * brightness):
            return UNDER_EXPOSED
        return None

    def _content(self, quality: Quality) -> str | None:
        return EMPTY if quality.fill < self._limits.fill else None

    def _focus(self, quality: Quality) -> str | None:
        limits = self._limits
        if quality.sharpness < limits.hopeless:
            return OUT_OF_FOCUS
        typical = self.usual
        if quality.sharpness >= self.needed:
            self._too_soft.clear()
            return None
        self._too_soft.append(quality)
        level = statistics.median(q.sharpness for q in self._too_soft)
        if len(self._too_soft) < limits.patience or (typical is not None and level < limits.soft):
            return OUT_OF_FOCUS
        self._kept.clear()
        self._kept.extend(self._too_soft)
        self._too_soft.clear()
        return None

    def _novelty(self, view: FloatArray) -> str | None:
        if not any(float(np.vdot(view, other)) >= self._limits.same for other in self._counted_views):
            return None
        # Keep the counted view and the last one seen: a stage that creeps must not look new after a while.
        if not self._registered:
            self._counted_views = [self._counted_views[0], view]
        return SAME_VIEW
