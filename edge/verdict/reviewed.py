"""The verdict on a sample that people have looked at: ``decide_reviewed(counts, machine, assessor) -> ReviewedVerdict``.

The share is that of the slide (``edge.verdict.sampled``). The flag is positive where more cells are confirmed than readers imagine
(``edge.verdict.readers``): on a blank slide each cell looked at is confirmed with the chance ``imagined``, so the count of confirmed
ones has a limit like the machine's limit of blank. It is that of all cells that are to be looked at in this turn, not of those looked
at so far: whoever stops as soon as it is passed errs no more often. Three counts have such a limit, each with its part of the 5 %:
confirmed suspects; all confirmed cells; and cells that two people confirmed, which both imagine far less often.

The machine's own limit of blank plays no part: it says how many suspects a blank has, and those were looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.types import Interval, Verdict
from edge.verdict.assess import Assessor
from edge.verdict.interval import LEVEL
from edge.verdict.limits import ErrorRates, detected
from edge.verdict.rates import Rate, certain
from edge.verdict.readers import confirmed_twice, reader_errors, reader_rates
from edge.verdict.review_records import NOT_REVIEWED, PartCounts, ReviewCounts, ReviewedVerdict
from edge.verdict.reviewed_words import Confirmed, ImaginedLimit, Reviewed, reasons
from edge.verdict.sampled import CONTRADICTED, ReviewedShare, ReviewedShares
from edge.verdict.table import INDETERMINATE, INSUFFICIENT, NEGATIVE, POSITIVE
from edge.verdict.to_look import cells_to_look, next_to_look

_TURN = 60  # cells of a part that are looked at in one turn
_MAIN = 3  # the error allowed for confirmed suspects, for each part of it that the other two counts get
_LEAST_SHARE = 1e-9  # what a positive's interval begins with where rounding would leave 0 in
_ROUNDING = 1e-12  # by which a probability that is a sum may fall short


@dataclass(frozen=True, slots=True)
class ReviewedEvidence:
    """What is known of a reviewed sample.

    Attributes:
        looked: cells that people have looked at.
        cells: counted.
        above: more cells are confirmed than readers imagine.
        alike, enough_fields: as in ``ReviewCounts``.
        detectable: the target would be found at this many cells, were every suspect looked at; None without a target.
        below: the upper bound is below the target; None without a target.
    """

    looked: int
    cells: int
    above: bool = False
    alike: bool = True
    enough_fields: bool = True
    detectable: bool | None = None
    below: bool | None = None


@dataclass(frozen=True, slots=True)
class ReviewedRow:
    """One line of the table; ``open``: looking at more cells could change the flag."""

    name: str
    flag: str
    condition: str
    holds: Callable[[ReviewedEvidence], bool]
    open: bool = False


REVIEWED_TABLE = (
    ReviewedRow("cells", INSUFFICIENT, "no cell was counted", lambda e: e.cells == 0),
    ReviewedRow("looked", NOT_REVIEWED, "nobody has looked at any cell", lambda e: e.looked == 0, open=True),
    ReviewedRow("above", POSITIVE, "more cells are confirmed than readers imagine", lambda e: e.above),
    ReviewedRow(
        "alike",
        INSUFFICIENT,
        "the fields do not look like what the model or the calibration was made for",
        lambda e: not e.alike,
    ),
    ReviewedRow("fields", INSUFFICIENT, "fewer than half of the fields passed the gate", lambda e: not e.enough_fields),
    ReviewedRow(
        "detection",
        INSUFFICIENT,
        "so few cells were counted that the target would be missed even if all were looked at",
        lambda e: e.detectable is False,
    ),
    ReviewedRow(
        "below", NEGATIVE, "the upper bound of the infected share is below the target", lambda e: e.below is True
    ),
    ReviewedRow("undecided", INDETERMINATE, "none of these, or no target was given", lambda _: True, open=True),
)


def reviewed_markdown() -> str:
    """The table as it stands in docs/verdict.md."""
    lines = [f"| {i} | {row.condition} | `{row.flag}` |" for i, row in enumerate(REVIEWED_TABLE, 1)]
    return "\n".join(["| | the first of these that holds | flag |", "|---|---|---|", *lines])


def decide_reviewed(
    counts: ReviewCounts,
    machine: Verdict,
    assessor: Assessor | None,
    *,
    target: float | None = None,
    advise: bool = True,
) -> ReviewedVerdict:
    """What follows from what people saw.

    Args:
        counts: the sample as reviewed so far.
        machine: the machine's verdict, for target and units.
        assessor: judges by a calibration, which knows how many infected cells become suspects; None: there is none.
        target: share that a negative must be below; None: the assessor's, else the machine's, if any.
        advise: work out what to look at next, and for how long, which takes longer than all the rest.

    Raises:
        ValueError: a part with more cells looked at than it has.
    """
    _check(counts)
    if target is None:
        target = machine.target if assessor is None or assessor.target is None else assessor.target
    judge = _Judge(counts, target, _found(counts, assessor))
    row, share, calibrated = judge.row(counts), judge.share, judge.calibrated
    rests_on = "calibration" if calibrated else "sample"
    shown = _shown(share, row.flag)
    looked, confirmed = sum(part.looked for part in counts.parts), sum(part.positive for part in counts.parts)
    short: int | None = None
    after: dict[str, int] = {}
    if advise and row.open:
        after = next_to_look(counts, calibrated=calibrated)
        short = cells_to_look(counts, lambda further: not judge.row(further).open, calibrated=calibrated)
    verdict = ReviewedVerdict(
        row.flag, (), confirmed, looked, shown, share.most, target, rests_on, after, short, reader_rates(counts.votes)
    )
    limits = judge.limits(counts)
    words = Reviewed(counts, machine, verdict, row.name, limits, judge.readers, contradicted=judge.contradicted)
    return replace(verdict, reasons=reasons(words))


def _check(counts: ReviewCounts) -> None:
    for part in counts.parts:
        if min(part.size, part.positive, part.negative, part.no_cell, part.unsure) < 0 or part.looked > part.size:
            raise ValueError(f"{part.name}: {part.looked} of {part.size} cells looked at is not possible")


def _found(counts: ReviewCounts, assessor: Assessor | None) -> Rate | None:
    """The share of infected cells that become suspects; None: not known, or not of fields like these."""
    if assessor is None or not counts.alike:
        return None
    return assessor.found_as_any()


class _Judge:
    """Judges one sample, and what it may become, by the same readers and the same calibration."""

    def __init__(self, counts: ReviewCounts, target: float | None, found: Rate | None) -> None:
        self.target = target
        self.readers = reader_errors(counts.votes)
        self.twice = confirmed_twice(counts.votes)
        self.contradicted = False
        self._shares = ReviewedShares(self.readers, found)
        self._seen: dict[tuple[int, int], bool] = {}  # by cells and limit
        self.share = ReviewedShare(Interval(None, 0.0, 1.0), 0.0, 1.0)
        if counts.cells:
            self.share = self._shares.share(counts)
            if self.share.agreement < CONTRADICTED:
                self.contradicted = True
                self._shares = ReviewedShares(self.readers, None)
                self.share = self._shares.share(counts)

    @property
    def calibrated(self) -> bool:
        return self._shares.found is not None

    def limits(self, counts: ReviewCounts) -> tuple[ImaginedLimit, ...]:
        """Counts of confirmed cells with what readers imagine at most; suspects first."""
        suspects = [part for part in counts.parts if part.suspect]
        others = [part for part in counts.parts if not part.suspect and part.looked]
        turn, all_turns = _turn(suspects), _turn(suspects) + _turn(others)
        error = (1 - LEVEL) / (_MAIN + bool(others) + bool(self.twice))
        limit = self.readers.imagined_at_most(turn, 1 - _MAIN * error)
        tests = [ImaginedLimit(Confirmed.SUSPECTS, _positive(suspects), limit)]
        if _positive(others):  # none among them: this limit is above that of the suspects
            confirmed = _positive(suspects) + _positive(others)
            limit = self.readers.imagined_at_most(all_turns, 1 - error)
            tests.append(ImaginedLimit(Confirmed.ALL, confirmed, limit))
        if self.twice:
            limit = self.readers.imagined_at_most(all_turns, 1 - error, answers=2)
            tests.append(ImaginedLimit(Confirmed.TWICE, self.twice, limit))
        return tuple(tests)

    def row(self, counts: ReviewCounts) -> ReviewedRow:
        limits = self.limits(counts)
        below = None
        if self.target is not None and counts.cells:
            below = self._shares.most(counts) < self.target
        evidence = ReviewedEvidence(
            sum(part.looked for part in counts.parts),
            counts.cells,
            any(one.passed for one in limits),
            counts.alike,
            counts.enough_fields,
            self._detectable(counts.cells, limits[0].limit),
            below,
        )
        return next(row for row in REVIEWED_TABLE if row.holds(evidence))

    def _detectable(self, cells: int, limit: int) -> bool | None:
        if self.target is None or not cells:
            return None
        if (cells, limit) not in self._seen:
            seen = certain(1 - self.readers.means()[1])
            found = seen if self._shares.found is None else self._shares.found.times(seen)
            chance = detected(ErrorRates(certain(0.0), found), cells, limit, self.target)
            self._seen[cells, limit] = chance >= LEVEL - _ROUNDING
        return self._seen[cells, limit]


def _positive(parts: list[PartCounts]) -> int:
    return sum(part.positive for part in parts)


def _turn(parts: list[PartCounts]) -> int:
    """Cells of these parts that have been looked at when this turn ends."""
    return sum(part.size if part.ordered else min(-(-part.looked // _TURN) * _TURN, part.size) for part in parts)


def _shown(share: ReviewedShare, flag: str) -> Interval:
    """The interval with what the flag's tests have ruled out left out, and 0 left in where they have not ruled it out."""
    value, low, high = share.share.value, share.share.low, share.share.high
    low = max(low, _LEAST_SHARE) if flag == POSITIVE else 0.0
    if flag == NEGATIVE:
        high = share.most
        low = min(low, high)
    return Interval(None if value is None else min(max(value, low), high), low, max(high, low))
