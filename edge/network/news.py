"""What a collector has to say to a person or a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge.events import SampleEvent
from edge.network.records import CollectedScope
from edge.record_json import from_text
from edge.verdict.units import plural


class NewsKind(StrEnum):
    """What happened."""

    BROKER = "broker"
    """The broker is away, is back, or refuses."""
    MICROSCOPE = "microscope"
    """A microscope is new, or has another name."""
    SILENT = "silent"
    BACK = "back"
    BEGAN = "began"
    """A sample is being counted."""
    ENDED = "ended"
    """A sample is complete, or was interrupted."""
    NAMESAKE = "namesake"
    """Two microscopes have one name."""
    REFUSED = "refused"
    """What a microscope sent cannot be taken."""
    STRANGER = "stranger"
    """Payloads on our topics that cannot be read."""
    END = "end"
    """All that was to be collected is here."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened.

    Attributes:
        kind: of it.
        words: a line for a person.
        scope: the microscope's name; ``origin`` of its book; empty: it is about none.
        sample: of which, as the message had it; empty: of none.
    """

    kind: NewsKind
    words: str
    scope: str = ""
    origin: str = ""
    sample: Mapping[str, object] = field(default_factory=dict)


def many_strangers(count: int, last: str) -> str:
    """``3 messages on our topics cannot be read and were left out (the last: ...)``."""
    what = "1 message on our topics" if count == 1 else f"{count:,} messages on our topics"
    were = "cannot be read and was left out" if count == 1 else "cannot be read and were left out"
    return f"{what} {were}{f' (the last: {last})' if last else ''}"


def end_words(sample: Mapping[str, object]) -> str:
    """``5,012 cells, flag suspicious``: how a sample of a message ended; of one that was cut off, its state."""
    state, event, flag = str(sample.get("state", "")), sample.get("event"), sample.get("flag")
    try:
        end = from_text(SampleEvent, event, "the sample") if isinstance(event, str) else None
    except ValueError:
        end = None
    if end is None:
        return f"flag {flag}" if flag else state
    words = f"{plural(end.tally.cells, end.verdict.unit)}, flag {end.verdict.flag}"
    return words if state == "complete" else f"{words} ({state})"


def standing_words(scope: CollectedScope) -> str:
    """``connected, heard last at 2026-11-29 09:30 UTC; 2 of its entries are not here``: how it stands with a microscope."""
    missing = max(scope.newest - scope.next + 1, 0)
    behind = f"; {missing:,} of its entries {'is' if missing == 1 else 'are'} not here" if missing else ""
    if not scope.heard:
        return f"never heard: its samples came with another book{behind}"
    state = "connected" if scope.online else "silent"
    return f"{state}, heard last at {scope.heard[:16].replace('T', ' ')} UTC{behind}"
