"""The records of a review: places of cells, answers, what there is to look at. Frozen, and free of any one organism or class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

_PLACE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})", re.ASCII)

Box = tuple[int, int, int, int]
"""x, y, w, h in field pixels."""


@dataclass(frozen=True, slots=True, order=True)
class CellPlace:
    """A cell of a sample: the field's place in the run, and the cell's in the field. Written ``FIELD-N``, as in every output."""

    field: int
    n: int

    def __str__(self) -> str:
        return f"{self.field}-{self.n}"

    @staticmethod
    def parse(text: str) -> CellPlace:
        """From ``FIELD-N``. Raises ValueError."""
        found = _PLACE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is no cell: FIELD-N, as 12-7")
        return CellPlace(int(found[1]), int(found[2]))


class ReaderAnswer(StrEnum):
    """What a reader says of a cell."""

    CLASS = "class"
    """It is a cell of the class that ``ReaderDecision.label`` names."""
    NO_CELL = "no cell"
    """It is nothing that should have been counted: dirt, a platelet, a fold, half a cell."""
    UNSURE = "unsure"
    """It cannot be told from this picture."""
    WITHDRAWN = "withdrawn"
    """The reader's answer before this one is taken back, and none stands."""


class Stratum(StrEnum):
    """Which part of a sample's cells a cell belongs to: they are looked at, and estimated, part by part."""

    TOP = "top"
    """The suspects (counted as a positive class) with the highest scores. They are looked at one after the other, highest first, so
    those that were looked at say nothing of those that were not."""
    SUSPECTS = "suspects"
    """All other suspects, in random order."""
    NEAR = "near"
    """Near misses (``edge.near``), in random order."""
    REST = "rest"
    """All other counted cells, in random order."""


@dataclass(frozen=True, slots=True)
class ReaderDecision:
    """One answer of one reader about one cell.

    Attributes:
        uuid: of this answer in all books: the same answer given twice is one.
        cell: it is about.
        reader: a name; never empty.
        at: UTC, ISO 8601, by the clock of the machine that took it, for people; ``number`` is what orders.
        model: SHA-256 of the classifier that counted the sample, whose verdict stands beside the answer.
        answer: ``label`` is the class that ``CLASS`` means, as the reader named it; ``stage`` says more of it, or is empty.
        reading: 0, and 1 on where the same reader is shown the same cell again without knowing.
        stratum: which part the cell was in when it was shown.
        blind: whether score and the machine's class were hidden.
        seconds: from showing to answering; None: not known.
        source: ``page``, or the kind of the file that it came by.
        number: the row's in this book, rising; 0: it is not in a book yet.
    """

    uuid: str
    cell: CellPlace
    reader: str
    at: str
    model: str
    answer: ReaderAnswer
    label: str = ""
    stage: str = ""
    reading: int = 0
    stratum: Stratum = Stratum.REST
    blind: bool = False
    seconds: float | None = None
    source: str = "page"
    number: int = 0


@dataclass(frozen=True, slots=True)
class ReaderAddition:
    """A cell that a reader marked where the machine has none.

    Attributes:
        uuid: of this mark in all books.
        field: the field's place in the run; ``box`` in its pixels.
        reader, at, model, label, stage, source, number: as in ``ReaderDecision``.
        withdrawn: the reader's mark at this very box no longer stands.
    """

    uuid: str
    field: int
    box: Box
    reader: str
    at: str
    model: str
    label: str
    stage: str = ""
    source: str = "page"
    withdrawn: bool = False
    number: int = 0


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
