"""Which cell a reader is shown next. It follows from plan and answers alone, so a page that is loaded again goes on where it was.

The suspects of highest score come first. The others are mixed in the proportions that the statistics advise, each part in its random
order; with ``blind`` all parts are mixed, so that the order tells nothing. A second reader gets the cells that were read already
before new ones: what two people said of one cell tells how they read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.review.order import draw_key
from edge.review.records import (
    CellPlace,
    CellReading,
    ReaderAnswer,
    ReaderDecision,
    ReviewCell,
    ReviewPlan,
    Stratum,
)

FIRST: Mapping[str, int] = {Stratum.SUSPECTS: 20, Stratum.NEAR: 10, Stratum.REST: 20}
"""Cells of each part that are shown where the statistics advise nothing yet, and how many more of each a person may ask for."""

REPEAT_EACH = 8
"""Answers for each cell that a reader is shown once more, without being told: what a reader says twice tells how sure it is."""

MOST_REPEATS = 12
"""Cells of a sample that one reader is shown again."""

_APART = 15  # answers between the first and the second look at a cell, so that it is forgotten
_BETWEEN = 5  # new cells before a repeated one
_LONGEST = 200  # cells of one answer to the page


@dataclass(frozen=True, slots=True)
class QueuedCell:
    """A cell to show; ``reading``: 0, or 1 where the reader has answered it already and is not told."""

    cell: ReviewCell
    reading: int = 0


@dataclass(frozen=True, slots=True)
class ReaderQueue:
    """What is left to one reader.

    Attributes:
        cells: the next ones, at most 200.
        left: how many there are, repeated ones included.
        answered: cells that this reader has answered; ``suspects``: of these, the ones in the part ``TOP``.
        mine: this reader's standing answers to first looks, oldest first.
    """

    cells: tuple[QueuedCell, ...]
    left: int
    answered: int
    suspects: int
    mine: tuple[ReaderDecision, ...]


def queue_of(
    plan: ReviewPlan,
    readings: Sequence[CellReading],
    reader: str,
    advised: Mapping[str, int] | None,
    *,
    blind: bool = False,
    more: int = 0,
) -> ReaderQueue:
    """What a reader is shown next.

    Args:
        plan: what there is to look at.
        readings: what all readers have answered.
        reader: whose turn it is.
        advised: how many more cells of each part to look at, by the part's name; None: nothing is advised yet.
        blind: mix all parts.
        more: how many times this person asked for more than is advised.
    """
    standing = standing_of(readings)
    first = {one.cell: one for one in standing if one.reader == reader and one.reading == 0}
    looked = {one.cell for one in standing}
    parts = [
        [cell for cell in _wanted(part.cells, part.stratum, looked, advised, more) if cell.cell not in first]
        for part in plan.parts
    ]
    top = next((part.stratum is Stratum.TOP for part in plan.parts[:1]), False)
    new = _mixed(parts) if blind or not top else [*parts[0], *_mixed(parts[1:])]
    mine = tuple(sorted(first.values(), key=lambda one: one.number))
    again = _repeats(plan, mine, [one for one in standing if one.reader == reader and one.reading > 0])
    cells = _with_repeats(new, again)
    in_top = {cell.cell for part in plan.parts if part.stratum is Stratum.TOP for cell in part.cells}
    return ReaderQueue(tuple(cells[:_LONGEST]), len(cells), len(first), len(in_top & first.keys()), mine)


def standing_of(readings: Sequence[CellReading]) -> list[ReaderDecision]:
    """All answers that stand."""
    return [one for reading in readings for one in reading.decisions if one.answer is not ReaderAnswer.WITHDRAWN]


def _wanted(
    cells: Sequence[ReviewCell],
    part: Stratum,
    looked: set[CellPlace],
    advised: Mapping[str, int] | None,
    more: int,
) -> Sequence[ReviewCell]:
    """The first cells of a part: those that somebody has read, and after them as many as are advised."""
    if part is Stratum.TOP:
        return cells
    reached = max((i + 1 for i, cell in enumerate(cells) if cell.cell in looked), default=0)
    there = sum(cell.cell in looked for cell in cells)
    fresh = max(0, FIRST[part] - there) if advised is None else advised.get(part, 0)
    return cells[: max(reached, there + fresh) + more * FIRST[part]]


def _mixed(parts: Sequence[Sequence[ReviewCell]]) -> list[ReviewCell]:
    """Parts spread evenly over each other, each in its own order."""
    places = [((i + draw_key(cell.cell)) / len(part), cell) for part in parts for i, cell in enumerate(part)]
    return [cell for _, cell in sorted(places, key=lambda one: one[0])]


def _repeats(plan: ReviewPlan, mine: Sequence[ReaderDecision], repeated: Sequence[ReaderDecision]) -> list[ReviewCell]:
    """Cells that the reader is due to see again, positive and other ones in turns: both kinds of error are to be known."""
    due = min(MOST_REPEATS, len(mine) // REPEAT_EACH) - len(repeated)
    cells = {cell.cell: cell for part in plan.parts for cell in part.cells}
    seen = {one.cell for one in repeated}
    old = [one for one in mine[: max(0, len(mine) - _APART)] if one.cell in cells and one.cell not in seen]
    old.sort(key=lambda one: draw_key(one.cell))
    kinds = ([one for one in old if one.label in plan.positive], [one for one in old if one.label not in plan.positive])
    chosen: list[ReaderDecision] = []
    turn = len(repeated)
    while len(chosen) < due and any(kinds):
        kind = kinds[turn % 2] or kinds[1 - turn % 2]
        chosen.append(kind.pop(0))
        turn += 1
    return [cells[one.cell] for one in chosen]


def _with_repeats(new: Sequence[ReviewCell], again: Sequence[ReviewCell]) -> list[QueuedCell]:
    made, left = list[QueuedCell](), list(again)
    for i, cell in enumerate(new):
        if left and i and i % _BETWEEN == 0:
            made.append(QueuedCell(left.pop(0), 1))
        made.append(QueuedCell(cell))
    return [*made, *(QueuedCell(cell, 1) for cell in left)]
