"""Cross-validation inside the given fields: is a fine-tuned net better on fields it had not seen, and at which threshold?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from convert.finding.judge import f1
from convert.measure.matching import Match, summarise
from convert.measure.metrics import auc
from convert.measure.operating import how
from edge.modelfile import Card, ModelFile
from models.adapt import finder as finding
from models.adapt.tune import Bench, Judged, judge, together, tuned_classifier, tuned_finder
from models.data.classes import Plan, fit
from models.data.fieldset import Fields
from models.judge.figures import CellScores
from models.judge.finder_thresholds import OTHERS, Grid, best

FOLDS = 3
FEWEST_FIELDS = 8
"""Fields on which a finder's thresholds may be chosen."""


def dealt(fields: Fields, plan: Plan, folds: int = FOLDS) -> list[np.ndarray]:
    """Fields of each fold, bool [fields]: whole groups, those with most positive cells first; fewer folds where groups are few."""
    groups = np.array(fields.fields.groups)
    positives = np.array(
        [int(plan.suspect[i[i >= 0]].sum()) for i in (plan.indices(f.types) for f in fields.fields.fields)]
    )
    names = np.unique(groups)
    sums = {str(name): int(positives[groups == name].sum()) for name in names}
    ranked = sorted(sums, key=lambda name: (-sums[name], name))
    count = min(folds, len(ranked))
    if count < 2:
        return []
    return [np.isin(groups, ranked[number::count]) for number in range(count)]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Fields to learn from and fields to judge on."""

    learn: Fields
    rest: Fields


def folds_of(fields: Fields, plan: Plan) -> list[Fold]:
    """Whole groups dealt round; none where all fields are of one group."""
    taken = ((fields.fields.take(~held), fields.fields.take(held)) for held in dealt(fields, plan))
    return [Fold(replace(fields, fields=learn), replace(fields, fields=rest)) for learn, rest in taken]


@dataclass(frozen=True, slots=True, eq=False)
class FinderCheck:
    """What cross-validation says of a finder: the files of each fold, and matches before and after on fields they had not seen."""

    files: list[ModelFile]
    before: list[Match]
    after: list[Match]
    grids: list[Grid]

    @property
    def better(self) -> bool:
        """Whether it found more, and lost no more positive cells."""
        old, new = summarise(self.before), summarise(self.after)
        lost = old.infected and new.infected_kept < old.infected_kept - 1e-9
        return f1(self.after) >= f1(self.before) and not lost


def check_finder(bench: Bench, folds: list[Fold]) -> FinderCheck:
    """Fine-tune the finder without each fold and judge it there, beside the one it started from."""
    out = FinderCheck([], [], [], [])
    before = finding.opened(bench.finder.file)
    for number, fold in enumerate(folds):
        bench.say(_part("finder", number, folds))
        _, file = tuned_finder(bench.mute(), fold.learn)
        after = finding.opened(file)
        out.files.append(file)
        out.before.extend(finding.matches(before, fold.rest, bench.plan))
        out.after.extend(finding.matches(after, fold.rest, bench.plan))
        out.grids.append(finding.threshold_grid(after, fold.rest, bench.plan))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class CellCheck:
    """What cross-validation says of both nets: as they were, and as they become, on fields they had not seen."""

    before: Judged
    after: Judged | None

    def better(self, card: Card, plan: Plan) -> bool:
        """Whether the fine-tuned classifier ranks the cells of unseen fields better; with no positive cell among them: no."""
        values = []
        for part in (self.before, self.after):
            if part is None:
                return False
            scored = CellScores(card, fit(plan, card), part.cells, part.scores)
            if not 0 < scored.positive.sum() < len(scored.positive):
                return False
            values.append(auc(scored.positive, scored.suspicion))
        return values[1] >= values[0]


def check_cells(bench: Bench, files: list[ModelFile], folds: list[Fold]) -> CellCheck:
    """Fine-tune the classifier without each fold, behind the finder that goes with that fold, and judge both there."""
    before, after = [], []
    card, plan = bench.classifier.card, bench.plan
    for number, (fold, file) in enumerate(zip(folds, files, strict=True)):
        bench.say(_part("classifier", number, folds))
        before.append(judge(bench.finder.file, bench.classifier.file.flatbuffer, card, fold.rest, plan))
        made = tuned_classifier(bench.mute(), file, fold.learn)
        if made.flatbuffer is not None:
            after.append(judge(file, made.flatbuffer, card, fold.rest, plan))
    return CellCheck(together(before), together(after) if len(after) == len(folds) else None)


def _part(what: str, number: int, folds: list[Fold]) -> str:
    fold = folds[number]
    counts = f"{len(fold.learn.fields)} fields to learn from, {len(fold.rest.fields)} to judge on"
    return f"checking the {what}, part {number + 1} of {len(folds)}: {counts}"


def cell_threshold(judged: Judged | None, card: Card, false_positives: float | None) -> tuple[Card, str]:
    """The card with the threshold chosen on held-out scores where there are enough, and what to say of it."""
    if not card.positive or len(card.positive) == len(card.labels):
        return card, ""
    if judged is None:
        origin = f"kept from {card.name}: {card.threshold_origin}"
        return replace(card, threshold_origin=origin), "classifier: all fields are of one group, its threshold is kept"
    cells = judged.cells.judged()
    rule = how(false_positives, cells, card, known=True)
    if rule.rate is None and false_positives != 0:
        origin = f"kept from {card.name}: {card.threshold_origin}"
        return replace(
            card, threshold_origin=origin
        ), f"classifier: too few negative cells, its threshold is kept ({rule.note})"
    threshold = float(rule.threshold(judged.scores, cells, card))
    origin = f"cross-validation inside the given fields: {rule.origin.removesuffix(', not those it is judged on')}"
    return replace(
        card, threshold=threshold, threshold_origin=origin
    ), f"classifier: threshold {threshold:.4g}, {origin}"


def finder_threshold(checked: FinderCheck | None, card: Card, count: int) -> tuple[Card, str]:
    """The finder's card with thresholds chosen on held-out fields where there are enough, and what to say of it."""
    if card.finder is None or checked is None or count < FEWEST_FIELDS:
        origin = f"kept from {card.name}: {card.threshold_origin}"
        return replace(
            card, threshold_origin=origin
        ), f"finder: fewer than {FEWEST_FIELDS} fields: its thresholds are kept"
    pair = best(checked.grids)
    origin = f"best F1 that keeps positive cells, by cross-validation inside the {count} given fields"
    spec = replace(card.finder, thresholds=(*pair, *OTHERS))
    return replace(
        card, finder=spec, threshold_origin=origin
    ), f"finder: thresholds {pair[0]:g} and {pair[1]:g}, {origin}"
