"""The journal of a book, as others see it: the records that book, publisher and collector share.

A book numbers what others are to learn of it: each field, and each beginning, end or going on of a sample, gets the next number, in
the transaction that writes it. The numbers have no gaps and never change, so whoever collects knows what is missing, and asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry of a book's journal.

    Attributes:
        number: from 1, without gaps.
        sample: uuid of the sample.
        field: place of the field in the run; None: the sample began, ended, or was gone on with.
    """

    number: int
    sample: str
    field: int | None


@dataclass(frozen=True, slots=True)
class JournalMessage:
    """An entry with what it stands for, as it goes over the wire (``edge.network.messages`` makes JSON of it and back).

    Attributes:
        origin: of the book: 32 hexadecimal digits; ``scope``: name of the microscope.
        number: of the entry in that book's journal.
        sample: the sample: uuid, name, state, times, the run it was counted by (``edge.book.messages``).
        field: the field with its cells, or None: this entry is about the sample alone.
    """

    origin: str
    scope: str
    number: int
    sample: Mapping[str, object]
    field: Mapping[str, object] | None = None


class Taken(StrEnum):
    """What became of a message."""

    NEW = "new"
    KNOWN = "known"  # its number is below the next one: it came twice
    AHEAD = "ahead"  # entries before it are missing: they are asked for, and it comes once more


@dataclass(frozen=True, slots=True)
class CollectedScope:
    """A microscope in a collected book.

    Attributes:
        name, origin: whose.
        next: number of the entry that comes next.
        heard: when anything was heard of it last, UTC, ISO 8601; empty: never, its samples came by ``edge book merge``.
        online: what it said last of itself.
        newest: number of the newest entry that it said it has; what lies between this and ``next`` is missing here.
    """

    name: str
    origin: str
    next: int
    heard: str
    online: bool
    newest: int = 0
