"""Lamp and sensor settings: what the light is at a moment, and how controls take hold of the frames that follow."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, pi, sin
from typing import Final, cast

EXPOSURE_US: Final = 8000.0
"""Exposure at which the empty field is as bright as the slide's look has it, at gain 1."""

COLOUR_GAINS: Final = (1.9, 1.6)
"""Red and blue gain at which its colours are right."""

LATER: Final = 2
"""Frames after which a setting shows, as with real sensors: those before it were already being exposed."""

_LINE_US: Final = 20.0  # a sensor exposes whole lines
_EXPOSURES: Final = (20.0, 200_000.0)  # µs
_GAIN_STEP: Final = 1 / 16  # a sensor knows sixteenths
_GAINS: Final = (1.0, 16.0)  # least and most
_COLOUR_STEP: Final = 1 / 128  # of a colour gain
_COLOURS: Final = (0.25, 8.0)  # least and most
_COLD: Final = 0.05  # share of the light that a cold lamp lacks
_WARM_S: Final = 240.0  # seconds in which most of that is made up for
_FLICKER: Final = 0.002  # share


@dataclass(frozen=True, slots=True)
class Settings:
    """The sensor's: ``exposure_us`` in µs, ``gain``, ``colours`` (red and blue gain)."""

    exposure_us: float = EXPOSURE_US
    gain: float = 1.0
    colours: tuple[float, float] = COLOUR_GAINS

    @property
    def level(self) -> float:
        """Exposure and gain together, 1 at the start."""
        return self.exposure_us / EXPOSURE_US * self.gain

    @property
    def factors(self) -> tuple[float, float, float]:
        """Of red, green and blue."""
        return self.colours[0] / COLOUR_GAINS[0], 1.0, self.colours[1] / COLOUR_GAINS[1]

    def plain(self) -> dict[str, object]:
        """As a frame's metadata says it."""
        return {"exposure_us": self.exposure_us, "analogue_gain": self.gain, "colour_gains": self.colours}


class Sensor:
    """Settings that take hold ``LATER`` frames after they were asked for."""

    def __init__(self, controls: Mapping[str, object]) -> None:
        self.now = asked(Settings(), controls)
        self._wanted = self.now
        self._coming: deque[Settings] = deque([self.now] * LATER)

    def set(self, controls: Mapping[str, object]) -> None:
        """Ask for values: ``exposure_us``, ``analogue_gain``, ``colour_gains`` (or ``red_gain``, ``blue_gain``)."""
        self._wanted = asked(self._wanted, controls)

    def next_frame(self) -> Settings:
        """The settings that the next frame is exposed with."""
        self._coming.append(self._wanted)
        self.now = self._coming.popleft()
        return self.now


def asked(settings: Settings, controls: Mapping[str, object]) -> Settings:
    """``settings`` with what ``controls`` ask for, as near as this sensor can; what it does not know is ignored."""
    exposure, gain = _number(controls.get("exposure_us")), _number(controls.get("analogue_gain"))
    if exposure is not None:
        settings = replace(settings, exposure_us=_step(exposure, _LINE_US, _EXPOSURES))
    if gain is not None:
        settings = replace(settings, gain=_step(gain, _GAIN_STEP, _GAINS))
    both = controls.get("colour_gains")
    pair = list(both)[:2] if isinstance(both, Sequence) and not isinstance(both, str) else [None, None]
    red, blue = (
        _number(controls.get(name, value))
        for name, value in zip(("red_gain", "blue_gain"), [*pair, None, None], strict=False)
    )
    return replace(
        settings,
        colours=(
            settings.colours[0] if red is None else _step(red, _COLOUR_STEP, _COLOURS),
            settings.colours[1] if blue is None else _step(blue, _COLOUR_STEP, _COLOURS),
        ),
    )


def lamp_light(level: float, lit_for: float) -> float:
    """The light of a lamp that was switched on ``lit_for`` seconds ago: it warms up, ages slowly and flickers a little."""
    cold = _COLD * exp(-max(lit_for, 0.0) / _WARM_S)
    ageing = 0.01 * sin(2 * pi * lit_for / 25_000)
    flicker = _FLICKER * sin(2 * pi * lit_for * 1.37)
    return level * (1 - cold) * (1 + ageing) * (1 + flicker)


def _number(value: object) -> float | None:
    try:
        number = float(cast("float", value))
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e12 else None  # NaN compares false


def _step(value: float, step: float, bounds: tuple[float, float]) -> float:
    return round(min(max(value, bounds[0]), bounds[1]) / step) * step
