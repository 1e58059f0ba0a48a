"""Live cameras: a field every so often, from the camera process (``edge.camera``).

A stretch in which the camera was lost becomes one shot that cannot be read: so the book, the outputs and the report see it in field
order, as they see an unreadable input, and the sample goes on.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NoReturn

from edge.camera.link import open_camera as open_link
from edge.camera.records import Camera, CameraEvent, CameraSpec, CameraState, CameraTrouble, Frame
from edge.errors import CameraError, UnreadableFieldError
from edge.types import CountedField, Field, Shot, after_last

PATIENCE_S = 600.0
"""Seconds without the camera after which a run ends."""

_LOOK_S = 0.25  # seconds from one look at the camera to the next


class CameraSource:
    """Fields from one camera, without end unless ``max_fields`` is given.

    A frame is taken when the shot is asked for; ``Shot.load`` hands it over. Iterating raises CameraError when the camera does not
    come back within ``patience`` seconds.

    Args:
        camera: the camera; it is closed with the source.
        sample: the sample its fields belong to.
        interval: seconds from one field to the next; 0 for as fast as they are analysed.
        max_fields: end after this many fields; None for endless.
        patience: seconds without the camera after which iterating raises; None: it waits for ever.
    """

    total: int | None

    def __init__(
        self,
        camera: Camera,
        sample: str,
        *,
        interval: float = 1.0,
        max_fields: int | None = None,
        patience: float | None = PATIENCE_S,
    ) -> None:
        self.total = None
        self.samples: tuple[str, ...] = (sample,)
        self._camera = camera
        self._sample = sample
        self._interval = interval
        self._max_fields = max_fields
        self._patience = patience
        self._first = 0
        self._last_frame = -1
        self._last_event = -1
        self._trouble: CameraEvent | None = None
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        """The camera's, for a person."""
        return self._camera.name

    def __iter__(self) -> Iterator[Shot]:
        """Yield a shot every ``interval`` seconds, later when the fields before are not analysed yet."""
        due = time.monotonic()
        for index in itertools.count(self._first) if self._max_fields is None else range(self._first, self._max_fields):
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return
            start = time.monotonic()
            due = start + self._interval
            shot = self._next(index, start)
            if shot is None:
                return
            yield shot

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Number the next frame after the last one that was counted."""
        del complete  # there is one sample
        self._first = after_last(counted)
        return ()

    def close(self) -> None:
        """Release the camera; safe to call twice and from any thread; never blocks longer than a few seconds."""
        self._closed.set()
        self._camera.close()

    def _next(self, index: int, asked: float) -> Shot | None:
        """The next field, or what stands for those that were lost; None: the source is closed."""
        while not self._closed.is_set():
            back = self._back()
            if back is not None:
                return self._lost(index, back)
            try:
                frame = self._camera.take(after=self._last_frame, timeout=_LOOK_S)
            except CameraError:
                if self._closed.is_set():
                    return None
                raise
            if frame is not None and frame.at >= asked and (back := self._back()) is None:
                self._last_frame = frame.number
                return self._shot(index, frame, asked)
            if back is not None:
                return self._lost(index, back)
            if self._given_up():
                raise CameraError(self._trouble.words if self._trouble is not None else f"{self.name} gives no frames")
        return None

    def _shot(self, index: int, frame: Frame, asked: float) -> Shot:
        name = f"camera-{index:06d}"
        told = {"captured": round(frame.captured, 3), **frame.metadata}
        made = Field(frame.rgb, index, self._sample, name, told, (time.monotonic() - asked) * 1e3)
        return Shot(index, self._sample, name, lambda: made)

    def _lost(self, index: int, words: str) -> Shot:
        return Shot(index, self._sample, f"camera-{index:06d}", _raising(words))

    def _back(self) -> str | None:
        """What is to be said of frames that were lost, once the camera is back."""
        for event in self._camera.events(after=self._last_event):
            self._last_event = event.number
            if event.trouble is CameraTrouble.NOT_HELD:  # frames go on
                continue
            if event.trouble is not None:
                self._trouble = event
            elif self._trouble is not None:
                words, self._trouble = self._trouble.words, None
                return f"camera lost for {event.seconds:.0f} s: {words}; it is back"
        return None

    def _given_up(self) -> bool:
        if self._patience is None or self._trouble is None or self._camera.state is CameraState.RUNNING:
            return False
        return time.monotonic() - self._trouble.at > self._patience


def _raising(words: str) -> Callable[[], Field]:
    def load() -> NoReturn:
        raise UnreadableFieldError(words)

    return load


def open_camera(
    sample_id: str | None = None,
    *,
    kind: str = "auto",
    device: int | str = 0,
    interval: float = 1.0,
    size: tuple[int, int] = (1280, 960),
    max_fields: int | None = None,
    depth: int | None = None,
) -> CameraSource:
    """Open a camera and wait until its exposure has settled and frames come; takes a few seconds.

    Args:
        sample_id: the sample its fields belong to; None for ``camera``.
        kind: ``pi``, ``usb``, ``simulated`` or ``auto`` (the Pi camera where there is one, else USB).
        device: which of the cameras found, from 0 (one that does not answer is passed over), or a node like ``/dev/video2``.
        interval: seconds from one field to the next; 0 for as fast as they are analysed.
        size: width and height in pixels asked of the driver, which gives the nearest it can.
        max_fields: end after this many fields; None for endless.
        depth: bits that count of 16-bit frames; None for what the driver says.

    Raises:
        CameraError: no camera answers; one line says what was tried and what to do.
        ValueError: ``kind`` is none of those there are.
    """
    link = open_link(CameraSpec(kind, device, size, depth))
    try:
        link.wait_ready()
    except BaseException:
        link.close()
        raise
    return CameraSource(link, sample_id or "camera", interval=interval, max_fields=max_fields)
