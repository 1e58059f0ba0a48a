"""Faults on demand: a driver that does what bad cameras do, for any driver, by the command ``fault`` (docs/virtual.md).

A fault falsifies what a driver gives, frame by frame, in the driver's own format, before anything has looked at it. A camera that is
opened again begins without a fault; only ``disconnect`` is told to it again (``edge.camera.link``) until its time is over.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.camera.driver import CameraDriver
from edge.camera.records import CameraFacts
from edge.errors import CameraError

Raw = NDArray[Any]

DEFAULT_S: Final = 10.0
"""Seconds of a fault whose command does not say."""

_TORN_AT: Final = 0.45  # share of the frame's rows that are still whole
_BRIGHTER: Final = 1.6  # how much brighter an exposure that settles late ends up
_SLOW_S: Final = 2.0  # seconds a slow camera takes for a frame
_GREEN: Final = 136  # what an empty YUV buffer becomes in the green channel
_HICCUP_EVERY: Final = 4  # frames, of which one does not come


class Fault(StrEnum):
    """What a camera can do wrong."""

    HANG = "hang"
    """The driver's call never returns, however long the fault is said to last."""
    STALL = "stall"
    """It returns when the time is over."""
    SLOW = "slow"
    """Each frame takes two seconds."""
    HICCUP = "hiccup"
    """One frame in four does not come."""
    DISCONNECT = "disconnect"
    """The driver says that the camera is gone, until the time is over."""
    RAISE = "raise"
    """The driver raises an error of its own."""
    ABORT = "abort"
    """The driver ends its process, as failed assertions in C do."""
    KILLED = "killed"
    """The kernel ends the process: out of memory."""
    FREEZE = "freeze"
    """The same frame again and again."""
    REPEATS = "repeats"
    """Each frame comes three times."""
    TEAR = "tear"
    """Below the middle nothing arrived."""
    BLACK = "black"
    WHITE = "white"
    GREEN = "green"
    """An empty buffer of YUV, shown."""
    NOISE = "noise"
    """Random bytes."""
    LATE_EXPOSURE = "late-exposure"
    """Exposure that was said to hold goes on, until the picture is far brighter."""
    WRONG_SIZE = "wrong-size"
    """Frames of half the width and height."""
    TINY = "tiny"
    """Frames of 16 by 12."""
    CHANGING_SIZE = "changing-size"
    """Every second frame is smaller."""
    WRONG_FORMAT = "wrong-format"
    """A byte fewer per pixel than was agreed on: YUYV where it should be RGB."""
    SIXTEEN_BITS = "sixteen-bits"
    """Values of 16 bits where 8 were agreed on."""
    MIXED_FORMATS = "mixed-formats"
    """Every second frame is grey."""
    EMPTY_FRAME = "empty-frame"
    """Frames without pixels."""


LOSES_CAMERA: Final = frozenset({Fault.HANG, Fault.STALL, Fault.DISCONNECT, Fault.RAISE, Fault.ABORT, Fault.KILLED})
"""Faults after which no frame comes at all; the others falsify frames."""


class Faulty:
    """A ``CameraDriver`` around another one, which it lets misbehave when it is told to.

    Args:
        driver: any driver.
        clock: seconds.
        sleep: waits for some.
        end: ends this process by a signal.
    """

    def __init__(
        self,
        driver: CameraDriver,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        end: Callable[[int], None] = lambda number: os.kill(os.getpid(), number),
    ) -> None:
        self._driver, self._clock, self._sleep, self._end = driver, clock, sleep, end
        self._fault: Fault | None = None
        self._since = self._until = 0.0
        self._frames = 0
        self._kept: tuple[Raw, Mapping[str, object]] | None = None
        self._chance = np.random.default_rng()

    @property
    def facts(self) -> CameraFacts:
        """The driver's."""
        return self._driver.facts

    def release(self) -> None:
        """Give the driver's camera back."""
        self._driver.release()

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        """``fault``: ``kind`` (one of ``Fault``; another word ends the fault) and ``seconds``. All else is the driver's."""
        if name != "fault":
            self._driver.command(name, values)
            return
        kind = str(values.get("kind", ""))
        self._fault = Fault(kind) if kind in set(Fault) else None
        self._since = self._clock()
        self._until = self._since + seconds_of(values.get("seconds", DEFAULT_S))
        self._frames, self._kept = 0, None

    def read(self) -> tuple[Raw, Mapping[str, object]]:
        """The driver's next frame, or what the fault makes of it."""
        fault = self._fault if self._clock() < self._until else None
        if fault is None:
            self._fault = None
            return self._driver.read()
        self._frames += 1
        if fault in LOSES_CAMERA or fault in (Fault.SLOW, Fault.HICCUP):
            self._lose(fault)
            return self._driver.read()
        return self._falsified(fault, *self._driver.read())

    def _lose(self, fault: Fault) -> None:
        name = self.facts.name
        if fault is Fault.HANG:
            while True:
                self._sleep(3600.0)
        elif fault is Fault.STALL:
            self._sleep(max(0.0, self._until - self._clock()))
        elif fault is Fault.SLOW:
            self._sleep(_SLOW_S)
        elif fault is Fault.DISCONNECT or (fault is Fault.HICCUP and self._frames % _HICCUP_EVERY == 0):
            raise CameraError(f"{name} gives no more pictures; was it unplugged?")
        elif fault is Fault.RAISE:
            raise RuntimeError(f"{name}: error -71 (EPROTO)")
        elif fault in (Fault.ABORT, Fault.KILLED):
            self._end(signal.SIGABRT if fault is Fault.ABORT else signal.SIGKILL)

    def _falsified(self, fault: Fault, raw: Raw, seen: Mapping[str, object]) -> tuple[Raw, Mapping[str, object]]:
        every = 3 if fault is Fault.REPEATS else 0
        if fault in (Fault.FREEZE, Fault.REPEATS):
            if self._kept is None or (every and self._frames % every == 1):
                self._kept = (raw.copy(), dict(seen))
            return self._kept[0].copy(), self._kept[1]
        if fault is Fault.LATE_EXPOSURE:
            share = min(1.0, (self._clock() - self._since) / max(1e-9, 0.5 * (self._until - self._since)))
            return brighter(raw, 1 + (_BRIGHTER - 1) * share), seen
        odd = self._frames % 2 == 1
        if (fault is Fault.CHANGING_SIZE or fault is Fault.MIXED_FORMATS) and odd:
            return raw, seen
        return falsified(fault, raw, self.facts, self._chance), seen


def falsified(fault: Fault, raw: Raw, facts: CameraFacts, chance: np.random.Generator) -> Raw:
    """A frame as a fault leaves it, in memory of its own; faults that falsify no single frame return it as it is.

    Args:
        fault: what is wrong.
        raw: the driver's frame, of any shape.
        facts: say its size and format.
        chance: of noise.
    """
    if fault in (Fault.BLACK, Fault.WHITE, Fault.GREEN):
        return _of_one_colour(fault, raw, facts)
    if fault is Fault.NOISE:
        return np.asarray(chance.integers(0, _most(raw), raw.shape, raw.dtype, endpoint=True))
    change = _CHANGES.get(fault)
    return raw if change is None else np.ascontiguousarray(change(raw))


def brighter(raw: Raw, factor: float) -> Raw:
    """All values times ``factor``, at most the type's largest; colours of YUV move with it, which is wrong enough."""
    out: Raw = np.clip(raw.astype(np.float32) * factor, 0, _most(raw)).astype(raw.dtype)
    return out


def _most(raw: Raw) -> int:
    """The largest value of frames of unsigned numbers."""
    return int(np.iinfo(raw.dtype).max)


def _part(raw: Raw, height: int, width: int) -> Raw:
    return raw[:height, :width] if raw.ndim > 1 else raw[:width]


def _halved(raw: Raw) -> Raw:
    return _part(raw, len(raw) // 2, (raw.shape[1] if raw.ndim > 1 else len(raw)) // 2)


def _of_two_bytes(raw: Raw) -> Raw:
    """One channel fewer, or two of them where there was one."""
    return raw[..., : raw.shape[2] - 1] if raw.ndim == 3 else np.repeat(raw[..., None], 2, axis=-1)


def _of_another_depth(raw: Raw) -> Raw:
    return raw.astype(np.uint16) * 257 if raw.dtype == np.uint8 else (raw >> 8).astype(np.uint8)


def _of_another_kind(raw: Raw) -> Raw:
    """Grey where there are colours, colours where it is grey."""
    return raw[..., 0] if raw.ndim == 3 else np.repeat(raw[..., None], 3, axis=-1)


def _torn(raw: Raw) -> Raw:
    out = raw.copy()
    whole = int(len(out) * _TORN_AT)
    if out.ndim == 1:
        return out[:whole].copy()  # a JPEG that broke off
    out[whole:] = out[whole - 1 : whole] if out.dtype != np.uint8 else 128
    return out


def _of_one_colour(fault: Fault, raw: Raw, facts: CameraFacts) -> Raw:
    most = _most(raw)
    out = np.zeros_like(raw)
    if facts.format.startswith(("NV12", "YUV420", "YUYV")):
        _fill_yuv(fault, out, facts)
    elif fault is Fault.WHITE:
        out[...] = most
    elif fault is Fault.GREEN and out.ndim == 3 and out.shape[2] >= 3:
        out[..., 1] = _GREEN
    elif fault is Fault.GREEN:
        out[...] = most // 3
    return out


def _fill_yuv(fault: Fault, out: Raw, facts: CameraFacts) -> None:
    """All zero is green; black and white are said by the luma, with chroma in the middle."""
    if fault is Fault.GREEN:
        return
    out[...] = 128
    luma = 255 if fault is Fault.WHITE else 0
    if out.ndim == 3:
        out[..., 0] = luma
    else:
        out[: facts.size[1]] = luma


def seconds_of(value: float | str) -> float:
    """Seconds that a command asks for; ``DEFAULT_S`` where that is no number."""
    try:
        seconds = float(value)
    except ValueError:
        return DEFAULT_S
    return max(0.0, seconds) if isfinite(seconds) else DEFAULT_S


_CHANGES: Final[Mapping[Fault, Callable[[Raw], Raw]]] = {
    Fault.TEAR: _torn,
    Fault.WRONG_SIZE: _halved,
    Fault.CHANGING_SIZE: _halved,
    Fault.TINY: lambda raw: _part(raw, 12, 16),
    Fault.WRONG_FORMAT: _of_two_bytes,
    Fault.SIXTEEN_BITS: _of_another_depth,
    Fault.MIXED_FORMATS: _of_another_kind,
    Fault.EMPTY_FRAME: lambda raw: raw[:0],
}
"""What changes a frame by itself."""
