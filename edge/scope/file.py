"""A settled microscope as a JSON file: ``{"format": "edge-settled", "version": 1, ...}``; docs/settling.md describes it."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import numpy as np

from edge.checked_json import count, headed, items, mapping, number, read_json, text
from edge.errors import SettlingError
from edge.scope.settling import MEASURES, LookRange, SettledScope, SettledWith
from edge.types import UInt8Array
from edge.typical import TypicalCells

FORMAT = "edge-settled"
VERSION = 1  # of the file's format
_SIDES = (8, 512)  # pixels: those of a card's crops


def facts(settled: SettledScope) -> dict[str, Any]:
    """The file's content as JSON types. The cell's bytes are RGB, row by row."""
    cell = settled.typical.cells[0]
    return {
        "format": FORMAT,
        "version": VERSION,
        "made": dict(settled.made),
        "scope": settled.scope,
        "used": {"finder": settled.used.finder, "finder_id": settled.used.finder_id, "crops": settled.used.crops},
        "fields": settled.fields,
        "cells": settled.cells,
        "paper": settled.typical.papers[0].tolist(),
        "density": [round(value, 3) for value in settled.density],
        "looks": {
            name: {"value": round(look.value, 4), "low": round(look.low, 4), "high": round(look.high, 4)}
            for name, look in settled.looks.items()
        },
        "cell": {"size": len(cell), "rgb_base64": base64.b64encode(cell.tobytes()).decode()},
    }


def read_settled(path: Path) -> SettledScope:
    """Read and check a file; raises SettlingError saying what is wrong."""
    try:
        return parse(read_json(path))
    except OSError as error:
        raise SettlingError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # JSON's own errors are ValueErrors
        raise SettlingError(f"{path}: no settled microscope: {error}") from error


def parse(raw: Any) -> SettledScope:
    """The microscope from its JSON form; raises ValueError saying what makes no sense. Unknown keys are ignored."""
    top = headed(raw, FORMAT, VERSION, "settle anew or update the runner")
    used = mapping(top.get("used"), "used")
    paper = [count(value, "paper") for value in items(top.get("paper"), "paper")]
    if len(paper) != 3 or max(paper) > 255:
        raise ValueError("paper is not a colour of three bytes")
    typical = TypicalCells(np.array([paper], np.uint8), _cell(mapping(top.get("cell"), "cell"))[None])
    looks = mapping(top.get("looks"), "looks")
    made = mapping(top.get("made", {}), "made")
    return SettledScope(
        SettledWith(*(text(used.get(name, ""), name) for name in ("finder", "finder_id", "crops"))),
        typical,
        count(top.get("fields"), "fields"),
        count(top.get("cells"), "cells"),
        {name: _look(mapping(looks[name], name)) for name in MEASURES if name in looks},
        text(top.get("scope", ""), "scope"),
        {text(key, "made"): text(value, "made") for key, value in made.items()},
    )


def _cell(raw: Any) -> UInt8Array:
    side = count(raw.get("size"), "the cell's size")
    data = raw.get("rgb_base64")
    if not _SIDES[0] <= side <= _SIDES[1] or not isinstance(data, str):
        raise ValueError("the cell has no size or no pixels")
    try:
        pixels = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the cell's pixels are not base64") from None
    if len(pixels) != side * side * 3:
        raise ValueError(f"the cell has {len(pixels):,} bytes, which are not {side} x {side} pixels")
    return np.frombuffer(pixels, np.uint8).reshape(side, side, 3)


def _look(raw: Any) -> LookRange:
    return LookRange(*(number(raw.get(name), name, -1e6, 1e6) for name in ("value", "low", "high")))
