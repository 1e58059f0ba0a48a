"""Keeping a few of very many: the best by a key, and a fair random sample. Both hold a fixed number of items."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_ABOVE_0, _BELOW_1 = 1e-300, 1 - 1e-12  # logarithms of these exist


class BestItems(Generic[T]):
    """The ``limit`` items with the highest keys; of equal ones those that came first.

    What an item costs to make is paid only for those that are kept: ask ``wants`` first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[float, int, T]] = []
        self._came = 0

    def wants(self, key: float) -> bool:
        """Whether an item of this key would be kept."""
        return len(self._heap) < self._limit or (self._limit > 0 and key > self._heap[0][0])

    def add(self, key: float, item: T) -> None:
        """Keep it if it is among the best so far."""
        if not self.wants(key):
            return
        self._came += 1
        entry = (key, -self._came, item)  # the counter decides between equal keys, so items are never compared
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heapreplace(self._heap, entry)

    @property
    def items(self) -> list[T]:
        """The items, in no order that means anything."""
        return [item for _, _, item in self._heap]

    def ranked(self) -> list[T]:
        """The items, highest key first."""
        return [item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]

    def __len__(self) -> int:
        return len(self._heap)


class Reservoir(Generic[T]):
    """A uniform random sample of ``limit`` items out of any number (Li 1994, algorithm L): most items are passed over unseen.

    Args:
        limit: items kept, 1 or more.
        seed: the same seed and the same items give the same sample.
    """

    def __init__(self, limit: int, seed: int) -> None:
        self._limit = limit
        self._random = random.Random(seed)
        self._items: list[T] = []
        self._seen = 0
        self._weight = 1.0
        self._next = limit - 1  # the last item of those taken without a draw; afterwards the next item to take
        self._jump()

    def add(self, count: int, make: Callable[[list[int]], list[T]]) -> None:
        """Let ``count`` items pass; ``make`` is called with the places (0 to count - 1, rising) of those that are taken."""
        places = list(range(min(count, self._limit - self._seen)))
        slots: list[int | None] = [None] * len(places)
        while self._next < self._seen + count:
            places.append(self._next - self._seen)
            slots.append(self._random.randrange(self._limit))
            self._jump()
        self._seen += count
        if not places:
            return
        for slot, item in zip(slots, make(places), strict=True):
            if slot is None:
                self._items.append(item)
            else:
                self._items[slot] = item

    @property
    def items(self) -> list[T]:
        """The sample, in no order that means anything."""
        return list(self._items)

    def _jump(self) -> None:
        self._weight = min(self._weight * math.exp(math.log(self._chance()) / self._limit), _BELOW_1)
        self._next += 1 + int(math.log(self._chance()) / math.log1p(-self._weight))

    def _chance(self) -> float:
        return max(self._random.random(), _ABOVE_0)
