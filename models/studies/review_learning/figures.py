"""Figures of the study with intervals, from the scores that points keep.

Nets are compared at thresholds that let each find the same: the highest score with which it finds as many positive cells as the net
as it was finds at a level. So a net that learned nothing has exactly the false positives of before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.measure.bootstrap import QUICK_RESAMPLES, limits, resampled_sums
from models.adapt.reviewed_check import level

NEGATIVE, FALSE_BEFORE, FALSE_AFTER, POSITIVE, FOUND_BEFORE, FOUND_AFTER = range(6)
"""Columns of the sums of a slide: negative cells, of these called before and after, where as much is found; positive cells, of these
found before and after, where as many negative cells are called."""

LEVELS: Mapping[str, float | None] = {"card": None, "1 %": 0.01, "5 %": 0.05, "10 %": 0.1}
"""Where nets are compared: at the card's threshold of the net as it was, and where it calls so many of the judged negative cells."""

FEWEST_BLANK = 1500
"""Cells of blank slides left out; with fewer, all that are not infected count."""

OLD_RATE = 0.01
"""Share of false positives at which what was learned before is judged."""

Sums = np.ndarray
Figure = Callable[[Sums], np.ndarray]
"""Sums [columns, ...] to a figure [...]."""


@dataclass(frozen=True, slots=True)
class StudyFigure:
    """A figure: the mean over draws, and the mean of each draw's 95 % interval over slides; draws share slides, so that a narrower
    one would say too much.
    """

    value: float
    low: float
    high: float

    def text(self, digits: int = 2, scale: float = 1.0, *, sign: bool = False) -> str:
        """As in ``0.52 (0.41 to 0.66)``."""
        form = f"{{:{'+' if sign else ''}.{digits}f}}"
        value, low, high = (form.format(scale * one) for one in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


@dataclass(frozen=True, slots=True, eq=False)
class JudgedScores:
    """Cells that judge a point.

    Attributes:
        positive: bool [n]; ``negative``: bool [n], those that are held against them; ``kind``: what these are.
        slide: int [n].
        before: float [n], positive scores by the net as it was; ``after``: by the one that learned.
        sick: the positive scores that say what is found, before and after: of the microscope, else of what was learned before.
    """

    positive: np.ndarray
    negative: np.ndarray
    kind: str
    slide: np.ndarray
    before: np.ndarray
    after: np.ndarray
    sick: tuple[np.ndarray, np.ndarray]

    def sums(self, called: Sequence[np.ndarray]) -> Sums:
        """Per slide, int [slides, 6]; ``called``: bool [n] each, for the columns of negative cells, then of positive ones."""
        names, member = np.unique(self.slide, return_inverse=True)
        negatives = [self.negative, *(self.negative & one for one in called[:2])]
        positives = [self.positive, *(self.positive & one for one in called[2:])]
        return np.stack([np.bincount(member, one, len(names)) for one in (*negatives, *positives)], axis=1)

    def found_at(self, level_: str, threshold: float) -> float:
        """Share of the positive cells that the net as it was finds at a level; ``threshold``: the card's."""
        return float((self.sick[0] >= self._limit(level_, threshold)).mean())

    def at(self, level_: str, threshold: float) -> Sums:
        """The sums at a level."""
        share = float((self.before[self.negative] >= self._limit(level_, threshold)).mean())
        found = self.found_at(level_, threshold)
        same = [scores >= level(sick, found) for scores, sick in zip((self.before, self.after), self.sick, strict=True)]
        false = [scores >= level(scores[self.negative], share) for scores in (self.before, self.after)]
        return self.sums([*same, *false])

    def _limit(self, level_: str, threshold: float) -> float:
        share = LEVELS[level_]
        return threshold if share is None else level(self.before[self.negative], share)


def judged(point: Mapping[str, Any], net: str) -> JudgedScores:
    """What judges a point; ``net``: ``guarded`` or ``whole``."""
    new, old = ({key: np.array(column) for key, column in point[side].items()} for side in ("judged", "old"))
    positive, blank, sick = new["positive"] == 1, new["blank"] == 1, old["positive"] == 1
    enough = blank.sum() >= FEWEST_BLANK or blank.all()
    kind = "cells of blanks" if enough else "uninfected cells"
    negative = blank if enough else ~positive
    known = (new, positive) if positive.any() else (old, sick)
    scores = tuple(np.asarray(known[0][key][known[1]], float) for key in ("before", net))
    return JudgedScores(positive, negative, kind, new["slide"], new["before"], new[net], (scores[0], scores[1]))


def at_threshold(point: Mapping[str, Any], net: str, limit: float) -> Sums:
    """The sums at one threshold of a net; ``net``: ``before`` or ``guarded``."""
    seen = judged(point, "guarded")
    called = (seen.before if net == "before" else seen.after) >= limit
    return seen.sums([called] * 4)


def of_old(point: Mapping[str, Any], net: str) -> Sums:
    """Per group of what was learned before: positive cells, found before, found after, int [groups, 3]."""
    old = {key: np.array(column) for key, column in point["old"].items()}
    positive = old["positive"] == 1
    found = [positive & (old[key] > level(old[key][~positive], OLD_RATE)) for key in ("before", net)]
    names, member = np.unique(old["slide"], return_inverse=True)
    sums = np.stack([np.bincount(member, one, len(names)) for one in (positive, *found)], axis=1)
    return sums[sums[:, 0] > 0]


def over_draws(sums: Sequence[Sums], figure: Figure) -> StudyFigure | None:
    """A figure of several draws; None: none of them has it.

    Args:
        sums: of each draw, per slide.
        figure: of the sums over slides.
    """
    found = []
    for draw in sums:
        table = np.asarray(draw, float)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = float(figure(table.sum(axis=0)))
            drawn = figure(resampled_sums(table, QUICK_RESAMPLES).T)
        if np.isfinite(value):
            found.append((value, *limits(np.where(np.isfinite(drawn), drawn, np.nan))))
    return StudyFigure(*np.mean(found, axis=0).tolist()) if found else None


def false_ratio(sums: Sums) -> np.ndarray:
    """False positives after over before, where as much is found."""
    return np.asarray(sums[FALSE_AFTER] / sums[FALSE_BEFORE])


def false_per_1000(sums: Sums) -> np.ndarray:
    """False positives of 1,000 negative cells."""
    return np.asarray(1000 * sums[FALSE_BEFORE] / sums[NEGATIVE])


def share_found(sums: Sums) -> np.ndarray:
    """Share of the positive cells that is found."""
    return np.asarray(sums[FOUND_BEFORE] / sums[POSITIVE])


def gained(sums: Sums) -> np.ndarray:
    """What is found more, where as many negative cells are called."""
    return np.asarray((sums[FOUND_AFTER] - sums[FOUND_BEFORE]) / sums[POSITIVE])


def old_change(sums: Sums) -> np.ndarray:
    """Change of what is found of what was learned before; columns are those of ``of_old``."""
    return np.asarray((sums[2] - sums[1]) / sums[0])


def old_found(points: Sequence[Mapping[str, Any]], column: int) -> float:
    """Share found of what was learned before, mean over draws; ``column``: 1 before, 2 after."""
    sums = [of_old(point, "guarded").sum(axis=0) for point in points]
    return float(np.mean([one[column] / one[0] for one in sums]))
