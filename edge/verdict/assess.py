"""From counts and a calibration to findings: one per positive class, each with its limits, interval and flag.

With m positive classes each is judged at 1 - 0.05 / m (Bonferroni), so that a blank is flagged no more often for having more
classes to go wrong in. The interval shown never leaves in what the flag's own test has ruled out: no 0 where the flag is
positive, nothing from the target up where it is negative.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.types import Finding, Interval, Tally
from edge.verdict.calibration import Calibration
from edge.verdict.interval import LEVEL
from edge.verdict.limits import ErrorRates, limit_of_blank, limit_of_detection
from edge.verdict.looks import Look, spent_on_blanks, spent_on_target
from edge.verdict.prevalence import Estimate, at_least, at_most, estimate
from edge.verdict.rates import Rate
from edge.verdict.sequential import AnyTime
from edge.verdict.short import cells_short
from edge.verdict.table import FLAGS, INDETERMINATE, NEGATIVE, POSITIVE, Evidence, decide_row

_LEAST_LEFT = 1e-4  # error that a last look keeps, whatever the looks before it spent
_LEAST_SHARE = 1e-9  # what a positive's interval begins with where rounding would leave 0 in


@dataclass(frozen=True, slots=True)
class _Class:
    label: str
    errors: ErrorRates
    known: bool  # whether its sensitivity is
    any_time: AnyTime | None
    detectable: dict[int, bool] = field(default_factory=dict)  # per number of cells, computed once
    levels: dict[int, tuple[float, float]] = field(default_factory=dict)  # levels of the last look, per number of cells


@dataclass(frozen=True, slots=True)
class _Test:
    """What one look makes of one count.

    Attributes:
        level: of the limit; ``below_level`` of the bounds of the share.
        limit: a count above it is positive.
        judged: the estimate; its ``most`` is below the target where the count is negative.
    """

    look: Look
    level: float
    below_level: float
    limit: int
    judged: Estimate


class Assessor:
    """Judges samples by one calibration. Pure: the same counts give the same findings.

    Args:
        calibration: see ``edge.verdict.calibration``.
        target: share of infected cells that a negative must be below, or None.
        every_look: ``--until decided``: samples are looked at after every field, and end as soon as ``decided``.
    """

    def __init__(self, calibration: Calibration, target: float | None = None, *, every_look: bool = False) -> None:
        self.calibration = calibration
        self.target = target
        self.every_look = every_look
        self.level = 1 - (1 - LEVEL) / len(calibration.positive)
        self._classes = []
        for label in calibration.positive:
            errors = calibration.errors(label)
            any_time = AnyTime(errors, target, 1 - self.level) if every_look else None
            self._classes.append(_Class(label, errors, calibration.knows(label), any_time))
        self._found: list[Rate | None] = []

    def found_as_any(self) -> Rate | None:
        """As ``Calibration.found_as_any``, worked out once."""
        if not self._found:
            self._found.append(self.calibration.found_as_any())
        return self._found[0]

    def decided(self, tally: Tally) -> bool:
        """``--until decided``: whether the flag can no longer change, whatever else this sample shows."""
        flags = [self._decided(known, tally, quick=True) for known in self._classes]
        return POSITIVE in flags or all(flag == NEGATIVE for flag in flags)

    def findings(self, tally: Tally, *, complete: bool = True, advise: bool = True) -> tuple[Finding, ...]:
        """One per positive class.

        Args:
            tally: the sample.
            complete: it ended because its fields or its budget did, so that ``--until decided`` may have its last look.
            advise: work out how many more cells would decide, which takes longer than all the rest.
        """
        return tuple(self._finding(known, tally, complete=complete, advise=advise) for known in self._classes)

    def at_one_look(self, tally: Tally) -> tuple[Finding, ...]:
        """As if the sample had not been looked at before its end."""
        return tuple(self._finding(known, tally, once=True, advise=False) for known in self._classes)

    def _decided(self, known: _Class, tally: Tally, *, quick: bool = False) -> str:
        """The flag that bounds valid at every look give, ``indeterminate`` where they do not decide.

        ``quick``: ask first whether a little fewer cells could show the target, which is known from the fields before.
        """
        if known.any_time is None:
            return INDETERMINATE
        above, below = known.any_time.excludes(tally.counts[known.label], tally.cells)
        below = below and known.known
        if below and quick and not above:
            below = self._detectable_below(known, tally.cells)
        detectable = self._detectable(known, tally.cells) if below and not above else None
        return decide_row(Evidence(True, tally.cells, enough_fields(tally), above, detectable, below)).flag

    def _finding(
        self, known: _Class, tally: Tally, *, advise: bool, complete: bool = True, once: bool = False
    ) -> Finding:
        count, cells = tally.counts[known.label], tally.cells
        test = self._test(known, tally, complete=complete, once=once)
        lowest = self._lowest(known, cells)
        detectable = self._detectable(known, cells)
        below = None if self.target is None else test.judged.most < self.target
        row = decide_row(Evidence(True, cells, enough_fields(tally), count > test.limit, detectable, below))
        short = self._short(known, test, count, cells) if row.open and advise else None
        return Finding(
            known.label, count, cells, row.flag, test.limit, lowest, test.judged.raw, _shown(known, test, row.flag, count, cells),
            test.judged.most, short, row.name, test.look, test.level,
        )  # fmt: skip

    def _lowest(self, known: _Class, cells: int) -> float | None:
        """The limit of detection for one look, whichever look decides: it depends on the number of cells, not on a count."""
        if not known.known:
            return None
        return limit_of_detection(known.errors, cells, limit_of_blank(known.errors.false, cells, self.level), LEVEL)

    def _detectable(self, known: _Class, cells: int) -> bool | None:
        lowest = self._lowest(known, cells)
        return None if self.target is None else lowest is not None and lowest <= self.target

    def _detectable_below(self, known: _Class, cells: int) -> bool:
        fewer = cells - cells % max(int(10 ** (len(str(cells)) - 2)), 1)
        if fewer not in known.detectable:
            known.detectable[fewer] = self._detectable(known, fewer) is True
        return known.detectable[fewer]

    def _test(self, known: _Class, tally: Tally, *, complete: bool, once: bool) -> _Test:
        count, cells = tally.counts[known.label], tally.cells
        if known.any_time is None or once:
            limit = limit_of_blank(known.errors.false, cells, self.level)
            return _Test(Look.ONE, self.level, self.level, limit, _estimate(known, count, cells, self.level))
        # "insufficient" on the way is no decision: only these two end a sample early, and so only they forgo the last look.
        if not complete or self._decided(known, tally) in (POSITIVE, NEGATIVE):
            return self._any_time(known, known.any_time, count, cells)
        level, below_level = self._last_levels(known, known.any_time, cells)
        limit = limit_of_blank(known.errors.false, cells, level)
        return _Test(Look.LAST, level, below_level, limit, _estimate(known, count, cells, below_level))

    def _last_levels(self, known: _Class, any_time: AnyTime, cells: int) -> tuple[float, float]:
        if cells not in known.levels:
            level = self._left(spent_on_blanks(any_time, known.errors, cells))
            below_level = self.level
            if self.target is not None and known.known:
                below_level = self._left(spent_on_target(any_time, known.errors, self.target, cells, self.level))
            known.levels[cells] = level, below_level
        return known.levels[cells]

    def _left(self, spent: float) -> float:
        """The level of a last look; never 1, for what was spent is bounded from above and so is less."""
        return min(self.level + spent, 1 - _LEAST_LEFT)

    def _any_time(self, known: _Class, any_time: AnyTime, count: int, cells: int) -> _Test:
        judged = _estimate(known, count, cells, self.level)
        if known.known and cells:
            low, high = any_time.bounds(count, cells)
            value = judged.share.value
            value = None if value is None else min(max(value, low), high)
            judged = Estimate(judged.raw, Interval(value, low, high), high)
        return _Test(Look.EVERY, self.level, self.level, any_time.limit(count, cells), judged)

    def _short(self, known: _Class, test: _Test, count: int, cells: int) -> int | None:
        """Cells still to be counted until a test like this one decides."""
        target = self.target
        if target is None or not known.known:
            return None
        any_time = known.any_time

        def decides(k: int, n: int) -> int:
            if test.look == Look.EVERY and any_time is not None:
                above, below = any_time.excludes(k, n)
            else:
                above = k > limit_of_blank(known.errors.false, n, test.level)
                below = not above and at_most(k, n, known.errors, test.below_level) < target
            return 1 if above else -int(below and self._detectable(known, n) is True)

        def surely(n: int) -> bool:
            if test.look == Look.EVERY or not self._detectable(known, n):
                return False
            return (
                at_most(limit_of_blank(known.errors.false, n, test.level), n, known.errors, test.below_level) < target
            )

        return cells_short(count, cells, decides, surely)


def _estimate(known: _Class, count: int, cells: int, level: float) -> Estimate:
    return estimate(count, cells, known.errors, level) if known.known else Estimate(None, Interval(None, 0.0, 1.0), 1.0)


def _shown(known: _Class, test: _Test, flag: str, count: int, cells: int) -> Interval:
    """The interval without what the flag's own test, one-sided where the interval is two-sided, has ruled out."""
    share = test.judged.share
    if share.value is None:
        return share
    low, high = share.low, share.high
    if flag == POSITIVE and test.look != Look.EVERY:
        low = max(low, at_least(count, cells, known.errors, test.level), _LEAST_SHARE)
        high = max(high, low)
    elif flag == NEGATIVE:
        high = test.judged.most
        low = min(low, high)
    return Interval(min(max(share.value, low), high), low, high)


def enough_fields(tally: Tally) -> bool:
    """Whether at least half of the fields passed the gate."""
    seen = tally.kept + sum(tally.rejected.values())
    return tally.kept >= seen / 2


def overall(findings: tuple[Finding, ...]) -> str:
    """The sample's flag: the most serious of its classes' flags."""
    return min((finding.flag for finding in findings), key=FLAGS.index, default=INDETERMINATE)
