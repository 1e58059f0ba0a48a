"""A classifier that learns from a person's answers and from blank slides without losing what it could do.

Some hundred cells teach its last two layers alone: what it sees in a cell stays, what it makes of that changes. Then the weights it
had and the fine-tuned ones are mixed: ``w = (1 - m) old + m tuned``. A net between the two usually keeps most of what either can do
(Wortsman et al. 2022, *Robust fine-tuning of zero-shot models*), and going back costs no training. Of the shares m that are tried
the largest is taken with which the net's figures on what it learned before stand within a limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge.card import Card
from edge.types import FloatArray
from models.adapt.rehearsal import OldCells
from models.data.cells import HARD, LabelledCells, join
from models.judge.figures import BY_KEY
from models.train.classifier import BatchClasses, CellTraining
from models.train.device import calibration, classifier_file, float_scores, int8_scores
from models.train.head import train_head
from models.train.start import StartingNet

ALLOWED = 0.003
"""What a figure on what was learned before may lose."""

MIXES = (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Shares of the fine-tuned weights that are tried, the largest first."""

OLD_FIGURES = ("auc", "sensitivity_at_1_percent_fp")
"""Figures on what was learned before that must stand, by their keys in ``models.judge.figures``."""

LEARNING_LAYERS = 2
"""The last ones, which learn; those before stay as they are, batch normalisation too."""

_REHEARSED = 0.6  # of a batch
_HARD_OF_BLANKS = 0.1
"""Share of a blank's cells that count as hard negatives: those the net finds most suspicious, among them all its suspects."""

_HARD_SHARE = 0.2
"""Of what a batch holds of blanks; with more of them infected cells that look like them were lost in trials."""

_BLANKS = 0.3  # of what is new in a batch, where there are answers as well

_INFECTED = 0.5
"""Share of the answered cells in a batch that are infected: what is seen of blanks is not, and the two shall balance."""

CONFIRMED = 10
"""Confirmed infected cells without which no weight is changed: a net that is shown negative cells of a microscope alone takes what is
infected there for negative, too (docs/review-learning.md)."""


@dataclass(frozen=True, slots=True)
class ReviewedTraining:
    """Settings of learning from answers and blanks.

    Attributes:
        cell: of fine-tuning.
        mixes: shares of the fine-tuned weights, the largest first.
        allowed: loss of an old figure that is let pass, 0 to 1.
    """

    cell: CellTraining = field(
        default_factory=lambda: CellTraining(steps=1000, batch=128, rate=1e-3, decay=0.0, infected=_INFECTED)
    )
    mixes: tuple[float, ...] = MIXES
    allowed: float = ALLOWED


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What is new to a classifier, plain and with slack, classes as the classifier has them, groups are slides.

    Attributes:
        answers: cells that people answered; None: there are none.
        blanks: cells of slides known to be negative; None: there are none.
        suspicion: float32 [cells of blanks], their positive score by the net as it was.
        fields: cells of annotated fields; None: there are none.
    """

    answers: LabelledCells | None
    blanks: LabelledCells | None
    suspicion: FloatArray
    fields: LabelledCells | None = None

    def parts(self) -> list[LabelledCells]:
        """All there is."""
        return [one for one in (self.answers, self.blanks, self.fields) if one is not None and len(one)]

    def confirmed(self, card: Card) -> int:
        """Cells of a positive class among answers and annotated fields."""
        told = [one for one in (self.answers, self.fields) if one is not None]
        return sum(int(card.positive_mask[one.taught].sum()) for one in told)

    def groups(self) -> list[str]:
        """Slides, each once."""
        return sorted({str(group) for one in self.parts() for group in np.unique(one.groups)})

    def of(self, groups: Sequence[str], *, without: bool = False) -> Lessons:
        """Those of some slides, or of all others."""

        def rows(cells: LabelledCells) -> np.ndarray:
            return np.asarray(np.isin(cells.groups, list(groups)) != without)

        answers, blanks, fields = (
            None if one is None else one.take(rows(one)) for one in (self.answers, self.blanks, self.fields)
        )
        suspicion = self.suspicion if self.blanks is None else self.suspicion[rows(self.blanks)]
        return Lessons(answers, blanks, suspicion, fields)

    def sources(self) -> tuple[list[LabelledCells], list[float]]:
        """Pools of cells to draw batches from, and the share of each in what is new; each pool holds a cell."""
        pools: list[LabelledCells] = []
        shares: list[float] = []
        told = [one for one in (self.answers, self.fields) if one is not None and len(one)]
        blanks = self.blanks if self.blanks is not None and len(self.blanks) else None
        for one in told:
            pools.append(one)
            shares.append((1 - _BLANKS if blanks is not None else 1.0) / len(told))
        if blanks is not None:
            share = _BLANKS if told else 1.0
            hard = hardest(self.suspicion)
            pools += [blanks.take(hard), blanks]
            shares += [share * _HARD_SHARE, share * (1 - _HARD_SHARE)]
        return pools, shares


def hardest(suspicion: FloatArray) -> np.ndarray:
    """The cells of blanks that count as hard negatives, int [m], at least one: float32 [n] of the net as it was."""
    many = max(1, round(_HARD_OF_BLANKS * len(suspicion)))
    return np.asarray(np.argsort(-suspicion, kind="stable")[:many])


def as_negatives(cells: LabelledCells) -> LabelledCells:
    """Cells of a slide known to be negative: what they were taken for says nothing."""
    ordinary = np.zeros(len(cells), np.int32)
    return replace(cells, truth=ordinary, role=np.full(len(cells), HARD, np.int8), lessons=None)


@dataclass(frozen=True, slots=True, eq=False)
class GuardedNet:
    """A fine-tuned net that stands within the limit, or the one that came nearest to it.

    Attributes:
        model: Keras.
        flatbuffer: its int8 file.
        mix: share of the fine-tuned weights in it.
        before: old figures of the net as it was, by key; empty: none are known. ``after``: of this one.
        stands: whether no old figure lost more than is allowed.
    """

    model: Any
    flatbuffer: bytes
    mix: float
    before: Mapping[str, float]
    after: Mapping[str, float]
    stands: bool


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedLearner:
    """Teaches one classifier.

    Attributes:
        start: the classifier as it is.
        old: what it learned before: to rehearse, and to guard by.
        training: settings.
    """

    start: StartingNet
    old: OldCells
    training: ReviewedTraining

    def fine_tuned(self, lessons: Lessons, seed: int) -> Any:
        """The Keras model, its last layers fine-tuned on all that is new among what it learned before."""
        card, old = self.start.card, self.old.rehearsed
        ordinary = [i for i, label in enumerate(card.labels) if label not in card.positive]
        classes = BatchClasses(len(card.labels), ordinary[0] if len(ordinary) < len(card.labels) else None)
        pools, shares = lessons.sources()
        if old:
            total = sum(one.share for one in old)
            shares = [(1 - _REHEARSED) * share for share in shares] + [_REHEARSED * one.share / total for one in old]
            pools += [one.cells for one in old]
        settings = replace(self.training.cell, seed=seed)
        return train_head(self.start.model, pools, shares, card.crop, settings, classes=classes, layers=LEARNING_LAYERS)

    def mixed(self, tuned: Any, share: float) -> Any:
        """The Keras model between the net as it was (0) and the fine-tuned one (1)."""
        model = self.start.model()
        model.set_weights(between(model.get_weights(), tuned.get_weights(), share))
        return model

    def device_file(self, model: Any, lessons: Lessons) -> bytes:
        """The int8 file of a net, calibrated on what is new and what is rehearsed."""
        cells = [*lessons.parts(), *(one.cells for one in self.old.rehearsed)]
        fed = calibration(cells, self.start.card.crop, self.training.cell.seed)
        return classifier_file(model, fed, str(model.name))

    def suspicion(self, flatbuffer: bytes, cells: LabelledCells) -> FloatArray:
        """Positive scores of plain cells in the device's runtime, float32 [n]."""
        card = self.start.card
        return np.asarray(int8_scores(flatbuffer, card, cells)[:, card.positive_mask].sum(axis=1), np.float32)

    def old_values(self, net: bytes | Any) -> Mapping[str, float]:
        """The figures that must stand, of cells that the net learned before and does not rehearse; empty where none are here.

        Args:
            net: an int8 file, or a Keras model.
        """
        if not self.old.others:
            return {}
        cells = join([one.cells for one in self.old.others])
        card = self.start.card
        positive = card.positive_mask[cells.truth]
        if not 0 < positive.sum() < len(positive):
            return {}
        if isinstance(net, bytes):
            suspicion = self.suspicion(net, cells)
        else:
            suspicion = float_scores(net, cells, card.crop)[:, card.positive_mask].sum(axis=1)
        measures = {key: BY_KEY[key].measure for key in OLD_FIGURES}
        return {key: float(figure(positive, suspicion)) for key, figure in measures.items() if figure is not None}

    def guarded(self, tuned: Any, lessons: Lessons) -> GuardedNet:
        """The net with the largest share of the fine-tuned weights whose old figures stand; of none, that with the smallest.

        A mix whose float net already loses too much is not made into a file.
        """
        before, allowed = self.old_values(self.start.file.flatbuffer), self.training.allowed
        model = self.start.model()
        floats, weights, made = self.old_values(model), model.get_weights(), None
        for share in self.training.mixes:
            model.set_weights(between(weights, tuned.get_weights(), share))
            if lost(floats, self.old_values(model)) > allowed and share != self.training.mixes[-1]:
                continue
            flatbuffer = self.device_file(model, lessons)
            after = self.old_values(flatbuffer)
            made = GuardedNet(model, flatbuffer, share, before, after, lost(before, after) <= allowed)
            if made.stands:
                break
        if made is None:
            raise ValueError("no mix of old and new weights is to be tried")
        return made


def between(before: Sequence[np.ndarray], after: Sequence[np.ndarray], share: float) -> list[np.ndarray]:
    """Weights between two nets of one form: 0 gives the first one's, 1 the second one's."""
    return [(1 - share) * old + share * new for old, new in zip(before, after, strict=True)]


def lost(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The largest loss among these figures, 0 where none is lower or none is known."""
    return max((before[key] - after[key] for key in before), default=0.0)
