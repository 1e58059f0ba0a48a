"""Where the cells are: a learned finder, a classical one and a grid, behind one interface."""

from __future__ import annotations

from typing import Protocol

from edge.types import Cells, UInt8Array


class Finder(Protocol):
    """Finds cells in one field. Pure: the same field gives the same cells. One instance per worker."""

    name: str

    def find(self, rgb: UInt8Array) -> Cells:
        """uint8 [H, W, 3] to Cells in field pixels (kinds: ``cell`` first, then ``not-...``)."""
        ...
