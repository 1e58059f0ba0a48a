"""Live cameras: the Pi camera through picamera2, else a USB camera through V4L2, one field every so often.

Drivers block: a USB camera that is pulled out, a ribbon cable that is loose, a camera another program holds. So every call
into a driver runs in a thread of the camera's own and is waited for with a time limit; a camera that does not answer in time
is given up with a CameraError and its thread left behind (it is a daemon: the program can still end).

Exposure and white balance settle on the first frames and are then held, where the driver allows it: a count needs the
same light on every field.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple, TypeVar

from edge.errors import CameraError
from edge.sources.decode import quiet_opencv
from edge.sources.drivers import SETTLE, Device, connect_pi, connect_usb, no_usb, video_nodes
from edge.types import CountedField, Field, Shot, after_last

KINDS = ("auto", "pi", "usb")
TIMEOUT = 5.0
"""Seconds a driver may take to answer."""

T = TypeVar("T")


class _Caller:
    """Runs calls one after the other in one daemon thread, each waited for with a time limit."""

    def __init__(self) -> None:
        self.lost = False
        """Whether a call was given up because it did not return in time."""
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="edge-camera", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T], timeout: float, what: str) -> T:
        """Return ``function()``; CameraError when it does not answer in time or the driver fails."""
        answer: Future[T] = Future()
        self._jobs.put((function, answer))
        try:
            return answer.result(timeout)
        except CameraError:
            raise
        except TimeoutError:
            self.lost = True
            raise CameraError(
                f"{what} does not answer after {timeout:g} s; unplug it, plug it in, and try again"
            ) from None
        except Exception as error:  # drivers raise anything; all of it means the same to the user
            raise CameraError(f"{what}: {_first_line(error)}") from error

    def end(self) -> None:
        """Let the thread end after its current call, if that returns."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, answer = job
            try:
                answer.set_result(function())
            except BaseException as error:  # noqa: BLE001 - carried to the caller
                answer.set_exception(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class CameraSource:
    """Fields from one camera, without end unless ``max_fields`` is given. Made by ``open_camera``.

    A frame is taken when the shot is asked for; ``Shot.load`` hands it over. Iterating raises CameraError when the camera
    stops answering.
    """

    total: int | None

    def __init__(
        self, device: Device, caller: _Caller, sample: str, *, interval: float, max_fields: int | None, timeout: float
    ) -> None:
        self.total = None
        self.name = device.name
        self._device = device
        self._caller = caller
        self.samples: tuple[str, ...] = (sample,)
        self._sample = sample
        self._interval = interval
        self._max_fields = max_fields
        self._timeout = timeout
        self._first = 0
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Shot]:
        """Yield a shot every ``interval`` seconds, later when the fields before are not analysed yet."""
        due = time.monotonic()
        for index in itertools.count(self._first) if self._max_fields is None else range(self._first, self._max_fields):
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return
            start = time.monotonic()
            due = start + self._interval
            try:
                rgb, metadata = self._caller.call(self._device.read, self._timeout, self.name)
            except CameraError:
                if self._closed.is_set():
                    return
                raise
            name = f"camera-{index:06d}"
            ms = (time.monotonic() - start) * 1e3
            made = Field(rgb, index, self._sample, name, {"captured": round(time.time(), 3), **metadata}, ms)
            yield Shot(index, self._sample, name, lambda made=made: made)  # type: ignore[misc]

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Number the next frame after the last one that was counted."""
        del complete  # there is one sample
        self._first = after_last(counted)
        return ()

    def close(self) -> None:
        """Release the camera; safe to call twice and from any thread; never blocks longer than the time limit."""
        if self._closed.is_set():
            return
        self._closed.set()
        # In the camera's own thread, for a release while a read hangs would hang as well.
        with contextlib.suppress(CameraError):
            self._caller.call(self._device.release, 0.0 if self._caller.lost else self._timeout, self.name)
        self._caller.end()


def open_camera(
    sample_id: str | None = None,
    *,
    kind: str = "auto",
    device: int | str = 0,
    interval: float = 1.0,
    size: tuple[int, int] = (1280, 960),
    max_fields: int | None = None,
    timeout: float = TIMEOUT,
    depth: int | None = None,
) -> CameraSource:
    """Open a camera and let its exposure settle; takes a second or two.

    Args:
        sample_id: the sample its fields belong to; None for ``camera``.
        kind: ``pi``, ``usb`` or ``auto`` (the Pi camera where there is one, else USB).
        device: which of the cameras found, from 0 (one that does not answer is passed over), or a node like ``/dev/video2``.
        interval: seconds from one field to the next; 0 for as fast as they are analysed.
        size: width and height in pixels asked of the driver, which gives the nearest it can.
        max_fields: end after this many fields; None for endless.
        timeout: seconds the driver may take to answer.
        depth: bits that count of 16-bit frames; None for what the driver says.

    Raises:
        CameraError: no camera answers; one line says what was tried and what to do.
        ValueError: ``kind`` is none of the three.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    quiet_opencv()
    tried: list[str] = []
    for attempt in _attempts(kind, device, size, depth):
        caller = _Caller()
        try:
            # Opening a camera loads its driver's library and tunes the sensor: it may take longer than a frame.
            camera = caller.call(attempt.open, 3 * timeout, attempt.name)
            caller.call(camera.settle, SETTLE + timeout, camera.name)
        except CameraError as error:
            caller.end()
            tried.append(str(error))
            continue
        return CameraSource(
            camera, caller, sample_id or "camera", interval=interval, max_fields=max_fields, timeout=timeout
        )
    raise CameraError(
        f"no camera answers: {'; '.join(tried)}. Check the cable and that no other program holds the camera"
    )


class _Attempt(NamedTuple):
    name: str
    open: Callable[[], Device]


def _attempts(kind: str, device: int | str, size: tuple[int, int], depth: int | None) -> Iterator[_Attempt]:
    if kind in ("auto", "pi") and isinstance(device, int):
        yield _Attempt("Pi camera", partial(connect_pi, device, size, depth))
    if kind in ("auto", "usb"):
        nodes = [device] if isinstance(device, str) else video_nodes()[device:]
        if not nodes:
            yield _Attempt("USB camera", no_usb)
        for node in nodes:
            yield _Attempt(f"USB camera {node}", partial(connect_usb, node, size, depth))
