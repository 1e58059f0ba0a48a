"""What other thresholds would give: by false positives on slides known to be negative, each chosen on other folds' slides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.judge.figures import Measurement, exact
from models.judge.scores import FieldCells, NetScores, NihCells, limits_of_others

RATES = (0.01, 0.001)
"""Shares of the known-negative cells that a threshold may let through."""

_CARD = "the card's"


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """What one way to set the threshold gives.

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


def points(nih: NihCells, iml: FieldCells, net: NetScores) -> list[ThresholdResult]:
    """The card's threshold, and those that let a share of the known-negative cells of all other folds through."""
    healthy = nih.known_negative()
    out = [_point(nih, iml, net, [card.threshold for card in net.cards], _CARD)]
    none = np.zeros(int(healthy.sum()), bool)
    for rate in RATES:
        limits = limits_of_others(nih.folds[healthy], net.nih[healthy], none, rate, len(net.cards))
        out.append(_point(nih, iml, net, limits, f"{rate:.1%} of known-negative cells of other folds"))
    return out


def _point(
    nih: NihCells, iml: FieldCells, net: NetScores, limits: Sequence[float] | np.ndarray, rule: str
) -> ThresholdResult:
    at = np.array(limits)
    called, healthy = net.nih >= at[nih.folds], nih.known_negative()
    flagged = net.iml >= at[iml.folds]
    shares = [float(called[nih.slides == slide].mean()) for slide in np.unique(nih.slides[healthy])]
    return ThresholdResult(
        rule,
        (float(at.min()), float(at.max())),
        exact(int(called[healthy].sum()), int(healthy.sum())),
        max(shares, default=float("nan")),
        exact(int(called[nih.infected].sum()), int(nih.infected.sum())),
        exact(int(flagged[iml.infected].sum()), iml.total),
        exact(int(flagged[~iml.infected].sum()), int((~iml.infected).sum())),
    )
