"""Where fields come from. Each source is one small class that yields ``Shot``s in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from edge.types import Shot


class Source(Protocol):
    """An iterable of shots. ``total`` is the number of shots where it is known beforehand, else None."""

    total: int | None

    def __iter__(self) -> Iterator[Shot]: ...

    def close(self) -> None:
        """Release the device or file; safe to call twice."""
        ...
