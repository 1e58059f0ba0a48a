"""What there is to look at in a sample: its parts, and the first cells of each in the order to be looked at."""

from __future__ import annotations

from dataclasses import dataclass

from edge.book.book import Book
from edge.book.records import SampleRow
from edge.description import RunDescription
from edge.errors import BookError
from edge.review.parts import STRATA, CountedCells, DrawOrder, by_score, counted_cells
from edge.review.records import CellPlace, ReviewCell, ReviewPlan, Stratum, StratumPlan

PART_MOST = 500
"""Cells of one part in a plan, at most: more than anybody looks at."""

_BOX = (
    "SELECT name, x, y, w, h FROM field JOIN cell ON field_id = field.id WHERE sample_id = ? AND number = ? AND n = ?"
)


@dataclass(frozen=True, slots=True, eq=False)
class SampleCells:
    """What is read of a sample to review it: its row, its run, its cells, and their order."""

    row: SampleRow
    about: RunDescription
    cells: CountedCells
    order: DrawOrder

    @staticmethod
    def read(book: Book, row: SampleRow) -> SampleCells:
        """Of a sample in the book. Raises BookError."""
        about = book.about(row.run)
        cells = counted_cells(book, row.id, about.card)
        return SampleCells(row, about, cells, DrawOrder(cells))

    def stratum(self, place: CellPlace) -> Stratum | None:
        """The part a cell is in; None: it is not counted."""
        i = self.cells.find(place)
        return None if i is None else STRATA[int(self.cells.part[i])]


def plan_of(book: Book, row: SampleRow) -> ReviewPlan:
    """What there is to look at in a count of a sample. It depends on the book alone. Raises BookError."""
    return planned(book, SampleCells.read(book, row))


def planned(book: Book, known: SampleCells) -> ReviewPlan:
    """The same of cells that were read already."""
    row, model, card = known.row, known.about.model, known.about.card
    parts = []
    for stratum in STRATA:
        first = by_score(known.cells) if stratum is Stratum.TOP else known.order.whole(stratum)[:PART_MOST]
        chosen = tuple(_cell(book, known, i) for i in first.tolist())
        parts.append(StratumPlan(stratum, known.cells.size(stratum), chosen))
    return ReviewPlan(
        *(row.uuid, row.name, row.count, model.sha256, card.threshold, card.labels, card.positive, known.about.unit),
        *(len(known.cells), tuple(parts)),
    )


def _cell(book: Book, known: SampleCells, i: int) -> ReviewCell:
    cells = known.cells
    place = cells.place(i)
    found = book.store.row(_BOX, known.row.id, place.field, place.n)
    if found is None:
        raise BookError(f"{book.store.path}: cell {place} is gone while it was read: edge book check")
    box = (found["x"], found["y"], found["w"], found["h"])
    label = known.about.card.labels[int(cells.classes[i])]
    return ReviewCell(place, STRATA[int(cells.part[i])], box, label, float(cells.scores[i]), found["name"])
