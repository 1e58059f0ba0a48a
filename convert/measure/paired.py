"""What one net loses against another on the same cells: the difference of their accuracies with its interval.

Cells that both nets count right, or both wrong, say nothing of the difference. What is left are ``lost`` cells (only the first net
is right) and ``won`` ones (only the second is). Two intervals are made, and each end is the farther one of the two:

- exact: the shares of lost and won cells are taken from beta (Dirichlet) distributions whose limits are those of Clopper and
  Pearson. The lower end is above zero exactly where McNemar's exact test finds a loss, so it holds where few cells differ.
- over slides, where these are known: the bootstrap of ``convert.measure.bootstrap``, since the cells of one slide are alike.

Sources: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404; Q. McNemar, Psychometrika 12 (1947) 153; A. Agresti,
*Categorical Data Analysis*, 3rd edition (2013), section 11.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from convert.measure.bootstrap import Interval, limits, resampled_sums, sums_by_group
from convert.measure.cells import CellSet

LEVEL = 0.95
"""Of an interval that nobody else shares its cells with."""

MOST_CELLS = 200_000
"""More cells than these are not asked for: the loss is so near the limit that counting does not settle it."""

_DRAWS = 20_000  # from the beta distributions: the ends are good to a tenth of a cell
_RESAMPLES = 4000  # of slides: enough for the tails of an interval that is shared by several ways
_SEED = 0  # of the draws


@dataclass(frozen=True, slots=True)
class PairedLoss:
    """The loss of accuracy between two nets on the same cells.

    Attributes:
        lost: cells that only the first net counts right.
        won: cells that only the second net counts right.
        cells: all of them.
        groups: slides that the interval was drawn over; 0: it is by cells.
        low: lower end of the interval, in points of accuracy; negative: the second net is better.
        high: upper end.
        level: of the interval, 0..1.
    """

    lost: int
    won: int
    cells: int
    groups: int
    low: float
    high: float
    level: float

    @property
    def points(self) -> float:
        """Points of accuracy that the second net loses."""
        return (self.lost - self.won) * 100 / self.cells

    def cells_to_settle(self, limit: float) -> int | None:
        """How many cells would lift the whole interval over ``limit`` points or bring it under, if lost and won stay as they are.

        None: more than ``MOST_CELLS``.
        """
        over = self.points > limit
        exact = _exact(self.lost, self.won, self.cells, self.level)
        wider = max(1.0, ((self.high - self.low) / max(1e-9, exact[1] - exact[0])) ** 2)  # cells of a slide count less
        few, many = self.cells, self.cells
        while not self._settles(limit, many, over=over):
            few, many = many, 2 * many
            if many * wider > MOST_CELLS:
                return None
        while many - few > 0.02 * few:
            middle = (few + many) // 2
            few, many = (few, middle) if self._settles(limit, middle, over=over) else (middle, many)
        return round(many * wider)

    def _settles(self, limit: float, cells: int, *, over: bool) -> bool:
        times = cells / self.cells
        low, high = _exact(self.lost * times, self.won * times, cells, self.level)
        return low > limit if over else high <= limit


def paired_loss(first: np.ndarray, second: np.ndarray, cells: CellSet, level: float = LEVEL) -> PairedLoss:
    """The loss from the first net to the second: bool [n] each, which of the cells it counts as what they are."""
    lost, won = int((first & ~second).sum()), int((~first & second).sum())
    low, high = _exact(lost, won, len(cells), level)
    groups = len(np.unique(cells.groups)) if cells.grouped else 0
    if groups > 1:
        difference = np.stack([first.astype(float) - second, np.ones(len(cells))], axis=1)
        sums = resampled_sums(sums_by_group(difference, cells.groups), _RESAMPLES)
        by_slide = limits(sums[:, 0] / sums[:, 1] * 100, level)
        low, high = min(low, by_slide[0]), max(high, by_slide[1])
    return PairedLoss(lost, won, len(cells), groups if groups > 1 else 0, low, high, level)


@cache
def _exact(lost: float, won: float, cells: int, level: float) -> Interval:
    """The exact interval in points; shares of a cell may be asked for."""
    rng = np.random.default_rng(_SEED)
    ends = []
    for more_lost, share in ((0, (1 - level) / 2), (1, (1 + level) / 2)):
        drawn = [rng.standard_gamma(count, _DRAWS) for count in (lost + more_lost, won + 1 - more_lost)]
        rest = rng.standard_gamma(max(0.0, cells - lost - won), _DRAWS)
        ends.append(float(np.quantile((drawn[0] - drawn[1]) / (drawn[0] + drawn[1] + rest), share)) * 100)
    return ends[0], ends[1]
