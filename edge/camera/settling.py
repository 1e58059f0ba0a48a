"""When exposure, gain and white balance have settled: figures of frame after frame, and whether the last of them agree. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

_AGREE = 5  # frames in a row


class Settled:
    """Takes the figures of each frame, and tells whether they stand still.

    Args:
        within: how far apart the figures of the last frames may be, as a share of their mean.
        frames: how many frames must agree.
    """

    def __init__(self, within: float = 0.02, frames: int = _AGREE) -> None:
        self._within = within
        self._last: deque[Mapping[str, tuple[float, ...]]] = deque(maxlen=frames)

    def add(self, figures: Mapping[str, object]) -> None:
        """One frame's figures by name: numbers, or a few of them."""
        self._last.append({name: as_numbers(value) for name, value in figures.items()})

    def moving(self) -> tuple[str, ...]:
        """Names of the figures that do not stand still yet; all of them until there are frames enough."""
        names = tuple(dict.fromkeys(name for one in self._last for name in one))
        if len(self._last) < (self._last.maxlen or 0):
            return names or ("",)
        return tuple(name for name in names if not self._agrees([one.get(name, ()) for one in self._last]))

    def _agrees(self, values: Sequence[tuple[float, ...]]) -> bool:
        if len({len(value) for value in values}) != 1:
            return False
        return all(close(max(column), min(column), self._within) for column in zip(*values, strict=True))


def close(one: float, other: float, within: float) -> bool:
    """Whether two figures differ by no more than a share of them."""
    return abs(one - other) <= within * max(abs(one), abs(other), 1e-9)


def holds(wanted: object, seen: object, within: float) -> bool:
    """Whether a value read back is the one that was set."""
    one, other = as_numbers(wanted), as_numbers(seen)
    return len(one) == len(other) and all(close(*both, within) for both in zip(one, other, strict=True))


def as_numbers(value: object) -> tuple[float, ...]:
    """A number, or a few, as a tuple; anything else: none."""
    if isinstance(value, int | float):
        return (float(value),)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(float(one) for one in value if isinstance(one, int | float))
    return ()
