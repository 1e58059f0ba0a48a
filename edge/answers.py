"""What a reader says of a cell, as a record: the place of a cell, an answer, a mark where the machine has nothing.

The book keeps them; ``edge.review`` makes something of them, and gives them out under its own name as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

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
