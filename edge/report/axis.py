"""A logarithmic axis of shares, with nothing at its left end: shares of infected cells run over many powers of ten."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_FEWEST_DECADES = 2  # so that an axis of shares is readable


@dataclass(frozen=True, slots=True)
class ShareAxis:
    """From 10**low to 10**high over ``width`` pixels from ``left``; smaller shares, and 0, stand at the left end."""

    low: int
    high: int
    left: float
    width: float

    def x(self, share: float) -> float:
        """Where a share stands, in pixels."""
        if share <= 0:
            return self.left
        place = (math.log10(share) - self.low) / (self.high - self.low)
        return self.left + self.width * min(max(place, 0.0), 1.0)

    @property
    def ticks(self) -> list[float]:
        """The powers of ten within; the left end itself stands for 0."""
        return [10.0**power for power in range(self.low + 1, self.high + 1)]


def axis_for(shares: Iterable[float], left: float, width: float) -> ShareAxis:
    """An axis on which all these shares can be seen and the smallest is not at the left end."""
    seen = [share for share in shares if share > 0] or [0.01]
    # A lower bound may be absurdly small; what is a ten-thousandth of the largest is as good as nothing here.
    smallest = max(min(seen), max(seen) * 1e-4)
    high = min(0, math.ceil(math.log10(max(seen)) - 1e-9))
    low = min(math.floor(math.log10(smallest) + 1e-9) - 1, high - _FEWEST_DECADES)
    return ShareAxis(low, high, left, width)
