"""A message of the journal as JSON and back (docs/journal-message.schema.json).

Numbers come back exactly; bytes are in base64; text is ASCII with escapes, so that names that are no valid Unicode pass. What is
decoded may come from anybody who can reach the broker: it is bounded, and the type and range of each value is checked. What the
values mean is checked by who takes them (``edge.book.inbox``).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

from edge.journal import JournalMessage

MOST_BYTES = 64 * 2**20
"""Of a message: a field of a million tiles with two scores each takes most of it."""

FORMAT = 1
"""Of these messages; a later one that cannot be read by this program has another number."""

_MOST_CELLS = 1_000_000  # of a field: a fine grid over a large one
_MOST_CLASSES = 4096  # of a model
_MOST_TEXT = 2**20  # letters
_NUMBERS = 2**63 - 1  # largest number of SQLite
_SIDE = 2**20  # pixels of a field
_NAME = 4096  # letters, as file systems allow
_HEX = frozenset("0123456789abcdef")
_UUID_DASHES = (8, 13, 18, 23)  # places of them
_UUID_LETTERS = 36  # with its dashes
_SHOWN = 40  # letters of a key in an error

Check = Callable[[object], object]


def encode(message: JournalMessage) -> bytes:
    """JSON of a message, on one line."""
    told = {"format": FORMAT, "origin": message.origin, "scope": message.scope, "number": message.number}
    told |= {"sample": message.sample, "field": message.field}
    return json.dumps(_plain(told), separators=(",", ":"), allow_nan=False).encode()


def decode(payload: bytes | bytearray) -> JournalMessage:
    """The message again; raises ValueError, in one line, for anything that ``encode`` does not write."""
    if len(payload) > MOST_BYTES:
        raise ValueError(f"{len(payload):,} bytes are too many for a message")
    try:
        raw = json.loads(payload.decode("ascii"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("the message is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"no message of a journal: {' '.join(str(error).split())}") from None
    told = _record(raw, _MESSAGE, "the message")
    sample = told["sample"]
    if not isinstance(sample, dict) or (not sample and told["field"] is not None):
        raise ValueError("a field without its sample")
    return JournalMessage(told["origin"], told["scope"], told["number"], sample, told["field"])  # type: ignore[arg-type]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole number within bounds."""

    low: int
    high: int = _NUMBERS

    def __call__(self, value: object) -> object:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"no whole number from {self.low:,} to {self.high:,}")
        return value


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of so many letters at most."""

    most: int = _MOST_TEXT

    def __call__(self, value: object) -> object:
        if not isinstance(value, str) or len(value) > self.most or "\0" in value:
            raise ValueError(f"no text of at most {self.most:,} letters")
        return value


@dataclass(frozen=True, slots=True)
class _Bytes:
    """Bytes in base64, at most so many."""

    most: int

    def __call__(self, value: object) -> object:
        if not isinstance(value, str) or len(value) > 4 * (self.most + 2) // 3:
            raise ValueError("no base64 of that length")
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("no base64") from None


@dataclass(frozen=True, slots=True)
class _OneOf:
    """One of some words."""

    words: tuple[str, ...]

    def __call__(self, value: object) -> object:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"none of: {', '.join(self.words)}")
        return value


@dataclass(frozen=True, slots=True)
class _OrNone:
    """The same, or nothing."""

    check: Check

    def __call__(self, value: object) -> object:
        return None if value is None else self.check(value)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """An object with these keys and no other; ``empty``: or with none."""

    keys: Mapping[str, Check]
    empty: bool = False

    def __call__(self, value: object) -> object:
        return {} if self.empty and value == {} else _record(value, self.keys, "")


@dataclass(frozen=True, slots=True)
class _Several:
    """A list of at most so many."""

    check: Check
    most: int

    def __call__(self, value: object) -> object:
        if not isinstance(value, list) or len(value) > self.most:
            raise ValueError(f"no list of at most {self.most:,}")
        return [self.check(one) for one in value]


def _real(value: object) -> object:
    if not isinstance(value, float) or not isfinite(value):
        raise ValueError("no number with a fraction")
    return value


def _truth(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 - the message is wrong, not the caller
    return value


def _origin(value: object) -> object:
    if not isinstance(value, str) or len(value) != 32 or not _HEX.issuperset(value):
        raise ValueError("no origin of 32 hexadecimal digits")
    return value


def _uuid(value: object) -> object:
    right = isinstance(value, str) and len(value) == _UUID_LETTERS
    if not right or any(
        (c == "-") != (i in _UUID_DASHES) or c not in "0123456789abcdef-" for i, c in enumerate(str(value))
    ):
        raise ValueError("no uuid")
    return value


def _record(raw: object, keys: Mapping[str, Check], what: str) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise ValueError(f"{what or 'it'} is no JSON object")  # noqa: TRY004 - as above
    for name in raw:
        if name not in keys:
            raise ValueError(f"{name[:_SHOWN]!a} is no part of it")
    values = {}
    for name, check in keys.items():
        if name not in raw:
            raise ValueError(f"{name} is missing")
        try:
            values[name] = check(raw[name])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return values


_RUN: Mapping[str, Check] = {"uuid": _uuid, "began": _Text(40), "about": _Text(), "binding": _Text()}
_SAMPLE: Mapping[str, Check] = {
    "uuid": _uuid,
    "name": _Text(_NAME),
    "state": _OneOf(("counting", "complete", "interrupted")),
    "began": _Text(40),
    "touched": _Text(40),
    "seconds": _real,
    "flag": _OrNone(_Text(40)),
    "event": _OrNone(_Text()),
    "lost": _Whole(0),
    "newest": _truth,
    "run": _uuid,
    "runs": _Several(_Keyed(_RUN), 1000),
}
_CELLS: Mapping[str, Check] = {
    "boxes": _Bytes(16 * _MOST_CELLS),
    "kind": _Bytes(4 * _MOST_CELLS),
    "classes": _Bytes(4 * _MOST_CELLS),
    "seen": _Bytes(_MOST_CELLS),
    "confidence": _Bytes(4 * _MOST_CELLS),
    "scores": _Bytes(MOST_BYTES),
    "masks": _OrNone(_Bytes(MOST_BYTES)),
}
_REALS = (
    *("sharpness", "brightness", "over_exposed", "under_exposed", "fill", "rim"),
    *("decode_ms", "gate_ms", "find_ms", "crop_ms", "classify_ms"),
)
_FIELD: Mapping[str, Check] = {
    "number": _Whole(0, 2**31),
    "name": _Text(_NAME),
    "reason": _OrNone(_Text(2 * _NAME)),
    "readable": _Whole(0, 1),
    "found": _Whole(0, _MOST_CELLS),
    "classes": _Whole(0, _MOST_CLASSES),
    "kinds": _OrNone(_Text(_NAME)),
    "path": _OrNone(_Text(_NAME)),
    "size": _OrNone(_Whole(0)),
    "sha256": _OrNone(_Bytes(32)),
    "overlaps": _OrNone(_Text()),
    "height": _OrNone(_Whole(1, _SIDE)),
    "width": _OrNone(_Whole(1, _SIDE)),
    "placed": _OrNone(_Whole(0, 1)),
    "incomplete": _OrNone(_Whole(0, 1)),
    "metadata": _OrNone(_Text()),
    "appearance": _OrNone(_Text()),
    "outline": _OrNone(_Bytes(2**20)),
    "signature": _OrNone(_Bytes(2**16)),
    "typical_finds": _OrNone(_Whole(0)),
    "typical_paper": _OrNone(_Bytes(3)),
    "typical_cell": _OrNone(_Bytes(2**18)),
    **dict.fromkeys(_REALS, _OrNone(_real)),
    "run": _uuid,
    "at": _Text(40),
    "seconds": _real,
    "checksum": _Whole(0, 2**32 - 1),
    "cells": _Keyed(_CELLS),
}
_MESSAGE: Mapping[str, Check] = {
    "format": _Whole(FORMAT, FORMAT),
    "origin": _origin,
    "scope": _Text(200),
    "number": _Whole(1),
    "sample": _Keyed(_SAMPLE, empty=True),
    "field": _OrNone(_Keyed(_FIELD)),
}
