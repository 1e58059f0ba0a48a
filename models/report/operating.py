"""What other thresholds would give: by false positives on slides known to be negative, each chosen on other folds' slides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.judge.figures import Measurement
from models.judge.finder_thresholds import at_false_positives
from models.report.measure import exact
from models.report.scores import FieldCells, NetScores, NihCells

RATES = (0.01, 0.001)
_CARD = "the card's"


@dataclass(frozen=True, slots=True)
class Point:
    """One way to set the threshold.

    Attributes:
        rule: in words.
        limits: lowest and highest threshold among the folds.
        negative: share of the cells of known-negative slides that are called positive.
        worst: highest share on one of these slides.
        nih: share of the infected NIH cells that are found.
        iml: share of the infected IML cells that are found, end to end.
        false: share of the IML finds that are not annotated as infected and are called positive.
    """

    rule: str
    limits: tuple[float, float]
    negative: Measurement
    worst: float
    nih: Measurement
    iml: Measurement
    false: Measurement


def known_negative(cells: NihCells) -> np.ndarray:
    """Cells of slides without a cell labelled infected, bool [n]."""
    sick = np.unique(cells.slides[cells.infected])
    return np.asarray(~np.isin(cells.slides, sick))


def points(nih: NihCells, iml: FieldCells, net: NetScores) -> list[Point]:
    """The card's threshold, and those that let a share of the known-negative cells of all other folds through."""
    healthy = known_negative(nih)
    out = [_point(nih, iml, net, [card.threshold for card in net.cards], _CARD)]
    for rate in RATES:
        limits = []
        for fold in range(len(net.cards)):
            rest = healthy & (nih.folds != fold)
            limits.append(at_false_positives(net.nih[rest], np.zeros(int(rest.sum()), bool), rate))
        out.append(_point(nih, iml, net, limits, f"{rate:.1%} of known-negative cells of other folds"))
    return out


def _point(nih: NihCells, iml: FieldCells, net: NetScores, limits: Sequence[float], rule: str) -> Point:
    at = np.array(limits)
    called, healthy = net.nih >= at[nih.folds], known_negative(nih)
    flagged = net.iml >= at[iml.folds]
    shares = [float(called[nih.slides == slide].mean()) for slide in np.unique(nih.slides[healthy])]
    return Point(
        rule,
        (float(at.min()), float(at.max())),
        exact(int(called[healthy].sum()), int(healthy.sum())),
        max(shares, default=float("nan")),
        exact(int(called[nih.infected].sum()), int(nih.infected.sum())),
        exact(int(flagged[iml.infected].sum()), iml.total),
        exact(int(flagged[~iml.infected].sum()), int((~iml.infected).sum())),
    )
