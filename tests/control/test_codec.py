"""What passes between engine and page comes back as it was, and whatever else comes is refused in one line."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

import pytest

from edge.control import codec
from edge.control.codec import Answer, Order, PreviewsAt, order_from, order_line, told_from, told_line
from edge.control.records import (
    BeginSetUp,
    CameraCommand,
    FinishSample,
    Pause,
    Quit,
    Resume,
    SetUpCommand,
    StartSample,
    TakeNow,
)
from edge.status import Status

TEXTS = ("", "S-0042", 'a "quoted" <b>', "Größe 微\n", "\x1b[2J", "\ud800", "'; DROP TABLE sample")


def made_up(kind: Any, chance: random.Random) -> Any:  # noqa: PLR0911 - a line per kind
    """Any value that a record's annotation allows."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return made_up(chance.choice(arguments), chance)
    if kind is type(None):
        return None
    if dataclasses.is_dataclass(kind):
        hints, make = get_type_hints(kind), cast("Any", kind)
        return make(**{one.name: made_up(hints[one.name], chance) for one in dataclasses.fields(kind)})
    if origin is tuple and arguments[-1] is Ellipsis:
        return tuple(made_up(arguments[0], chance) for _ in range(chance.randrange(4)))
    if origin is tuple:
        return tuple(made_up(one, chance) for one in arguments)
    if origin is Mapping:
        return {made_up(arguments[0], chance): made_up(arguments[1], chance) for _ in range(chance.randrange(4))}
    if issubclass(kind, StrEnum):
        return chance.choice(list(kind))
    plain: dict[Any, Callable[[], Any]] = {
        bool: lambda: chance.random() < 0.5,
        int: lambda: chance.randrange(-5, 10**9),
        float: lambda: chance.choice([0.0, -0.0, 1e-300, 0.1 + 0.2, chance.gauss(0, 1e6), 1e300]),
        str: lambda: chance.choice(TEXTS),
    }
    return plain[kind]()


@pytest.mark.parametrize("seed", range(40))
def test_a_snapshot_comes_back_exactly(seed: int) -> None:
    status = made_up(Status, random.Random(seed))
    assert told_from(told_line(status)) == status


@pytest.mark.parametrize(
    "command",
    [StartSample, Pause, Resume, FinishSample, TakeNow, Quit, CameraCommand, BeginSetUp, SetUpCommand],
    ids=lambda kind: kind.__name__,
)
def test_a_command_comes_back_exactly(command: Any) -> None:
    for seed in range(20):
        order = Order(seed, made_up(command, random.Random(seed)))
        assert order_from(order_line(order)) == order


@pytest.mark.parametrize(
    "told", [Answer(7), Answer(8, "S-1 is in the book already"), PreviewsAt("edge-1"), PreviewsAt("")]
)
def test_an_answer_comes_back_exactly(told: codec.Told) -> None:
    assert told_from(told_line(told)) == told


def test_a_message_is_one_line_of_ascii() -> None:
    line = order_line(Order(1, StartSample("Größe", "two\nlines")))
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


HOSTILE_ORDERS = {
    "nothing": (b"", "no JSON"),
    "no JSON": (b"GET / HTTP/1.1", "no JSON"),
    "no ASCII": ("ä".encode(), "no JSON"),
    "a list": (b"[]", "not a JSON object"),
    "nested without end": (b"[" * 10_000, "no JSON"),
    "too long": (b" " * 20_000, "bytes"),
    "no number": (b'{"command": {"is": "pause"}}', "no number"),
    "a negative number": (b'{"number": -1, "command": {"is": "pause"}}', "no number"),
    "true for a number": (b'{"number": true, "command": {"is": "pause"}}', "no number"),
    "a number without measure": (b'{"number": ' + b"9" * 400 + b"}", "without measure"),
    "no command": (b'{"number": 1}', "no command"),
    "a command of no kind": (b'{"number": 1, "command": {}}', "no known kind"),
    "an unknown command": (b'{"number": 1, "command": {"is": "exec"}}', "no known kind"),
    "a list for a kind": (b'{"number": 1, "command": {"is": []}}', "no known kind"),
    "a sample without name": (b'{"number": 1, "command": {"is": "start"}}', "sample of the command is missing"),
    "a number for a name": (b'{"number": 1, "command": {"is": "start", "sample": 3}}', "is not text"),
    "text for a switch": (
        b'{"number": 1, "command": {"is": "start", "sample": "a", "again": "yes"}}',
        "again of the command is not true or false",
    ),
    "infinity": (b'{"number": 1, "command": {"is": "camera", "name": "move", "values": [["x", Infinity]]}}', "finite"),
    "a number beyond all": (
        b'{"number": 1, "command": {"is": "camera", "name": "move", "values": [["x", 1e999]]}}',
        "finite",
    ),
    "many values": (
        b'{"number": 1, "command": {"is": "camera", "name": "set", "values": ['
        + b",".join(b'["x", 1]' for _ in range(17))
        + b"]}}",
        "more than 16 values",
    ),
    "a list for a value": (
        b'{"number": 1, "command": {"is": "camera", "name": "set", "values": [["x", [1]]]}}',
        "is not a number",
    ),
    "a long name of a microscope": (
        b'{"number": 1, "command": {"is": "begin-set-up", "name": "' + b"n" * 201 + b'"}}',
        "longer than 200 letters",
    ),
    "another word to a set-up": (
        b'{"number": 1, "command": {"is": "set-up", "ask": "format"}}',
        "is none of: next, again, skip, stop",
    ),
    "long notes": (
        b'{"number": 1, "command": {"is": "start", "sample": "a", "notes": "' + b"n" * 4001 + b'"}}',
        "longer than 4,000 letters",
    ),
}


@pytest.mark.parametrize("name", HOSTILE_ORDERS)
def test_a_hostile_order_is_refused_in_one_line(name: str) -> None:
    line, why = HOSTILE_ORDERS[name]
    with pytest.raises(ValueError, match=why) as refused:
        order_from(line)
    assert "\n" not in str(refused.value)


HOSTILE_TOLD = {
    "an order": (b'{"is": "start", "sample": "a"}', "no known kind"),
    "a status without state": (
        b'{"is": "status", "version": 1, "at": 0.0}',
        "state of the engine's message is missing",
    ),
    "a state there is not": (b'{"is": "status", "version": 1, "at": 0.0, "state": "dreaming"}', "is none of: idle"),
    "an object for a state": (b'{"is": "status", "version": 1, "at": 0.0, "state": {}}', "is none of: idle"),
    "an answer to nothing": (b'{"is": "answer"}', "number of the engine's message is missing"),
}


@pytest.mark.parametrize("name", HOSTILE_TOLD)
def test_what_no_engine_says_is_refused_in_one_line(name: str) -> None:
    line, why = HOSTILE_TOLD[name]
    with pytest.raises(ValueError, match=why) as refused:
        told_from(line)
    assert "\n" not in str(refused.value)


def test_ten_thousand_mutated_lines_raise_nothing_else() -> None:
    chance = random.Random(1)
    sound = order_line(Order(3, CameraCommand("move", (("x", 1.5), ("kind", "hang")))))
    for _ in range(10_000):
        line = bytearray(sound)
        for _ in range(chance.randrange(1, 6)):
            line[chance.randrange(len(line))] = chance.randrange(256)
        with suppress(ValueError):
            order_from(bytes(line))


def test_a_message_too_long_or_not_finite_is_not_sent() -> None:
    with pytest.raises(ValueError, match="bytes"):
        order_line(Order(1, StartSample("a" * 20_000)))
    with pytest.raises(ValueError, match="JSON"):
        order_line(Order(1, CameraCommand("move", (("x", float("nan")),))))
