"""Fields, samples and reports for the tests of the page, with names of any kind."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

import numpy as np

from edge.description import ModelLine, RunDescription
from edge.events import FieldEvent, SampleEvent
from edge.modelfile import Card
from edge.report.data import SCHEMA_FILE
from edge.report.gather import SampleCollector
from edge.report.page import page
from edge.report.records import Report, SampleParts
from edge.sample import Sample
from edge.types import Cells, FieldResult, Quality, Timings
from edge.verdict.assess import Assessor
from edge.verdict.calibration import Bound
from edge.verdict.flag import decide
from tests.fakes import CARD, KINDS

BOUND = Bound(CARD.name, "ab" * 32, "fake-finder", "1f", "c0", "scope-3")
ABOUT = RunDescription(ModelLine("fake", "ab" * 32, "fake-finder"), CARD, BOUND)
THREE = Card("three", "classify", ("red", "toxoplasma", "trichomonad"), ("toxoplasma", "trichomonad"))
WHEN = "2026-11-21T10:00:00Z"


def check(facts: dict[str, Any]) -> None:
    """Hold a page's facts against the schema, where the checker is installed (it is not in the emulated ARM roots)."""
    if importlib.util.find_spec("fastjsonschema") is not None:
        import fastjsonschema

        fastjsonschema.validate(json.loads(SCHEMA_FILE.read_text()), facts)


def field(
    scores: list[list[float]], index: int = 0, reason: str | None = None, name: str = "f.png", sample: str = "s"
) -> FieldEvent:
    """A field with a cell per row of scores, classed by the highest; cells lie side by side and are as red as they are late."""
    n = len(scores)
    boxes = np.array([[10 + 30 * i, 12, 20, 20] for i in range(n)], np.int32).reshape(-1, 4)
    width = max(64, 40 + 30 * n)
    rgb = np.full((48, width, 3), 200, np.uint8)
    for i, (x, y, w, h) in enumerate(boxes.tolist()):
        rgb[y : y + h, x : x + w] = (40 + 10 * (i % 20), 0, 0)
    table = np.array(scores, np.float32).reshape(n, -1) if n else np.zeros((0, 2), np.float32)
    classes = table.argmax(axis=1).astype(np.int32) if n else np.zeros(0, np.int32)
    cells = Cells(boxes, np.ones(n, np.float32), np.zeros(n, np.int32), KINDS)
    quality = Quality(0.5 + 0.001 * index, 150.0, 0.0, 0.0, 0.5, b"")
    result = FieldResult(
        index, sample, name, (48, width), cells, table, classes, quality, Timings(4.0, 0.5, 1.0, 2.0, 1.0)
    )
    tally = Sample(sample, CARD.labels).tally()
    return FieldEvent(index, sample, name, result, rgb, reason, tally)


def unreadable(index: int, name: str = "x.png") -> FieldEvent:
    tally = Sample("s", CARD.labels).tally()
    return FieldEvent(index, "s", name, None, None, f"unreadable: {name}: no image", tally)


def gathered(events: list[FieldEvent], card: Card = CARD) -> SampleParts:
    gathering = SampleCollector(card)
    for event in events:
        gathering.field(event)
    return gathering.done()


def ended(
    events: list[FieldEvent], card: Card = CARD, name: str = "s", assessor: Assessor | None = None, unit: str = "cell"
) -> SampleEvent:
    """The sample that these fields make."""
    sample = Sample(name, card.labels)
    for event in events:
        if event.result is None:
            sample.add_unreadable(event.name, (event.reject_reason or "").removeprefix("unreadable: "))
        else:
            sample.add(event.result, event.reject_reason)
    tally = sample.tally()
    return SampleEvent(tally, decide(tally, card, assessor, unit), 2.5)


def report(
    events: list[FieldEvent],
    card: Card = CARD,
    name: str = "s",
    assessor: Assessor | None = None,
    about: RunDescription = ABOUT,
) -> Report:
    calibration = None if assessor is None else assessor.calibration
    about = replace(about, card=card, calibration=calibration)
    return Report(about, ended(events, card, name, assessor, about.unit), gathered(events, card), WHEN)


@dataclass
class Seen:
    """What a browser would make of a page: elements with their attributes, the text, and what is inside script and style."""

    elements: list[tuple[str, dict[str, str]]]
    text: str
    scripts: list[tuple[dict[str, str], str]]
    style: str

    @property
    def facts(self) -> dict[str, Any]:
        ((_, text),) = self.scripts
        facts: dict[str, Any] = json.loads(text)
        return facts

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen([], "", [], "")
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.seen.elements.append((tag, attributes))
        if tag == "script":
            self.seen.scripts.append((attributes, ""))
        if tag not in ("meta", "img"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag, f"{tag} closes what it did not open"

    def handle_data(self, data: str) -> None:
        where = self.inside[-1] if self.inside else ""
        if where == "script":
            attributes, text = self.seen.scripts[-1]
            self.seen.scripts[-1] = (attributes, text + data)
        elif where == "style":
            self.seen.style += data
        else:
            self.seen.text += data + "\n"


def read(text: str) -> Seen:
    """Parse a page; fails where elements are not closed in order."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.inside == []
    return reader.seen


def seen(of: Report) -> Seen:
    return read("".join(page(of)))
