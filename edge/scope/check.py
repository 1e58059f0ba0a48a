"""Holds each frame against the profile of its microscope. What it finds travels with the field: book, replay and resume see it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from edge.errors import ScopeError
from edge.scope.dust import DustSpeck, dust_of, fields_for_dust
from edge.scope.light import LightChange, change, colour_words, glance, glance_level, paper_of, share_words
from edge.scope.profile import Profile
from edge.types import HIDDEN, UInt8Array

SCOPE, FINGERPRINT, LIGHT, COLOUR, DIFFERS = ("scope", "scope_profile", "scope_light", "scope_colour", "scope_differs")
"""Keys of a field's metadata: the microscope, its profile's fingerprint, the factor by which light differs from it, those of red and
blue beside green, and what else differs. ``edge.types.HIDDEN`` is another."""

SAID, LAMP, ALLOWED = "scope_words", "scope_lamp", "scope_allowed"
"""More keys: all that there is to say in one line, the factor of the lamp itself where exposure and gain are known, and the shares
that the profile allows light and colour."""

SETTING_APART = 0.03
"""Share by which exposure, gain and colour gains may differ from the profile's before it is said: drivers round them."""

_DIGITS = 4  # of what goes into the metadata
_VIEWS = 30  # fields after which the dust is looked at anew
_SAME_PLACE = 0.02  # share of the field within which two specks are one
_MOST_MOVED = 0.5  # share of the dust that may be missing, or new, before it is said
_FEW_SPECKS = 2  # of which at least as many differ
_SETTINGS = (("exposure_us", "exposure", "µs"), ("analogue_gain", "gain", ""))


class SeenFrame(Protocol):
    """What is looked at: a camera's frame, or a field of a file."""

    @property
    def rgb(self) -> UInt8Array:
        """uint8 [H, W, 3], as it came: not corrected."""
        ...

    @property
    def metadata(self) -> Mapping[str, object]:
        """What the driver says of it."""
        ...


class ProfileCheck:
    """Holds frames of one run against a profile, in the order they come.

    Args:
        profile: with a light reference.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._fingerprint = profile.fingerprint
        self._gains: dict[tuple[int, int], UInt8Array | None] = {}
        self._views: deque[UInt8Array] = deque(maxlen=_VIEWS)
        self._since = 0
        self._dust = ""
        self.words = ""
        """What differs on the newest frame, in one line; empty: nothing does."""

    def look(self, frame: SeenFrame) -> Mapping[str, object]:
        """What there is to say of one frame, by the keys above. Takes some tenths of a millisecond."""
        profile, size = self._profile, (frame.rgb.shape[1], frame.rgb.shape[0])
        told: dict[str, object] = {SCOPE: profile.name, FINGERPRINT: self._fingerprint}
        hidden = tuple(side for box in profile.masked(size) for side in box)
        if hidden:
            told[HIDDEN] = hidden
        words: list[str] = []
        differs = self._other_settings(frame.metadata)
        if size != profile.camera.size:
            differs.append("frames of {}x{}, in the profile {}x{}".format(*size, *profile.camera.size))
        if profile.light is not None:
            found = change(paper_of(frame.rgb, self._small(size)), profile.light.paper)
            told[LIGHT] = round(found.light, _DIGITS)
            told[ALLOWED] = (profile.light.light_allowed, profile.light.colour_allowed)
            told[COLOUR] = (round(found.red, _DIGITS), round(found.blue, _DIGITS))
            by_camera = self._by_camera(frame.metadata)
            if by_camera is not None:
                told[LAMP] = round(found.light / by_camera, _DIGITS)
            words += light_words(found, profile, told.get(LAMP))
        self._look_for_dust(frame.rgb)
        if self._dust:
            differs.append(self._dust)
        if differs:
            told[DIFFERS] = "; ".join(differs)
        words += differs
        self.words = "; ".join(words)
        if words:
            told[SAID] = self.words
        return told

    def _small(self, size: tuple[int, int]) -> UInt8Array | None:
        if size not in self._gains:
            level = glance_level(size)
            small = (size[0] >> level, size[1] >> level)
            self._gains[size] = None if self._profile.flat is None else self._profile.flat.gains(small)
        return self._gains[size]

    def _other_settings(self, metadata: Mapping[str, object]) -> list[str]:
        out = []
        held = self._profile.held
        for (key, name, unit), then in zip(_SETTINGS, (held.exposure_us, held.gain), strict=True):
            now = _number(metadata.get(key))
            if now is not None and then and abs(now / then - 1) > SETTING_APART:
                out.append(f"{name} {now:,.4g} {unit}".rstrip() + f", in the profile {then:,.4g} {unit}".rstrip())
        gains = metadata.get("colour_gains")
        if isinstance(gains, tuple | list) and len(gains) == 2 and held.colour_gains:
            pairs = [(_number(now), then) for now, then in zip(gains, held.colour_gains, strict=True)]
            if any(now is not None and then and abs(now / then - 1) > SETTING_APART for now, then in pairs):
                now_words, then_words = ("{:.3g} and {:.3g}".format(*side) for side in (gains, held.colour_gains))
                out.append(f"white balance {now_words}, in the profile {then_words}")
        return out

    def _by_camera(self, metadata: Mapping[str, object]) -> float | None:
        """By what factor exposure and gain make frames brighter than in the profile; None: not known."""
        held = self._profile.held
        exposure, gain = _number(metadata.get("exposure_us")), _number(metadata.get("analogue_gain"))
        if not exposure or not held.exposure_us:
            return None
        return exposure / held.exposure_us * (gain / held.gain if gain and held.gain else 1.0)

    def _look_for_dust(self, rgb: UInt8Array) -> None:
        """Every few fields: whether what all of them show is the profile's dust."""
        if self._profile.flat is None:
            return
        self._views.append(glance(rgb))
        self._since += 1
        if self._since < _VIEWS:
            return
        self._since = 0
        if fields_for_dust(self._views) > _VIEWS:
            return
        try:
            self._dust = dust_words(self._profile.dust, dust_of(self._views, self._profile.flat.gains, moved=True))
        except ScopeError as error:  # more of it than can be worked with
            self._dust = str(error)


def dust_words(then: tuple[DustSpeck, ...], now: tuple[DustSpeck, ...]) -> str:
    """``the dust has moved: 3 of 4 specks are gone, 5 are new``; empty: it has not."""
    gone = sum(not _there(speck, now) for speck in then if speck.deep)
    deep = sum(speck.deep for speck in then)
    new = sum(not _there(speck, then) for speck in now)
    few = gone < max(_FEW_SPECKS, _MOST_MOVED * deep) or not deep
    if few and new < max(_FEW_SPECKS, _MOST_MOVED * len(then)):
        return ""
    return f"the dust has moved: {gone} of {deep} deep specks are gone, {new} are new"


def _there(speck: DustSpeck, others: tuple[DustSpeck, ...]) -> bool:
    x, y = speck.box[0] + speck.box[2] / 2, speck.box[1] + speck.box[3] / 2
    return any(
        o.box[0] - _SAME_PLACE <= x <= o.box[0] + o.box[2] + _SAME_PLACE
        and o.box[1] - _SAME_PLACE <= y <= o.box[1] + o.box[3] + _SAME_PLACE
        for o in others
    )


def light_words(found: LightChange, profile: Profile, lamp: object = None) -> list[str]:
    """What there is to say of a light that moved by more than the profile allows."""
    if profile.light is None:
        return []
    out = []
    if moved(found.light, profile.light.light_allowed):
        known = _number(lamp)
        if known is not None and not moved(known, profile.light.light_allowed):
            out.append(
                f"the picture is {share_words(found.light)} than on the day of set-up: the camera's settings moved"
            )
        else:
            out.append(f"the lamp is {share_words(known or found.light)} than on the day of set-up")
    if found.colour > profile.light.colour_allowed:
        out.append(f"the light has {colour_words(found)} than on the day of set-up")
    return out


def moved(factor: float, allowed: float) -> bool:
    """Whether light moved by more than this share, to either side."""
    return not 1 - allowed <= factor <= 1 + allowed


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None
