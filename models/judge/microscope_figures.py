"""The figures of one microscope, each with its interval and its n: what the finder finds and keeps, and what is called infected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from convert.measure.bootstrap import QUICK_RESAMPLES, limits, resampled_sums, sums_by_group
from edge.card import Card
from edge.types import FloatArray
from models.judge.device_fields import JudgedFields
from models.judge.figures import BY_KEY, CellScores, Measurement, Metric, applies, exact, measure, share, two_classes

KEPT_IN_TRIAGE = 0.995
"""Share of the infected cells that a triage must keep."""

_SUMS = (
    "hits",
    "counted",
    "true",
    "infected",
    "infected lost",
    "white",
    "white counted",
    "platelets",
    "platelets counted",
)
"""What is counted in each field, and summed over fields, in this order."""

_OF_SUMS: Mapping[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "red_f1": (lambda s: 2 * s[0] / (s[1] + s[2]), "true"),
    "red_precision": (lambda s: s[0] / s[1], "counted"),
    "red_recall": (lambda s: s[0] / s[2], "true"),
    "infected_kept": (lambda s: 1 - s[4] / s[3], "infected"),
    "white_counted": (lambda s: s[6] / s[5], "white"),
    "platelets_counted": (lambda s: s[8] / s[7], "platelets"),
}
"""Figures of the finder by key: from ``_SUMS`` [columns, ...] to [...], and the sum that is their n."""


def triage(infected: np.ndarray, scores: np.ndarray, kept: float = KEPT_IN_TRIAGE) -> float:
    """Share of the others below the highest threshold that keeps this share of the infected cells; 0 where none does.

    Args:
        infected: bool [n].
        scores: float [n]; below zero: lost by the finder, which no threshold keeps.
        kept: share of the infected cells.
    """
    sick = np.sort(scores[infected])[::-1]
    limit = sick[int(np.ceil(kept * len(sick))) - 1]
    return float((scores[~infected] < limit).mean())


def _suspicion(scored: CellScores) -> FloatArray:
    return scored.suspicion


_OF_CELLS: Mapping[str, Metric] = {
    "accuracy": BY_KEY["accuracy"],
    "auc": BY_KEY["auc"],
    "at_1": BY_KEY["sensitivity_at_1_percent_fp"],
    "at_01": BY_KEY["sensitivity_at_0.1_percent_fp"],
    "triage_kept": Metric("triage_kept", "others discarded, of cells found", _suspicion, measure=triage),
}
"""Figures by key of cells that were given or found."""

_END_TO_END: Mapping[str, Metric] = {
    "found_at_1": BY_KEY["found_at_1_percent_fp"],
    "found_at_01": BY_KEY["found_at_0.1_percent_fp"],
    "triage": Metric("triage", "others discarded, end to end", _suspicion, measure=triage, lost=True),
}
"""The same of all annotated cells of fields: a lost one is reached by no threshold."""


@dataclass(frozen=True, slots=True, eq=False)
class CalledCells:
    """Scored cells, each held against the threshold of its own net.

    Attributes:
        card: of the net, or of one of several folds' nets.
        infected: bool [n].
        suspicion: float32 [n], the positive classes' scores added up.
        called: bool [n], called infected.
        units: str [n], what a bootstrap draws.
        lost_units: str [m], of the infected cells that the finder lost; None: the cells were given, not found.
    """

    card: Card
    infected: np.ndarray
    suspicion: FloatArray
    called: np.ndarray
    units: np.ndarray
    lost_units: np.ndarray | None = None


def cells_of_fields(judged: JudgedFields) -> CalledCells:
    """All finds of fields that count, as cells."""
    infected, suspicion, called = (
        np.concatenate([getattr(one, name) for one in judged.fields]) for name in ("infected", "suspicion", "called")
    )
    return CalledCells(judged.card, infected, suspicion, called, judged.of_cells(), judged.of_lost())


def figures_of_fields(judged: JudgedFields) -> dict[str, Measurement]:
    """All figures of fields that mean something there."""
    return _finder_figures(judged) | figures_of_cells(cells_of_fields(judged))


def _finder_figures(judged: JudgedFields) -> dict[str, Measurement]:
    sums = np.array(
        [
            (m.hits, m.counted, m.true, m.infected, m.infected_lost, *one.white, *one.platelets)
            for one in judged.fields
            for m in (one.match,)
        ]
    )
    whole = sums.sum(axis=0)
    drawn = resampled_sums(sums_by_group(sums, judged.units), QUICK_RESAMPLES).T
    out = {}
    for key, (figure, rests_on) in _OF_SUMS.items():
        count = int(whole[_SUMS.index(rests_on)])
        if count:
            with np.errstate(invalid="ignore"):  # a resample without any white cell has no share of them
                out[key] = Measurement(float(figure(whole)), *limits(figure(drawn)), count)
    return out


def figures_of_cells(cells: CalledCells) -> dict[str, Measurement]:
    """All figures of scored cells that mean something."""
    infected, called, units = cells.infected, cells.called, cells.units
    scored = two_classes(cells.card, infected, cells.suspicion, units, cells.lost_units)
    metrics = _OF_CELLS if cells.lost_units is None else {**_OF_CELLS, **_END_TO_END}
    # a finder that loses nothing has the figures of whole fields, too
    means = {key: infected.any() and applies(replace(metric, lost=False), scored) for key, metric in metrics.items()}
    out = {key: measure(metric, scored) for key, metric in metrics.items() if means[key]}
    if not infected.all():
        others = called[~infected]
        # resamples of nothing hold nothing: an interval of zero width would say too much
        out["called"] = share(others, units[~infected]) if others.any() else exact(0, len(others))
    lost = np.zeros(0, str) if cells.lost_units is None else cells.lost_units
    if infected.any() or len(lost):
        hits = np.concatenate([called[infected], np.zeros(len(lost), bool)])
        out["found"] = share(hits, np.concatenate([units[infected], lost]))
    return out
