"""What the book hands out and what it is given beside events: small frozen records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edge.events import FieldEvent
from edge.types import FieldIdentity

COUNTING, COMPLETE, INTERRUPTED = "counting", "complete", "interrupted"
"""States of a sample: a run is at it; it ended by itself, its budget or a decision; it may be gone on with."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One count of one sample, as far as it came.

    Attributes:
        id: in this book; order by it, not by time: clocks jump.
        uuid: in all books.
        run: id of the run that began it.
        name: the sample's; ``count`` is 1, or more where a sample of this name was there already.
        state: ``counting``, ``complete`` or ``interrupted``.
        began, touched: UTC, ISO 8601, by this machine's clock, for people: first and latest field.
        seconds: run time by the monotonic clock; what lay between two runs is no part of it.
        fields: inputs in the book: ``kept``, ``rejected`` and ``unreadable`` ones.
        cells: counted; ``counts``: per class, in the model's order.
        flag: the verdict's; None: the sample has not ended.
        model: the classifier's name; ``scope``: the microscope's, empty where it was not named; ``unit``: ``cell`` or ``tile``.
        lost: fields that damage to the book took; 0 in all likelihood.
    """

    id: int
    uuid: str
    run: int
    name: str
    count: int
    state: str
    began: str
    touched: str
    seconds: float
    fields: int
    kept: int
    rejected: int
    unreadable: int
    cells: int
    counts: Mapping[str, int]
    flag: str | None
    model: str
    scope: str
    unit: str
    lost: int = 0


@dataclass(frozen=True, slots=True)
class KnownField:
    """A file that is in the book: the field's place in the run and its name; ``reason``: why it does not count, None: it does."""

    index: int
    name: str
    identity: FieldIdentity
    reason: str | None


@dataclass(frozen=True, slots=True)
class BookNote:
    """Something that happened to a sample or a run; ``at``: UTC, ISO 8601, for people; ``kind``: one word."""

    at: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldPicture:
    """A whole field, scaled down, boxes drawn: a JPEG of so many pixels."""

    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A field's picture that was kept as a file in the folder beside the book.

    Attributes:
        sample: the sample's id; ``field``: the field's place in the run.
        file: name within the folder; ``size`` in bytes.
        suspicious: it holds cells that may matter: it leaves last when room is short.
    """

    sample: int
    field: int
    file: str
    size: int
    suspicious: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a keeper wants kept of a field, and what it no longer wants of earlier ones of the sample.

    Attributes:
        crops: JPEGs of cells of this field, by the cell's place in it.
        view: the whole field, or None.
        picture: ``(file, size in bytes, suspicious)``, already written and synced, or None.
        dropped: ``(field's place in the run, cell's place in the field)`` of crops that are no longer wanted.
        dropped_views: fields' places in the run.
    """

    crops: Mapping[int, bytes] = field(default_factory=dict)
    view: FieldPicture | None = None
    picture: tuple[str, int, bool] | None = None
    dropped: Sequence[tuple[int, int]] = ()
    dropped_views: Sequence[int] = ()


class CropKeeper(Protocol):
    """Chooses the pictures that stay. Called for every field in field order, those replayed from the book included."""

    def field(self, event: FieldEvent) -> Kept:
        """What to keep of this field; of a replayed one the answer is not used: the book has it already."""
        ...
