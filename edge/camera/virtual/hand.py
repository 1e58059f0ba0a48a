"""A person's hand, by its seed: moves to the next view, overshoots and comes back, refocuses, holds still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from edge.camera.virtual.motion import Mover
from edge.virtual_slide.layout import stage_position
from edge.virtual_slide.spec import SlideSpec

_HAND_STREAM: Final = 41
"""Beside ``Stream``: what the hand does."""

_HOLD: Final = (1.8, 3.0)  # seconds it holds still, so that a field can be taken
_OVERSHOOT: Final = (0.03, 0.08)  # share of the way
_PAST_UM: Final = (1.2, 2.5)  # µm beyond the best focus, to see that it gets worse again
_LEFT_UM: Final = 0.12  # µm: standard deviation of what is left when the hand is content
_FORGETS: Final = 0.12  # share of the views in which it forgets the focus and notices after a while
_NOTICES: Final = 2.5  # seconds until it notices


class Hand:
    """Goes over the slide in a serpentine of views that do not overlap.

    Args:
        slide: by whose seed it moves.
        home: x, y in µm of view 0.
        step: number of the view it is at.
        pace: how many times longer than usual it holds still.

    Attributes:
        step: number of the view it is at.
    """

    def __init__(self, slide: SlideSpec, home: tuple[float, float], step: int = 0, pace: float = 1.0) -> None:
        self.step = step
        self._pace = pace
        self._slide = slide
        self._home = home
        self._free = 0.0

    def place(self, step: int) -> tuple[float, float]:
        """Where a view is, x and y in µm."""
        x, y = stage_position(self._slide, step)
        return self._home[0] + x, self._home[1] + y

    def act(self, now: float, stage: Mover, focus: Mover, best: Callable[[tuple[float, ...]], float]) -> None:
        """Do the next thing once the last one is done.

        Args:
            now: seconds.
            stage: x and y.
            focus: z.
            best: the z in µm at which a place is sharp, as far as the eye can tell.
        """
        if stage.busy(now) or focus.busy(now) or now < self._free:
            return
        self.step += 1
        rng = np.random.default_rng([self._slide.seed, self.step, _HAND_STREAM])
        here, there = np.asarray(stage.at(now)), np.asarray(self.place(self.step))
        past = there + (there - here) * rng.uniform(*_OVERSHOOT) + rng.normal(0, 1.5, 2)
        stage.go(past.tolist(), now)
        stage.then(there.tolist(), now, pause=rng.uniform(0.1, 0.25), seconds=0.45)
        arrived = stage.ends()
        z, sharp = focus.at(now)[0], best((float(there[0]), float(there[1])))
        turn = 1.0 if sharp >= z else -1.0
        begin = arrived + (_NOTICES if rng.random() < _FORGETS else 0.15)
        focus.then([sharp + turn * rng.uniform(*_PAST_UM)], begin, seconds=rng.uniform(0.5, 0.9))
        focus.then([sharp + rng.normal(0, _LEFT_UM)], begin, pause=0.1, seconds=rng.uniform(0.5, 0.8))
        self._free = focus.ends() + self._pace * rng.uniform(*_HOLD)
