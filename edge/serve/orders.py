"""What a page may ask of the run: JSON of a request to a command, checked and bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from edge.control.records import (
    BeginSetUp,
    CameraCommand,
    Command,
    FinishSample,
    Pause,
    Resume,
    SetUpAsk,
    SetUpCommand,
    StartSample,
    TakeNow,
)

LONGEST_NAME = 200
"""Letters of a sample's name, as ``--sample-id`` takes it."""

LONGEST_NOTES = 2000
"""Letters of a person's notes."""

_DIVISIONS_UM = (0.1, 10_000.0)  # from line to line of a stage micrometer, as --division takes them
_FURTHEST = 1e6  # of a number that goes to the virtual microscope: a metre in µm
_LONGEST_WORD = 40  # letters of a word that goes to it

SIMULATED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "move": ("x", "y", "dx", "dy"),
        "focus": ("z", "dz"),
        "lamp": ("value",),
        "hand": ("on",),
        "fault": ("kind", "seconds"),
    }
)
"""Commands to the virtual microscope, and the values that each takes."""


class BadOrderError(ValueError):
    """A request makes no sense; the text is one plain line for the person at the page."""


def json_object(body: bytes) -> Mapping[str, object]:
    """Read a request's body, which is a small JSON object. Raises BadOrderError."""
    try:
        found = json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadOrderError("The request is not understood.") from error
    if not isinstance(found, dict):
        raise BadOrderError("The request is not understood.")
    return found


def _no_number(_text: str) -> None:
    raise BadOrderError("The request is not understood.")


def command_of(asked: Mapping[str, object], *, simulated: bool) -> Command:
    """The command that a request asks for. Raises BadOrderError.

    Args:
        asked: ``do`` names the command; the other values are its own.
        simulated: whether there is a virtual microscope to be moved.
    """
    do = asked.get("do")
    if do == "start":
        return _start(asked)
    if isinstance(do, str) and do in _PLAIN:
        return _PLAIN[do]()
    if do == "begin-set-up":
        return _begin_set_up(asked)
    if do == "set-up":
        return _set_up(asked)
    if do == "camera" and simulated:
        return _camera(asked)
    raise BadOrderError("The request is not understood.")


_PLAIN: Mapping[str, Callable[[], Command]] = MappingProxyType(
    {"pause": Pause, "resume": Resume, "finish": FinishSample, "take": TakeNow}
)


def _start(asked: Mapping[str, object]) -> StartSample:
    name, notes = asked.get("sample"), asked.get("notes", "")
    again, resume = asked.get("again", False), asked.get("resume", False)
    if not isinstance(name, str) or not isinstance(notes, str) or not isinstance(again, bool):
        raise BadOrderError("The request is not understood.")
    name, notes = name.strip(), notes.strip().replace("\r\n", "\n")
    if not name:
        raise BadOrderError("Give the sample a name first.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadOrderError(f"The sample's name must be printable and of at most {LONGEST_NAME} letters.")
    if len(notes) > LONGEST_NOTES or not notes.replace("\n", "").replace("\t", "").isprintable():
        raise BadOrderError(f"The notes must be printable and of at most {LONGEST_NOTES:,} letters.")
    if not isinstance(resume, bool) or (again and resume):
        raise BadOrderError("The request is not understood.")
    return StartSample(name, notes, again, resume)


def _begin_set_up(asked: Mapping[str, object]) -> BeginSetUp:
    words: list[str] = []
    for key, what in (("name", "microscope's name"), ("operator", "operator"), ("objective", "objective")):
        value = asked.get(key, "")
        if not isinstance(value, str):
            raise BadOrderError("The request is not understood.")
        if len(value) > LONGEST_NAME or not value.isprintable():
            raise BadOrderError(f"The {what} must be printable and of at most {LONGEST_NAME} letters.")
        words.append(value.strip())
    if not words[0]:
        raise BadOrderError("Give the microscope a name first.")
    division, anew = asked.get("division"), asked.get("anew", False)
    if not isinstance(anew, bool) or isinstance(division, bool) or not isinstance(division, int | float | None):
        raise BadOrderError("The request is not understood.")
    least, most = _DIVISIONS_UM
    if division is not None and not least <= division <= most:
        raise BadOrderError(f"The stage micrometer's lines must be {least:g} to {most:g} µm apart.")
    name, operator, objective = words
    return BeginSetUp(name, operator, objective, None if division is None else float(division), anew)


def _set_up(asked: Mapping[str, object]) -> SetUpCommand:
    ask, step = asked.get("ask"), asked.get("step", "")
    if not isinstance(ask, str) or ask not in list(SetUpAsk) or not isinstance(step, str) or len(step) > _LONGEST_WORD:
        raise BadOrderError("The request is not understood.")
    return SetUpCommand(SetUpAsk(ask), step)


def _camera(asked: Mapping[str, object]) -> CameraCommand:
    name, values = asked.get("name"), asked.get("values", {})
    if not isinstance(name, str) or name not in SIMULATED or not isinstance(values, dict):
        raise BadOrderError("The request is not understood.")
    if not values.keys() <= set(SIMULATED[name]):
        raise BadOrderError("The request is not understood.")
    return CameraCommand(name, tuple((key, _value(value)) for key, value in values.items()))


def _value(value: object) -> float | str:
    if isinstance(value, str) and len(value) <= _LONGEST_WORD and value.isprintable():
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _FURTHEST:
        return float(value)
    raise BadOrderError("The request is not understood.")
