"""The bad cameras: what each does, and what has to come of it. All of it is known of real UVC and CSI cameras and their drivers."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.records import CameraTrouble as T

Raw = NDArray[Any]
LATE_LIGHT = 0.62
"""Times as bright, after the exposure that was set at last shows."""

FOR_EVER = math.inf
"""Seconds of a fault that does not end."""


@dataclass(frozen=True, slots=True)
class BadCamera:
    """A kind.

    Attributes:
        does: what it does, in words.
        told: the troubles of which one must be told; empty: none may be.
        seconds: how long it does it; infinite: for ever.
        opening: called with the seconds since the fault began, in place of opening; before and after the fault it is not called.
        grab: the same for waiting for a frame; returns whether there is one, None: as usual.
        frame: changes a frame (uint8 [H, W, 3], blue first), by its count since the fault began.
        at_start: the fault is there before the camera is first opened.
        fourcc: the format that it says.
        light: once it was told, frames may be so much brighter than they were.
        every: seconds between frames during the fault.
    """

    does: str
    told: tuple[T, ...] = ()
    seconds: float = FOR_EVER
    opening: Callable[[float], bool] | None = None
    grab: Callable[[int], bool | None] | None = None
    frame: Callable[[Raw, int], Any] | None = None
    at_start: bool = False
    fourcc: bytes = b"YUYV"
    every: float = 0.04
    light: float = 1.0


def _hang(_: float) -> bool:
    time.sleep(3600)
    return False


def _hang_with_lock(_: int) -> bool:
    ctypes.PyDLL(None).sleep(3600)  # PyDLL keeps Python's lock: no other thread of the process runs
    return False


def _abort(_: float) -> bool:
    os.kill(os.getpid(), signal.SIGABRT)
    return False


def _crash(_: int) -> bool:
    ctypes.string_at(0)
    return False


def _raise(_: float) -> bool:
    raise cv2.error("VIDEOIO(V4L2): can't find a suitable format\n at line 12")


def _exit(_: int) -> bool:
    os._exit(3)


def _kill(_: int) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return False


def _chat(_: int) -> None:
    sys.stderr.write("Corrupt JPEG data: 12 extraneous bytes before marker 0xd4\n" * 400)
    sys.stderr.flush()


class _Frozen:
    """Gives one of the frames for ever; ``of``: so many in turn."""

    def __init__(self, of: int = 1) -> None:
        self.kept: list[Raw] = []
        self.of = of

    def __call__(self, frame: Raw, count: int) -> Raw:
        if len(self.kept) < self.of:
            self.kept.append(frame.copy())
        return self.kept[count % len(self.kept)]


class _Thrice:
    """Each frame three times."""

    def __init__(self) -> None:
        self.kept: Raw | None = None

    def __call__(self, frame: Raw, count: int) -> Raw:
        if count % 3 == 0 or self.kept is None:
            self.kept = frame.copy()
        return self.kept


class _Mingled:
    """The lower part is of an older view."""

    def __init__(self) -> None:
        self.old: Raw | None = None

    def __call__(self, frame: Raw, count: int) -> Raw:
        self.old = np.roll(frame, 37, axis=1) if self.old is None else self.old
        height = len(frame)
        return np.concatenate([frame[: height * (3 + count % 4) // 8], self.old[height * (3 + count % 4) // 8 :]])


def _cut(frame: Raw, _: int) -> Raw:
    jpeg = cv2.imencode(".jpg", frame)[1].reshape(1, -1)
    return np.asarray(jpeg[:, : jpeg.shape[1] * 2 // 3])


def _cut_with_end(frame: Raw, _: int) -> Raw:
    jpeg = cv2.imencode(".jpg", frame)[1].reshape(1, -1).copy()
    jpeg[:, jpeg.shape[1] // 2 : -2] = 0  # packets that were lost
    return np.asarray(jpeg)


def _torn_green(frame: Raw, _: int) -> Raw:
    torn = frame.copy()
    torn[len(torn) * 2 // 3 :] = (0, 136, 0)
    return torn


def _one(colour: tuple[int, int, int]) -> Callable[[Raw, int], Raw]:
    def change(frame: Raw, count: int) -> Raw:
        whole = np.full_like(frame, colour)
        whole[count % len(whole), count % 7] ^= 1  # not to the last bit the same
        return whole

    return change


def _noise(frame: Raw, count: int) -> Raw:
    return np.random.default_rng(count).integers(0, 256, frame.shape, np.uint8)


def _small(frame: Raw, _: int) -> Raw:
    return np.asarray(cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA))


def _tiny(frame: Raw, _: int) -> Raw:
    return np.asarray(cv2.resize(frame, (16, 12), interpolation=cv2.INTER_AREA))


def _turned(frame: Raw, _: int) -> Raw:
    return np.ascontiguousarray(frame.transpose(1, 0, 2))


def _yuyv(frame: Raw) -> Raw:
    """Two bytes a pixel, uint8 [H, W, 2]."""
    ycc = cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb)
    out = np.empty((*frame.shape[:2], 2), np.uint8)
    out[..., 0] = ycc[..., 0]
    out[:, ::2, 1], out[:, 1::2, 1] = ycc[:, ::2, 2], ycc[:, ::2, 1]
    return out


def _yuyv_as_bgr(frame: Raw, _: int) -> Raw:
    """The bytes of YUYV read three at a time; what is missing at the end comes from the beginning."""
    return np.resize(_yuyv(frame).reshape(-1), frame.size).reshape(frame.shape)


def _bars(frame: Raw, _: int) -> Raw:
    colours = [
        (255, 255, 255),
        (0, 255, 255),
        (255, 255, 0),
        (0, 255, 0),
        (255, 0, 255),
        (0, 0, 255),
        (255, 0, 0),
        (0, 0, 0),
    ]
    bars = np.array(colours, np.uint8)[np.arange(frame.shape[1]) * 8 // frame.shape[1]]
    return np.broadcast_to(bars, frame.shape).copy()


def _late(frame: Raw, count: int) -> Raw:
    return np.asarray(frame.astype(np.float32) * LATE_LIGHT, np.uint8) if count > 20 else frame


def _third(change: Callable[[Raw, int], Raw]) -> Callable[[Raw, int], Raw]:
    """One frame in three is changed."""
    return lambda frame, count: frame if count % 3 else change(frame, count)


def _stall(count: int) -> None:
    if count == 1:
        time.sleep(6)


def _hiccup(count: int) -> bool:
    return count % 30 != 0


_MINGLED = _Mingled()
SILENT = (T.NOT_ANSWERING, T.NO_FRAMES)
LYING = (T.WRONG_SIZE, T.WRONG_FORMAT, T.TORN)
LOST = (T.NO_FRAMES, T.NOT_ANSWERING, T.DIED, T.CANNOT_OPEN)

KINDS: Mapping[str, BadCamera] = {
    "sound": BadCamera("nothing wrong: the check of this benchmark itself"),
    "not there": BadCamera("cannot be opened", (T.CANNOT_OPEN,), opening=lambda _: False, at_start=True),
    "busy, then free": BadCamera("another program has it, for 4 s", (T.CANNOT_OPEN,), 4, opening=lambda _: False, at_start=True),
    "opening hangs": BadCamera("opening never returns", (T.NOT_ANSWERING,), opening=_hang, at_start=True),
    "opening aborts": BadCamera("abort() while it is opened", (T.DIED,), opening=_abort, at_start=True),
    "opening raises": BadCamera("the driver raises while it is opened", (T.CANNOT_OPEN,), opening=_raise, at_start=True),
    "never a picture": BadCamera("opens and gives no picture", (T.CANNOT_OPEN,), grab=lambda _: False, at_start=True),
    "first picture hangs": BadCamera("opens, and the first picture never comes", (T.NOT_ANSWERING,), grab=_hang, at_start=True),
    "hiccup": BadCamera("one frame in thirty does not come", grab=_hiccup),
    "stall of 6 s": BadCamera("no frame for 6 s, then on as if nothing was", LOST, 6, grab=_stall),
    "hang": BadCamera("waiting for a frame never returns", (T.NO_FRAMES,), 12, grab=_hang),
    "hang with Python's lock": BadCamera("the same, and no thread of the process runs", SILENT, 12, grab=_hang_with_lock),
    "unplugged and back": BadCamera("gone for 6 s", (T.NO_FRAMES,), 6, opening=lambda _: False, grab=lambda _: False),
    "unplugged": BadCamera("gone for ever", (T.NO_FRAMES,), opening=lambda _: False, grab=lambda _: False),
    "abort()": BadCamera("the driver ends its process", (T.DIED,), 2, grab=_abort),
    "crash": BadCamera("the driver reads at address 0", (T.DIED,), 2, grab=_crash),
    "exit": BadCamera("the driver calls exit(3)", (T.DIED,), 2, grab=_exit),
    "killed": BadCamera("the kernel ends the process: out of memory", (T.DIED,), 2, grab=_kill),
    "raises": BadCamera("the driver raises instead of giving a frame", (T.NO_FRAMES,), 4, grab=_raise),
    "frozen": BadCamera("the same frame again and again", (T.FROZEN,), 6, frame=_Frozen()),
    "old buffers": BadCamera("the four buffers of the driver in turn, never filled again", (T.FROZEN,), 6, frame=_Frozen(4)),
    "test picture": BadCamera("colour bars from the sensor", (T.FROZEN, T.TORN), 6, frame=_bars),
    "no array": BadCamera("says that there is a frame, and gives none", (T.NO_FRAMES,), 6, frame=lambda _, __: None),
    "empty array": BadCamera("frames without pixels", LYING, 6, frame=lambda f, _: f[:0]),
    "repeats": BadCamera("each frame three times, as in low light", frame=_Thrice()),
    "torn": BadCamera("the lower part is of another frame", (T.TORN,), 6, frame=_Mingled()),
    "torn now and then": BadCamera("the same for one frame in three", (T.TORN,), 8, frame=_third(_MINGLED)),
    "broken off": BadCamera("green below where packets were lost", (T.TORN,), 6, frame=_torn_green),
    "JPEG cut off": BadCamera("MJPG whose end is missing", (T.TORN,), 6, frame=_cut, fourcc=b"MJPG"),
    "JPEG with a hole": BadCamera("MJPG whose second half is zeros", (T.TORN,), 6, frame=_cut_with_end, fourcc=b"MJPG"),
    "black": BadCamera("black frames", (T.BLACK,), 8, frame=_one((0, 0, 0))),
    "flicker": BadCamera("every third frame black", (T.BLACK,), 8, frame=_third(_one((0, 0, 0)))),
    "green": BadCamera("frames of an empty YUV buffer", (T.ONE_COLOUR,), 8, frame=_one((0, 136, 0))),
    "white": BadCamera("white frames", (T.ONE_COLOUR,), 8, frame=_one((255, 255, 255))),
    "noise": BadCamera("random bytes", (T.NOISE,), 6, frame=_noise),
    "16 bits": BadCamera("frames of 16 bits where 8 were agreed on", LYING, 6, frame=lambda f, _: f.astype(np.uint16) * 257),
    "floats": BadCamera("frames of floating point", LYING, 6, frame=lambda f, _: f.astype(np.float32) / 255),
    "16x12": BadCamera("frames of 16 by 12", LYING, 6, frame=_tiny),
    "another size": BadCamera("half the size, from one frame to the next", LYING, 6, frame=_small),
    "another size for good": BadCamera("the same, and after it was opened again too", LYING, frame=_small),
    "changing size": BadCamera("every second frame smaller", LYING, 8, frame=lambda f, n: f if n % 2 else _small(f, n)),
    "turned": BadCamera("height and width changed over", LYING, 6, frame=_turned),
    "mixed formats": BadCamera("every second frame grey", LYING, 8, frame=lambda f, n: f if n % 2 else f[..., 1].copy()),
    "a fourth channel": BadCamera("BGRA where BGR was agreed on", LYING, 6, frame=lambda f, _: np.dstack([f, f[..., :1]])),
    "YUYV, two channels": BadCamera("the bytes of YUYV as they are", LYING, 6, frame=lambda f, _: _yuyv(f)),
    "YUYV as BGR": BadCamera("the bytes of YUYV read as blue, green, red", (*LYING, T.NOISE), 6, frame=_yuyv_as_bgr),
    "late exposure": BadCamera("what was set shows 20 frames later: a third darker", (T.NOT_HELD,), 8, frame=_late, light=LATE_LIGHT),
    "slow": BadCamera("one frame in 2 s", every=2.0),
    "long exposure": BadCamera("one frame a second", every=1.0),
    "chatter": BadCamera("the driver writes 24 kB to stderr with each frame", grab=_chat),
}  # fmt: skip
"""By name."""
