"""Intervals of figures: the one bootstrap of this project. It draws groups (slides, blocks, fields), never single cells.

Cells of one slide share its stain, its patient and whoever labelled it, so they are not independent: an interval over cells would
be far too narrow. Groups are drawn with replacement, as many as there are, and the figure is computed again on each resample; the
interval is that of its percentiles, 2.5th and 97.5th for 95 %. Whatever has the same number of groups gets the same resamples, so
that two nets on the same cells can be compared by the differences of their figures.

Sources: B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13 (percentile interval); A. C. Davison
and D. V. Hinkley, *Bootstrap Methods and their Application* (1997), section 3.8 (resampling whole groups).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

RESAMPLES = 300
"""Resamples for figures that are computed anew on every resample, as the area under a curve is: each takes milliseconds."""

QUICK_RESAMPLES = 1000
"""Resamples for figures that follow from sums per group: drawing them costs next to nothing."""

FEW_GROUPS = 8
"""With fewer groups, fields are drawn instead: such intervals are narrower than a new film deserves, which is said."""

_SEED = 0  # of every draw
_LEVEL = 0.95  # of an interval where nothing else is asked for


def drawn_groups(groups: int, resamples: int) -> NDArray[np.int64]:
    """Numbers of the groups in each resample, int64 [resamples, groups]."""
    return np.random.default_rng(_SEED).integers(0, groups, (resamples, groups))


def limits(values: np.ndarray, level: float = _LEVEL) -> Interval:
    """The interval of a figure's resampled values, float [resamples]; NaN, where a resample gives none, is left out."""
    low, high = np.nanpercentile(values, ((1 - level) * 50, (1 + level) * 50))
    return float(low), float(high)


def resampled_sums(per_group: np.ndarray, resamples: int) -> np.ndarray:
    """Sums over the drawn groups: [groups, ...] to [resamples, ...], in the same dtype."""
    groups = len(per_group)
    times = np.zeros((resamples, groups), per_group.dtype)
    np.add.at(times, (np.arange(resamples)[:, None], drawn_groups(groups, resamples)), 1)
    return np.asarray(np.tensordot(times, per_group, 1))


def sums_by_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Sums of each group, in the order of their names: [n, ...] and group [n] to [groups, ...]."""
    names, member = np.unique(groups, return_inverse=True)
    out = np.zeros((len(names), *values.shape[1:]), values.dtype)
    np.add.at(out, member, values)
    return out


def share_interval(values: np.ndarray, groups: np.ndarray, resamples: int = RESAMPLES) -> Interval:
    """Interval of a mean over cells: bool or float [n] and group [n].

    Where all cells are right, or all are wrong, resamples are all alike and say nothing. Then the other end is the share that so
    many cells would still hide (Clopper and Pearson): none wrong among 60 may be 6 % of all.
    """
    if len(values) and values.dtype == bool and values.all() == values.any():
        hidden = 1 - ((1 - _LEVEL) / 2) ** (1 / len(values))
        return (1 - hidden, 1.0) if values.all() else (0.0, hidden)
    cells = np.stack([values.astype(float), np.ones(len(values))], axis=1)
    hits, sizes = resampled_sums(sums_by_group(cells, groups), resamples).T
    return limits(hits / sizes)


def rows_interval(figure: Callable[[NDArray[np.int64]], float], groups: int, resamples: int) -> Interval:
    """Interval of any figure of groups; it gets the numbers of those drawn, int64 [groups]."""
    return limits(np.array([figure(rows) for rows in drawn_groups(groups, resamples)]))


def figure_interval(
    figure: Callable[[np.ndarray, np.ndarray], float],
    positive: np.ndarray,
    values: np.ndarray,
    groups: np.ndarray,
    resamples: int = RESAMPLES,
) -> Interval:
    """Interval of a figure that contrasts positive cells with the others.

    Args:
        figure: of ``positive`` and ``values`` of some cells.
        positive: bool [n].
        values: float [n] or [n, nets].
        groups: group of each cell, [n].
        resamples: how many; one without both kinds of cells gives no value.
    """
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]

    def of(drawn: NDArray[np.int64]) -> float:
        rows = np.concatenate([members[i] for i in drawn])
        return figure(positive[rows], values[rows]) if 0 < positive[rows].sum() < len(rows) else float("nan")

    return rows_interval(of, len(members), resamples)
