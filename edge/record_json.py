"""Frozen records to JSON and back. What comes back may have been changed by anybody, so every type is checked.

A record is read by its own annotations: nested dataclasses, ``Mapping``, ``tuple``, ``X | None``, ``float | str``, enums of words and
plain values. Keys that are not known are left out (a newer writer), missing ones take the record's default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

R = TypeVar("R")

_ENCODER = json.JSONEncoder(separators=(",", ":"))  # made once: making it takes longer than a field's text
_WORDS = {int: "a whole number", str: "text", bool: "true or false", float: "a number"}


def to_text(value: Any) -> str:
    """JSON in ASCII on one line: a record, or anything made of plain values."""
    return _ENCODER.encode(plain_of(value))


def plain_of(value: Any) -> Any:
    """Records as dictionaries, all the way down; like ``asdict``, which copies each value and takes ten times as long."""
    if isinstance(value, str | int | float) or value is None:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain_of(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, tuple | list):
        return [plain_of(one) for one in value]
    if isinstance(value, Mapping):
        return {key: plain_of(one) for key, one in value.items()}
    return value


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def made_of(kind: type[R], raw: Any, what: str) -> R:
    """A record of this kind from JSON values that were read already; raises ValueError as ``from_text`` does."""
    made: R = _made(kind, raw, what)
    return made


def from_text(kind: type[R], text: str, what: str) -> R:
    """A record of this kind from ``to_text``; raises ValueError saying what of it makes no sense."""
    try:
        made: R = _made(kind, json.loads(text), what)
    except RecursionError as error:
        raise ValueError(f"{what} is nested too deep") from error
    return made


def _made(kind: Any, raw: Any, what: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any or (origin is UnionType and raw is None and type(None) in arguments):
        return raw
    if origin is UnionType:
        kinds = [one for one in arguments if one is not type(None)]
        kind = str if isinstance(raw, str) and str in kinds else kinds[0]
        return _made(kind, raw, what)
    if is_dataclass(kind) or origin is tuple:
        return _record(kind, raw, what) if origin is None else _tuple(arguments, raw, what)
    if origin in (Mapping, dict):
        if not isinstance(raw, dict):
            raise ValueError(f"{what} is not a JSON object")
        return {key: _made(arguments[1], value, what) for key, value in raw.items()}
    return _word(kind, raw, what) if issubclass(kind, StrEnum) else _plain_value(kind, raw, what)


def _plain_value(kind: Any, raw: Any, what: str) -> Any:
    taken = (int, float) if kind is float else (kind,)
    if not isinstance(raw, taken) or (isinstance(raw, bool) and kind is not bool):
        raise ValueError(f"{what} is not {_WORDS[kind]}")
    return kind(raw)


def _word(kind: type[StrEnum], raw: Any, what: str) -> StrEnum:
    if raw not in [one.value for one in kind]:
        raise ValueError(f"{what} is none of: {', '.join(one.value or 'nothing' for one in kind)}")
    return kind(raw)


def _record(kind: Any, raw: Any, what: str) -> Any:
    if not isinstance(raw, dict):
        raise ValueError(f"{what} is not a JSON object")  # noqa: TRY004 - the file is wrong, not the caller
    hints = _hints(kind)
    values = {}
    for one in fields(kind):
        if one.name in raw:
            values[one.name] = _made(hints[one.name], raw[one.name], f"{one.name} of {what}")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"{one.name} of {what} is missing")
    return kind(**values)


def _tuple(arguments: tuple[Any, ...], raw: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        raise ValueError(f"{what} is not a list")  # noqa: TRY004 - as above
    if arguments[-1] is Ellipsis:
        return tuple(_made(arguments[0], one, what) for one in raw)
    if len(raw) != len(arguments):
        raise ValueError(f"{what} is not a list of {len(arguments)}")
    return tuple(_made(kind, one, what) for kind, one in zip(arguments, raw, strict=True))


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
