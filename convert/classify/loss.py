"""What quantising loses: a device file against the float file of the same graph, on the same cells.

Each loss is given in units of what is tolerable (1: as much as is). Where few cells could make it by chance it counts as
none: the differences of areas and sensitivities are kept only where the 95 % bootstrap interval excludes zero.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from convert.measure.bootstrap import figure_interval
from convert.measure.cells import CellSet
from convert.measure.metrics import auc, sensitivity_at
from convert.measure.operating import HALF, suspicious
from convert.measure.scoring import decide
from edge.modelfile import Card
from edge.types import FloatArray

AGREEMENT, AUC_DROP, ACCURACY_DROP = 0.995, 0.002, 0.003
"""What this project promises of int8: at least this agreement with the float file, at most these drops (shares, not points)."""

_SENSITIVITY_DROPS = ((0.01, 200, 0.02), (0.001, 1000, 0.05))  # at this rate, given so many negatives, so much
_RESAMPLES = 100  # enough to see whether an interval excludes zero


def losses(
    floats: tuple[FloatArray, float], int8: tuple[FloatArray, float], cells: CellSet, card: Card, limit: float | None
) -> dict[str, float]:
    """By name, in units of what is tolerable.

    Args:
        floats: scores float32 [n, labels] of the float file, and its own operating threshold.
        int8: of the device file; agreement is taken at its threshold.
        cells: the cells.
        card: labels and positive classes.
        limit: drop in accuracy that is tolerable, in points; None: the classes are not known.
    """
    mine, theirs = (decide(one[0], card.labels, card.positive, int8[1]) for one in (int8, floats))
    found = {"agreement": _beyond_one((mine != theirs).sum(), len(cells)) / (1 - AGREEMENT)}
    if limit is None:
        return found
    halves = [decide(one[0], card.labels, card.positive, HALF) == cells.truth for one in (floats, int8)]
    net = int(halves[0].sum()) - int(halves[1].sum())
    found["accuracy"] = _beyond_one(net, len(cells)) * 100 / max(limit, 0.01)
    suspect = suspicious(card)
    infected = suspect[cells.truth]
    if 0 < infected.sum() < len(infected):
        both = np.stack([one[0][:, suspect].sum(axis=1) for one in (floats, int8)], axis=1)
        found["AUC"] = _surely(auc, infected, both, cells) / AUC_DROP
        for rate, negatives, most in _SENSITIVITY_DROPS:
            if (~infected).sum() >= negatives:
                measure = partial(sensitivity_at, rate=rate)
                found[f"sensitivity at {rate * 100:g} % FP"] = _surely(measure, infected, both, cells) / most
    return found


def auc_lost(first: FloatArray, second: FloatArray, cells: CellSet, card: Card) -> float:
    """How much lower the AUC of the second net is, 0 where that may be chance or there is none: scores float32 [n, labels]."""
    suspect = suspicious(card)
    infected = suspect[cells.truth]
    if not 0 < infected.sum() < len(infected):
        return 0.0
    both = np.stack([scores[:, suspect].sum(axis=1) for scores in (first, second)], axis=1)
    return _surely(auc, infected, both, cells)


def _beyond_one(count: int, cells: int) -> float:
    """A share of the cells; one cell alone is no reason to do anything."""
    return float(count / cells) if count > 1 else min(0.0, float(count / cells))


def _surely(
    measure: Callable[[np.ndarray, np.ndarray], float], infected: np.ndarray, both: np.ndarray, cells: CellSet
) -> float:
    """How much lower the measure is for int8, 0 where that may be chance: scores float [n, 2], float and int8."""

    def drop(truth: np.ndarray, scores: np.ndarray) -> float:
        return measure(truth, scores[:, 0]) - measure(truth, scores[:, 1])

    found = drop(infected, both)
    if found <= 0:
        return found
    return found if figure_interval(drop, infected, both, cells.resampled(), _RESAMPLES)[0] > 0 else 0.0
