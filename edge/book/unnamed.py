"""Samples and fields without names: what leaves the microscope unless somebody asked for more.

Names of samples, files and folders, readers' answers and a person's notes may say who a patient is. What is counted does not.
Sentences about a sample (the reasons of its flag, notes on its fields) are sent with the names in them replaced; what a person typed
and paths are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from edge.book.rows import UNREADABLE, FieldRow
from edge.description import RunDescription
from edge.events import SampleEvent
from edge.record_json import from_text, to_text
from edge.verdict.calibration import Calibration

NOT_SENT = "not sent"
"""Stands where a text was that may hold a name."""

NO_REASON = "reason not sent"
"""Why a field could not be read: that names its file."""

UUID_LETTERS = 8
"""Of a sample's uuid that stand in its name."""

_SHORTEST = 3  # letters of a name that is looked for in sentences: shorter ones are in any of them
_SETTINGS = (
    *("a sample ends after", "of a video, every", "plane of a stack", "bits of 16-bit pixels", "gate"),
    *("overlapping fields", "target", "workers"),
)
"""Settings of a run, as a person would say them, that hold no path."""


def sample_name(scope: str, uuid: str) -> str:
    """``bench-3-1f0c9a2b``: what a sample is called without its name."""
    return f"{scope or 'sample'}-{uuid[:UUID_LETTERS]}"


def field_name(number: int) -> str:
    """``field 17``, by the field's place in the run."""
    return f"field {number}"


def field_without_names(row: FieldRow) -> FieldRow:
    """A field without its file's name and place; why it could not be read is not said, for that names the file."""
    values = dict(row.values)
    values |= {"name": field_name(values["number"]), "path": None if values["path"] is None else ""}
    if not values["readable"]:
        values["reason"] = UNREADABLE + NO_REASON
    return replace(row, values=values)


def event_without_names(text: str, name: str, sample: str, fields: Sequence[tuple[int, str]]) -> str:
    """What was said at a sample's end without names.

    Args:
        text: a ``SampleEvent`` as JSON.
        name: the sample is called by now.
        sample: its name.
        fields: number and name of each of its fields.

    Raises:
        ValueError: it makes no sense.
    """
    event = from_text(SampleEvent, text, "the sample's end")
    names = [(field, field_name(number)) for number, field in fields] + [(sample, name)]
    names.sort(key=lambda pair: -len(pair[0]))  # a name may hold another one

    def told(sentences: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_replaced(one, names) for one in sentences)

    numbers: dict[str, list[int]] = {}
    for number, field in fields:
        numbers.setdefault(field, []).append(number)
    unreadable = tuple(
        (field_name(numbers[field].pop(0)) if numbers.get(field) else NOT_SENT, NO_REASON)
        for field, _ in event.tally.unreadable
    )
    tally = replace(event.tally, sample=name, unreadable=unreadable)
    verdict = replace(event.verdict, reasons=told(event.verdict.reasons))
    return to_text(replace(event, tally=tally, verdict=verdict, notes=told(event.notes)))


def event_called(text: str, name: str) -> str:
    """What was said at a sample's end, of a sample that has another name here; raises ValueError where it makes no sense."""
    event = from_text(SampleEvent, text, "the sample's end")
    if event.tally.sample == name:
        return text
    return to_text(replace(event, tally=replace(event.tally, sample=name)))


def run_without_names(part: Mapping[str, Any]) -> dict[str, object]:
    """A run, as messages hold it, without paths, slides' names and its settings' file; raises ValueError."""
    about = from_text(RunDescription, part["about"], "the run")
    kept = tuple((name, value) for name, value in about.settings if name in _SETTINGS)
    calibration = None if about.calibration is None else _calibration(about.calibration)
    bound_to = json.loads(part["binding"])
    binding = {name: value for name, value in bound_to.items() if not name.startswith("_")}
    told = to_text(replace(about, settings=kept, config="", calibration=calibration))
    return {**part, "about": told, "binding": to_text(binding)}


def _calibration(made: Calibration) -> Calibration:
    blanks = tuple(replace(one, name=f"blank {n}") for n, one in enumerate(made.blanks, 1))
    known = tuple(replace(one, name=f"slide {n}") for n, one in enumerate(made.known, 1))
    error = None if made.count_error is None else replace(made.count_error, source=NOT_SENT)
    return replace(made, blanks=blanks, known=known, known_origin=NOT_SENT, count_error=error, made={})


def _replaced(sentence: str, names: Sequence[tuple[str, str]]) -> str:
    for name, instead in names:
        if len(name) >= _SHORTEST and name in sentence:
            sentence = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead.replace("\\", r"\\"), sentence)
    return sentence
