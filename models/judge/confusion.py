"""Which class is taken for which: the confusion matrix, recall and precision of each class, macro F1, all with intervals.

The bootstrap draws groups: each has its own matrix, and what is drawn is added up.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from convert.measure.bootstrap import QUICK_RESAMPLES, limits, resampled_sums
from models.judge.figures import CellScores, Measurement


def tables(scored: CellScores) -> np.ndarray:
    """A matrix per group (field, where groups are few), int [groups, k true, k + 1 decided]; last column: lost."""
    truth = scored.truth()
    if truth is None:
        raise ValueError("the net's classes are not those of the cells")
    count = len(scored.card.labels)
    names, member = np.unique(np.concatenate(scored.cells.units()), return_inverse=True)
    out = np.zeros((len(names), count, count + 1), int)
    np.add.at(out, (member[: len(truth)], truth, scored.decided()), 1)
    if scored.fit.label_of is not None:
        lost = scored.fit.label_of[scored.cells.lost_truth]
        np.add.at(out, (member[len(truth) :], lost, np.full(len(lost), count)), 1)
    return out


def recalls(matrix: np.ndarray) -> np.ndarray:
    """The share of each class that is found and called so: [..., k, k + 1] to float [..., k]; NaN where there is none."""
    return _ratio(_hits(matrix), matrix.sum(axis=-1))


def precisions(matrix: np.ndarray) -> np.ndarray:
    """The share of the cells called each class that are of it: float [..., k]; NaN where nothing is called so."""
    return _ratio(_hits(matrix), matrix[..., :-1].sum(axis=-2))


def macro_f1(matrix: np.ndarray) -> np.ndarray:
    """Mean F1 of the classes there are, float [...]."""
    hits, true, called = _hits(matrix), matrix.sum(axis=-1), matrix[..., :-1].sum(axis=-2)
    return np.asarray(np.nanmean(np.where(true > 0, 2 * hits / np.maximum(true + called, 1), np.nan), axis=-1))


def accuracies(matrix: np.ndarray) -> np.ndarray:
    """Share of all cells that are called what they are, float [...]."""
    return np.asarray(_hits(matrix).sum(axis=-1) / np.maximum(matrix.sum(axis=(-1, -2)), 1))


def resampled(by_group: np.ndarray) -> np.ndarray:
    """Matrices of bootstrap resamples, int [resamples, k, k + 1]; the same groups for every net."""
    return resampled_sums(by_group, QUICK_RESAMPLES)


def figures(scored: CellScores) -> dict[str, Any]:
    """Everything as plain values: ``labels``, ``confusion`` (rows: true; last column: lost), and figures with intervals."""
    by_group = tables(scored)
    whole, samples = by_group.sum(axis=0), resampled(by_group)
    many = len(by_group) > 1
    counts, called = whole.sum(axis=1), whole[:, :-1].sum(axis=0)

    def measured(value: float, values: np.ndarray, n: int) -> dict[str, Any] | None:
        if np.isnan(value):
            return None
        low, high = limits(values) if many else (None, None)
        return asdict(Measurement(float(value), low, high, n))

    rows = {"recall": (recalls, counts), "precision": (precisions, called)}
    each = {
        name: {
            label: measured(function(whole)[i], function(samples)[:, i], int(n[i]))
            for i, label in enumerate(scored.card.labels)
        }
        for name, (function, n) in rows.items()
    }
    return {
        "labels": list(scored.card.labels),
        "confusion": whole.tolist(),
        "accuracy": measured(float(accuracies(whole)), accuracies(samples), int(counts.sum())),
        "macro_f1": measured(float(macro_f1(whole)), macro_f1(samples), int((counts > 0).sum())),
        **each,
    }


def _hits(matrix: np.ndarray) -> np.ndarray:
    return np.diagonal(matrix[..., :-1], axis1=-2, axis2=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
