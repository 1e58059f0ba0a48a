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

    ``next`` and ``newest`` are numbers of entries; times are by the clock of the caller. ``states`` remembers the samples that are
    being counted.
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
    noted: float = float("-inf")
    refused: str = ""
    states: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Entries that it has, as far as is known, and the book has not."""
        return max(self.newest - self.next + 1, 0)
