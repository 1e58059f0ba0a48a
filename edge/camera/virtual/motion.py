"""Where stage and focus are at any moment: glides that take their time, worked out from the clock and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_START: Final = 0.15
"""Seconds that every glide takes in addition to its way: nothing with a mass starts at once."""


@dataclass(frozen=True, slots=True)
class Glide:
    """From ``origin`` to ``target`` (µm) between the seconds ``begin`` and ``end``: slow at both ends, fastest in the middle."""

    begin: float
    end: float
    origin: tuple[float, ...]
    target: tuple[float, ...]

    def at(self, now: float) -> tuple[float, ...]:
        """The position in µm."""
        share = self._share(now)
        eased = share * share * (3 - 2 * share)
        return tuple(a + (b - a) * eased for a, b in zip(self.origin, self.target, strict=True))

    def speed(self, now: float) -> tuple[float, ...]:
        """The speed in µm per second."""
        share, span = self._share(now), self.end - self.begin
        slope = 6 * share * (1 - share) / span if span > 0 else 0.0
        return tuple((b - a) * slope for a, b in zip(self.origin, self.target, strict=True))

    def _share(self, now: float) -> float:
        if now >= self.end:
            return 1.0
        return max(0.0, (now - self.begin) / (self.end - self.begin))


class Mover:
    """One thing that glides: a stage (x, y) or a focus (z). Seconds are the caller's."""

    def __init__(self, position: Iterable[float], speed: float, slowest: float) -> None:
        """Stand at ``position`` (µm); glides go at ``speed`` µm per second and none takes longer than ``slowest`` seconds."""
        here = tuple(position)
        self._speed = speed
        self._slowest = slowest
        self._glides: list[Glide] = [Glide(0.0, 0.0, here, here)]

    def at(self, now: float) -> tuple[float, ...]:
        """The position in µm."""
        return self._current(now).at(now)

    def velocity(self, now: float) -> tuple[float, ...]:
        """The speed in µm per second; zeros while it stands."""
        return self._current(now).speed(now)

    def busy(self, now: float) -> bool:
        """Whether a glide is under way or planned."""
        return now < self.ends()

    def ends(self) -> float:
        """When what is planned is done."""
        return self._glides[-1].end

    def goal(self) -> tuple[float, ...]:
        """Where it will be in the end, in µm."""
        return self._glides[-1].target

    def go(self, target: Iterable[float], now: float) -> None:
        """Forget what was planned and glide from here to ``target``."""
        here = self.at(now)
        self._glides = [self._glide(here, tuple(target), now)]

    def then(self, target: Iterable[float], now: float, pause: float = 0.0, seconds: float | None = None) -> None:
        """Glide to ``target`` ``pause`` seconds after what is planned; in ``seconds``, None: at its own speed."""
        last = self._glides[-1]
        begin = max(last.end, now) + pause
        glide = self._glide(last.target, tuple(target), begin)
        if seconds is not None:
            glide = Glide(begin, begin + seconds, glide.origin, glide.target)
        self._glides.append(glide)

    def _glide(self, origin: tuple[float, ...], target: tuple[float, ...], begin: float) -> Glide:
        way = sum((b - a) ** 2 for a, b in zip(origin, target, strict=True)) ** 0.5
        seconds = min(self._slowest, _START + way / self._speed)
        return Glide(begin, begin + seconds, origin, target)

    def _current(self, now: float) -> Glide:
        while len(self._glides) > 1 and now >= self._glides[1].begin:
            del self._glides[0]
        return self._glides[0]
