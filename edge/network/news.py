"""What a collector has to say to a person or a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from edge.events import SampleEvent
from edge.network.records import CollectedScope
from edge.record_json import from_text
from edge.verdict.units import plural

STRANGERS_S: Final = 3600.0
"""Seconds from one line about payloads that cannot be read to the next."""


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


class StrangerCount:
    """Counts payloads that cannot be read, so that a flood of them is one line an hour.

    Attributes:
        count: so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._new = 0
        self._told = float("-inf")

    def add(self, words: str, now: float) -> News | None:
        """Count one more; ``words``: what is wrong with it. Gives the line, where one is due."""
        self.count += 1
        self._new += 1
        return self._line(f" (the last: {words})", now) if now - self._told >= STRANGERS_S else None

    def due(self, now: float) -> News | None:
        """The line about those that came since the last one, where it is due."""
        return self._line("", now) if self._new and now - self._told >= STRANGERS_S else None

    def _line(self, last: str, now: float) -> News:
        what = "1 message on our topics" if self._new == 1 else f"{self._new:,} messages on our topics"
        were = "was left out" if self._new == 1 else "were left out"
        self._told, self._new = now, 0
        return News(NewsKind.STRANGER, f"{what} cannot be read and {were}{last}")


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
