"""The first two steps of a set-up: light and white balance, read back from frames until they hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.gate import measure
from edge.scope.check import SeenFrame
from edge.scope.flat import unfit_for_flat
from edge.scope.light import Light, byte_of, middle_light, paper_of
from edge.scope.profile import LightReference, Profile
from edge.scope.set_up_records import SetUpPlan, SetUpStep, SetUpView, sentence

HOLDS = 5
"""Frames in a row on which a setting has to be the same, and light too."""

_SAME = 0.02  # share by which a setting may differ on them
_STEADY = 0.05  # share by which light may: lamps flicker
_DARK, _LIGHT = 110.0, 245.0  # bytes between which the paper should be
_TINT = 0.15  # share by which red or blue of the paper may differ from its green before it is said


class _LastFrames:
    """The last frames, and what their driver tells of them."""

    def __init__(self) -> None:
        self.lights: deque[Light] = deque(maxlen=HOLDS)
        self.told: deque[Mapping[str, object]] = deque(maxlen=HOLDS)

    def add(self, frame: SeenFrame) -> tuple[float, float, float]:
        """Take a frame; returns its paper as bytes: red, green, blue."""
        light = paper_of(frame.rgb)
        self.lights.append(light)
        self.told.append(frame.metadata)
        red, green, blue = map(byte_of, light)
        return red, green, blue

    def steady(self, *, live: bool) -> bool:
        """Whether light is the same on enough frames; of files it is as it is."""
        values = [one.luma for one in self.lights]
        if not live:
            return len(values) == HOLDS
        return len(values) == HOLDS and max(values) <= (1 + _STEADY) * max(min(values), 1e-6)

    def same(self, name: str) -> bool:
        """Whether a setting is the same on enough frames; one that is never told is."""
        return len(self.told) == HOLDS and same_values([one.get(name) for one in self.told])


class LightStep:
    """Bright and not saturated, and exposure and gain hold."""

    step = SetUpStep.LIGHT

    def __init__(self, plan: SetUpPlan) -> None:
        self._plan = plan
        self._held = _LastFrames()

    def see(self, frame: SeenFrame) -> SetUpView:
        """Look at a frame."""
        held = self._held
        red, green, blue = held.add(frame)
        over = measure(frame.rgb).over
        measured = (
            _paper_words(red, green, blue),
            ("saturated", f"{over * 100:.1f} %"),
            *_settings_words(frame.metadata),
        )
        good = False
        if (why := unfit_for_flat(frame.rgb)) or max(red, green, blue) > _LIGHT:
            words = sentence(why or "the paper is nearly saturated: turn the lamp down")
        elif green < _DARK:
            words = "The paper is dark: turn the lamp up, or open the condenser."
        elif not held.steady(live=self._plan.live):
            words = "Wait: the light is not steady yet."
        elif not (held.same("exposure_us") and held.same("analogue_gain")):
            words = "Wait: exposure or gain still changes."
        else:
            words, good = "The light is good.", True
        return SetUpView(self.step, words, measured, good, len(held.lights), HOLDS)

    def finish(self, made: Profile) -> tuple[Profile, str]:
        """Put what holds into the profile; returns what there is to say too."""
        told = self._held.told[-1]
        exposure, gain = (number_of(told.get(name)) for name in ("exposure_us", "analogue_gain"))
        missing = [name for name, value in (("exposure_us", exposure), ("analogue_gain", gain)) if value is None]
        not_held = tuple(dict.fromkeys((*made.held.not_held, *missing)))
        paper = middle_light(list(self._held.lights))
        plan = self._plan
        light = LightReference(paper, plan.light_allowed, plan.colour_allowed, len(self._held.lights))
        held = replace(made.held, exposure_us=exposure, gain=gain, not_held=not_held)
        return replace(made, held=held, light=light), _cannot(missing) if plan.live else ""


class BalanceStep:
    """Colour gains hold, and so does the colour of the paper."""

    step = SetUpStep.BALANCE

    def __init__(self, plan: SetUpPlan) -> None:
        self._plan = plan
        self._held = _LastFrames()

    def see(self, frame: SeenFrame) -> SetUpView:
        """Look at a frame."""
        held = self._held
        red, green, blue = held.add(frame)
        gains = frame.metadata.get("colour_gains")
        measured = [_paper_words(red, green, blue)]
        if isinstance(gains, tuple | list):
            measured.append(("colour gains", " and ".join(f"{one:.3g}" for one in gains)))
        good = held.steady(live=self._plan.live) and held.same("colour_gains")
        tinted = [name for name, one in (("red", red), ("blue", blue)) if abs(one / max(green, 1.0) - 1) > _TINT]
        words = "White balance holds." if good else "Wait: white balance still changes."
        if good and tinted:
            words = (
                f"White balance holds; the paper is tinted (see {' and '.join(tinted)}), which is fine if it always is."
            )
        return SetUpView(self.step, words, tuple(measured), good, len(held.lights), HOLDS)

    def finish(self, made: Profile) -> tuple[Profile, str]:
        """Put what holds into the profile; returns what there is to say too."""
        gains = self._held.told[-1].get("colour_gains")
        if isinstance(gains, tuple | list) and len(gains) == 2:
            return replace(made, held=replace(made.held, colour_gains=(float(gains[0]), float(gains[1])))), ""
        not_held = tuple(dict.fromkeys((*made.held.not_held, "colour_gains")))
        return replace(made, held=replace(made.held, not_held=not_held)), _cannot(
            ["colour_gains"]
        ) if self._plan.live else ""


def _paper_words(red: float, green: float, blue: float) -> tuple[str, str]:
    return "paper", f"red {red:.0f}, green {green:.0f}, blue {blue:.0f}"


def _settings_words(told: Mapping[str, object]) -> list[tuple[str, str]]:
    exposure, gain = told.get("exposure_us"), told.get("analogue_gain")
    out = [("exposure", f"{exposure:,.0f} µs")] if isinstance(exposure, int | float) else []
    return out + ([("gain", f"{gain:.2f}")] if isinstance(gain, int | float) else [])


def _cannot(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"this camera's driver does not say {', '.join(names)}: only the picture can tell later whether it changed"


def same_values(values: Sequence[object]) -> bool:
    """Whether these are the same number, or pair of numbers, to within what drivers round; what is never told is the same."""
    rows = [tuple(one) if isinstance(one, tuple | list) else (one,) for one in values]
    if len({len(row) for row in rows}) > 1:
        return False
    for column in zip(*rows, strict=True):
        numbers = [number for one in column if (number := number_of(one)) is not None]
        if len(numbers) not in (0, len(column)) or (numbers and max(numbers) > (1 + _SAME) * max(min(numbers), 1e-9)):
            return False
    return True


def number_of(value: object) -> float | None:
    """A number of the metadata; None: it is none."""
    return float(value) if isinstance(value, int | float) else None
