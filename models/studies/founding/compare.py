"""Compare a device file with the net as trained, cell by cell.

Both are judged on the same cells. Differences are paired: slides are resampled for both nets at once. Such an interval is much
narrower than those of the two accuracies, since a slide that is hard for one net is hard for the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.measure.bootstrap import figure_interval, share_interval
from convert.measure.cells import CellSet
from convert.measure.metrics import auc, sensitivity_at
from convert.measure.operating import HALF
from convert.measure.scoring import decide
from edge.types import FloatArray

_RESAMPLES = 300  # of each paired interval
_FALSE_POSITIVES = 0.01  # at which sensitivity is told
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A figure (accuracy or AUC, 0..1) of the net as trained and of its device file, and the 95 % interval of the gain by slide."""

    before: float
    after: float
    interval: Interval

    @property
    def value(self) -> float:
        """The gain; negative where the device file is worse."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class PairedFigures:
    """A device file compared with the net as trained, on the same cells.

    Attributes:
        cells: that were judged.
        groups: slides, or cells where they stand alone.
        accuracy: at a threshold of one half (without positive classes: of the class with the highest score).
        agreement_at_half: share of cells that both nets put into the same class, at one half.
        interval: 95 % interval by slide of the device file's own accuracy.
        operating: accuracy, each at its own operating threshold.
        auc: None where no class is positive.
        sensitivity: at 1 % false positives of the judged cells, of both; None where no class is positive.
        agreement: share of cells that both put into the same class, each at its own operating threshold.
        agreement_interval: 95 % interval of it by slide.
    """

    cells: int
    groups: int
    accuracy: PairedDifference
    agreement_at_half: float
    interval: Interval
    operating: PairedDifference
    auc: PairedDifference | None
    sensitivity: tuple[float, float] | None
    agreement: float
    agreement_interval: Interval


@dataclass(frozen=True, slots=True)
class SecondLabelFigures:
    """Accuracy at one half on the cells of the notebook's own test set; each pair is of the net as trained and of its device file.

    Attributes:
        cells: of the test set that are here.
        differ: of them, whose label by the notebook's author is not the published one.
        author: accuracies by the author's labels.
        published: by the published labels.
    """

    cells: int
    differ: int
    author: tuple[float, float]
    published: tuple[float, float]


def compare(
    scores: tuple[FloatArray, FloatArray], thresholds: tuple[float, float], cells: CellSet, positive: tuple[str, ...]
) -> PairedFigures:
    """Compare the device file with the net as trained.

    Args:
        scores: of the net as trained and of the device file, float32 [n, labels].
        thresholds: of the same two.
        cells: the cells.
        positive: labels that make a sample suspicious; with none, the highest score counts.
    """
    suspect = np.array([label in positive for label in cells.labels])
    infected = suspect[cells.truth] if suspect.any() else cells.truth == 0
    groups = cells.resampled()

    def verdicts(at: tuple[float, float]) -> np.ndarray:
        both = zip(scores, at, strict=True)
        return np.stack([decide(one, cells.labels, positive, threshold) for one, threshold in both], axis=1)

    def difference(measure: Callable[[np.ndarray, np.ndarray], float], both: np.ndarray) -> PairedDifference:
        def gain(truth: np.ndarray, pair: np.ndarray) -> float:
            return measure(truth, pair[:, 1]) - measure(truth, pair[:, 0])

        values = [measure(infected, both[:, i]) for i in (0, 1)]
        return PairedDifference(values[0], values[1], figure_interval(gain, infected, both, groups, _RESAMPLES))

    def share(_: np.ndarray, right: np.ndarray) -> float:
        return float(right.mean())

    halves, operating = verdicts((HALF, HALF)), verdicts(thresholds)
    same = operating[:, 0] == operating[:, 1]
    areas = np.stack([one[:, suspect].sum(axis=1) for one in scores], axis=1)
    return PairedFigures(
        cells=len(cells),
        groups=len(np.unique(cells.groups)),
        accuracy=difference(share, halves == cells.truth[:, None]),
        agreement_at_half=float((halves[:, 0] == halves[:, 1]).mean()),
        interval=share_interval(halves[:, 1] == cells.truth, groups),
        operating=difference(share, operating == cells.truth[:, None]),
        auc=difference(auc, areas) if suspect.any() else None,
        sensitivity=_sensitivities(infected, areas) if suspect.any() else None,
        agreement=float(same.mean()),
        agreement_interval=share_interval(same, groups),
    )


def _sensitivities(infected: np.ndarray, both: FloatArray) -> tuple[float, float]:
    before, after = (sensitivity_at(infected, both[:, i], _FALSE_POSITIVES) for i in (0, 1))
    return before, after


def by_second_labels(
    scores: tuple[FloatArray, FloatArray], cells: CellSet, known: dict[str, str], positive: tuple[str, ...]
) -> SecondLabelFigures | None:
    """Accuracies by the labels of the notebook's author, by file name; None where none of these cells has one."""
    rows = np.array([i for i, name in enumerate(cells.names) if Path(name).name in known], int)
    if not len(rows):
        return None
    author = np.array([cells.labels.index(known[Path(cells.names[i]).name]) for i in rows])
    published = cells.truth[rows]
    verdicts = [decide(one[rows], cells.labels, positive, HALF) for one in scores]

    def right(labels: np.ndarray) -> tuple[float, float]:
        return (float((verdicts[0] == labels).mean()), float((verdicts[1] == labels).mean()))

    return SecondLabelFigures(len(rows), int((author != published).sum()), right(author), right(published))
