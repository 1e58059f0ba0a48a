"""The share of infected cells behind a sample of which people have looked at a part.

Two-phase sampling (Neyman 1938): the machine sorts all ``n`` counted cells into parts, people look at some cells of each, at random
(Neyman 1934). For a part with N of the n cells, m of them looked at and r confirmed, the share of all cells that lie in it and would
be confirmed is a product of two beta variables,

    rho = Beta(r, m - r + 1) Beta(N + 1, n - N)          (the exact lower side; Beta(r + 1, m - r) the upper)

which for m = N is the exact Clopper-Pearson distribution of r of n. Readers err (Rogan and Gladen 1978): of those, ``imagined N / n``
are no positives, and of the positives ``missed`` are not among them. The parts add up:

    v = sum over parts of (rho - imagined N / n) / (1 - missed - imagined), each at least 0

Where fewer are confirmed than readers imagine, subtracting would leave nothing, and a bound of 0: the upper side is taken given that
rho is at least what is imagined (Zech 1989, upper limits above a known background). None of m leaves 3 / m, whatever the readers.

A sum of counts with different weights N / m has no exact interval. As Fay and Feuer (1997) do, the upper side is taken in one part
only, the one whose cells weigh most; half of the distribution on either side gives the middle (mid-P; Fay and Kim 2017). With what
is uncertain of the readers and of the machine that makes one melded confidence distribution (Fay, Proschan and Brittain 2015), as in
``edge.verdict.prevalence``, held as points: a Latin hypercube that is the same in every run.

With a calibration the machine's sensitivity s is known: only the suspects are summed, and ``v = sum / s``. The reader has seen the
false positives of this very slide, so how many blanks show no longer matters. What a random sample of the other cells shows can only
lower s: at each s, ``v (1 - s)`` of the cells are infected and no suspects; an s that leaves too few for what was confirmed weighs
less, by the profile likelihood over where they may be. Few confirmed do not raise s, for it counts cells that the finder lost, and
those are in no part. If hardly any s explains what was found, the calibration is contradicted, and the sample alone speaks.

Cells that nobody has looked at in a part without a random sample, cells that nobody could tell, and cells marked where the machine
has none are bounded: none of them at the lower end, all at the upper.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge.types import Interval
from edge.verdict.beta import beta_quantile, beta_quantile_above, uniform_points, weighted_quantile
from edge.verdict.interval import LEVEL
from edge.verdict.rates import Rate
from edge.verdict.readers import ReaderErrors
from edge.verdict.review_records import PartCounts, ReviewCounts
from edge.verdict.tails import Floats, beta_cdf

_MOST_PIECES = 6  # two that were all looked at, and four drawn from
_COIN, _IMAGINED, _MISSED, _FOUND = range(4)  # rows of the points; two for each piece follow
_TINY = 1e-12  # keeps a division and a logarithm finite
_VERY_MANY = 1e9  # cells of which a few are expected are as many as one likes
_OPEN = 3.0  # times as many positive cells at the upper end as at the lower: then there is no one estimate
_LEAST_TELLING = 0.05  # 1 - missed - imagined is kept above: readers who err more tell nothing
CONTRADICTED = 0.01
"""Chance of so many confirmed among the cells that are no suspects, below which a calibration does not hold here."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Cells of one kind: ``looked`` of ``size`` are known, a random sample or all, ``positive`` of them confirmed."""

    size: int
    looked: int
    positive: int

    @property
    def weight(self) -> float:
        """Cells that each one looked at stands for."""
        return self.size / self.looked if self.looked else 1.0


def pieces_of(parts: Iterable[PartCounts], *, high: bool) -> list[Piece]:
    """The parts as pieces; at least one.

    Suspects that were all looked at are one piece, whether they were ordered or drawn, and so are other cells. With them are the
    cells that are only bounded, as if they had been looked at.

    Args:
        parts: of a sample.
        high: count what is only bounded as positive; else as negative.
    """
    all_seen = {True: [0, 0], False: [0, 0]}  # by suspect: cells, positive
    pieces = []
    for part in parts:
        positive = part.positive + (part.unsure if high else 0)
        if part.ordered or part.looked in (0, part.size):
            all_seen[part.suspect][0] += part.size
            all_seen[part.suspect][1] += positive + (part.size - part.looked if high else 0)
        else:
            pieces.append(Piece(part.size, part.looked, positive))
    pieces += [Piece(cells, cells, positive) for cells, positive in all_seen.values() if cells]
    return pieces or [Piece(0, 0, 0)]


@dataclass(frozen=True, slots=True)
class ReviewedShare:
    """What a review says of a share.

    Attributes:
        share: with its two-sided 95 % interval; no value where parts that nobody has looked at leave it open.
        least, most: one-sided 95 % bounds.
        agreement: the chance of as many confirmed among the cells that are no suspects as were, by the calibration; 1 without one.
    """

    share: Interval
    least: float
    most: float
    agreement: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Distribution:
    lower: Floats
    upper: Floats
    weights: Floats | None = None
    agreement: float = 1.0


_ROWS = _FOUND + 1 + 2 * _MOST_PIECES


class ReviewedShares:
    """The infected share of a slide, for one way in which readers err and one calibration. Pure.

    Args:
        readers: how they err.
        found: the share of infected cells that come out as suspects, where it is known; None: the sample alone speaks.
    """

    def __init__(self, readers: ReaderErrors, found: Rate | None) -> None:
        points = uniform_points(_ROWS)
        self.readers = readers
        self.found = found
        self._imagined, missed = readers.draw(points[_IMAGINED], points[_MISSED])
        self._telling = np.maximum(1 - missed - self._imagined, _LEAST_TELLING)
        self._s: Floats | None = None
        if found is not None:
            self._s = np.interp(points[_FOUND], np.cumsum(found.weights) - found.weights / 2, found.values)

    def most(self, counts: ReviewCounts) -> float:
        """The one-sided upper bound alone."""
        return _quantile(self._distribution(counts, high=True), 1.0, LEVEL)

    def share(self, counts: ReviewCounts) -> ReviewedShare:
        """Everything, of at least one cell."""
        tail = (1 - LEVEL) / 2
        high = self._distribution(counts, high=True)
        open_ends = counts.added or any(p.looked < p.size or p.unsure for p in self._parts(counts))
        low = self._distribution(counts, high=False) if open_ends else high
        most = _quantile(high, 1.0, LEVEL)
        bottom, top = _quantile(low, 0.5, tail), max(_quantile(high, 0.5, 1 - tail), most)
        value = self._value(counts, low.weights)
        if value is not None:
            value = min(max(value, bottom), top)
        return ReviewedShare(Interval(value, bottom, top), _quantile(low, 0.0, 1 - LEVEL), most, low.agreement)

    def _parts(self, counts: ReviewCounts) -> tuple[PartCounts, ...]:
        return counts.parts if self.found is None else tuple(part for part in counts.parts if part.suspect)

    def _distribution(self, counts: ReviewCounts, *, high: bool) -> _Distribution:
        points = uniform_points(_ROWS)
        pieces = pieces_of(self._parts(counts), high=high)
        heaviest = max(range(len(pieces)), key=lambda i: pieces[i].weight)
        cells = counts.cells
        lower = np.zeros(points.shape[1])
        upper = lower.copy()
        for i, piece in enumerate(pieces):
            u, w = points[_FOUND + 1 + 2 * i : _FOUND + 3 + 2 * i]
            share = np.ones(len(w)) if piece.size == cells else beta_quantile(piece.size + 1, cells - piece.size, w)
            net = self._net(_lower(piece, u), share)
            lower += net
            upper += self._net(_upper(piece, u, self._imagined), share) if i == heaviest else net
        if high:
            lower, upper = lower + counts.added / cells, upper + counts.added / cells
        if self._s is None:
            return _Distribution(np.minimum(lower, 1), np.minimum(upper, 1))
        lower, upper = np.minimum(lower / self._s, 1), np.minimum(upper / self._s, 1)
        missing = _mixed(lower, upper, 0.5) * (1 - self._s)
        return _Distribution(lower, upper, *self._weights(counts, missing * cells))

    def _net(self, confirmed: Floats, share: Floats) -> Floats:
        return np.clip((confirmed - self._imagined) / self._telling, 0, 1) * share

    def _weights(self, counts: ReviewCounts, missing: Floats) -> tuple[Floats | None, float]:
        """How well each point explains what was confirmed among the cells that are no suspects, and the chance of so many.

        ``missing`` infected cells are no suspects: they were counted in these parts, or lost by the finder. Of all ways in which they
        may divide the one that explains most is taken, so that only points with too few of them weigh less than others.
        """
        others = [part for part in counts.parts if not part.suspect and part.looked]
        confirmed = sum(part.positive for part in others)
        if not confirmed:
            return None, 1.0
        slips = [part.looked * self._imagined for part in others]
        true = [np.maximum(part.positive - slip, 0) for part, slip in zip(others, slips, strict=True)]
        wanted = [seen / self._telling * part.size / part.looked for part, seen in zip(others, true, strict=True)]
        filled = missing / np.maximum(sum(wanted), _TINY)  # how many times over the missing would do
        log_weight = np.zeros(len(missing))
        for part, slip, seen in zip(others, slips, true, strict=True):
            best, mine = slip + seen, slip + seen * np.minimum(filled, 1)
            log_weight += part.positive * np.log(np.maximum(mine, _TINY) / np.maximum(best, _TINY)) - (mine - best)
        expected = sum(slips) + sum(true) * np.where(sum(true) > 0, filled, 0)
        return np.asarray(np.exp(log_weight)), float(_poisson_at_least(confirmed, expected).mean())

    def _value(self, counts: ReviewCounts, weights: Floats | None) -> float | None:
        """The estimate: each part's confirmed, for all of its cells. What is bounded counts by half; None: that is most of it."""
        parts = self._parts(counts)
        if any(part.size and not part.looked and not part.ordered for part in parts):
            return None
        imagined, missed = self.readers.means()
        ends = []
        for high in (False, True):
            total = float(counts.added) if high else 0.0
            for piece in pieces_of(parts, high=high):
                seen = max(piece.positive - piece.looked * imagined, 0) / (1 - missed - imagined)
                total += min(seen, piece.looked) * piece.weight
            ends.append(total)
        if ends[1] > _OPEN * (ends[0] + 1):
            return None
        share = sum(ends) / 2 / counts.cells
        return share if self._s is None else share / float(np.average(self._s, weights=weights))


def _poisson_at_least(k: int, expected: Floats) -> Floats:
    """The chance of ``k`` or more where so many are expected, as that of ``k`` among very many; float64 like ``expected``."""
    return beta_cdf(k, _VERY_MANY, expected / _VERY_MANY) if k else np.ones(len(expected))


def _mixed(lower: Floats, upper: Floats, side: float) -> Floats:
    return np.where(uniform_points(_ROWS)[_COIN] < side, upper, lower)


def _quantile(distribution: _Distribution, side: float, level: float) -> float:
    """At ``side`` 1 of the upper side, 0 of the lower, 1/2 of the middle."""
    return weighted_quantile(_mixed(distribution.lower, distribution.upper, side), distribution.weights, level)


def _lower(piece: Piece, u: Floats) -> Floats:
    """The share of a piece that would be confirmed, by its exact lower confidence distribution."""
    r, m = piece.positive, piece.looked
    return beta_quantile(r, m - r + 1, u) if r else np.zeros(len(u))


def _upper(piece: Piece, u: Floats, imagined: Floats) -> Floats:
    """By its exact upper one, given that it is at least what is imagined."""
    r, m = piece.positive, piece.looked
    return beta_quantile_above(r + 1, m - r, u, imagined) if r < m else np.ones(len(u))
