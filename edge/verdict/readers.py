"""How readers err, from cells that were read more than once: what they imagine and what they miss.

Nobody knows the truth about a cell; readers' answers about the same cell tell it only together (Dawid and Skene 1979; Hui and
Walter 1980, for tests without a gold standard). A cell of the reread ones is positive with probability pi; given the truth, answers
are independent, positive with probability ``1 - missed`` or ``imagined``:

    P(k of j answers positive) = pi (1 - missed)^k missed^(j-k) + (1 - pi) imagined^k (1 - imagined)^(j-k)

Two answers per cell do not identify three numbers, and a few cells identify none. So nothing is plugged in: the posterior over a
grid is taken. Priors: ``imagined`` Beta(1, 60), ``missed`` Beta(1/2, 10), pi uniform. So a reader who was never checked is thought
to err on 1.6 % of the negative cells and to miss 5 % of the positive ones, give or take as much. Nobody is taken to be perfect: one
wrong answer among 60 would be a false alarm. Tried: Beta(1/2, 60) for ``imagined``, which is so dense near 0 that 40 cells on which
two readers agreed made careless ones (2 %) look careful, and a fifth of the blanks were flagged.

What this cannot see: errors that all readers share, or that one repeats, because answers are then not independent given the truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from edge.types import Interval
from edge.verdict.beta import beta_quantile
from edge.verdict.interval import LEVEL
from edge.verdict.review_records import ReaderRates, Votes
from edge.verdict.tails import Floats, at_most

IMAGINED = (1.0, 60.0)
"""Prior of the share of negative cells that a reader calls positive: parameters of a beta distribution."""

MISSED = (0.5, 10.0)
"""Prior of the share of positive cells that a reader does not call so."""

_IMAGINED = np.geomspace(1e-5, 0.4, 44)
_MISSED = np.geomspace(1e-4, 0.45, 32)
_SHARES = 24  # points of the grid over the share of positive cells among the reread
_WIDER = 0.1  # by which that grid reaches beyond what chance alone would do to it
_ROUNDS = 30  # of Dawid and Skene's estimation, by far enough
_TINY = 1e-300  # keeps a logarithm finite


@dataclass(frozen=True, slots=True, eq=False)
class ReaderErrors:
    """What readers may be like.

    Attributes:
        imagined: float64 [a]: shares of the negative cells that a reader calls positive.
        missed: float64 [b]: shares of the positive cells that a reader does not.
        weights: float64 [a, b], adding up to 1.
    """

    imagined: Floats
    missed: Floats
    weights: Floats

    def draw(self, u: Floats, w: Floats) -> tuple[Floats, Floats]:
        """Pairs (imagined, missed), float64 [m] each, from uniform numbers ``u`` and ``w`` [m]."""
        first = np.cumsum(self.weights.sum(axis=1))
        a = np.minimum(np.searchsorted(first, u * first[-1]), len(self.imagined) - 1)
        second = np.cumsum(self.weights[a], axis=1)
        b = np.minimum((second < (w * second[:, -1])[:, None]).sum(axis=1), len(self.missed) - 1)
        return self.imagined[a], self.missed[b]

    def means(self) -> tuple[float, float]:
        """Expected (imagined, missed)."""
        return float(self.imagined @ self.weights.sum(axis=1)), float(self.missed @ self.weights.sum(axis=0))

    def imagined_at_most(self, cells: int, level: float, answers: int = 1) -> int:
        """So many of ``cells`` negative ones do ``answers`` independent readers all call positive at most, ``level`` of the time."""
        chance, weights = self.imagined**answers, self.weights.sum(axis=1)
        low, high = -1, cells
        while high - low > 1:
            middle = (low + high) // 2
            if float(at_most(middle, cells, chance) @ weights) >= level:
                high = middle
            else:
                low = middle
        return high


def reader_errors(votes: Sequence[Votes]) -> ReaderErrors:
    """The posterior from all cells that were read more than once; without any, the prior."""
    patterns = Counter((sum(said for _, said in cell), len(cell)) for cell in votes if len(cell) > 1)
    return _posterior(tuple(sorted(patterns.items())))


@lru_cache(maxsize=256)
def _posterior(patterns: tuple[tuple[tuple[int, int], int], ...]) -> ReaderErrors:
    share, imagined, missed = np.meshgrid(_shares(patterns), _IMAGINED, _MISSED, indexing="ij")
    log_p = _log_beta(_IMAGINED, *IMAGINED)[:, None] + _log_beta(_MISSED, *MISSED)
    log_p = np.repeat(log_p[None], _SHARES, axis=0)
    for (positive, answers), cells in patterns:
        negative = answers - positive
        p = share * (1 - missed) ** positive * missed**negative
        p += (1 - share) * imagined**positive * (1 - imagined) ** negative
        log_p += cells * np.log(np.maximum(p, _TINY))
    weights = np.exp(log_p - log_p.max()).sum(axis=0)
    return ReaderErrors(_IMAGINED, _MISSED, weights / weights.sum())


def _shares(patterns: tuple[tuple[tuple[int, int], int], ...]) -> Floats:
    """The grid over the share of positive cells, around the share of positive answers."""
    cells = sum(n for _, n in patterns)
    answers = sum(j * n for (_, j), n in patterns)
    middle = (sum(k * n for (k, _), n in patterns) + 0.5) / (answers + 1)
    reach = 5 * sqrt(middle * (1 - middle) / (cells + 1)) + _WIDER
    low, high = max(middle - reach, 0.0), min(middle + reach, 1.0)
    return low + (high - low) * (np.arange(_SHARES) + 0.5) / _SHARES


def _log_beta(at: Floats, a: float, b: float) -> Floats:
    """Log of the prior's weight on a grid that is even in the logarithm."""
    return a * np.log(at) + (b - 1) * np.log1p(-at)


def reader_rates(votes: Sequence[Votes]) -> tuple[ReaderRates, ...]:
    """What is known of each reader by name, for people: Dawid and Skene's estimates, with the priors above as cells seen before.

    The intervals leave out that the truth about the reread cells is itself estimated, so they are somewhat too narrow; nothing else
    rests on them.
    """
    cells = [cell for cell in votes if len(cell) > 1]
    names = sorted({name for cell in cells for name, _ in cell})
    if not names:
        return ()
    place = {name: i for i, name in enumerate(names)}
    says = np.zeros((2, len(cells), len(names)))  # how often each called each cell negative, positive
    for i, cell in enumerate(cells):
        for name, said in cell:
            says[int(said), i, place[name]] += 1
    positive = says[1].sum(axis=1) / says.sum(axis=(0, 2))
    for _ in range(_ROUNDS):
        hit = positive @ says[1] + MISSED[1], positive @ says[0] + MISSED[0]
        false = (1 - positive) @ says[1] + IMAGINED[0], (1 - positive) @ says[0] + IMAGINED[1]
        share = (positive.sum() + 0.5) / (len(cells) + 1)
        yes = np.log(share) + says[1] @ np.log(hit[0] / sum(hit)) + says[0] @ np.log(hit[1] / sum(hit))
        no = np.log(1 - share) + says[1] @ np.log(false[0] / sum(false)) + says[0] @ np.log(false[1] / sum(false))
        positive = 1 / (1 + np.exp(np.clip(no - yes, -700, 700)))
    seen = (says.sum(axis=0) > 0).sum(axis=0)
    return tuple(
        ReaderRates(
            name,
            int(seen[i]),
            _interval(float(hit[0][i]), float(hit[1][i])),
            _interval(float(false[1][i]), float(false[0][i])),
        )
        for i, name in enumerate(names)
    )


def _interval(right: float, wrong: float) -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = beta_quantile(max(right, 0.5), max(wrong, 0.5), np.array([tail, 1 - tail])).tolist()
    value = right / (right + wrong)
    return Interval(value, min(low, value), max(high, value))


def confirmed_twice(votes: Sequence[Votes]) -> int:
    """Cells that at least two people call positive and nobody calls anything else."""
    return sum(all(said for _, said in cell) and len({name for name, _ in cell}) > 1 for cell in votes)
