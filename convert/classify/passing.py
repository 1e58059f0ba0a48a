"""Whether one net does as well as another, by the cells that choose: what ways and the rescue ladder ask.

The loss is the number of cells that only the first net counts right, less those that only the second does; its standard error is the
root of both together. With the limit of the gate there are three answers:

| loss | the second net is | so |
|---|---|---|
| and one standard error more is within the limit | as good | a way is taken, no further one is made |
| less one standard error is over the limit | worse | a way is given up; an int8 file gets the dear steps of the ladder |
| else | nobody can tell | a way is rescued, and may be judged where none is as good |

The gate itself (``convert.classify.accuracy_gate``) asks other cells, and refuses where the whole 95 % interval is over the limit.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from convert.classify.loss import auc_lost
from convert.measure.cells import CellSet
from convert.measure.operating import HALF
from convert.measure.scoring import decide
from edge.modelfile import Card
from edge.types import FloatArray

NO_GATE = 100.0
"""Points of accuracy; with this limit nothing is refused, and nothing is rescued."""


def right(scores: FloatArray, cells: CellSet, card: Card) -> np.ndarray:
    """Which cells are counted as what they are from one half, bool [n]: an operating threshold moves with chance, this does not."""
    return np.asarray(decide(scores, card.labels, card.positive, HALF) == cells.truth)


def accuracy(scores: FloatArray, cells: CellSet, card: Card) -> float:
    """Share of cells counted as what they are from one half, 0..1."""
    return float(right(scores, cells, card).mean())


def as_good(first: FloatArray, second: FloatArray, cells: CellSet, card: Card, limit: float) -> bool:
    """Whether the second net is as good as the first: scores float32 [n, labels] each.

    One cell alone is no reason against it, unless ``limit`` is 0: then it may lose none. AUC may not be lower by as much, in the same
    points, where that is no chance.
    """
    lost, won = _apart(first, second, cells, card)
    most = _allowed(limit, len(cells)) - sqrt(lost + won) * (limit > 0)
    if lost - won > most and (limit == 0 or lost + won > 1):
        return False
    return auc_lost(first, second, cells, card) <= limit / 100


def worse(first: FloatArray, second: FloatArray, cells: CellSet, card: Card, limit: float) -> bool:
    """Whether the second net loses more than ``limit`` points of accuracy: scores float32 [n, labels] each."""
    lost, won = _apart(first, second, cells, card)
    return limit < NO_GATE and lost - won - sqrt(lost + won) > _allowed(limit, len(cells))


def can_be_shown(differ: float, cells: int, limit: float) -> bool:
    """Whether a net that differs on that share of the cells, and loses nothing, would be found as good on so many."""
    return limit > 0 and sqrt(differ * cells) <= _allowed(limit, cells)


def _apart(first: FloatArray, second: FloatArray, cells: CellSet, card: Card) -> tuple[int, int]:
    """How many cells only the first net counts right, and how many only the second."""
    rows = [right(scores, cells, card) for scores in (first, second)]
    return int((rows[0] & ~rows[1]).sum()), int((~rows[0] & rows[1]).sum())


def _allowed(limit: float, cells: int) -> float:
    """Cells that may be lost: the limit's share, but always one, unless the limit is 0."""
    return max(1.0, limit * cells / 100) if limit > 0 else 0.0
