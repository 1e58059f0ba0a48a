"""What a review hands to the statistics, and what they make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.types import Interval


@dataclass(frozen=True, slots=True)
class PartCounts:
    """One part of a sample's counted cells, as far as people have looked at it.

    Attributes:
        name: of the part (``edge.review.records.Stratum``).
        size: cells in it.
        positive, negative, no_cell: those that people agree on.
        unsure: nobody could tell, or readers disagree.
        ordered: those looked at were chosen by what they show (highest score first), so they say nothing of the others; else they
            are a simple random sample of the part.
        suspect: whether the machine counts the cells of this part as positive.
    """

    name: str
    size: int
    positive: int = 0
    negative: int = 0
    no_cell: int = 0
    unsure: int = 0
    ordered: bool = False
    suspect: bool = False

    @property
    def looked(self) -> int:
        """Cells that people have looked at."""
        return self.positive + self.negative + self.no_cell + self.unsure


Votes = tuple[tuple[str, bool], ...]
"""All answers about one cell that was read more than once: the reading's name (a reader's; a second reading by the same one stands
beside the first under the same name) and whether it says positive."""


@dataclass(frozen=True, slots=True)
class ReviewCounts:
    """A sample as reviewed so far.

    Attributes:
        parts: all counted cells, each in one of them.
        votes: of cells read more than once, for what readers themselves miss and imagine.
        added: positive cells that readers marked where the machine has none.
        enough_fields: at least half of the fields passed the gate.
        alike: the fields look like what the model and the calibration were made for.
    """

    parts: tuple[PartCounts, ...]
    votes: tuple[Votes, ...] = ()
    added: int = 0
    enough_fields: bool = True
    alike: bool = True

    @property
    def cells(self) -> int:
        """Counted by the machine."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, slots=True)
class ReaderRates:
    """How a reader reads: estimated from cells that were read more than once.

    Attributes:
        reader: name.
        cells: that this rests on.
        sensitivity, specificity: with 95 % intervals.
    """

    reader: str
    cells: int
    sensitivity: Interval
    specificity: Interval


@dataclass(frozen=True, slots=True)
class ReviewedVerdict:
    """The verdict after review; the machine's stands untouched beside it.

    Attributes:
        flag: as in ``edge.verdict.table``, or ``not reviewed`` where nobody has looked at anything.
        reasons: plain sentences, with numbers.
        confirmed: cells that people agree are positive; ``looked``: cells that people have looked at.
        share: of the cells that are positive, with its 95 % interval; the slide's, as the machine's verdict has it: even where
            all were looked at, it is as open as so many cells leave it.
        most: its one-sided 95 % upper bound, on which ``negative`` rests.
        target: share that a negative is below; None: none was given.
        rests_on: ``calibration`` (how many infected cells are found is known) or ``sample`` (cells drawn at random alone).
        next: how many more cells of each part to look at next, by the part's name, best first (Neyman allocation); empty: enough.
        short: cells still to be looked at until the flag is decided, if they go on as they did; None: decided, or no number does.
        readers: what is known of the readers; empty: no cell was read twice, and they are taken to err as readers do
            (``edge.verdict.readers``).
    """

    flag: str
    reasons: tuple[str, ...]
    confirmed: int
    looked: int
    share: Interval
    most: float
    target: float | None = None
    rests_on: str = "sample"
    next: Mapping[str, int] = field(default_factory=dict)
    short: int | None = None
    readers: tuple[ReaderRates, ...] = ()


NOT_REVIEWED = "not reviewed"
