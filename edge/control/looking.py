"""Watches a camera without end: hands each frame on, and keeps in the snapshot how it stands with the camera."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from edge.camera.records import Camera, CameraState, Frame
from edge.control.board import StatusBoard
from edge.errors import CameraError
from edge.status import CameraStatus

LEAST_APART_S = 0.09
"""Seconds between two frames that are looked at: about eleven a second."""

_PATIENCE_S = 0.5  # seconds that a frame is waited for before it is looked how the camera stands
_RATE_OVER = 20  # frames over which frames per second are told


class Looker:
    """Looks at the frames of a camera in a thread of its own, until ``close``.

    Args:
        camera: open; it is not closed with this.
        board: is told how it stands with the camera.
        seen: takes each frame.
        nothing: called where no frame came for a moment.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        camera: Camera,
        board: StatusBoard,
        seen: Callable[[Frame], None],
        nothing: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._camera = camera
        self._board = board
        self._seen = seen
        self._nothing = nothing
        self._clock = clock
        self._last = -1
        self._taken: deque[tuple[float, int]] = deque(maxlen=_RATE_OVER)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edge-looker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Look at no further frame."""
        self._closed.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(2 * _PATIENCE_S)

    def look(self) -> None:
        """Look at the next frame, if one comes soon; raises CameraError once the camera is closed."""
        frame = self._camera.take(after=self._last, timeout=_PATIENCE_S)
        if frame is not None:
            self._last = frame.number
            self._taken.append((frame.at, frame.number))
        self._board.change(camera=self._status())
        if frame is None:
            self._nothing()
        else:
            self._seen(frame)

    def _run(self) -> None:
        while not self._closed.is_set():
            began = self._clock()
            try:
                self.look()
            except CameraError:
                self._board.change(camera=replace(self._status(), state=CameraState.CLOSED, fps=0.0))
                return
            self._closed.wait(max(0.0, LEAST_APART_S - (self._clock() - began)))

    def _status(self) -> CameraStatus:
        """How it stands with the camera."""
        camera, words = self._camera, ""
        if camera.state is not CameraState.RUNNING:
            events = camera.events()
            words = events[-1].words if events and events[-1].trouble is not None else ""
        return CameraStatus(
            camera.state, camera.name, self._rate() if camera.state is CameraState.RUNNING else 0.0, words
        )

    def _rate(self) -> float:
        """Frames per second that the camera gives, whether they were looked at or not."""
        if len(self._taken) < 2:
            return 0.0
        (began, first), (at, last) = self._taken[0], self._taken[-1]
        return round((last - first) / (at - began), 1) if at > began else 0.0
