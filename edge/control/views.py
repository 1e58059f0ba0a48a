"""What is measured of each frame while the stage is watched: the gate's own measures, and how far the view moved.

**Where a view has moved.** Two small grey pictures, freed of their illumination, are correlated by Fourier transform. A transform
wraps around, so each of its highest peaks stands for four shifts. Each of them is tried on the part that both pictures then show, and
the one with the highest correlation there is believed, if that is high enough: dust and vignetting, which stand still, correlate too
little. Where no shift is believed, nothing of the one view is seen in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

import cv2
import numpy as np

from edge.gate import measure
from edge.region import find_region
from edge.types import FloatArray, Quality, UInt8Array

_PICKED_WIDTH = 512  # pixels: so many of a row are looked at
_WIDTH, _HEIGHT = 128, 96  # pixels of the picture that tells how far a view moved
_SMOOTH = 6.0  # pixels of it: what is wider is illumination
_PEAKS = 3  # peaks that are tried, each as four shifts
_AROUND = 2  # pixels around a peak that belong to it
_ALIKE = 0.6  # correlation from which on two views show the same; those of different cells hardly reach it
_COMMON = 0.15  # share of the picture that both must show
_SAME = 0.97  # correlation at no shift from which on no other one is looked for: half a pixel takes more away
_STEPS = 32  # of the histogram


class Shift(NamedTuple):
    """How far a view lies from another, as shares of the field's width and height, and how alike they are there, -1 to 1."""

    x: float
    y: float
    alike: float

    @property
    def distance(self) -> float:
        """As a share of the field's width, for a field four thirds as wide as high."""
        return hypot(self.x, self.y * _HEIGHT / _WIDTH)

    @property
    def new(self) -> float:
        """Share of the view that the other one does not show."""
        return 1 - (1 - abs(self.x)) * (1 - abs(self.y))


@dataclass(frozen=True, slots=True, eq=False)
class SmallView:
    """A view made small.

    Attributes:
        quality: the gate's measures.
        relief: float32 [96, 128], grey freed of its illumination, mean 0.
        histogram: share of pixels in each of 32 equal steps of luma.
    """

    quality: Quality
    relief: FloatArray
    histogram: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame as run control sees it.

    Attributes:
        quality: the gate's measures.
        speed: of the view, in field widths per second; None: nothing of the frame before is seen in it, or there was none.
        moved: how far it lies from the field taken last, as a share of the field's width, at most 1; None: none was taken.
        new: share of it that the field taken last did not show, 0 to 1.
        histogram: see ``SmallView``.
    """

    quality: Quality
    speed: float | None
    moved: float | None
    new: float
    histogram: tuple[float, ...] = ()


class Eye:
    """Follows the view from frame to frame."""

    def __init__(self) -> None:
        self._before: tuple[float, SmallView] | None = None
        self._newest: SmallView | None = None
        self._taken: SmallView | None = None

    def see(self, rgb: UInt8Array, at: float) -> Seen:
        """Measure a frame, uint8 [H, W, 3], taken ``at`` seconds of one clock."""
        now = small_view(rgb)
        speed = None
        if self._before is not None and at > self._before[0]:
            step = shift_between(now, self._before[1])
            speed = None if step is None else step.distance / (at - self._before[0])
        self._before, self._newest = (at, now), now
        moved, new = None, 1.0
        if self._taken is not None:
            shift = shift_between(now, self._taken)
            moved, new = (1.0, 1.0) if shift is None else (min(shift.distance, 1.0), shift.new)
        return Seen(now.quality, speed, moved, new, now.histogram)

    def taken(self) -> None:
        """The newest frame was taken as a field."""
        self._taken = self._newest

    def forget(self) -> None:
        """Another sample begins: no field of it was taken yet."""
        self._taken = None


def small_view(rgb: UInt8Array) -> SmallView:
    """Measure a frame, uint8 [H, W, 3]: as the gate does, which touches a quarter of the rows, and on some of its pixels."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _PICKED_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picked = cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST)
    grey = cv2.cvtColor(picked, cv2.COLOR_RGB2GRAY)
    tiny = cv2.resize(grey, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    relief = tiny - cv2.GaussianBlur(tiny, (0, 0), _SMOOTH)
    counts = cv2.calcHist([grey], [0], None, [_STEPS], [0, 256]).ravel()
    histogram = tuple(round(float(n) / grey.size, 4) for n in counts)
    return SmallView(measure(rgb, find_region(rgb)), relief - relief.mean(), histogram)


def shift_between(now: SmallView, then: SmallView) -> Shift | None:
    """Where ``now`` lies as seen from ``then``; None: they show nothing in common."""
    a, b = now.relief, then.relief
    still = _correlation(a, b, 0, 0)
    if still >= _SAME:  # as it mostly is: no transform is needed
        return Shift(0.0, 0.0, still)
    spectrum = np.fft.rfft2(a)
    spectrum *= np.conj(np.fft.rfft2(b))
    surface = np.fft.irfft2(spectrum, a.shape)
    best: Shift | None = None
    for _ in range(_PEAKS):
        y, x = (int(i) for i in np.unravel_index(int(surface.argmax()), surface.shape))
        for dy in (y, y - _HEIGHT):
            for dx in (x, x - _WIDTH):
                alike = _correlation(a, b, dx, dy)
                if alike >= _ALIKE and (best is None or alike > best.alike):
                    best = Shift(dx / _WIDTH, dy / _HEIGHT, alike)
        rows = np.arange(y - _AROUND, y + _AROUND + 1) % _HEIGHT
        columns = np.arange(x - _AROUND, x + _AROUND + 1) % _WIDTH
        surface[np.ix_(rows, columns)] = -np.inf
    return best


def _correlation(a: FloatArray, b: FloatArray, dx: int, dy: int) -> float:
    """Of the part that both show, where what stands at p in ``b`` stands at p + (dx, dy) in ``a``; 0 where that is too small."""
    if (_WIDTH - abs(dx)) * (_HEIGHT - abs(dy)) < _COMMON * a.size:
        return 0.0
    one = a[max(dy, 0) : _HEIGHT + min(dy, 0), max(dx, 0) : _WIDTH + min(dx, 0)]
    other = b[max(-dy, 0) : _HEIGHT + min(-dy, 0), max(-dx, 0) : _WIDTH + min(-dx, 0)]
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.vdot(one, other)) / length if length > 0 else 0.0
