"""How many more cells would decide a sample."""

from __future__ import annotations

from collections.abc import Callable

from edge.verdict.limits import MOST_CELLS

_FIRST = 10  # cells of the first step outwards
_STRIDE = 1.6  # factor from one step to the next
_FINER = 5  # halvings of the last step: the answer is shown with two digits
_WITHIN = 2.0  # standard deviations of what the further cells may show at the present rate


def cells_short(
    count: int, cells: int, decides: Callable[[int, int], int], surely: Callable[[int], bool]
) -> int | None:
    """The fewest further cells that would decide, rounded up to two digits; None: not even ``MOST_CELLS`` would.

    They decide whatever they show (``surely``), or where they go on showing positives at the present rate, give or take two
    standard deviations. What is returned was tried: it does decide.

    Args:
        count: positives so far.
        cells: cells so far.
        decides: (count, cells) to 1 for positive, -1 for negative, 0 for neither.
        surely: cells to whether every count among them is decided.
    """

    def enough(more: int) -> bool:
        n = cells + more
        if surely(n):
            return True
        if not cells:
            return False
        mean, rate = more * count / cells, count / cells
        reach = _WITHIN * (more * rate * (1 - rate)) ** 0.5
        low = decides(count + max(int(mean - reach), 0), n)
        return low != 0 and low == decides(count + min(int(mean + reach + 1), more), n)

    few, more = 0, _FIRST
    while not enough(more):
        few, more = more, rounded_up(int(more * _STRIDE))
        if more > MOST_CELLS:
            return None
    for _ in range(_FINER):
        middle = rounded_up((few + more) // 2)
        if not few < middle < more:
            break
        few, more = (few, middle) if enough(middle) else (middle, more)
    return more


def rounded_up(n: int) -> int:
    """Rounded up to two significant digits: 1,840 becomes 1,900."""
    step = int(10 ** max(len(str(n)) - 2, 0))
    return -(-n // step) * step
