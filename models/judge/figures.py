"""What a net is worth on cells of known class: every figure with its interval over groups and with its n.

A figure is a function of the truth (positive or not) and of one number per cell, so that two nets can be compared on the same
resampled groups. A positive cell that the finder lost counts, end to end, as one that no threshold reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from convert.measure.bootstrap import QUICK_RESAMPLES, figure_interval, share_interval
from convert.measure.metrics import auc, sensitivity_at
from convert.measure.scoring import decide
from edge.card import Card
from edge.decision import reaches
from edge.types import FloatArray, Int32Array
from edge.verdict.interval import clopper_pearson
from models.data.cells import FOUND, LabelledCells
from models.data.classes import ClassMapping

_LOST = -1.0  # stands for the score of a cell that the finder lost: no threshold reaches it
_FOR_RARE = 1000  # negative cells; with fewer, one false positive in a thousand means nothing

Function = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure with its 95 % interval (None: of one group there is none) and the number of cells it rests on."""

    value: float
    low: float | None
    high: float | None
    n: int

    def text(self, *, percent: bool = True) -> str:
        """As in ``96.12 % (95.1 to 97.0)``."""
        scale, digits = (100, 2) if percent else (1, 4)
        unit = " %" if percent else ""
        shown = f"{self.value * scale:.{digits}f}{unit}"
        if self.low is None or self.high is None:
            return shown
        return f"{shown} ({self.low * scale:.{digits - 1}f} to {self.high * scale:.{digits - 1}f})"


@dataclass(frozen=True, slots=True, eq=False)
class CellScores:
    """One net's scores of cells of known class.

    Attributes:
        card: of the net.
        fit: how the net reads the cells' classes.
        cells: the cells.
        scores: float32 [n, net's classes].
    """

    card: Card
    fit: ClassMapping
    cells: LabelledCells
    scores: FloatArray

    @property
    def positive(self) -> np.ndarray:
        """Which cells are of a positive class, bool [n]."""
        return np.asarray(self.fit.suspect[self.cells.truth], bool)

    @property
    def lost(self) -> np.ndarray:
        """Which of the cells the finder lost are positive, bool [m]."""
        return np.asarray(self.fit.suspect[self.cells.lost_truth], bool)

    @property
    def suspicion(self) -> FloatArray:
        """The positive classes' scores added up, float32 [n]."""
        mine = self.card.positive_mask
        return np.asarray(self.scores[:, mine].sum(axis=1), np.float32)

    def flagged(self, threshold: float) -> np.ndarray:
        """Which cells count as positive at a threshold, by the device's rule: bool [n]."""
        return reaches(self.suspicion, threshold)

    def decided(self) -> Int32Array:
        """The net's class of each cell at the card's threshold, int32 [n]."""
        return np.asarray(decide(self.scores, self.card.labels, self.card.positive, self.card.threshold), np.int32)

    def truth(self) -> Int32Array | None:
        """The true class among the net's, int32 [n]; None: the net's classes are others."""
        return None if self.fit.label_of is None else np.asarray(self.fit.label_of[self.cells.truth], np.int32)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: its key and name, and how it comes from the truth and one number per cell.

    Attributes:
        values: a net's number per cell.
        of: the cells it rests on: ``all``, ``positive`` or ``negative``.
        measure: (positive bool [n], values [n]) to the figure; None: the mean of the values of those cells.
        lost: positive cells that the finder lost count too.
        percent: how it is shown.
    """

    key: str
    name: str
    values: Callable[[CellScores], np.ndarray]
    of: str = "all"
    measure: Function | None = None
    lost: bool = False
    percent: bool = True


def _right_at_half(scored: CellScores) -> np.ndarray:
    return np.asarray(scored.flagged(0.5) == scored.positive, float)


def _flagged(scored: CellScores) -> np.ndarray:
    return scored.flagged(scored.card.threshold).astype(float)


def _suspicion(scored: CellScores) -> np.ndarray:
    return scored.suspicion


_AT_1, _AT_01 = partial(sensitivity_at, rate=0.01), partial(sensitivity_at, rate=0.001)
FIGURES = (
    Metric("accuracy", "accuracy at one half", _right_at_half),
    Metric("auc", "AUC", _suspicion, measure=auc, percent=False),
    Metric("sensitivity_at_1_percent_fp", "sensitivity at 1 % false positives", _suspicion, "positive", _AT_1),
    Metric("sensitivity_at_0.1_percent_fp", "sensitivity at 0.1 % false positives", _suspicion, "positive", _AT_01),
    Metric("sensitivity", "sensitivity at the threshold", _flagged, "positive"),
    Metric("false_positive_rate", "false positives at the threshold", _flagged, "negative"),
)
END_TO_END = (
    Metric("found_at_1_percent_fp", "end to end at 1 % false positives", _suspicion, "positive", _AT_1, lost=True),
    Metric("found_at_0.1_percent_fp", "end to end at 0.1 % false positives", _suspicion, "positive", _AT_01, lost=True),
    Metric("found", "end to end at the threshold", _flagged, "positive", lost=True),
)
"""Figures of all annotated positive cells, those that the finder lost among them."""

BY_KEY = {metric.key: metric for metric in (*FIGURES, *END_TO_END)}


def applies(metric: Metric, scored: CellScores) -> bool:
    """Whether a figure means something on these cells."""
    if not scored.card.positive or len(scored.card.positive) == len(scored.card.labels):
        return False
    cells, positives = scored.cells, int(scored.positive.sum())
    negatives = len(cells) - positives
    if metric.lost and not (len(cells.lost_truth) or cells.role.any()):
        return False  # single cells: nothing can be lost
    if metric.measure is None:
        rests_on = {"all": len(cells), "positive": positives, "negative": negatives}[metric.of]
        return rests_on + (int(scored.lost.sum()) if metric.lost else 0) > 0
    return positives > 0 and negatives >= (_FOR_RARE if metric.measure is _AT_01 else 1)


def columns(metric: Metric, several: Sequence[CellScores]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth bool [n], values float [n, nets] and groups [n] of the cells that a figure is about, lost ones where it counts them."""
    one = several[0]
    values = np.stack([metric.values(scored) for scored in several], axis=1).astype(float)
    positive = one.positive
    groups, lost_groups = one.cells.units()
    if metric.lost:
        lost = one.lost
        positive = np.concatenate([positive, np.ones(int(lost.sum()), bool)])
        groups = np.concatenate([groups, lost_groups[lost]])
        never = _LOST if metric.measure is not None else 0.0
        values = np.concatenate([values, np.full((int(lost.sum()), values.shape[1]), never)])
    return positive, values, groups


def chosen(metric: Metric, positive: np.ndarray) -> np.ndarray:
    """The cells that a figure rests on, bool [n]."""
    return {"all": np.ones(len(positive), bool), "positive": positive, "negative": ~positive}[metric.of]


def share(values: np.ndarray, groups: np.ndarray) -> Measurement:
    """A mean over cells, bool or float [n], with its interval over groups [n]; of one group there is none."""
    low, high = share_interval(values, groups, QUICK_RESAMPLES) if several_groups(groups) else (None, None)
    return Measurement(float(values.mean()), low, high, len(values))


def exact(hits: int, total: int) -> Measurement:
    """A share with its exact interval, cells taken as independent; of nothing there is no interval."""
    if not total:
        return Measurement(float("nan"), None, None, 0)
    interval = clopper_pearson(hits, total)
    return Measurement(hits / total, interval.low, interval.high, total)


def agreeing(one: FloatArray, other: FloatArray, card: Card) -> np.ndarray:
    """Which cells two nets count as the same class at the card's threshold: scores float32 [n, classes] to bool [n]."""
    first, second = (decide(scores, card.labels, card.positive, card.threshold) for scores in (one, other))
    return np.asarray(first == second)


def measure(metric: Metric, scored: CellScores) -> Measurement:
    """One figure of one net."""
    positive, values, groups = columns(metric, [scored])
    rows = chosen(metric, positive)
    if metric.measure is None:
        return share(values[rows, 0], groups[rows])
    value, low, high = metric.measure(positive, values[:, 0]), None, None
    if several_groups(groups):
        low, high = figure_interval(metric.measure, positive, values[:, 0], groups)
    return Measurement(float(value), low, high, int(rows.sum()))


def several_groups(groups: np.ndarray) -> bool:
    """Whether there is more than one group, so that there can be an interval."""
    return len(np.unique(groups)) > 1


@dataclass(frozen=True, slots=True)
class NegativeGroup:
    """A group without any positive cell: what is flagged there is a false positive."""

    group: str
    cells: int
    flagged: int

    @property
    def per_1000(self) -> float:
        """False positives per 1,000 cells."""
        return 1000 * self.flagged / self.cells


def negative_groups(groups: np.ndarray, flagged: np.ndarray, positive: np.ndarray) -> list[NegativeGroup]:
    """Each known-negative group, in the order of their names.

    Args:
        groups: str [n], of each cell.
        flagged: bool [n], cells that the net calls positive.
        positive: str [m], groups of the positive cells, of those too that the finder lost.
    """
    names, member = np.unique(groups, return_inverse=True)
    hits, sizes = np.bincount(member, flagged), np.bincount(member)
    known = ~np.isin(names, positive)
    rows = zip(names[known], sizes[known], hits[known], strict=True)
    return [NegativeGroup(str(name), int(size), int(hit)) for name, size, hit in rows]


def known_negatives(scored: CellScores) -> list[NegativeGroup]:
    """Each known-negative group, the worst first; a group with a positive cell, found or lost, is none."""
    cells = scored.cells
    positive = np.concatenate([cells.groups[scored.positive], cells.lost_groups[scored.lost]])
    rows = negative_groups(cells.groups, scored.flagged(scored.card.threshold), positive)
    return sorted(rows, key=lambda one: (-one.per_1000, one.group))


def two_classes(
    card: Card, positive: np.ndarray, suspicion: FloatArray, groups: np.ndarray, lost_groups: np.ndarray | None = None
) -> CellScores:
    """Scores of cells of which only the following is kept, and no crops.

    Args:
        card: of a net with two classes, the second of them positive.
        positive: bool [n].
        suspicion: float32 [n], score of the positive class.
        groups: str [n].
        lost_groups: str [m], groups of the positive cells that the finder lost; None: the cells were given, not found.
    """
    lost = np.zeros(0, str) if lost_groups is None else lost_groups
    number = np.unique(np.concatenate([groups, lost]), return_inverse=True)[1].astype(np.int32)
    count = len(positive)
    crops, role = np.empty((count, 0, 0, 3), np.uint8), np.full(count, FOUND, np.int8)
    truth, lost_truth = positive.astype(np.int32), np.ones(len(lost), np.int32)
    cells = LabelledCells(crops, truth, card.labels, groups, number[:count], role, lost_truth, lost, number[count:])
    scores = np.stack([1 - suspicion, suspicion], axis=1)
    return CellScores(card, ClassMapping(np.arange(2, dtype=np.int32), card.positive_mask), cells, scores)


def two_sided(scored: CellScores) -> dict[str, Any]:
    """All figures of positive cells against the others that mean something, plain values."""
    return {key: asdict(measure(metric, scored)) for key, metric in BY_KEY.items() if applies(metric, scored)}
