"""Where fields come from. Each source is one small class that yields ``Shot``s in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from edge.types import CountedField, Shot


class Source(Protocol):
    """An iterable of shots.

    Attributes:
        total: the number of shots where it is known beforehand, else None.
        samples: names of the samples they belong to, in order.
    """

    total: int | None
    samples: tuple[str, ...]

    def __iter__(self) -> Iterator[Shot]: ...

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Begin after what an earlier part of the run had, given in field order; returns what there is to say, a line each.

        Call it before iterating. Nothing is added to the samples that are ``complete``.
        """
        ...

    def close(self) -> None:
        """Release the device or file; safe to call twice."""
        ...
