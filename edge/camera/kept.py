"""What outlives a camera process: the bench does not move, and a cable stays pulled out, because a program was killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edge.camera.faults import DEFAULT_S, Fault, seconds_of
from edge.camera.records import CameraSpec
from edge.camera.virtual.state import STATE

_MOST: Final = 50  # commands that wait for a camera to be opened

Values = Mapping[str, float | str]


class KeptBench:
    """Follows frames and commands of one camera, over all its openings. Seconds are the caller's.

    Args:
        spec: the camera that was asked for.
    """

    def __init__(self, spec: CameraSpec) -> None:
        self._spec = spec
        self._state: object = None
        self._settings: dict[str, float | str] = {}
        self._waiting: list[tuple[str, Values]] = []
        self._unplugged_until = float("-inf")

    def seen(self, metadata: Mapping[str, object]) -> None:
        """A frame came with this metadata."""
        self._state = metadata.get(STATE, self._state)

    def commanded(self, name: str, values: Values, now: float, *, passed: bool) -> None:
        """A command was given; ``passed``: to a camera process, else it waits for the next one."""
        if name == "fault":
            unplugged = values.get("kind") == Fault.DISCONNECT
            self._unplugged_until = now + seconds_of(values.get("seconds", DEFAULT_S)) if unplugged else float("-inf")
        elif name == "set":
            self._settings |= values
        elif not passed and len(self._waiting) < _MOST:
            self._waiting.append((name, values))

    def spec(self) -> CameraSpec:
        """What is to be opened: what was asked for, on the bench as the last frame showed it."""
        if self._state is None:
            return self._spec
        return replace(self._spec, controls={**self._spec.controls, STATE: self._state})

    def again(self, now: float) -> list[tuple[str, Values]]:
        """Commands that a camera process just started is to be given."""
        told, self._waiting = self._waiting, []
        if self._settings:
            told = [("set", dict(self._settings)), *told]
        if self._unplugged_until > now:
            told = [*told, ("fault", {"kind": Fault.DISCONNECT.value, "seconds": self._unplugged_until - now})]
        return told
