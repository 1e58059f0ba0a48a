"""The terminal's bell, rung when a field is taken: whoever looks into the microscope need not look up."""

from __future__ import annotations

from contextlib import suppress
from typing import TextIO

from edge.events import FieldEvent, SampleEvent
from edge.status import Status

_BELL = "\a"


class Bell:
    """Rings once for each field that is taken.

    Args:
        stream: the terminal; where it is none, nothing is written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._taken: int | None = None

    def status(self, status: Status) -> None:
        """Ring if a field was taken since the last snapshot."""
        before, self._taken = self._taken, status.taken
        if before is not None and status.taken > before and self._stream.isatty():
            with suppress(OSError, ValueError):
                self._stream.write(_BELL)
                self._stream.flush()

    def field(self, event: FieldEvent) -> None:
        """Nothing: it rings when a field is taken, not when it is counted."""

    def sample(self, event: SampleEvent) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing to complete."""

    discard = close
