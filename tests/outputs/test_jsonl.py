from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from edge.outputs.jsonl import JsonLines
from edge.streams import ReaderGoneError
from tests.fakes import LABELS, result
from tests.outputs import events


def lines(*calls: Any) -> list[dict[str, Any]]:
    stream = io.StringIO()
    out = JsonLines(stream, LABELS, events.MODEL)
    for event in calls:
        (out.sample if hasattr(event, "verdict") else out.field)(event)
    out.close()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_field_event_has_exactly_these_keys() -> None:
    (got,) = lines(events.kept())
    assert got == {
        "event": "field",
        "sample": "s",
        "field": 0,
        "name": "field-0.png",
        "kept": True,
        "reject_reason": None,
        "cells": 2,
        "counts": {"uninfected": 1, "parasitized": 1},
        "overlaps": [],
        "ms": {"decode": 1.23, "gate": 0.1, "find": 2.0, "crop": 0.5, "classify": 0.25},
    }


def test_a_rejected_field_says_why() -> None:
    (got,) = lines(events.rejected())
    assert (got["kept"], got["reject_reason"], got["cells"]) == (False, "out of focus", 2)


def test_an_unreadable_input_is_a_field_that_was_not_kept() -> None:
    (got,) = lines(events.unreadable())
    assert list(got) == list(lines(events.kept())[0])
    assert (got["kept"], got["cells"], got["counts"]) == (False, 0, {"uninfected": 0, "parasitized": 0})
    assert got["reject_reason"].startswith("unreadable: ")


def test_a_sample_event_has_exactly_these_keys() -> None:
    (got,) = lines(events.sample())
    assert list(got) == ["event", "sample", "fields", "cells", "counts", "share", "flag", "reasons", "model"]
    assert got["fields"] == {"kept": 1, "rejected": 2}
    assert got["cells"] == 2013
    assert got["counts"] == {"uninfected": 1986, "parasitized": 27}
    assert got["share"]["parasitized"]["value"] == pytest.approx(27 / 2013)
    assert got["share"]["parasitized"]["low"] < 27 / 2013 < got["share"]["parasitized"]["high"]
    assert got["flag"] == "uncalibrated"
    assert got["model"] == {"name": "fake", "sha256": "ab" * 32, "card_sha256": ""}


def test_notes_stand_in_a_sample_event_that_has_some() -> None:
    (got,) = lines(replace(events.sample(), notes=("few cells.",)))
    assert got["notes"] == ["few cells."]


def test_names_that_are_not_unicode_do_not_break_a_line() -> None:
    name = b"f\xff\n.png".decode("utf-8", "surrogateescape")
    (got,) = lines(events.field(result([0]), name=name))
    assert got["name"] == name


def test_a_reader_that_has_gone_is_told_from_a_defect() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(ReaderGoneError):
        JsonLines(Gone(), LABELS, events.MODEL).field(events.kept())


def test_the_fields_that_a_field_overlaps_are_listed() -> None:
    (got,) = lines(events.overlapping())
    assert got["overlaps"] == [
        {"field": 12, "cells": 71, "shift": [-16, 3]},
        {"field": 11, "cells": 1, "shift": [400, 0]},
    ]


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ({"captured": 1764.5, "exposure_us": 9000, "sensor": "imx477"}, "all of it"),
        ({"colour_gains": (1.5, 1.8)}, "all of it"),
        ({"truth": object(), "more": (1, object())}, "nothing"),
        ({"gain": float("nan")}, "nothing"),
        ({}, "nothing"),
    ],
)
def test_what_a_camera_says_of_a_frame_is_written_as_far_as_it_is_a_number_or_a_text(
    told: dict[str, object], written: str
) -> None:
    event = events.kept()
    assert event.result is not None
    (got,) = lines(replace(event, result=replace(event.result, metadata=told)))
    assert got.get("metadata") == (json.loads(json.dumps(told)) if written == "all of it" else None)
