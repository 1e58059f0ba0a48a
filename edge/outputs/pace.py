"""Speed and remaining time of a run, estimated from the last fields; not shown before enough is known."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

_LATELY_S = 15.0  # seconds over which the pace is measured
_FEWEST_S = 2.0  # seconds before a pace is told
_FEWEST = 5
"""Fields after the first: the first ones may have come together, or have waited for a model to warm up."""


@dataclass(frozen=True, slots=True)
class EndConditions:
    """The limits that may end a run; None: no such limit.

    Attributes:
        cells, fields, seconds: limits of a sample.
        inputs: fields there are.
        several: there are several samples, and each may end at its limits; which fields are then left out is not known beforehand.
    """

    cells: int | None = None
    fields: int | None = None
    seconds: float | None = None
    inputs: int | None = None
    several: bool = False

    @property
    def skips(self) -> bool:
        """Whether fields may be left out on the way."""
        return self.several and (self.cells, self.fields, self.seconds) != (None, None, None)


class _Mark(NamedTuple):
    at: float
    inputs: int
    cells: int


class Pace:
    """Takes the state after each field, in order; times are in seconds of one clock.

    Args:
        ends: what may end the run.
        began: when it began.
    """

    def __init__(self, ends: EndConditions, began: float) -> None:
        self._ends = ends
        self._began = began
        self._marks: deque[_Mark] = deque()
        self._first: _Mark | None = None
        self._complete = False

    def add(self, at: float, inputs: int, cells: int) -> None:
        """After a field: inputs of the run that are behind us, cells of the run so far."""
        mark = _Mark(at, inputs, cells)
        self._first = self._first or mark
        self._marks.append(mark)
        while len(self._marks) > _FEWEST + 1 and at - self._marks[1].at >= _LATELY_S:
            self._marks.popleft()

    def sample_ended(self) -> None:
        """A sample is complete: from now on it is known how many fields one takes."""
        self._complete = True

    @property
    def cells_per_second(self) -> float | None:
        """The rate over the last fields; None: not known yet."""
        rates = self._rates(self._marks[0]) if self._marks else None
        return None if rates is None else rates[1]

    def left(self, cells: int) -> float | None:
        """Seconds until the first end condition holds, for a sample of ``cells`` so far; None: not known."""
        ends, now = self._ends, self._marks[-1] if self._marks else None
        skips = ends.skips
        if now is None or self._first is None or (skips and not self._complete):
            return None
        rates = self._rates(self._first if skips else self._marks[0])
        if rates is None:
            return None
        per_input, per_cell = ((1 / rate if rate > 0 else None) for rate in rates)
        found = [] if ends.inputs is None or per_input is None else [(ends.inputs - now.inputs) * per_input]
        if not ends.several:
            if ends.fields is not None and per_input is not None:
                found.append((ends.fields - now.inputs) * per_input)
            if ends.cells is not None and per_cell is not None:
                found.append((ends.cells - cells) * per_cell)
            if ends.seconds is not None:
                found.append(ends.seconds - (now.at - self._began))
        return max(min(found), 0.0) if found else None

    def _rates(self, since: _Mark) -> tuple[float, float] | None:
        """Inputs and cells per second since then; None: too few fields so far."""
        now = self._marks[-1]
        span = now.at - since.at
        if span < _FEWEST_S or len(self._marks) <= _FEWEST:
            return None
        return (now.inputs - since.inputs) / span, (now.cells - since.cells) / span
