r"""Two counts of the same fields: how much a share differs, with an interval that knows they are the same fields.

A sample is counted twice, by two models. Its share before is ``K1 / N1``, after it ``K2 / N2``. Most fields say the same both
times, so the two shares move together, and their difference is known far better than either. What is uncertain is which fields of
the slide the sample has. Each field adds ``c = N (k2 / N2 - k1 / N1)`` to the difference (N: the harmonic mean of N1 and N2, so
that one positive cell more or less is about 1). What fields gain adds up to G, what they lose to L, and the difference is
``(G - L) / N``.

Few fields differ, often none, so an interval from the spread alone would have no width where nothing differs. G and L are taken
for Poisson counts instead, with exact limits (Garwood 1936). Cells that change come in groups: counts are scaled by how
much more than Poisson counts they vary between fields (Fay and Feuer 1997), Student's t allowing for few fields. The limits of
``G - L`` are put together by MOVER (Zou and Donner 2008)::

    low  = G - L - sqrt((G - G_low)^2 + (L_high - L)^2)
    high = G - L + sqrt((G_high - G)^2 + (L - L_low)^2)

Where all counted cells are the same and one side is 0, this excludes 0 exactly where the sign test does (6 to 0, not 5 to 0). It is
never narrower than the usual interval from the spread of the fields' residuals (Cochran 1977, ratio estimates), which it becomes
where much differs. ``python -m models paired-coverage`` simulates it (docs/paired-coverage.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.verdict.interval import LEVEL
from edge.verdict.poisson import poisson_limits, student_quantile

_Counts = NDArray[np.float64]
_LEAST_FIELDS = 2  # one field says nothing of how fields differ


@dataclass(frozen=True, slots=True)
class ShareChange:
    """How a share differs between two counts of the same fields.

    Attributes:
        before, after: shares, 0 to 1; None: nothing was counted.
        difference: after less before; None where one of them is.
        low, high: its interval, within -1 to 1; all of that where fewer than two fields were counted in either count.
        fields: that count in at least one of the two.
        differ: of these, those whose cells or positive cells are not the same number.
    """

    before: float | None
    after: float | None
    difference: float | None
    low: float
    high: float
    fields: int
    differ: int

    @property
    def sure(self) -> bool:
        """Whether the interval excludes no change."""
        return self.low > 0 or self.high < 0


def share_change(
    before: tuple[ArrayLike, ArrayLike], after: tuple[ArrayLike, ArrayLike], level: float = LEVEL
) -> ShareChange:
    """Compare two counts of the same fields.

    Args:
        before: cells and positive cells of each field, whole numbers [m] each, 0 where the field does not count.
        after: the same of the second count, in the same order of fields.
        level: of the interval.

    Raises:
        ValueError: the four are not of one length, or a field has more positive cells than cells.
    """
    n1, k1, n2, k2 = (np.asarray(one, np.float64).ravel() for one in (*before, *after))
    if not len(n1) == len(k1) == len(n2) == len(k2):
        raise ValueError("two counts of the same fields have the same number of fields")
    if ((k1 < 0) | (k1 > n1) | (k2 < 0) | (k2 > n2)).any():
        raise ValueError("a field has no more positive cells than cells")
    counted = (n1 > 0) | (n2 > 0)
    n1, k1, n2, k2 = n1[counted], k1[counted], n2[counted], k2[counted]
    differ = int(((n1 != n2) | (k1 != k2)).sum())
    total1, total2 = float(n1.sum()), float(n2.sum())
    share1 = float(k1.sum()) / total1 if total1 else None
    share2 = float(k2.sum()) / total2 if total2 else None
    if share1 is None or share2 is None:
        return ShareChange(share1, share2, None, -1.0, 1.0, len(n1), differ)
    difference = share2 - share1
    if len(n1) < _LEAST_FIELDS:
        return ShareChange(share1, share2, difference, -1.0, 1.0, len(n1), differ)
    scale = 2 / (1 / total1 + 1 / total2)
    moved = scale * (k2 / total2 - k1 / total1)
    residual = scale * ((k2 - share2 * n2) / total2 - (k1 - share1 * n1) / total1)
    low, high = _limits(moved, residual, level)
    return ShareChange(
        share1, share2, difference, max(min(low / scale, difference), -1.0), min(max(high / scale, difference), 1.0),
        len(n1), differ,
    )  # fmt: skip


def _limits(moved: _Counts, residual: _Counts, level: float) -> tuple[float, float]:
    """Of the sum of ``moved``: what each field adds; ``residual``: the same less what it would add at the mean shares."""
    fields = len(moved)
    small = fields / (fields - 1)  # a variance from so many fields
    t = student_quantile(fields - 1, level)
    spread = small * float(residual @ residual)
    gains, losses = float(moved[moved > 0].sum()), float(-moved[moved < 0].sum())
    centre = gains - losses
    grouped = 1.0
    if gains + losses:
        by_itself = small * float(((moved - moved.mean()) ** 2).sum())
        normal = NormalDist().inv_cdf((1 + level) / 2)
        grouped = max((t / normal) ** 2 * min(by_itself, spread) / (gains + losses), 1.0)
    gains_low, gains_high = (grouped * one for one in poisson_limits(gains / grouped, level))
    losses_low, losses_high = (grouped * one for one in poisson_limits(losses / grouped, level))
    reach = t * sqrt(spread)
    low = centre - max(sqrt((gains - gains_low) ** 2 + (losses_high - losses) ** 2), reach)
    return low, centre + max(sqrt((gains_high - gains) ** 2 + (losses - losses_low) ** 2), reach)
