"""JSON files that may come from anywhere: read to a limit, types and ranges checked. Each check raises ValueError in words."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

LARGEST = 16 * 2**20
"""Bytes; a larger file is not read."""

_LONGEST = 2000  # letters of a text
_MOST = 10**12  # no count is higher


def read_json(path: Path) -> Any:
    """What a file holds; raises OSError, ValueError where it is no JSON or too large, RecursionError."""
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    return json.loads(data if len(data) <= LARGEST else b"")


def headed(raw: Any, form: str, version: int, remedy: str) -> Mapping[str, Any]:
    """The file's object, which begins with this format and version; ``remedy``: what to do about another version."""
    top = mapping(raw, "the file")
    if top.get("format") != form:
        raise ValueError(f"its format is not {form!r}")
    if top.get("version") != version:
        raise ValueError(f"version {reprlib.repr(top.get('version'))} is not {version}; {remedy}")
    return top


def count(value: Any, what: str) -> int:
    """A whole number of 0 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError(f"{what} is not a count")
    return value


def number(value: Any, what: str, low: float, high: float) -> float:
    """A finite number within its limits."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not (isfinite(value) and low <= value <= high):
        raise ValueError(f"{what} is not a number from {low:g} to {high:g}")
    return float(value)


def maybe(value: Any, what: str, low: float, high: float) -> float | None:
    """A finite number within its limits, or None."""
    return None if value is None else number(value, what, low, high)


def text(value: Any, what: str) -> str:
    """One printable line."""
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ValueError(f"{what} is not one line of printable text")
    return value


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is not a JSON object")  # noqa: TRY004 - the file is wrong, not the caller
    return value


def items(value: Any, what: str) -> list[Any]:
    """A JSON list."""
    if not isinstance(value, list):
        raise ValueError(f"{what} is not a list")  # noqa: TRY004 - the file is wrong, not the caller
    return value
