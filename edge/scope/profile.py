"""The profile of a microscope: its camera and what it held, its light, flat field, dust and scale. One file, one name for a user."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from edge.camera.records import CameraFacts
from edge.errors import ScopeError
from edge.scope.dust import DustSpeck, with_dust
from edge.scope.flat import FlatField
from edge.scope.light import Light
from edge.scope.spread import corrector
from edge.types import UInt8Array

LIGHT_ALLOWED, COLOUR_ALLOWED = 0.15, 0.10
"""By how much light, and red or blue beside green, may differ from the profile's where nothing else is asked for, as shares."""

FILES = "files"
"""Kind of the camera of a profile that was made from image files."""

_LONGEST = 100  # letters of a name: it is a file's


class ScaleSource(StrEnum):
    """Where µm per pixel come from."""

    MICROMETER = "stage micrometer"
    BAR = "known bar"
    RED_CELLS = "red-cell size, an estimate"


@dataclass(frozen=True, slots=True)
class ScopeCamera:
    """The camera of a profile, as it was read back: ``kind`` is that of ``CameraSpec``, or ``files``; the rest as ``CameraFacts``."""

    kind: str
    model: str
    size: tuple[int, int]
    mode: str = ""
    format: str = ""

    def differs(self, facts: CameraFacts) -> str:
        """What another camera has that this one has not, in words; empty: they are alike. What neither says is not compared."""
        pairs = (
            ("camera", self.model, facts.model),
            ("sensor mode", self.mode, facts.mode),
            ("frame size", "{}x{}".format(*self.size), "{}x{}".format(*facts.size)),
            ("format", self.format, facts.format),
        )
        return "; ".join(
            f"{what} {now}, in the profile {then}" for what, then, now in pairs if then and now and then != now
        )


@dataclass(frozen=True, slots=True)
class HeldSettings:
    """What the camera held, read back from frames.

    Attributes:
        exposure_us: exposure time in microseconds; None: the driver does not say.
        gain: analogue gain; None likewise. ``colour_gains``: of red and blue beside green; empty likewise.
        not_held: names of what the driver cannot set or does not hold.
    """

    exposure_us: float | None = None
    gain: float | None = None
    colour_gains: tuple[float, ...] = ()
    not_held: tuple[str, ...] = ()

    @property
    def controls(self) -> Mapping[str, object]:
        """The same as ``CameraSpec.controls`` takes it."""
        given: dict[str, object] = {"exposure_us": self.exposure_us, "analogue_gain": self.gain}
        if self.colour_gains:
            given["colour_gains"] = self.colour_gains
        return {name: value for name, value in given.items() if value is not None and name not in self.not_held}


@dataclass(frozen=True, slots=True)
class LightReference:
    """The light of the day of set-up: ``paper`` of corrected fields; shares that light and colour may differ by; fields measured."""

    paper: Light
    light_allowed: float = LIGHT_ALLOWED
    colour_allowed: float = COLOUR_ALLOWED
    fields: int = 0


@dataclass(frozen=True, slots=True)
class PixelScale:
    """µm per pixel with its source, and its uncertainty as a share (95 %)."""

    um_per_px: float
    uncertainty: float
    source: ScaleSource

    def words(self) -> str:
        """``0.1136 µm per pixel, give or take 1 % (known bar)``."""
        return f"{self.um_per_px:.4g} µm per pixel, give or take {self.uncertainty * 100:.2g} % ({self.source})"


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The profile of one microscope.

    Attributes:
        name: of the microscope, as ``--scope`` takes it.
        camera: it is valid for this one in this mode only.
        held: exposure, gain and white balance.
        light: reference; None: not measured yet.
        flat: flat field; None: left out, or not measured yet.
        dust: specks that every field shows.
        scale: µm per pixel; None: not measured.
        sharpness: the best that was seen while focusing (the gate's measure); None: not measured.
        objective, operator: as a person wrote them; empty: not said.
        date: of the set-up, ISO 8601 with its offset. ``made_by``: program and version.
        unfinished: steps of the set-up still to be done; empty: it is complete.
        settled: a settled microscope (``edge.scope.file.facts``), so that there is one thing to name; None: it is not settled.
    """

    name: str
    camera: ScopeCamera
    held: HeldSettings = field(default_factory=HeldSettings)
    light: LightReference | None = None
    flat: FlatField | None = None
    dust: tuple[DustSpeck, ...] = ()
    scale: PixelScale | None = None
    sharpness: float | None = None
    objective: str = ""
    operator: str = ""
    date: str = ""
    made_by: str = ""
    unfinished: tuple[str, ...] = ()
    settled: Mapping[str, Any] | None = None

    def gains(self, size: tuple[int, int]) -> UInt8Array | None:
        """Gains of flat field and faint dust for fields of this width and height, uint8 [H, W, 3]; None: there is no flat field."""
        return None if self.flat is None else with_dust(self.flat.gains(size), self.dust)

    def correction(self, size: tuple[int, int]) -> Callable[[UInt8Array], UInt8Array]:
        """What corrects frames of this width and height, uint8 [H, W, 3] to a new one, in whole numbers: bit-equal everywhere.

        Raises:
            ScopeError: the profile is of frames of another size.
        """
        if size != self.camera.size:
            (width, height), (wide, high) = size, self.camera.size
            raise ScopeError(
                f"the profile {self.name} is of frames of {wide}x{high} pixels and these have {width}x{height}: "
                f"give --size {wide}x{high}, or set it up anew: edge scope set-up {self.name} --again"
            )
        gains = self.gains(size)
        return (lambda rgb: rgb) if gains is None else corrector(gains)

    def masked(self, size: tuple[int, int]) -> tuple[tuple[int, int, int, int], ...]:
        """Boxes x, y, w, h in field pixels of dust that hides what lies under it: cells there are set aside."""
        return tuple(speck.pixels(size) for speck in self.dust if speck.deep)

    @property
    def fingerprint(self) -> str:
        """Of all that changes what a field looks like: twelve hexadecimal digits."""
        digest = hashlib.sha256(repr((self.camera, self.held, self.light, self.objective)).encode())
        if self.flat is not None:
            digest.update(repr(self.flat.tiles.tolist()).encode())
        for speck in self.dust:
            digest.update(repr((speck.box, speck.depth, speck.gains.tolist())).encode())
        return digest.hexdigest()[:12]


def check_profile_name(name: str) -> None:
    """Raise ValueError for a name that cannot be a file's: it is one, and no path."""
    if not (name.isprintable() and 0 < len(name) <= _LONGEST and name.strip() == name):
        raise ValueError(f"must be printable, 1 to {_LONGEST} letters, without spaces at its ends")
    if "/" in name or "\\" in name or name.startswith("."):
        raise ValueError(f"{name!r}: a microscope's name has no slashes and does not begin with a dot: bench-3")


def scopes_folder() -> Path:
    """Where profiles are: ``EDGE_SCOPES``, else ``~/.local/share/edge/scopes``; of root ``/var/lib/edge/scopes``."""
    given = os.environ.get("EDGE_SCOPES")
    if given:
        return Path(given)
    data = os.environ.get("XDG_DATA_HOME")
    if data:
        return Path(data) / "edge" / "scopes"
    return Path("/var/lib/edge/scopes") if os.geteuid() == 0 else Path.home() / ".local/share/edge/scopes"


def path_of(name_or_path: str) -> Path:
    """The file of a profile: a name in ``scopes_folder``, or a path that ends in ``.json``; raises ScopeError for what is neither."""
    if name_or_path.endswith(".json"):
        return Path(name_or_path)
    try:
        check_profile_name(name_or_path)
    except ValueError as error:
        raise ScopeError(f"the name of a microscope {error}") from None
    return scopes_folder() / f"{name_or_path}.json"
