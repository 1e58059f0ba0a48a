"""Fine-tuning of a finder and a classifier on a user's own annotated fields, in minutes.

So that the nets do not forget, they see what they learned before among the new cells and fields (``models.adapt.rehearsal``), the
learning rate is low, the steps are few, and the classifier is pulled back to the weights it had. Everything is checked by
cross-validation inside the given fields (``models.adapt.check``): each field is judged by nets that never saw its group, beside the
nets as they were. A net that is no better there stays as it was. Thresholds are chosen on the same held-out scores where there are
enough of them; else the card's are kept. Either is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.matching import Match, summarise
from convert.measure.metrics import auc
from convert.measure.reading import Progress
from edge.modelfile import Card, ModelFile
from edge.types import FloatArray
from models.adapt import finder as finding
from models.adapt.rehearsal import Rehearsal, shares
from models.data.cells import LabelledCells, join
from models.data.classes import ClassScheme, fit
from models.data.fieldset import Fields
from models.judge.figures import END_TO_END, CellScores, applies, measure
from models.train.classifier import BatchClasses, CellTraining, train
from models.train.device import calibration, classifier_file, int8_scores
from models.train.finder import FinderTraining
from models.train.material import CellMaterial
from models.train.start import StartingNet

Say = Callable[[str], None]
_DOUBLE = 40  # fields with which the steps are doubled
_MOST_STEPS = 5  # at most so many times the steps
_FEW = 5  # fields: with so few, nets that were not pulled back ranked the cells of other films worse than before


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """How the nets are fine-tuned.

    Attributes:
        cell: of the classifier; steps are those of few fields, see ``scaled``.
        finder: of the finder; steps are those of few fields, too.
        false_positives: share of negative cells that may count as positive, 0..1; None: the usual.
    """

    cell: CellTraining = field(
        default_factory=lambda: CellTraining(steps=300, batch=128, rate=1e-3, decay=0.0, anchor=20.0)
    )
    finder: FinderTraining = field(default_factory=lambda: FinderTraining(steps=200, batch=4, rate=3e-4))
    false_positives: float | None = None

    def scaled(self, fields: int) -> TuningSettings:
        """The settings for so many fields: twice the steps at 40, five times from 160 on, and a weaker pull back."""
        factor = min(_MOST_STEPS, 1 + fields / _DOUBLE)
        anchor = self.cell.anchor * min(1.0, _FEW / max(fields, 1))
        cell = replace(self.cell, steps=round(self.cell.steps * factor), anchor=anchor)
        return replace(self, cell=cell, finder=replace(self.finder, steps=round(self.finder.steps * factor)))


@dataclass(frozen=True, slots=True, eq=False)
class AdaptationSetup:
    """The nets and settings of an adaptation.

    Attributes:
        finder: to start from.
        classifier: to start from.
        plan: the fields' classes, as the classifier has them (``plan_for``).
        tuning: settings of fine-tuning.
        tell: gets progress.
        say: gets lines.
        old: what both learned before and see again.
    """

    finder: StartingNet
    classifier: StartingNet
    plan: ClassScheme
    tuning: TuningSettings
    tell: Progress
    say: Say
    old: Rehearsal = field(default_factory=Rehearsal)

    def silent(self) -> AdaptationSetup:
        """The same setup, without lines of training."""
        return replace(self, say=lambda _: None)


@dataclass(frozen=True, slots=True, eq=False)
class TunedClassifier:
    """A fine-tuned classifier.

    Attributes:
        model: Keras; None where no positive cell is annotated.
        flatbuffer: its int8 graph; None where there is no model.
        cells: that it learned from.
    """

    model: Any
    flatbuffer: bytes | None
    cells: LabelledCells


def plan_for(plan: ClassScheme, card: Card) -> ClassScheme:
    """The fields' classes as the classifier has them; raises CellsError where they do not fit."""
    known = fit(plan, card)
    if known.label_of is None:
        raise CellsError(
            f"the fields are annotated as {', '.join(plan.labels)}, {card.name} tells {', '.join(card.labels)} apart: "
            f"say which is which with --merge {plan.labels[0]}={card.labels[0]}"
        )
    ordinary = [label for label in card.labels if label not in card.positive]
    background = plan.background and card.labels[int(known.label_of[plan.labels.index(plan.background)])]
    positive = tuple(card.positive)
    return RenamedPlan(card.labels, background or ordinary[0], positive, plan.naming, inner=plan, place=known.label_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedPlan(ClassScheme):
    """A plan with the classes of another net.

    Attributes:
        inner: the plan as the fields have it.
        place: int32 [k], the class of this plan for each class of ``inner``.
    """

    inner: ClassScheme
    place: np.ndarray

    def index(self, name: str) -> int:
        """The class of an annotated name, as an index into ``labels``; -1: left out."""
        number = self.inner.index(name)
        return -1 if number < 0 else int(self.place[number])


def tuned_cells(
    start: StartingNet, cells: LabelledCells, settings: CellTraining, say: Say, old: Sequence[CellMaterial] = ()
) -> Any:
    """The fine-tuned Keras model of a classifier.

    Args:
        start: the classifier.
        cells: uncoloured and of the classifier's classes.
        settings: of fine-tuning.
        say: gets lines.
        old: what is rehearsed, likewise.
    """
    labels = start.card.labels
    ordinary = [i for i, label in enumerate(labels) if label not in start.card.positive]
    classes = BatchClasses(len(labels), ordinary[0] if len(ordinary) < len(labels) else None)
    sources = [cells, *(one.cells for one in old)]
    return train(sources, shares(old), start.card.crop, settings, say, classes=classes, start=start.model())


def tuned_finder(bench: AdaptationSetup, fields: Fields) -> tuple[Any, ModelFile]:
    """The finder fine-tuned on these fields: its Keras model and its device file."""
    scenes = finding.scenes_of(fields, bench.plan, bench.tell)
    settings = bench.tuning.scaled(len(fields.fields)).finder
    return finding.tuned(bench.finder, scenes, settings, bench.say, bench.old.fields.rehearsed)


def tuned_classifier(bench: AdaptationSetup, file: ModelFile, fields: Fields) -> TunedClassifier:
    """The classifier fine-tuned on these fields, as the finder in ``file`` shows them."""
    card, plan = bench.classifier.card, bench.plan
    settings = bench.tuning.scaled(len(fields.fields)).cell
    plain = replace(card.crop, normalise="none")
    cells, _ = replace(fields, finder=finding.opened(file)).read(plan, plain, bench.tell, learn=True)
    if not plan.suspect[cells.truth].any():
        return TunedClassifier(None, None, cells)
    old = bench.old.cells.rehearsed
    model = tuned_cells(bench.classifier, cells, settings, bench.say, old)
    fed = calibration([cells, *(one.cells for one in old)], card.crop, settings.seed)
    return TunedClassifier(model, classifier_file(model, fed, model.name), cells)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutScores:
    """Held-out fields through finder and classifier.

    Attributes:
        cells: as the finder gave them.
        scores: float32 [n, labels].
        matches: of the finder, one per field.
    """

    cells: LabelledCells
    scores: FloatArray
    matches: list[Match]


def judge(file: ModelFile, flatbuffer: bytes, card: Card, fields: Fields, plan: ClassScheme) -> HeldOutScores:
    """Scores of a finder and a classifier on fields that neither learned from."""
    finder = finding.opened(file)
    plain = replace(card.crop, normalise="none")
    cells, _ = replace(fields, finder=finder).read(plan, plain, lambda *_: None)
    return HeldOutScores(cells, int8_scores(flatbuffer, card, cells), finding.matches(finder, fields, plan))


def joined(parts: list[HeldOutScores]) -> HeldOutScores:
    """Several held-out parts as one; each part was scored by nets of its own."""
    return HeldOutScores(
        join([part.cells for part in parts]),
        np.concatenate([part.scores for part in parts]),
        [match for part in parts for match in part.matches],
    )


def figures(held_out: HeldOutScores, card: Card, plan: ClassScheme) -> dict[str, Any]:
    """Finder and classifier on held-out fields, plain values with intervals."""
    out = finder_figures(held_out.matches)
    scored = cell_scores(held_out.cells, held_out.scores, card, plan)
    positive = scored.positive
    if 0 < positive.sum() < len(positive):
        out["auc"] = round(auc(positive, scored.suspicion), 4)
    for asked in END_TO_END:
        if asked.measure is not None and applies(asked, scored):  # the threshold is chosen afterwards
            out[asked.key] = asdict(measure(asked, scored))
    return out


def finder_figures(matches: list[Match]) -> dict[str, Any]:
    """A finder on some fields, plain values."""
    pooled = summarise(matches)
    return {
        "judged_fields": len(matches),
        "finder_f1": round(pooled.f1, 4),
        "finder_keeps_positive": None if not pooled.infected else round(pooled.infected_kept, 4),
        "positive_cells": pooled.infected,
    }


def cell_scores(cells: LabelledCells, scores: FloatArray, card: Card, plan: ClassScheme) -> CellScores:
    """Scores float32 [n, labels] of cells whose classes are those of ``plan``."""
    return CellScores(card, fit(plan, card), cells, scores)
