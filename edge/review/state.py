"""How a review stands: what there is to look at, what was answered, and what follows from it, beside the machine's verdict."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from edge.book.book import Book
from edge.book.ending import event_of
from edge.book.records import SampleRow
from edge.description import RunDescription
from edge.review.consensus import readings_of, standing, standing_marks
from edge.review.counts import counts_of
from edge.review.plan import SampleCells, planned
from edge.review.records import CellReading, ReaderAddition, ReviewPlan
from edge.types import Verdict
from edge.verdict.assess import Assessor, enough_fields
from edge.verdict.flag import NO_EVIDENCE
from edge.verdict.review_records import ReviewCounts, ReviewedVerdict
from edge.verdict.reviewed import decide_reviewed
from edge.verdict.units import RBC_PER_UL, parse_share


@dataclass(frozen=True, slots=True)
class ReviewState:
    """A sample as reviewed so far.

    Attributes:
        plan: what there is to look at.
        readings: what stands, by cell.
        marks: of cells that the machine has not, those that stand.
        strays: answers about cells that are not counted (any more): they say nothing of the count.
        counts: what the statistics take.
        machine: the machine's verdict, which no answer touches.
        verdict: the reviewed one.
    """

    plan: ReviewPlan
    readings: tuple[CellReading, ...]
    marks: tuple[ReaderAddition, ...]
    strays: int
    counts: ReviewCounts
    machine: Verdict
    verdict: ReviewedVerdict

    @property
    def readers(self) -> tuple[str, ...]:
        """Who answered, in the order of names."""
        names = {one.reader for reading in self.readings for one in reading.decisions}
        return tuple(sorted(names | {one.reader for one in self.marks}))


def state_of(book: Book, row: SampleRow, *, advise: bool = True) -> ReviewState:
    """How the review of a sample stands.

    Args:
        book: that it is in.
        row: the sample.
        advise: work out what to look at next, which takes longer than all the rest.

    Raises:
        BookError: the book is damaged.
    """
    known = SampleCells.read(book, row)
    return state_of_cells(book, known, planned(book, known), advise=advise)


def state_of_cells(book: Book, known: SampleCells, plan: ReviewPlan, *, advise: bool = True) -> ReviewState:
    """The same of cells and a plan that were read already."""
    row, about = known.row, known.about
    event = event_of(book, row)
    decisions, marks = book.decisions(row.id), book.additions(row.id)
    readings = readings_of(decisions, known.stratum, plan.positive)
    strays = len(standing(decisions)) - len(readings)
    machine = event.verdict
    counts = counts_of(
        known,
        readings,
        marks,
        enough_fields=enough_fields(event.tally),
        alike=NO_EVIDENCE not in machine.reasons,
    )
    target = machine.target if machine.target is not None else _target(about)
    assessor = None if about.calibration is None else Assessor(about.calibration, target)
    verdict = decide_reviewed(counts, machine, assessor, target=target, advise=advise)
    return ReviewState(plan, readings, standing_marks(marks), strays, counts, machine, verdict)


def _target(about: RunDescription) -> float | None:
    """The target that the run was given, where its verdict does not say it."""
    rbc = RBC_PER_UL if about.calibration is None else about.calibration.rbc_per_ul
    for name, text in about.settings:
        if name == "target":
            with suppress(ValueError):
                return parse_share(text, rbc)
    return None if about.calibration is None else about.calibration.target
