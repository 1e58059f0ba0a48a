"""How the author brought cells to the net's input: stretched, padded or cropped to a square, or as the device cuts them.

The device cuts squares out of fields, with what lies around the cell. Training code on images of single cells often resizes them
to a square whatever their sides, and a net so trained does a little worse on squares: there the card tells the device to stretch
too. It cannot pad or crop. What that costs is no loss by int8, so the float net is shown what its author showed it, and the cost is
said beside.

Which it was is found by trying. The probability that the net gives to a cell's own class says more than its verdict, which
differs on a handful of cells: that cut is taken which gives the highest mean log of it. One that the device cannot make has to be
better for sure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convert.measure.bootstrap import QUICK_RESAMPLES, limits, resampled_sums, sums_by_group
from convert.measure.cells import CellSet
from convert.measure.single import AUTHOR_CUTS
from edge.card import SHAPES
from edge.types import FloatArray

AS_DEVICE = "square cuts, as the device's"
"""What the report says where the author's cuts are the device's, or nobody can tell."""

_FLOOR = 0.01  # least probability of a cell's own class that counts: one cell that is surely wrong is no proof
_LEVEL = 0.99  # of the interval that must lie above 0; divided among the ways that are tried


@dataclass(frozen=True, slots=True)
class AuthorCut:
    """How the author cut.

    Attributes:
        how: one of ``AUTHOR_CUTS``; None: as the device does.
        note: what was found by trying, in words; empty where nothing was.
    """

    how: str | None
    note: str = ""


def find(
    given: str | None,
    read: Callable[[str | None], CellSet],
    scores: Callable[[str | None, CellSet], FloatArray],
) -> AuthorCut:
    """What was given, else what fits best.

    Args:
        given: one of ``AUTHOR_CUTS``; None: it is to be found.
        read: some cells of known class, cut in that way (None: as the device does).
        scores: of the float net as trained on cells cut in that way, float32 [n, labels].
    """
    if given is not None:
        return AuthorCut(given)
    base = read(None)
    ours = _log_probability(scores(None, base), base)
    best, most = AuthorCut(None), 0.0
    groups = base.resampled()
    for how in AUTHOR_CUTS:
        other = read(how).named(base.names)
        if np.array_equal(other.images, base.images):
            continue  # the images are square, or padded already
        gain = _log_probability(scores(how, other), other) - ours
        if gain.mean() <= most or not (how in SHAPES or _surely(gain, groups)):
            continue
        most = float(gain.mean())
        best = AuthorCut(how, f"found by trying: --author {how} (the net's answers fit the classes better so)")
    return best


def _surely(gain: np.ndarray, groups: np.ndarray) -> bool:
    """Whether the mean is above 0 for sure: gains float [n], and the group of each."""
    if len(np.unique(groups)) < 2:
        return False
    sums = resampled_sums(sums_by_group(np.stack([gain, np.ones(len(gain))], axis=1), groups), QUICK_RESAMPLES)
    return bool(limits(sums[:, 0] / sums[:, 1], 1 - (1 - _LEVEL) / len(AUTHOR_CUTS))[0] > 0)


def _log_probability(scores: FloatArray, cells: CellSet) -> np.ndarray:
    """Log of the probability of each cell's own class, float [n]."""
    own = scores[np.arange(len(cells)), cells.truth].astype(np.float64)
    return np.asarray(np.log(np.clip(own, _FLOOR, 1)))
