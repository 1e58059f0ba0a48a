"""From counts and a calibration to findings: one per positive class, each with its limits, interval and flag.

With m positive classes each is judged at 1 - 0.05 / m (Bonferroni), so that a blank is flagged no more often for having more
classes to go wrong in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.types import Finding, Interval, Tally
from edge.verdict.calibration import Calibration
from edge.verdict.interval import LEVEL
from edge.verdict.limits import MOST_CELLS, Errors, cells_needed, limit_of_blank, limit_of_detection
from edge.verdict.prevalence import Estimate, estimate
from edge.verdict.sequential import AnyTime
from edge.verdict.table import FLAGS, INDETERMINATE, INSUFFICIENT, NEGATIVE, POSITIVE, Evidence, decide_flag

_STRIDE = 1.25


@dataclass(slots=True)
class _Class:
    label: str
    errors: Errors
    sensitivity_known: bool
    any_time: AnyTime | None
    needed: dict[str, int | None] = field(default_factory=dict)  # worked out once, and only when asked for


class Assessor:
    """Judges samples by one calibration. Pure: the same counts give the same findings.

    Args:
        calibration: see ``edge.verdict.calibration``.
        target: share of infected cells that a negative must be below, or None.
        every_look: ``--until decided``: all bounds hold however often they are looked at, and are wider for it.
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

    def decided(self, tally: Tally) -> bool:
        """``--until decided``: whether the flag can no longer change, whatever else this sample shows."""
        flags = [self._decided(known, tally.counts[known.label], tally.cells) for known in self._classes]
        return POSITIVE in flags or all(flag == NEGATIVE for flag in flags)

    def findings(self, tally: Tally) -> tuple[Finding, ...]:
        """One per positive class."""
        return tuple(self._finding(known, tally) for known in self._classes)

    def _decided(self, known: _Class, count: int, cells: int) -> str:
        if known.any_time is None or cells == 0:
            return ""
        low, high = known.any_time.bounds(count, cells)
        if low > 0:
            return POSITIVE
        below = self.target is not None and high <= self.target and known.sensitivity_known
        return NEGATIVE if below else ""

    def _finding(self, known: _Class, tally: Tally) -> Finding:
        count, cells = tally.counts[known.label], tally.cells
        limit = limit_of_blank(known.errors.false, cells, self.level)
        lowest = limit_of_detection(known.errors, cells, limit, LEVEL) if known.sensitivity_known else None
        judged = self._estimate(known, count, cells)
        decided = self._decided(known, count, cells)
        above = decided == POSITIVE if self.every_look else count > limit
        below = self._below(judged, decided)
        detectable = None if self.target is None else lowest is not None and lowest <= self.target
        if decided == NEGATIVE:  # bounds that hold at every look need no second leave
            detectable = True
        flag = decide_flag(Evidence(True, cells, enough_fields(tally), above, detectable, below))
        short = self._short(known, count, cells, flag)
        return Finding(known.label, count, cells, flag, limit, lowest, judged.raw, judged.share, judged.most, short)

    def _below(self, judged: Estimate, decided: str) -> bool | None:
        if self.target is None:
            return None
        return decided == NEGATIVE if self.every_look else judged.most < self.target

    def _estimate(self, known: _Class, count: int, cells: int) -> Estimate:
        if not known.sensitivity_known:
            return Estimate(None, Interval(None, 0.0, 1.0), 1.0)
        judged = estimate(count, cells, known.errors, self.level)
        if known.any_time is None or cells == 0:
            return judged
        low, high = known.any_time.bounds(count, cells)
        value = judged.share.value
        return Estimate(judged.raw, Interval(None if value is None else min(max(value, low), high), low, high), high)

    def _short(self, known: _Class, count: int, cells: int, flag: str) -> int | None:
        """Cells still to be counted: to reach the target's limit of detection, or to decide at the present rate."""
        if self.target is None or flag in (POSITIVE, NEGATIVE) or not known.sensitivity_known:
            return None
        if flag == INSUFFICIENT or cells == 0:
            if "needed" not in known.needed:
                known.needed["needed"] = cells_needed(known.errors, self.target, LEVEL, self.level)
            needed = known.needed["needed"]
            return None if needed is None else max(needed - cells, 0) or None
        more = float(cells)
        while more < MOST_CELLS:
            more *= _STRIDE
            if self._would_decide(known, round(count * more / cells), round(more)):
                return round(more) - cells
        return None

    def _would_decide(self, known: _Class, count: int, cells: int) -> bool:
        if self.every_look:
            return bool(self._decided(known, count, cells))
        if count > limit_of_blank(known.errors.false, cells, self.level):
            return True
        return self.target is not None and estimate(count, cells, known.errors, self.level).most < self.target


def enough_fields(tally: Tally) -> bool:
    """Whether at least half of the fields passed the gate."""
    seen = tally.kept + sum(tally.rejected.values())
    return tally.kept >= seen / 2


def overall(findings: tuple[Finding, ...]) -> str:
    """The sample's flag: the gravest of its classes'."""
    return min((finding.flag for finding in findings), key=FLAGS.index, default=INDETERMINATE)
