"""What a collector keeps of each microscope, and what it needs of the book that it collects into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from edge.network.records import CollectedScope, JournalMessage, Taken

PATIENCE_S: Final = 2.0
"""Seconds without progress after which missing entries are asked for, and asked for again."""

LONGEST_PATIENCE_S: Final = 60.0
"""Seconds that this grows to, doubling, where asking brings nothing."""

PRESENCE_S: Final = 150.0
"""Seconds after which a microscope that a connected broker says nothing of is silent: it tries to come back once a minute."""


class CollectedBook(Protocol):
    """What the collector needs of a book (``edge.book.inbox.Inbox``)."""

    def take_all(self, messages: Sequence[JournalMessage]) -> tuple[Taken | ValueError, ...]:
        """Take several entries in one transaction; of each what became of it."""
        ...

    def next(self, origin: str) -> int:
        """Number of the entry of this origin that comes next."""
        ...

    def scopes(self) -> tuple[CollectedScope, ...]:
        """The microscopes in the book."""
        ...

    def heard(self, name: str, origin: str, *, online: bool, newest: int | None = None, at: str | None = None) -> None:
        """Note what a microscope said of itself; ``at``: UTC, ISO 8601."""
        ...


@dataclass(slots=True)
class ScopeStanding:
    """What is known of one microscope.

    ``heard`` is for people; all other times are by the clock of the caller. ``next`` and ``newest`` are numbers of entries.
    ``states`` remembers the samples that are being counted.
    """

    name: str
    origin: str
    heard: str
    next: int = 1
    newest: int = 0
    online: bool | None = None
    said: bool | None = None  # ``online`` as a person was told it last
    patience: float = PATIENCE_S
    since: float = 0.0  # when it last came forward, was asked, or fell behind
    asked_at: float = 0.0  # when it was asked last, or fell behind
    asked_for: int = 0
    heard_at: float = float("-inf")
    noted: float = float("-inf")
    refused: str = ""
    states: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Entries that it has, as far as is known, and the book has not."""
        return max(self.newest - self.next + 1, 0)

    @property
    def silence(self) -> str:
        """A line for a person: that it is silent, and since when."""
        when = f"heard last at {self.heard[:16].replace('T', ' ')} UTC" if self.heard else "never heard"
        behind = f"; {self.missing:,} of its entries are missing here" if self.missing else ""
        return f"{self.name} is silent ({when}){behind}"

    def is_quiet(self, now: float) -> bool:
        """Whether what is missing of it should be asked for: nothing came for a while, or nothing that was missing."""
        return now - self.since >= self.patience or now - self.asked_at >= LONGEST_PATIENCE_S

    def is_asked(self, now: float) -> None:
        """It is asked for the entry that comes next; each time in vain the patience doubles."""
        if self.asked_for == self.next:
            self.patience = min(2 * self.patience, LONGEST_PATIENCE_S)
        self.asked_for, self.asked_at, self.since = self.next, now, now
