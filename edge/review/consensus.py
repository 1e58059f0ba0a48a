"""From many answers to what stands about each cell, and what readers together say of it.

**What stands** is a reader's newest answer of each reading; one that was withdrawn does not.

**Together**: each reader has one voice. A reader who was shown a cell more than once says what most of those readings say, and is
unsure where they are even. Who cannot tell does not vote. If more of the others say that the cell is of a positive class than that it
is not, it is positive; if fewer, it is not, and then no cell where more of these say so than a class; even is disputed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from edge.review.records import (
    CellPlace,
    CellReading,
    Consensus,
    ReaderAddition,
    ReaderAnswer,
    ReaderDecision,
    Stratum,
)
from edge.verdict.review_records import Votes


def standing(decisions: Iterable[ReaderDecision]) -> Mapping[CellPlace, tuple[ReaderDecision, ...]]:
    """The answers that stand about each cell, oldest first; ``decisions``: in the order they came."""
    newest = dict[tuple[CellPlace, str, int], ReaderDecision]()
    for one in decisions:
        key = (one.cell, one.reader, one.reading)
        newest.pop(key, None)  # so that the order is that of the answers that stand
        newest[key] = one
    found: defaultdict[CellPlace, list[ReaderDecision]] = defaultdict(list)
    for one in newest.values():
        if one.answer is not ReaderAnswer.WITHDRAWN:
            found[one.cell].append(one)
    return {cell: tuple(answers) for cell, answers in found.items()}


def readings_of(
    decisions: Iterable[ReaderDecision], stratum: Callable[[CellPlace], Stratum | None], positive: Collection[str]
) -> tuple[CellReading, ...]:
    """What stands, by cell, in the order of the cells.

    Args:
        decisions: all of a sample, in the order they came.
        stratum: the part a cell is in; None: it is not counted (any more), and its answers say nothing of the count.
        positive: the model's positive classes.
    """
    found = []
    for cell, answers in sorted(standing(decisions).items()):
        part = stratum(cell)
        if part is not None:
            found.append(CellReading(cell, part, answers, consensus_of(answers, positive)))
    return tuple(found)


def says(one: ReaderDecision, positive: Collection[str]) -> Consensus:
    """What one answer comes to."""
    if one.answer is ReaderAnswer.CLASS:
        return Consensus.POSITIVE if one.label in positive else Consensus.NEGATIVE
    return Consensus.NO_CELL if one.answer is ReaderAnswer.NO_CELL else Consensus.UNSURE


def consensus_of(answers: Sequence[ReaderDecision], positive: Collection[str]) -> Consensus:
    """What the answers that stand about one cell come to; there is at least one."""
    by_reader: defaultdict[str, list[Consensus]] = defaultdict(list)
    for one in answers:
        by_reader[one.reader].append(says(one, positive))
    voices = [_majority(said, Consensus.UNSURE) for said in by_reader.values()]
    return _majority(voices, Consensus.DISPUTED)


def votes_of(answers: Sequence[ReaderDecision], positive: Collection[str]) -> Votes:
    """What each reading of one cell says, those that cannot tell left out."""
    said = [(one.reader, says(one, positive)) for one in answers]
    return tuple((reader, one is Consensus.POSITIVE) for reader, one in said if one is not Consensus.UNSURE)


def standing_marks(marks: Iterable[ReaderAddition]) -> tuple[ReaderAddition, ...]:
    """The marks of cells the machine has not that stand: of each reader at each box the newest, unless it was withdrawn."""
    newest = {(one.reader, one.field, one.box): one for one in marks}
    return tuple(one for one in newest.values() if not one.withdrawn)


def _majority(said: Sequence[Consensus], even: Consensus) -> Consensus:
    counts = Counter(one for one in said if one is not Consensus.UNSURE)
    yes, none = counts[Consensus.POSITIVE], counts[Consensus.NO_CELL]
    no = counts[Consensus.NEGATIVE] + none
    if not yes and not no:
        return Consensus.UNSURE
    if yes == no:
        return even
    if yes > no:
        return Consensus.POSITIVE
    return Consensus.NO_CELL if none > counts[Consensus.NEGATIVE] else Consensus.NEGATIVE
