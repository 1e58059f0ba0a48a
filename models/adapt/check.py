"""Cross-validation inside the given fields: is a fine-tuned net better on fields it has not seen, and at which threshold?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from convert.finding.judge import f1
from convert.measure.matching import Match, summarise
from convert.measure.metrics import auc
from convert.measure.operating import how
from edge.modelfile import Card, ModelFile
from models.adapt import finder as finding
from models.adapt.tune import AdaptationSetup, HeldOutScores, joined, judge, tuned_classifier, tuned_finder
from models.data.classes import ClassScheme, fit
from models.data.fieldset import Fields
from models.judge.figures import CellScores
from models.judge.finder_thresholds import Grid, best

FOLDS = 3
"""Parts of the fields that are held out in turn."""

FEWEST_FIELDS = 8
"""With fewer fields a finder's thresholds are kept."""

_ROUNDING = 1e-9  # shares that differ by less are equal


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Fields to learn from, and fields of other groups to judge on."""

    learn: Fields
    rest: Fields


def folds_of(fields: Fields, plan: ClassScheme) -> list[Fold]:
    """Each fold holds out whole groups; none where all fields are of one group."""
    taken = ((fields.fields.take(~held), fields.fields.take(held)) for held in fold_masks(fields, plan))
    return [Fold(replace(fields, fields=learn), replace(fields, fields=rest)) for learn, rest in taken]


def fold_masks(fields: Fields, plan: ClassScheme) -> list[np.ndarray]:
    """The held-out fields of each fold, bool [fields].

    The groups with most positive cells are spread over the folds; there are fewer folds where there are fewer groups.
    """
    groups = np.array(fields.fields.groups)
    positives = positive_cells(fields, plan)
    ranked = sorted(positives, key=lambda name: (-positives[name], name))
    count = min(FOLDS, len(ranked))
    return [np.isin(groups, ranked[number::count]) for number in range(count)] if count > 1 else []


def positive_cells(fields: Fields, plan: ClassScheme) -> dict[str, int]:
    """How many positive cells are annotated in each group."""
    counts: dict[str, int] = {}
    for one, group in zip(fields.fields.fields, fields.fields.groups, strict=True):
        index = plan.indices(one.types)
        counts[group] = counts.get(group, 0) + int(plan.suspect[index[index >= 0]].sum())
    return counts


@dataclass(frozen=True, slots=True, eq=False)
class FinderCheck:
    """A finder in cross-validation.

    Attributes:
        files: the finder that was fine-tuned without each fold.
        before: matches of the finder it started from, one per held-out field.
        after: matches of the fine-tuned finders on the same fields.
        grids: of each fold, matches of the fine-tuned finder at every pair of thresholds.
    """

    files: list[ModelFile]
    before: list[Match]
    after: list[Match]
    grids: list[Grid]

    @property
    def better(self) -> bool:
        """Whether fine-tuning finds at least as much, and loses no more positive cells."""
        old, new = summarise(self.before), summarise(self.after)
        lost = old.infected and new.infected_kept < old.infected_kept - _ROUNDING
        return f1(self.after) >= f1(self.before) and not lost


def check_finder(setup: AdaptationSetup, folds: Sequence[Fold]) -> FinderCheck:
    """Fine-tune the finder without each fold, and judge it on that fold beside the finder it started from."""
    out = FinderCheck([], [], [], [])
    before = finding.opened(setup.finder.file)
    for number, fold in enumerate(folds):
        setup.say(_progress("finder", number, folds))
        _, file = tuned_finder(setup.silent(), fold.learn)
        after = finding.opened(file)
        out.files.append(file)
        out.before.extend(finding.matches(before, fold.rest, setup.plan))
        out.after.extend(finding.matches(after, fold.rest, setup.plan))
        out.grids.append(finding.threshold_grid(after, fold.rest, setup.plan))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierCheck:
    """Finder and classifier in cross-validation: scores on held-out fields as the nets were, and after fine-tuning.

    ``after`` is None where a fold has no positive cell to learn from.
    """

    before: HeldOutScores
    after: HeldOutScores | None

    def better(self, card: Card, plan: ClassScheme) -> bool:
        """Whether fine-tuning ranks held-out cells at least as well; no where positive or negative cells are missing."""
        values = []
        for part in (self.before, self.after):
            if part is None:
                return False
            scored = CellScores(card, fit(plan, card), part.cells, part.scores)
            if not 0 < scored.positive.sum() < len(scored.positive):
                return False
            values.append(auc(scored.positive, scored.suspicion))
        return values[1] >= values[0]


def check_classifier(setup: AdaptationSetup, files: Sequence[ModelFile], folds: Sequence[Fold]) -> ClassifierCheck:
    """Fine-tune the classifier without each fold, behind the finder that goes with that fold, and judge both on the fold."""
    before, after = [], []
    card, plan = setup.classifier.card, setup.plan
    for number, (fold, file) in enumerate(zip(folds, files, strict=True)):
        setup.say(_progress("classifier", number, folds))
        before.append(judge(setup.finder.file, setup.classifier.file.flatbuffer, card, fold.rest, plan))
        tuned = tuned_classifier(setup.silent(), file, fold.learn)
        if tuned.flatbuffer is not None:
            after.append(judge(file, tuned.flatbuffer, card, fold.rest, plan))
    return ClassifierCheck(joined(before), joined(after) if len(after) == len(folds) else None)


def _progress(what: str, number: int, folds: Sequence[Fold]) -> str:
    fold = folds[number]
    counts = f"{len(fold.learn.fields)} fields to learn from, {len(fold.rest.fields)} to judge on"
    return f"checking the {what}, part {number + 1} of {len(folds)}: {counts}"


def cell_threshold(scores: HeldOutScores | None, card: Card, false_positives: float | None) -> tuple[Card, str]:
    """The card with its threshold chosen on held-out scores, or kept where there are too few; and a line that says so."""
    if not card.positive or len(card.positive) == len(card.labels):
        return card, ""
    if scores is None:
        return _with_kept(card), "classifier: all fields are of one group, its threshold is kept"
    cells = scores.cells.judged()
    rule = how(false_positives, cells, card, known=True)
    if rule.rate is None and false_positives != 0:
        return _with_kept(card), f"classifier: too few negative cells, its threshold is kept ({rule.note})"
    threshold = float(rule.threshold(scores.scores, cells, card))
    origin = f"cross-validation inside the given fields: {rule.origin.removesuffix(', not those it is judged on')}"
    card = replace(card, threshold=threshold, threshold_origin=origin)
    return card, f"classifier: threshold {threshold:.4g}, {origin}"


def finder_threshold(checked: FinderCheck | None, card: Card, count: int) -> tuple[Card, str]:
    """The card with thresholds chosen on held-out fields, or kept where ``count`` fields are too few; and a line that says so."""
    if card.finder is None or checked is None or count < FEWEST_FIELDS:
        return _with_kept(card), f"finder: fewer than {FEWEST_FIELDS} fields: its thresholds are kept"
    pair = best(checked.grids)
    origin = f"best F1 that keeps positive cells, by cross-validation inside the {count} given fields"
    spec = replace(card.finder, thresholds=(*pair, *card.finder.thresholds[2:]))
    card = replace(card, finder=spec, threshold_origin=origin)
    return card, f"finder: thresholds {pair[0]:g} and {pair[1]:g}, {origin}"


def _with_kept(card: Card) -> Card:
    return replace(card, threshold_origin=f"kept from {card.name}: {card.threshold_origin}")
