"""Judged by whole slides left out: what answers and blanks are worth on slides that taught nothing, and at which threshold.

Each slide, blank or answered, is held out once; a net that learned from the others scores it beside the net as it was. The mix
with the old weights is that of the net which is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convert.measure.metrics import auc, threshold_at
from edge.card import Card
from edge.decision import reaches
from edge.types import FloatArray
from models.adapt.reviewed_net import Lessons, ReviewedLearner
from models.adapt.tune import Say
from models.data.cells import LabelledCells

SLIDE_FOLDS = 3
"""Parts of the slides that are held out in turn."""

RATE = 0.001
"""Blank cells that may count as positive where nobody says how many: as of the shelf's thresholds."""

_LOOSEST = 0.01  # of such a rate where there are few blank cells
_BEYOND = 2  # blank cells that must be allowed over the threshold, or it rests on one
_ENOUGH = 10  # confirmed cells left out that say what is still found; with fewer, cells learned before do


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Cells of slides left out, scored by the net as it was and by nets that learned from other slides.

    Attributes:
        groups: str [n], slides.
        blank: bool [n], of a slide known to be negative.
        positive: bool [n], answered as a positive class.
        before: float32 [n], positive score by the net as it was; ``after``: by the others.
        old_before: float32 [m], positive cells of what was learned before, likewise; ``old_after``: float32 [k, m], of each fold.
    """

    groups: np.ndarray
    blank: np.ndarray
    positive: np.ndarray
    before: FloatArray
    after: FloatArray
    old_before: FloatArray
    old_after: FloatArray

    @property
    def slides(self) -> int:
        """Blank slides that were left out."""
        return len(np.unique(self.groups[self.blank]))

    def references(self) -> tuple[FloatArray, FloatArray, str]:
        """Positive cells that say what is still found, before float32 [m] and after, and what they are; none may be there."""
        if self.positive.sum() >= _ENOUGH:
            count = int(self.positive.sum())
            return self.before[self.positive], self.after[self.positive], f"{count} confirmed cells of slides left out"
        times = len(self.old_after)
        return np.tile(self.old_before, times), self.old_after.reshape(-1), "infected cells of what it learned before"


@dataclass(frozen=True, slots=True)
class BlankFigures:
    """A net before and after on blanks left out.

    Attributes:
        cells: of them; ``slides``: how many.
        rate: share of them that the thresholds let through; None: too few cells, and the card's threshold is kept.
        old_threshold: that the blanks give the net as it was; ``threshold``: that they give the new one.
        false_before, false_after: blank cells that reach these.
        found_before, found_after: share of the reference cells that reach them; None: there are none.
        same_before, same_after: blank cells that reach the highest score with which either net finds ``found_before``.
        auc_before, auc_after: of reference cells against blank ones; None: there are none.
        of: what the reference cells are.
    """

    cells: int
    slides: int
    rate: float | None
    old_threshold: float
    threshold: float
    false_before: int
    false_after: int
    found_before: float | None
    found_after: float | None
    same_before: int | None
    same_after: int | None
    auc_before: float | None
    auc_after: float | None
    of: str

    @property
    def worse(self) -> bool:
        """Whether the new net tells blank cells from infected ones less well."""
        return self.auc_before is not None and self.auc_after is not None and self.auc_after < self.auc_before

    def lines(self) -> list[str]:
        """In words."""
        slides = f"{self.slides} blank slide{'s' if self.slides != 1 else ''}"
        told = [f"on {self.cells:,} cells of {slides}, each judged by a net that had not seen it:"]
        old = f"  threshold from the blanks alone, net as it was: {self.false_before} called positive"
        new = f"  the net that learned: {self.false_after} called positive"
        if self.found_before is None or self.found_after is None:
            return [*told, old, new, "  no cell is known to be positive: what is still found cannot be said"]
        return [
            *told,
            f"{old}, {self.found_before:.1%} found",
            f"{new}, {self.found_after:.1%} found",
            f"  where either finds {self.found_before:.1%}: {self.same_before} before, {self.same_after} after",
            f"  (found: of {self.of}; AUC {self.auc_before:.4f} before, {self.auc_after:.4f} after)",
        ]


def slide_folds(lessons: Lessons) -> list[list[str]]:
    """Slides that are held out together: blanks and answered ones are dealt each for themselves; none where there is one slide."""
    dealt: list[list[str]] = [[] for _ in range(SLIDE_FOLDS)]
    kinds = [lessons.blanks, lessons.answers]
    for cells in kinds:
        if cells is not None:
            for number, group in enumerate(sorted({str(one) for one in cells.groups})):
                dealt[number % SLIDE_FOLDS].append(group)
    folds = [fold for fold in dealt if fold]
    return folds if len(lessons.groups()) > 1 and len(folds) > 1 else []


def left_out(learner: ReviewedLearner, lessons: Lessons, mix: float, say: Say) -> LeftOut | None:
    """Every slide scored by a net that did not learn from it; None: there is one slide only."""
    folds = slide_folds(lessons)
    if not folds:
        return None
    old_positive, seed = _old_positive(learner), learner.training.cell.seed
    parts: list[LeftOut] = []
    for number, fold in enumerate(folds):
        say(f"judging by slides left out, part {number + 1} of {len(folds)}: {', '.join(fold)}")
        rest, held = lessons.of(fold, without=True), lessons.of(fold)
        if not rest.parts():
            continue
        model = learner.mixed(learner.fine_tuned(rest, seed + number), mix)
        parts.append(_scored(learner, learner.device_file(model, rest), held, old_positive))
    return _joined(parts) if parts else None


def _old_positive(learner: ReviewedLearner) -> list[LabelledCells]:
    sick = learner.start.card.positive_mask
    known = [one.cells.take(sick[one.cells.truth]) for one in learner.old.others]
    return [one for one in known if len(one)]


def _scored(learner: ReviewedLearner, flatbuffer: bytes, held: Lessons, old: Sequence[LabelledCells]) -> LeftOut:
    kinds = [(held.blanks, True), (held.answers, False)]
    known = [(cells, blank) for cells, blank in kinds if cells is not None and len(cells)]
    files = (learner.start.file.flatbuffer, flatbuffer)
    before, after = (_all([learner.suspicion(file, cells) for cells, _ in known], np.float32) for file in files)
    old_before, old_after = (_all([learner.suspicion(file, cells) for cells in old], np.float32) for file in files)
    blank = _all([np.full(len(cells), kind) for cells, kind in known], np.bool_)
    truth = _all([learner.start.card.positive_mask[cells.taught] for cells, _ in known], np.bool_)
    groups = _all([cells.groups for cells, _ in known], np.str_)
    return LeftOut(groups, blank, truth & ~blank, before, after, old_before, old_after[None])


def _all(parts: Sequence[np.ndarray], kind: type[np.generic]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _joined(parts: Sequence[LeftOut]) -> LeftOut:
    columns = ("groups", "blank", "positive", "before", "after")
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    old_after = np.concatenate([part.old_after for part in parts])
    return LeftOut(**whole, old_before=parts[0].old_before, old_after=old_after)


def rate_for(cells: int, asked: float | None) -> float | None:
    """Share of blank cells that may count as positive: what was asked, else the lowest that so many show; None: too few cells.

    A threshold that lets fewer than two blank cells through would rest on one of them.
    """
    if asked is not None:
        return asked if cells * asked >= _BEYOND else None
    lowest = max(RATE, _BEYOND / max(cells, 1))
    return lowest if lowest <= _LOOSEST else None


def blank_threshold(suspicion: FloatArray, asked: float | None) -> tuple[float, float] | None:
    """The threshold that blank cells give, float32 [n], and the share of them that reaches it at most; None: too few cells."""
    rate = rate_for(len(suspicion), asked)
    return None if rate is None else (threshold_at(np.zeros(len(suspicion), bool), suspicion, rate), rate)


def blank_figures(seen: LeftOut, card: Card, asked: float | None) -> BlankFigures | None:
    """What the net is worth on blanks left out; None: no blank was.

    Args:
        seen: cells of slides left out.
        card: of the net as it was, whose threshold is taken where there are too few blank cells to choose one.
        asked: share of blank cells that may count as positive.
    """
    if not seen.blank.any():
        return None
    old, new = seen.before[seen.blank], seen.after[seen.blank]
    chosen = [blank_threshold(scores, asked) for scores in (old, new)]
    old_threshold, threshold = (card.threshold if one is None else one[0] for one in chosen)
    false_before, false_after = int(reaches(old, old_threshold).sum()), int(reaches(new, threshold).sum())
    rate = None if chosen[1] is None else chosen[1][1]
    counts = (len(old), seen.slides, rate, old_threshold, threshold, false_before, false_after)
    before, after, of = seen.references()
    if not len(before):
        return BlankFigures(*counts, None, None, None, None, None, None, of)
    found = float(reaches(before, old_threshold).mean())
    same_before, same_after = (
        int((scores >= level(sick, found)).sum()) for scores, sick in ((old, before), (new, after))
    )
    areas = (_area(before, old), _area(after, new))
    return BlankFigures(*counts, found, float(reaches(after, threshold).mean()), same_before, same_after, *areas, of)


def level(scores: FloatArray, share: float) -> float:
    """The highest score that this share of cells reaches, float32 [n]; of no share one that none does."""
    many = int(np.ceil(share * len(scores) - 1e-9))
    return float(np.sort(scores)[::-1][many - 1]) if many else float(np.inf)


def _area(positive: FloatArray, blank: FloatArray) -> float:
    truth = np.concatenate([np.ones(len(positive), bool), np.zeros(len(blank), bool)])
    return auc(truth, np.concatenate([positive, blank]))
