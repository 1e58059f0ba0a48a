"""The process that counts, started anew where it was killed or broke; a sample that was under way goes on where the book has it.

One that ended for a reason of its user's (no such model, a book that refuses) is not started again: that would end the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from edge.camera.records import Preview
from edge.control.records import Command, CommandRefusedError, Engine, StartSample
from edge.errors import EXIT_DEFECT
from edge.status import RunEnd, Status

PAUSES_S = (1.0, 5.0, 30.0)
"""Seconds before it is started the first, the second, and every further time."""

_LOOK_S = 0.25  # seconds between two looks whether it runs
_GOING_ON_TRIES = 240  # looks until a sample that cannot be gone on with is left to a person


class EngineProcess(Engine, Protocol):
    """An engine that is a process."""

    @property
    def exit_code(self) -> int | None:
        """What it ended with, minus the signal that killed it; None: it runs."""
        ...


class EngineKeeper:
    """An ``edge.control.records.Engine`` over processes that follow each other; numbers of snapshots and frames grow over all.

    Args:
        start: starts a process.
        pauses: see ``PAUSES_S``.
        look: seconds between two looks whether it runs.
    """

    def __init__(
        self, start: Callable[[], EngineProcess], pauses: Sequence[float] = PAUSES_S, look: float = _LOOK_S
    ) -> None:
        self._start = start
        self._pauses = pauses
        self._look = look
        self._engine = start()
        self._versions = self._frames = 0  # what is added to numbers of the process that runs now
        self._seen = -1  # number of the newest preview, of all
        self._going_on: StartSample | None = None
        self._closed = threading.Event()
        # A thread of its own, begun now: what it starts has the priority that this process has now.
        self._watcher = threading.Thread(target=self._watch, name="edge-engine-keeper", daemon=True)
        self._watcher.start()

    @property
    def status(self) -> Status:
        """The newest snapshot. Never waits."""
        return self._numbered(self._engine.status)

    def wait(self, after: int, timeout: float) -> Status:
        """The newest snapshot once its version is above ``after``, or the newest there is when ``timeout`` seconds are over."""
        return self._numbered(self._engine.wait(after - self._versions, timeout))

    def preview(self, *, after: int = -1) -> Preview | None:
        """The newest preview whose number is above ``after``; None: there is none. Never waits."""
        found = self._engine.preview(after=after - self._frames)
        if found is None:
            return None
        found = replace(found, number=found.number + self._frames)
        self._seen = max(self._seen, found.number)
        return found

    def send(self, command: Command) -> None:
        """Tell the run something; returns once it was taken. Raises CommandRefusedError with the reason."""
        self._engine.send(command)
        if isinstance(command, StartSample):
            self._going_on = None

    def close(self) -> None:
        """End the process, and start none any more."""
        self._closed.set()
        self._watcher.join()
        self._engine.close()

    def _numbered(self, status: Status) -> Status:
        if not self._versions:
            return status
        view, last = status.view, status.last
        return replace(
            status,
            version=status.version + self._versions,
            view=None if view is None else replace(view, frame=view.frame + self._frames),
            last=None if last is None else replace(last, frame=last.frame + self._frames),
        )

    def _watch(self) -> None:
        times = tries = 0
        while not self._closed.wait(self._look):
            code = self._engine.exit_code
            if code is None:
                if self._going_on is not None and tries < _GOING_ON_TRIES:
                    tries += 1
                    self._go_on()
            elif code < 0 or code == EXIT_DEFECT:
                if self._closed.wait(self._pauses[min(times, len(self._pauses) - 1)]):
                    return
                times, tries = times + 1, 0
                self._start_anew()

    def _start_anew(self) -> None:
        before = self.status
        if before.sample is not None and before.ended is RunEnd.INTERRUPTED:
            self._going_on = StartSample(before.sample.name, before.sample.notes, resume=True)
        gone, new = self._engine, self._start()
        frames = max(self._seen, -1 if before.view is None else before.view.frame) + 1
        self._engine, self._versions, self._frames = new, before.version + 1, frames
        gone.close()

    def _go_on(self) -> None:
        """Ask for the sample again until it is taken: models load first.

        By turns to go on with it and to begin it: where no field of it is in the book there is nothing to go on with, and where one
        is it cannot be begun.
        """
        asked = self._going_on
        if asked is None:
            return
        try:
            self._engine.send(asked)
            self._going_on = None
        except CommandRefusedError:
            self._going_on = replace(asked, resume=not asked.resume)
