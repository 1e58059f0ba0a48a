"""Keeping a few of very many: the best by a key. With a random key of each item they are a fair sample (bottom-k)."""

from __future__ import annotations

import heapq
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")


class BestItems(Generic[T]):
    """The ``limit`` items with the highest keys; of equal ones those that came first.

    What an item costs to make is paid only for those that are kept: ask ``wants`` first.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._heap: list[tuple[float, int, T]] = []
        self._came = 0

    def wants(self, key: float) -> bool:
        """Whether an item of this key would be kept."""
        return len(self._heap) < self.limit or (self.limit > 0 and key > self._heap[0][0])

    @property
    def floor(self) -> float:
        """What a key has to be above."""
        return -inf if len(self._heap) < self.limit else self._heap[0][0] if self._heap else inf

    def add(self, key: float, item: T) -> None:
        """Keep it if it is among the best so far."""
        if not self.wants(key):
            return
        self._came += 1
        entry = (key, -self._came, item)  # the counter decides between equal keys, so items are never compared
        if len(self._heap) < self.limit:
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
