"""How fast a recount is of late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

_RATE_S = 30.0  # seconds that the rate is of
_LOOK_S = 0.25  # seconds between two of its looks


class RecountPace:
    """Args:
    clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._looks: deque[tuple[float, int]] = deque()

    def rate(self, done: int) -> float | None:
        """Fields per second over the last half minute; None: not known yet.

        Args:
            done: fields, as many as by now.
        """
        now = self._clock()
        if not self._looks or now - self._looks[-1][0] >= _LOOK_S:
            self._looks.append((now, done))
        while now - self._looks[0][0] > _RATE_S:
            self._looks.popleft()
        began, then = self._looks[0]
        return (done - then) / (now - began) if now > began and done > then else None
