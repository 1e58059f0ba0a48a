"""What a page may ask of the run."""

from __future__ import annotations

import json

import pytest

from edge.control.records import (
    BeginSetUp,
    CameraCommand,
    FinishSample,
    Pause,
    Resume,
    SetUpAsk,
    SetUpCommand,
    StartSample,
    TakeNow,
)
from edge.serve.orders import LONGEST_NAME, LONGEST_NOTES, BadOrderError, command_of, json_object

GOOD = {
    "a sample": ({"do": "start", "sample": " S-1 ", "notes": "a\r\nb "}, StartSample("S-1", "a\nb")),
    "once more": ({"do": "start", "sample": "S-1", "again": True}, StartSample("S-1", again=True)),
    "gone on with": ({"do": "start", "sample": "S-1", "resume": True}, StartSample("S-1", resume=True)),
    "a name like markup": ({"do": "start", "sample": "<script>"}, StartSample("<script>")),
    "pause": ({"do": "pause"}, Pause()),
    "resume": ({"do": "resume"}, Resume()),
    "finish": ({"do": "finish"}, FinishSample()),
    "take": ({"do": "take"}, TakeNow()),
    "a set-up": (
        {"do": "begin-set-up", "name": " bench-3 ", "operator": "Ada", "objective": "100x", "division": None},
        BeginSetUp("bench-3", "Ada", "100x"),
    ),
    "a set-up with a stage micrometer, anew": (
        {"do": "begin-set-up", "name": "bench-3", "division": 10, "anew": True},
        BeginSetUp("bench-3", division_um=10.0, anew=True),
    ),
    "the next step": ({"do": "set-up", "ask": "next", "step": "dust"}, SetUpCommand(SetUpAsk.NEXT, "dust")),
    "no set-up any more": ({"do": "set-up", "ask": "stop"}, SetUpCommand(SetUpAsk.STOP)),
    "stage": ({"do": "camera", "name": "move", "values": {"dx": 5}}, CameraCommand("move", (("dx", 5.0),))),
    "fault": (
        {"do": "camera", "name": "fault", "values": {"kind": "hang", "seconds": 5}},
        CameraCommand("fault", (("kind", "hang"), ("seconds", 5.0))),
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_request_becomes_a_command(case: str) -> None:
    asked, command = GOOD[case]
    assert command_of(json_object(json.dumps(asked).encode()), simulated=True) == command


BAD = {
    "nothing": b"",
    "no JSON": b"do=pause",
    "no UTF-8": b'{"do": "\xff"}',
    "a list": b'["pause"]',
    "a number": b"1",
    "nested without end": b"[" * 8000,
    "objects without end": b'{"a":' * 1500,
    "not a number": b'{"do": "camera", "name": "lamp", "values": {"value": NaN}}',
    "no end of a number": b'{"do": "camera", "name": "lamp", "values": {"value": 1e999}}',
    "a number that is too far": b'{"do": "camera", "name": "move", "values": {"x": 1e12}}',
    "a number of 5,000 digits": b'{"do": "camera", "name": "move", "values": {"x": ' + b"9" * 5000 + b"}}",
    "another command of the camera": b'{"do": "camera", "name": "set", "values": {}}',
    "another value": b'{"do": "camera", "name": "move", "values": {"path": "/etc"}}',
    "a long word": b'{"do": "camera", "name": "fault", "values": {"kind": "' + b"a" * 50 + b'"}}',
    "values that are a list": b'{"do": "camera", "name": "move", "values": [1]}',
    "an order to end": b'{"do": "quit"}',
    "no order": b'{"sample": "S-1"}',
    "an order that is an object": b'{"do": {}}',
    "no name": b'{"do": "start"}',
    "an empty name": b'{"do": "start", "sample": "  "}',
    "a name that is a number": b'{"do": "start", "sample": 1}',
    "a name without end": json.dumps({"do": "start", "sample": "a" * (LONGEST_NAME + 1)}).encode(),
    "a name that moves the cursor": b'{"do": "start", "sample": "a\\u001b[2J"}',
    "a name of two lines": b'{"do": "start", "sample": "a\\nb"}',
    "half a letter": b'{"do": "start", "sample": "\\ud800"}',
    "notes without end": json.dumps({"do": "start", "sample": "a", "notes": "n" * (LONGEST_NOTES + 1)}).encode(),
    "notes with control characters": b'{"do": "start", "sample": "a", "notes": "\\u0000"}',
    "once more and gone on with": b'{"do": "start", "sample": "a", "again": true, "resume": true}',
    "a set-up of nothing": b'{"do": "begin-set-up", "name": " "}',
    "a set-up of a number": b'{"do": "begin-set-up", "name": 3}',
    "a microscope's name without end": json.dumps({"do": "begin-set-up", "name": "a" * (LONGEST_NAME + 1)}).encode(),
    "an operator of two lines": b'{"do": "begin-set-up", "name": "a", "operator": "a\\nb"}',
    "lines that are a mile apart": b'{"do": "begin-set-up", "name": "a", "division": 1e9}',
    "lines that are on each other": b'{"do": "begin-set-up", "name": "a", "division": 0}',
    "lines in words": b'{"do": "begin-set-up", "name": "a", "division": "10"}',
    "lines that are true": b'{"do": "begin-set-up", "name": "a", "division": true}',
    "anew in words": b'{"do": "begin-set-up", "name": "a", "anew": "yes"}',
    "another word to a set-up": b'{"do": "set-up", "ask": "format"}',
    "a list to a set-up": b'{"do": "set-up", "ask": ["next"]}',
    "a step without end": json.dumps({"do": "set-up", "ask": "next", "step": "a" * 41}).encode(),
    "words for yes": b'{"do": "start", "sample": "a", "again": "yes"}',
}


@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_sense_is_refused_in_one_line(case: str) -> None:
    with pytest.raises(BadOrderError) as refused:
        command_of(json_object(BAD[case]), simulated=True)
    assert "\n" not in str(refused.value)


def test_a_real_microscope_is_not_moved() -> None:
    with pytest.raises(BadOrderError):
        command_of({"do": "camera", "name": "move", "values": {"dx": 5}}, simulated=False)
