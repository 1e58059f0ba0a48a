"""From what readers say of cells to counts by part, as the statistics take them.

**What was drawn and what was chosen.** The statistics take the cells of a part that were looked at for a random sample of it. They
are one only as far as people went in the order in which cells are drawn. Whoever looks at a cell because of where it is, what it
shows, or because it is in a file of corrections, has chosen it. So a part is split: the cells up to where people came in the drawn
order, nearly without a gap, are the sample; all others that were looked at are each known by itself: they make a part of their own,
all of it looked at, and say nothing of the rest.

**Gaps** in the sample are cells that somebody passed over. Those are hardly the easy ones: they count as cells that could not be
told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from edge.boxes import MATCHED, iou
from edge.review.consensus import standing_marks, votes_of
from edge.review.parts import STRATA
from edge.review.plan import SampleCells
from edge.review.records import CellReading, Consensus, ReaderAddition, Stratum
from edge.verdict.review_records import PartCounts, ReviewCounts

CHOSEN = "chosen"
"""What the name of a part's cells that were chosen ends with: ``near, chosen``."""

_GAPS = 0.1  # share of the sample that may have been passed over; one cell always may
_SUSPECTS = (Stratum.TOP, Stratum.SUSPECTS)


def counts_of(
    known: SampleCells,
    readings: Iterable[CellReading],
    marks: Iterable[ReaderAddition] = (),
    *,
    enough_fields: bool = True,
    alike: bool = True,
) -> ReviewCounts:
    """A sample as reviewed so far.

    Args:
        known: its cells.
        readings: what stands about them.
        marks: all of cells that the machine has not, in the order they came.
        enough_fields: see ``ReviewCounts``.
        alike: likewise.
    """
    positive = known.about.card.positive
    by_part: dict[Stratum, dict[int, Consensus]] = {stratum: {} for stratum in STRATA}
    votes = []
    for one in readings:
        i = known.cells.find(one.cell)
        if i is None:
            continue
        by_part[one.stratum][i] = one.consensus
        if len(said := votes_of(one.decisions, positive)) > 1:
            votes.append(said)
    parts: list[PartCounts] = []
    for stratum, said_of in by_part.items():
        parts += _parts(known, stratum, said_of)
    return ReviewCounts(tuple(parts), tuple(votes), added(marks, positive), enough_fields, alike)


def added(marks: Iterable[ReaderAddition], positive: Collection[str]) -> int:
    """Positive cells that readers marked where the machine has none; what several marked is one."""
    boxes: dict[int, list[tuple[int, int, int, int]]] = {}
    for mark in standing_marks(marks):
        there = boxes.setdefault(mark.field, [])
        if mark.label in positive and not (there and _over(mark.box, there) >= MATCHED):
            there.append(mark.box)
    return sum(map(len, boxes.values()))


def _over(box: tuple[int, int, int, int], others: Sequence[tuple[int, int, int, int]]) -> float:
    return float(iou(np.array([box], np.float32), np.array(others, np.float32)).max())


def _parts(known: SampleCells, stratum: Stratum, said: Mapping[int, Consensus]) -> list[PartCounts]:
    size, suspect = known.cells.size(stratum), stratum in _SUSPECTS
    if stratum is Stratum.TOP or not said:
        return [_part(str(stratum), size, said.values(), suspect=suspect, ordered=stratum is Stratum.TOP)]
    order = known.order.whole(stratum)
    answered = np.flatnonzero(np.isin(order, np.fromiter(said, np.int64, len(said))))
    drawn = drawn_of(answered)
    sample = {i for i in order[:drawn].tolist() if i in said}
    chosen = [one for i, one in said.items() if i not in sample]
    gaps = [Consensus.UNSURE] * (drawn - len(sample))
    parts = [_part(str(stratum), size - len(chosen), [*(said[i] for i in sample), *gaps], suspect=suspect)]
    if chosen:
        parts.append(_part(f"{stratum}, {CHOSEN}", len(chosen), chosen, suspect=suspect))
    return parts


def drawn_of(answered: np.ndarray) -> int:
    """How many cells of a part, in the order they are drawn, are the random sample.

    Args:
        answered: int [n], rising: the places in that order that were answered.
    """
    came = answered + 1  # cells up to each of them
    gaps = came - np.arange(1, len(answered) + 1)
    fine = np.flatnonzero(gaps <= np.maximum(1, np.floor(came * _GAPS)))
    return int(came[fine[-1]]) if len(fine) else 0


def _part(name: str, size: int, said: Iterable[Consensus], *, suspect: bool, ordered: bool = False) -> PartCounts:
    n = Counter(said)
    unsure = n[Consensus.UNSURE] + n[Consensus.DISPUTED]
    told = (n[Consensus.POSITIVE], n[Consensus.NEGATIVE], n[Consensus.NO_CELL], unsure)
    return PartCounts(name, size, *told, ordered=ordered, suspect=suspect)
