"""Chooses the operating threshold on known slides, and checks whether slides given as blanks are blank."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from edge.decision import reaches
from edge.types import FloatArray
from edge.verdict.calibration import Blank, Calibration, KnownSlide
from edge.verdict.interval import LEVEL
from edge.verdict.limits import CountTail, ErrorRates, limit_of_blank, limit_of_detection
from edge.verdict.rates import RateFit, fit

KnownAt = Callable[[float], tuple[KnownSlide, ...] | None]
"""Infected cells that come out positive at a threshold; None: not known at this one."""

_CANDIDATES = 1 / (1 + np.exp(-np.arange(0, 9.3, 0.4)))
"""Thresholds to choose from, even in their logit and fixed beforehand: a threshold laid just above the highest score of
these very blanks would look better than it is."""

_SUSPICIOUS = 0.01  # chance below which a blank does not belong to the others, before it is divided by their number
_FEWEST_TO_COMPARE = 3  # blanks
_EXPECTED = (0.0, 1.0)  # between-slide spread of blanks that are blanks


@dataclass(frozen=True, slots=True, eq=False)
class SlideScores:
    """One known slide, every counted cell of its kept fields: scores float32 [n, k] in the model's class order."""

    name: str
    fields: int
    scores: FloatArray
    appearance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassLimits:
    """What a calibration can do for one class at a cell count.

    Attributes:
        false: fit of the false-positive rate; ``blank`` and ``detection`` the limits; ``found`` the expected share of infected
            cells that come out positive.
    """

    false: RateFit
    found: float
    blank: int
    detection: float | None


def positives(scores: FloatArray, positive: Sequence[int], threshold: float) -> np.ndarray:
    """How many cells come out as each of the classes ``positive`` (indices): int64 [len(positive)]; the classifier's rule."""
    mine = scores[:, list(positive)]
    hits = mine[reaches(mine.sum(axis=1), threshold)]
    return np.bincount(hits.argmax(axis=1), minlength=len(positive)) if len(hits) else np.zeros(len(positive), np.int64)


def blanks_at(
    slides: Sequence[SlideScores], labels: Sequence[str], positive: Sequence[str], threshold: float
) -> tuple[Blank, ...]:
    """The blanks' counts at one threshold."""
    places = [list(labels).index(label) for label in positive]
    out = []
    for slide in slides:
        found = positives(slide.scores, places, threshold)
        counts = {label: int(n) for label, n in zip(positive, found, strict=True)}
        out.append(Blank(slide.name, len(slide.scores), slide.fields, counts, slide.appearance))
    return tuple(out)


def limits_of(calibration: Calibration, label: str, cells: int) -> ClassLimits:
    """Limits of one class at this many cells."""
    level = 1 - (1 - LEVEL) / len(calibration.positive)
    false = fit([b.positives[label] for b in calibration.blanks], [b.cells for b in calibration.blanks])
    errors = ErrorRates(false.next, calibration.found(label))
    blank = limit_of_blank(errors.false, cells, level)
    lowest = limit_of_detection(errors, cells, blank) if calibration.knows(label) else None
    return ClassLimits(false, errors.found.mean, blank, lowest)


def worst(calibration: Calibration, cells: int) -> float | None:
    """The highest of its classes' limits of detection at this many cells; None: some class has none."""
    found = [limits_of(calibration, label, cells).detection for label in calibration.positive]
    return None if any(lowest is None for lowest in found) else max(lowest for lowest in found if lowest is not None)


def choose_threshold(
    start: Calibration,
    blanks_for: Callable[[float], tuple[Blank, ...]],
    known_at: KnownAt,
    cells: int,
    budget: float | None,
) -> Calibration:
    """The calibration at the threshold with the lowest limit of detection at ``cells``, or the lowest one within a budget.

    Args:
        start: everything but threshold, blanks and known cells; its threshold is the card's.
        blanks_for: the blanks' counts at a threshold.
        known_at: infected cells found at a threshold.
        cells: cells of a sample.
        budget: false positives per cell allowed on average over slides, or None.
    """
    tried: list[tuple[float, Calibration]] = []
    for threshold in sorted({start.threshold, *(round(float(t), 4) for t in _CANDIDATES)}):
        known = known_at(threshold)
        if known is None and budget is None and threshold != start.threshold:
            continue
        made = replace(start, threshold=threshold, blanks=blanks_for(threshold), known=known or ())
        if budget is not None:
            if sum(_mean_false(made, label) for label in made.positive) <= budget:
                return replace(
                    made, threshold_origin=f"the lowest within {budget * 1e6:,.3g} false positives per million cells"
                )
            continue
        lowest = worst(made, cells)
        tried.append((2.0 if lowest is None else lowest, made))
    if not tried:
        most = max(t for t in (start.threshold, *map(float, _CANDIDATES)))
        made = replace(start, threshold=most, blanks=blanks_for(most), known=known_at(most) or ())
        return replace(made, threshold_origin="the highest: the budget of false positives is not met at any")
    best, made = min(tried, key=lambda pair: pair[0])
    if best > 1 or len(tried) == 1:
        own = next(made for _, made in tried if made.threshold == start.threshold)
        return replace(own, threshold_origin="the card's: there is nothing to choose by")
    return replace(made, threshold_origin=f"lowest limit of detection at {cells:,} {made.unit}s")


def _mean_false(calibration: Calibration, label: str) -> float:
    return fit([b.positives[label] for b in calibration.blanks], [b.cells for b in calibration.blanks]).pooled


@dataclass(frozen=True, slots=True)
class Outlier:
    """A blank with more positives than the others make likely.

    Attributes:
        usual: the count that the other blanks make likely at most.
        chance: of as many or more, if it were a blank like the others.
    """

    name: str
    label: str
    count: int
    cells: int
    usual: int
    chance: float


def outliers(calibration: Calibration) -> list[Outlier]:
    """Blanks that the others do not explain: each is compared with the prediction from all others (leave one out).

    The chance is compared with 1 % shared among all slides (Bonferroni), so that a set of clean blanks is rarely accused. Here,
    unlike in the limits, slides are expected to differ by no more than their mean: a question is asked, nothing is decided.
    """
    out = []
    blanks = calibration.blanks
    if len(blanks) < _FEWEST_TO_COMPARE:
        return []
    for label in calibration.positive:
        for i, blank in enumerate(blanks):
            others = [b for j, b in enumerate(blanks) if j != i]
            count = blank.positives[label]
            if count == 0 or not sum(b.cells for b in others):
                continue
            rate = fit([b.positives[label] for b in others], [b.cells for b in others], _EXPECTED).next
            chance = 1 - float(CountTail(count - 1, blank.cells)(rate.values) @ rate.weights)
            if chance < _SUSPICIOUS / len(blanks):
                out.append(Outlier(blank.name, label, count, blank.cells, limit_of_blank(rate, blank.cells), chance))
    return out


def flagged_by_others(calibration: Calibration) -> int:
    """Blanks that would be flagged by a calibration on the other blanks (leave one out)."""
    wrong = 0
    for i, blank in enumerate(calibration.blanks):
        others = [b for j, b in enumerate(calibration.blanks) if j != i]
        if not sum(b.cells for b in others):
            continue
        level = 1 - (1 - LEVEL) / len(calibration.positive)
        wrong += any(
            blank.positives[label]
            > limit_of_blank(
                fit([b.positives[label] for b in others], [b.cells for b in others]).next, blank.cells, level
            )
            for label in calibration.positive
        )
    return wrong


def with_more_blanks(calibration: Calibration, times: int) -> Calibration:
    """The calibration with ``times`` as many blanks like these: it shows what more blanks would bring."""
    return replace(calibration, blanks=calibration.blanks * times)
