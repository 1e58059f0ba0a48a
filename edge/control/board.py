"""The newest snapshot of a run, which any thread may change, read or wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edge.camera.records import CameraState
from edge.status import CameraStatus, RunState, Status


class StatusBoard:
    """Holds the newest snapshot.

    Args:
        camera: name of the camera, for a person.
        clock: seconds since the epoch.
    """

    def __init__(self, camera: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._status = Status(0, clock(), RunState.PREPARING, CameraStatus(CameraState.OPENING, camera))

    @property
    def status(self) -> Status:
        """The newest snapshot."""
        return self._status

    def change(self, **values: Any) -> Status:
        """Make a snapshot with these fields of ``Status`` changed; returns it. Nothing happens where all are as they were."""
        with self._changed:
            if any(getattr(self._status, name) != value for name, value in values.items()):
                self._put(replace(self._status, version=self._status.version + 1, at=self._clock(), **values))
            return self._status

    def put(self, status: Status) -> None:
        """Take a snapshot that somebody else made; one that is older than the newest is left out."""
        with self._changed:
            if status.version > self._status.version:
                self._put(status)

    def wait(self, after: int, timeout: float) -> Status:
        """The newest snapshot once its version is above ``after``, or the newest there is after ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._status.version > after, timeout)
            return self._status

    def _put(self, status: Status) -> None:
        self._status = status
        self._changed.notify_all()
