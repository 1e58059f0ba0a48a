"""A profile as a JSON file: ``{"format": "edge-scope", "version": 1, ...}``; docs/scope.md describes it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge.checked_json import count, headed, items, mapping, maybe, number, read_json, text
from edge.errors import ScopeError, SettlingError
from edge.safe_file import plain_errors, write_text
from edge.scope.dust import MOST, DustSpeck
from edge.scope.flat import FlatField
from edge.scope.light import Light
from edge.scope.profile import (
    HeldSettings,
    LightReference,
    PixelScale,
    Profile,
    ScaleSource,
    ScopeCamera,
    check_profile_name,
    path_of,
)
from edge.scope.spread import ONE
from edge.types import Int32Array

FORMAT = "edge-scope"
VERSION = 1  # of the file's format
_TILES = 64  # most of them across
_SPECK_PX = 640  # most pixels of a speck's side
_SIDE_PX = 65_535  # most pixels of a frame's side
_LARGEST = 1e9  # no exposure in microseconds is longer


def profile_facts(profile: Profile) -> dict[str, Any]:
    """The file's content as JSON types."""
    held, light, flat, scale = profile.held, profile.light, profile.flat, profile.scale
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": profile.name,
        "date": profile.date,
        "made_by": profile.made_by,
        "operator": profile.operator,
        "objective": profile.objective,
        "fingerprint": profile.fingerprint,
        "unfinished": list(profile.unfinished),
        "camera": {
            "kind": profile.camera.kind,
            "model": profile.camera.model,
            "mode": profile.camera.mode,
            "size": list(profile.camera.size),
            "format": profile.camera.format,
        },
        "held": {
            "exposure_us": held.exposure_us,
            "gain": held.gain,
            "colour_gains": list(held.colour_gains),
            "not_held": list(held.not_held),
        },
        "light": None
        if light is None
        else {
            "paper_linear": list(light.paper),
            "light_allowed": light.light_allowed,
            "colour_allowed": light.colour_allowed,
            "fields": light.fields,
        },
        "scale": None
        if scale is None
        else {"um_per_px": scale.um_per_px, "uncertainty": scale.uncertainty, "source": str(scale.source)},
        "sharpness": profile.sharpness,
        "flat": None if flat is None else _flat_facts(flat),
        "dust": [
            {
                "box": list(speck.box),
                "depth": speck.depth,
                "size": [speck.gains.shape[1], speck.gains.shape[0]],
                "gains_base64": _base64(speck.gains),
            }
            for speck in profile.dust
        ],
        "settled": profile.settled,
    }


def _flat_facts(flat: FlatField) -> dict[str, Any]:
    return {
        "fields": flat.fields,
        "moved": flat.moved,
        "uneven": round(flat.uneven, 4),
        "residual": round(flat.residual, 4),
        "tiles": [flat.tiles.shape[1], flat.tiles.shape[0]],
        "gains_base64": _base64(flat.tiles.astype("<u2")),
    }


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def write_profile(profile: Profile, path: Path) -> None:
    """Write the file, and its folder where there is none; raises OutputError."""
    with plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(profile_facts(profile), indent=1, ensure_ascii=True) + "\n")


def find_profile(name_or_path: str) -> Profile | None:
    """As ``read_profile``; None where there is no such file."""
    path = path_of(name_or_path)
    return read_profile(name_or_path) if path.exists() else None


def read_profile(name_or_path: str) -> Profile:
    """Read and check a profile by its name or its file; raises ScopeError saying what is wrong."""
    path = path_of(name_or_path)
    try:
        return parse_profile(read_json(path))
    except FileNotFoundError:
        name = path.stem
        raise ScopeError(f"no profile called {name} ({path}): set it up with edge scope set-up {name}") from None
    except OSError as error:
        raise ScopeError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, SettlingError) as error:  # JSON's own errors are ValueErrors
        raise ScopeError(f"{path}: no profile of a microscope: {error}") from error


def parse_profile(raw: Any) -> Profile:
    """The profile from its JSON form; raises ValueError saying what makes no sense. Unknown keys are ignored."""
    top = headed(raw, FORMAT, VERSION, "update the runner, or set the microscope up anew")
    name = text(top.get("name"), "name")
    check_profile_name(name)
    told = {key: text(top.get(key, ""), key) for key in ("date", "made_by", "operator", "objective")}
    settled = top.get("settled")
    return Profile(
        name,
        _camera(mapping(top.get("camera"), "camera")),
        _held(mapping(top.get("held"), "held")),
        None if top.get("light") is None else _light(mapping(top["light"], "light")),
        None if top.get("flat") is None else _flat(mapping(top["flat"], "flat")),
        tuple(_speck(mapping(one, "a speck of dust")) for one in items(top.get("dust", []), "dust")[: MOST + 1]),
        None if top.get("scale") is None else _scale(mapping(top["scale"], "scale")),
        maybe(top.get("sharpness"), "sharpness", 0, 1e6),
        told["objective"],
        told["operator"],
        told["date"],
        told["made_by"],
        tuple(text(one, "unfinished") for one in items(top.get("unfinished", []), "unfinished")),
        None if settled is None else mapping(settled, "settled"),
    )


def _camera(raw: Mapping[str, Any]) -> ScopeCamera:
    kind, model, mode, form = (text(raw.get(key, ""), key) for key in ("kind", "model", "mode", "format"))
    return ScopeCamera(kind, model, _pair(raw.get("size"), "size", _SIDE_PX), mode, form)


def _pair(raw: Any, what: str, most: int) -> tuple[int, int]:
    sides = [count(one, what) for one in items(raw, what)]
    if len(sides) != 2 or not all(0 < side <= most for side in sides):
        raise ValueError(f"{what} is not a width and a height")
    return sides[0], sides[1]


def _held(raw: Mapping[str, Any]) -> HeldSettings:
    gains = tuple(number(one, "colour_gains", 0, 1000) for one in items(raw.get("colour_gains", []), "colour_gains"))
    if len(gains) not in (0, 2):
        raise ValueError("colour_gains are not those of red and blue")
    return HeldSettings(
        maybe(raw.get("exposure_us"), "exposure_us", 0, _LARGEST),
        maybe(raw.get("gain"), "gain", 0, 1e6),
        gains,
        tuple(text(one, "not_held") for one in items(raw.get("not_held", []), "not_held")),
    )


def _light(raw: Mapping[str, Any]) -> LightReference:
    paper = [number(one, "paper_linear", 0, 1) for one in items(raw.get("paper_linear"), "paper_linear")]
    if len(paper) != 3:
        raise ValueError("paper_linear is not three numbers")
    light, colour = (number(raw.get(key), key, 0.001, 10) for key in ("light_allowed", "colour_allowed"))
    return LightReference(Light(*paper), light, colour, count(raw.get("fields", 0), "fields"))


def _scale(raw: Mapping[str, Any]) -> PixelScale:
    source = text(raw.get("source"), "source")
    if source not in list(ScaleSource):
        raise ValueError("source of the scale is none that is known")
    um, part = number(raw.get("um_per_px"), "um_per_px", 1e-4, 1e3), number(raw.get("uncertainty"), "uncertainty", 0, 1)
    return PixelScale(um, part, ScaleSource(source))


def _flat(raw: Mapping[str, Any]) -> FlatField:
    across, down = _pair(raw.get("tiles"), "tiles", _TILES)
    if min(across, down) < 3:
        raise ValueError("the flat field has no tiles")
    tiles = _bytes(raw, across * down * 3 * 2, "the flat field")
    gains: Int32Array = np.frombuffer(tiles, "<u2").astype(np.int32).reshape(down, across, 3)
    if gains.max() >= ONE:
        raise ValueError("the flat field has gains of 2 or more")
    moved = raw.get("moved", False)
    return FlatField(
        gains,
        count(raw.get("fields"), "fields"),
        moved is True,
        number(raw.get("uneven"), "uneven", 0, 1),
        number(raw.get("residual"), "residual", 0, 1),
    )


def _speck(raw: Mapping[str, Any]) -> DustSpeck:
    box = [number(one, "a speck's box", 0, 1) for one in items(raw.get("box"), "a speck's box")]
    if len(box) != 4 or box[0] + box[2] > 1.001 or box[1] + box[3] > 1.001 or min(box[2:]) <= 0:
        raise ValueError("a speck's box is none")
    wide, high = _pair(raw.get("size"), "a speck's size", _SPECK_PX)
    gains = np.frombuffer(_bytes(raw, wide * high, "a speck"), np.uint8).reshape(high, wide)
    return DustSpeck((box[0], box[1], box[2], box[3]), number(raw.get("depth"), "depth", 0, 1), gains)


def _bytes(raw: Mapping[str, Any], length: int, what: str) -> bytes:
    data = raw.get("gains_base64")
    if not isinstance(data, str):
        raise ValueError(f"{what} has no gains")  # noqa: TRY004 - the file is wrong, not the caller
    try:
        found = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the gains of {what} are not base64") from None
    if len(found) != length:
        raise ValueError(f"{what} has {len(found):,} bytes where {length:,} belong")
    return found
