"""The records of a review: places of cells, answers, what there is to look at. Frozen, and free of any one organism or class."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.answers import Box, CellPlace, ReaderAddition, ReaderAnswer, ReaderDecision, Stratum

__all__ = [
    "Box",
    "CellPlace",
    "CellReading",
    "Consensus",
    "ReaderAddition",
    "ReaderAnswer",
    "ReaderDecision",
    "ReviewCell",
    "ReviewDesk",
    "ReviewPicture",
    "ReviewPlan",
    "Stratum",
    "StratumPlan",
]


@dataclass(frozen=True, slots=True)
class ReviewCell:
    """A cell to look at.

    Attributes:
        cell: its place.
        stratum: the part it is in; cells of a part come in the order in which they are to be looked at.
        box: in field pixels.
        label: the class it counts as.
        score: the positive classes' scores added up, 0 to 1, which the threshold is held against.
        name: the field's.
    """

    cell: CellPlace
    stratum: Stratum
    box: Box
    label: str
    score: float
    name: str


@dataclass(frozen=True, slots=True)
class StratumPlan:
    """One part of a sample.

    Attributes:
        stratum: which.
        size: cells in it, whether or not they can be shown.
        cells: the first of them, in the order to be looked at: by score in ``TOP``, else by ``edge.review.order``.
    """

    stratum: Stratum
    size: int
    cells: tuple[ReviewCell, ...]


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """What there is to look at in one count of a sample. It depends on the fields in the book alone: two readers get the same.

    Attributes:
        sample: the sample's uuid; ``name`` and ``count`` for people.
        model: the classifier's SHA-256; ``threshold`` it was used with.
        labels: the model's classes, in its order; ``positive``: those that make a cell a suspect.
        unit: ``cell`` or ``tile``.
        cells: counted, all parts together.
        parts: in the order of ``Stratum``; empty parts too.
    """

    sample: str
    name: str
    count: int
    model: str
    threshold: float
    labels: tuple[str, ...]
    positive: tuple[str, ...]
    unit: str
    cells: int
    parts: tuple[StratumPlan, ...]


class Consensus(StrEnum):
    """What all readers together say of a cell."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NO_CELL = "no cell"
    UNSURE = "unsure"
    """Somebody could not tell, and nobody said."""
    DISPUTED = "disputed"
    """Readers say different things, and no majority of them agrees."""


@dataclass(frozen=True, slots=True)
class CellReading:
    """What stands about one cell: every reader's newest answer of each reading, oldest first, and what they come to together."""

    cell: CellPlace
    stratum: Stratum
    decisions: tuple[ReaderDecision, ...]
    consensus: Consensus


@dataclass(frozen=True, slots=True)
class ReviewPicture:
    """A JPEG of ``width`` by ``height`` pixels; ``box``: where the cell is in it, in its pixels; None: it shows no one cell."""

    width: int
    height: int
    jpeg: bytes
    box: tuple[float, float, float, float] | None = None


class ReviewDesk(Protocol):
    """Everything the page, the bundle and the command line need of a book to let people review. Any thread may call it.

    Every method that reads raises BookError; ``decide`` and ``add`` raise OutputError where the book cannot be written, and
    ReviewError for an answer that cannot be (no such cell, another model, an empty reader, a label too long).
    """

    def plan(self, sample_id: int) -> ReviewPlan:
        """What there is to look at."""
        ...

    def readings(self, sample_id: int) -> tuple[CellReading, ...]:
        """What was answered so far, by cell."""
        ...

    def decide(self, sample_id: int, decisions: tuple[ReaderDecision, ...]) -> tuple[ReaderDecision, ...]:
        """Put answers into the book, all or none, on the medium when this returns. Those that are in it already change nothing."""
        ...

    def add(self, sample_id: int, additions: tuple[ReaderAddition, ...]) -> tuple[ReaderAddition, ...]:
        """Put marks of cells that the machine has not into the book, likewise."""
        ...

    def cell_picture(self, sample_id: int, cell: CellPlace, side: int, around: float) -> ReviewPicture | None:
        """A cell in its surroundings: ``side`` pixels square, ``around`` times the box's longer side wide.

        From the field's pixels where they are still there, else what the book keeps (which may be narrower). None: there is none.
        """
        ...

    def field_picture(self, sample_id: int, field: int, longest: int) -> ReviewPicture | None:
        """A whole field without boxes, at most ``longest`` pixels; None: its pixels are gone."""
        ...
