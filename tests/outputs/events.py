"""Events for the outputs' tests: one kept field, one rejected, one unreadable, and their sample."""

from __future__ import annotations

from dataclasses import replace

from edge.description import ModelLine
from edge.events import FieldEvent, SampleEvent
from edge.sample import Sample
from edge.types import FieldResult, Overlap, UInt8Array
from edge.verdict.flag import decide
from tests.fakes import CARD, LABELS, picture, result

MODEL = ModelLine("fake", "ab" * 32, "fake-finder")


def field(
    res: FieldResult | None, reason: str | None = None, *, index: int = 0, name: str = "field-0.png"
) -> FieldEvent:
    sample = Sample("s", LABELS)
    rgb: UInt8Array | None = None
    if res is not None:
        sample.add(res, reason)
        rgb = picture(3)
    return FieldEvent(index, "s", name, res, rgb, reason, sample.tally())


def kept() -> FieldEvent:
    return field(result([0, 1, -1, -1], kind=[0, 0, 1, 2]))


def overlapping() -> FieldEvent:
    return replace(kept(), overlaps=(Overlap(12, 71, (-16, 3)), Overlap(11, 1, (400, 0))))


def rejected() -> FieldEvent:
    return field(result([0, 0], index=1, name="field-1.png"), "out of focus", index=1, name="field-1.png")


def unreadable() -> FieldEvent:
    return field(None, "unreadable: field-2.png: not an image", index=2, name="field-2.png")


def sample(healthy: int = 1986, infected: int = 27, name: str = "s") -> SampleEvent:
    adding = Sample(name, LABELS)
    adding.add(result([0] * healthy + [1] * infected + [-1, -1]), None)
    adding.add(result([0]), "out of focus")
    adding.add_unreadable("notes.jpg", "notes.jpg: not an image")
    tally = adding.tally()
    return SampleEvent(tally, decide(tally, CARD), 7.31)
