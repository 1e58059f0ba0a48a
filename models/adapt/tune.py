"""``python -m models adapt``: a finder and a classifier fine-tuned on a user's own annotated fields, in minutes.

What the nets know is kept by a low rate, few steps, a pull back to the weights they had (classifier) and virtual slides among the
fields (finder). Everything is checked by cross-validation inside the given fields: each field is judged by nets that never saw its
group, beside the nets as they were. A net that did not become better there stays as it was. Thresholds are chosen on the same
held-out scores where there are enough of them, else the card's are kept, and either is said.
"""

from __future__ import annotations

from collections.abc import Callable
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
from models.data.cells import Cells, join
from models.data.classes import Plan, fit
from models.data.crops import CellSet
from models.data.fieldset import Fields
from models.judge.figures import END_TO_END, CellScores, applies, measure
from models.train.classifier import CellTraining, Classes, train
from models.train.device import flatbuffer_of, int8_scores
from models.train.finder import FinderTraining
from models.train.start import Start

Say = Callable[[str], None]
_DOUBLE, _MOST_STEPS = 40, 5
_FEW = 5  # fields: on so few, nets that were not pulled back ranked the cells of other films worse than before


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the nets are fine-tuned.

    Attributes:
        cell: of the classifier; steps are those of few fields, see ``scaled``.
        finder: of the finder, likewise.
        false_positives: share of negative cells that may count as positive; None: the usual.
    """

    cell: CellTraining = field(
        default_factory=lambda: CellTraining(steps=300, batch=128, rate=1e-3, decay=0.0, anchor=20.0)
    )
    finder: FinderTraining = field(default_factory=lambda: FinderTraining(steps=200, batch=4, rate=3e-4))
    false_positives: float | None = None

    def scaled(self, fields: int) -> Tuning:
        """With more steps for more fields (twice as many at 40, five times as many from 160 on) and a weaker pull back."""
        factor = min(_MOST_STEPS, 1 + fields / _DOUBLE)
        anchor = self.cell.anchor * min(1.0, _FEW / max(fields, 1))
        cell = replace(self.cell, steps=round(self.cell.steps * factor), anchor=anchor)
        return replace(self, cell=cell, finder=replace(self.finder, steps=round(self.finder.steps * factor)))


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What an adaptation works with.

    Attributes:
        finder: to start from.
        classifier: to start from.
        plan: the fields' classes, as the classifier has them (``plan_for``).
        tuning: settings.
        tell: gets progress.
        say: gets lines.
    """

    finder: Start
    classifier: Start
    plan: Plan
    tuning: Tuning
    tell: Progress
    say: Say

    def mute(self) -> Bench:
        """The same without lines of training."""
        return replace(self, say=lambda _: None)


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """A fine-tuned classifier.

    Attributes:
        model: Keras; None where nothing suspicious is annotated to learn from.
        flatbuffer: its int8 file, or None.
        cells: it learned from.
    """

    model: Any
    flatbuffer: bytes | None
    cells: Cells


def plan_for(plan: Plan, card: Card) -> Plan:
    """The fields' classes as the classifier has them; raises CellsError where they do not fit."""
    known = fit(plan, card)
    if known.label_of is None:
        raise CellsError(
            f"the fields are annotated as {', '.join(plan.labels)}, {card.name} tells {', '.join(card.labels)} apart: "
            f"say which is which with --merge {plan.labels[0]}={card.labels[0]}"
        )
    ordinary = [label for label in card.labels if label not in card.positive]
    background = plan.background and card.labels[int(known.label_of[plan.labels.index(plan.background)])]
    merge = {}
    for name, to in zip(plan.labels, known.label_of, strict=True):
        merge[name] = card.labels[int(to)]
    return Renamed(card.labels, background or ordinary[0], tuple(card.positive), plan.naming, plan, merge)


@dataclass(frozen=True, slots=True)
class Renamed(Plan):
    """A plan whose classes are called as another net calls them.

    Attributes:
        inner: the plan as the fields have it.
        called: its classes to this plan's.
    """

    inner: Plan | None = None
    called: dict[str, str] = field(default_factory=dict)

    def index(self, name: str) -> int:
        """The class of an annotated name, as an index into ``labels``; -1: left out."""
        number = self.inner.index(name) if self.inner is not None else -1
        return -1 if number < 0 or self.inner is None else self.labels.index(self.called[self.inner.labels[number]])


def tuned_cells(start: Start, cells: Cells, settings: CellTraining, say: Say) -> Any:
    """The fine-tuned Keras model of a classifier; ``cells`` are uncoloured and of the classifier's classes."""
    labels = start.card.labels
    ordinary = [i for i, label in enumerate(labels) if label not in start.card.positive]
    classes = Classes(len(labels), ordinary[0] if len(ordinary) < len(labels) else None)
    source = CellSet(cells.crops, cells.truth, cells.reference)
    return train([source], [1.0], start.card.crop, settings, say, classes=classes, start=start.model())


def tuned_finder(bench: Bench, fields: Fields) -> tuple[Any, ModelFile]:
    """The finder fine-tuned on these fields: its Keras model and its device file."""
    scenes = finding.scenes_of(fields, bench.plan, bench.tell)
    return finding.tuned(bench.finder, scenes, bench.tuning.scaled(len(fields.fields)).finder, bench.say)


def tuned_classifier(bench: Bench, file: ModelFile, fields: Fields) -> Tuned:
    """The classifier fine-tuned on these fields, as the finder in ``file`` shows them."""
    card, plan = bench.classifier.card, bench.plan
    settings = bench.tuning.scaled(len(fields.fields)).cell
    plain = replace(card.crop, normalise="none")
    cells, _ = replace(fields, finder=finding.opened(file)).read(plan, plain, bench.tell, learn=True)
    if not plan.suspect[cells.truth].any():
        return Tuned(None, None, cells)
    model = tuned_cells(bench.classifier, cells, settings, bench.say)
    return Tuned(model, flatbuffer_of(model, cells, card.crop, settings.seed), cells)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Held-out fields through finder and classifier.

    Attributes:
        cells: as the finder gave them.
        scores: float32 [n, labels].
        matches: of the finder, one per field.
    """

    cells: Cells
    scores: FloatArray
    matches: list[Match]


def judge(file: ModelFile, flatbuffer: bytes, card: Card, fields: Fields, plan: Plan) -> Judged:
    """Judge a pair of nets on fields that neither learned from."""
    finder = finding.opened(file)
    plain = replace(card.crop, normalise="none")
    cells, _ = replace(fields, finder=finder).read(plan, plain, lambda *_: None)
    return Judged(cells, int8_scores(flatbuffer, card, cells), finding.matches(finder, fields, plan))


def together(parts: list[Judged]) -> Judged:
    """Several held-out parts as one; what each part's nets said of its own fields."""
    return Judged(
        join([part.cells for part in parts]),
        np.concatenate([part.scores for part in parts]),
        [match for part in parts for match in part.matches],
    )


def figures(judged: Judged, card: Card, plan: Plan) -> dict[str, Any]:
    """Finder and classifier on held-out fields, plain values with intervals."""
    pooled = summarise(judged.matches)
    out: dict[str, Any] = {
        "judged_fields": len(judged.matches),
        "finder_f1": round(pooled.f1, 4),
        "finder_keeps_positive": None if not pooled.infected else round(pooled.infected_kept, 4),
        "positive_cells": pooled.infected,
    }
    scored = CellScores(card, fit(plan, card), judged.cells, judged.scores)
    positive = scored.positive
    if 0 < positive.sum() < len(positive):
        out["auc"] = round(auc(positive, scored.suspicion), 4)
    for asked in END_TO_END:
        if asked.measure is not None and applies(asked, scored):  # the threshold is chosen afterwards
            out[asked.key] = asdict(measure(asked, scored))
    return out
