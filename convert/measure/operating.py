"""The operating threshold: the lowest that keeps false positives under a rate, on cells that neither calibrated nor judge.

False positives decide what a sample shows, not accuracy: at one half a net that is 95 % right flags every healthy sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convert.measure.cells import CellSet
from convert.measure.metrics import threshold_at
from edge.modelfile import Card
from edge.types import FloatArray

HALF = 0.5
"""The threshold where none is chosen."""

USUAL = 0.01
"""False positives among negative cells that are let through where nobody says how many."""

_NEGATIVES = 200  # cells; with fewer no threshold is chosen
_BEYOND = 2  # negatives that must be allowed over the threshold, or it rests on one cell


@dataclass(frozen=True, slots=True)
class Operating:
    """How the threshold is chosen.

    Attributes:
        rate: false positives among negative cells, 0..1; None: one half is taken.
        origin: in words, for the card.
        note: why it is one half although a rate was wanted; empty where it is as asked.
    """

    rate: float | None
    origin: str
    note: str = ""

    def threshold(self, scores: FloatArray, cells: CellSet, card: Card) -> float:
        """For a net with these scores on these cells, float32 [n, labels]."""
        if self.rate is None:
            return HALF
        suspect = suspicious(card)
        return threshold_at(~negative(cells, card), scores[:, suspect].sum(axis=1), self.rate)


def how(asked: float | None, cells: CellSet, card: Card, *, known: bool) -> Operating:
    """What can be done with these cells.

    Args:
        asked: rate of false positives 0..1; None: the usual 1 %; 0: one half.
        cells: those the threshold is chosen on.
        card: labels and positive classes.
        known: the cells' classes are known.
    """
    half = "one half, not chosen on negative cells"
    if asked == 0:
        return Operating(None, "one half, as asked")
    suspect = suspicious(card)
    if not known or not suspect.any() or suspect.all():
        return Operating(
            None, half, "" if asked is None else "--false-positives: needs cells, and classes that are positive"
        )
    rate = USUAL if asked is None else asked
    negatives, wanted = int(negative(cells, card).sum()), max(_NEGATIVES, int(np.ceil(_BEYOND / rate)))
    if negatives < wanted or negatives == len(cells):
        return Operating(
            None,
            half,
            f"the threshold is one half: {negatives} negative cells are left to choose it on, "
            f"{wanted} are needed for {rate:.3%} false positives",
        )
    count = len(np.unique(cells.groups[negative(cells, card)]))
    slides = f" of {count} {'slides' if count > 1 else 'slide'}" if cells.grouped else ""
    return Operating(
        rate, f"{rate:.3%} false positives on {negatives} negative cells{slides}, not those it is judged on"
    )


def suspicious(card: Card) -> np.ndarray:
    """Which labels are positive, bool [k]."""
    return card.positive_mask


def negative(cells: CellSet, card: Card) -> np.ndarray:
    """Which cells are of no positive class, bool [n]."""
    return np.asarray(~suspicious(card)[cells.truth])
