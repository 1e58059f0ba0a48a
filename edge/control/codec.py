"""What passes between the process that counts and the page: one message a line, JSON in ASCII, read with suspicion.

``{"is": "status", ...}``. A line is bounded, numbers are finite, and every value has the type that its record says; whatever else
comes raises ValueError with one line that says what is wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeVar

from edge.control.records import (
    BeginSetUp,
    CameraCommand,
    Command,
    FinishSample,
    Pause,
    Quit,
    Resume,
    SetUpCommand,
    StartSample,
    TakeNow,
)
from edge.record_json import made_of, plain_of
from edge.status import Status

K = TypeVar("K")

MOST_BYTES = 2**20
"""Bytes of a line at most; a status with the cells of the fullest field takes a tenth of it."""

MOST_ORDER_BYTES = 2**14
"""Bytes of an order at most."""

LONGEST_NOTES = 4000
"""Letters of a sample's notes."""

LONGEST_WORD = 200
"""Letters of a name in an order of a set-up."""

MOST_VALUES = 16
"""Values of a camera command."""

_MOST_DIGITS = 18  # of a whole number: more is no count

_COMMANDS: dict[str, type[Command]] = {
    "start": StartSample,
    "pause": Pause,
    "resume": Resume,
    "finish": FinishSample,
    "take": TakeNow,
    "quit": Quit,
    "camera": CameraCommand,
    "begin-set-up": BeginSetUp,
    "set-up": SetUpCommand,
}
_NAMES = {kind: name for name, kind in _COMMANDS.items()}
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Order:
    """A command, and the number that its answer bears."""

    number: int
    command: Command


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the order of this number; ``refused``: why it was not taken, one line; empty: it was."""

    number: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class PreviewsAt:
    """Name of the shared memory in which the newest preview lies; empty: there is none."""

    memory: str


@dataclass(frozen=True, slots=True)
class SameField:
    """A snapshot with the last field of the one sent before it, which is not sent again: ``status.last`` is None here."""

    status: Status


Told = Status | SameField | Answer | PreviewsAt
"""What the engine says."""

_TOLD: dict[str, type[Told]] = {"status": Status, "same": SameField, "answer": Answer, "previews": PreviewsAt}
_TOLD_NAMES = {kind: name for name, kind in _TOLD.items()}


def told_line(told: Told) -> bytes:
    """One line of the engine, its end included; raises ValueError where it would be too long or holds no finite number."""
    return _line({"is": _TOLD_NAMES[type(told)], **plain_of(told)}, MOST_BYTES)


def told_from(line: bytes) -> Told:
    """What the engine said; raises ValueError in one line."""
    raw = _read(line, MOST_BYTES)
    return made_of(_kind(raw, _TOLD), raw, "the engine's message")


def order_line(order: Order) -> bytes:
    """One line of the page, its end included; raises ValueError where it would be too long or holds no finite number."""
    command = {"is": _NAMES[type(order.command)], **plain_of(order.command)}
    return _line({"number": order.number, "command": command}, MOST_ORDER_BYTES)


def order_from(line: bytes) -> Order:
    """What the page wants; raises ValueError in one line."""
    raw = _read(line, MOST_ORDER_BYTES)
    number, command = raw.get("number"), raw.get("command")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError("the order has no number")
    if not isinstance(command, dict):
        raise ValueError("the order holds no command")  # noqa: TRY004 - the message is wrong, not the caller
    made = made_of(_kind(command, _COMMANDS), command, "the command")
    if isinstance(made, StartSample) and len(made.notes) > LONGEST_NOTES:
        raise ValueError(f"notes are longer than {LONGEST_NOTES:,} letters")
    if isinstance(made, CameraCommand) and len(made.values) > MOST_VALUES:
        raise ValueError(f"a camera command has more than {MOST_VALUES} values")
    words = {BeginSetUp: ("name", "operator", "objective"), SetUpCommand: ("step",)}.get(type(made), ())
    if any(len(getattr(made, word)) > LONGEST_WORD for word in words):
        raise ValueError(f"a word of the set-up is longer than {LONGEST_WORD} letters")
    return Order(number, made)


def _line(value: dict[str, Any], most: int) -> bytes:
    line = f"{_ENCODER.encode(value)}\n".encode("ascii")
    if len(line) > most:
        raise ValueError(f"the message has {len(line):,} bytes, more than {most:,}")
    return line


def _read(line: bytes, most: int) -> dict[str, Any]:
    if len(line) > most:
        raise ValueError(f"the message has more than {most:,} bytes")
    try:
        raw = json.loads(line.decode("ascii"), parse_constant=_finite, parse_float=_finite, parse_int=_whole)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("the message is no JSON") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"the message is no JSON: {error.msg}") from error
    if not isinstance(raw, dict):
        raise ValueError("the message is not a JSON object")  # noqa: TRY004 - as above
    return raw


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("the message holds a number that is not finite")
    return number


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("the message holds a number without measure")
    return int(text)


def _kind(raw: dict[str, Any], known: dict[str, type[K]]) -> type[K]:
    name = raw.get("is")
    if not isinstance(name, str) or name not in known:
        raise ValueError("the message is of no known kind")
    return known[name]
