"""Where the cells are: a learned finder, a classical one and a grid, behind one interface."""

from __future__ import annotations

from typing import Protocol

from edge.pixels import Image
from edge.types import Cells


class Finder(Protocol):
    """Finds cells in one field. Pure: the same field gives the same cells. One instance per worker."""

    name: str

    def find(self, image: Image) -> Cells:
        """uint8 [H, W, 3] (or that with its halves) to Cells in field pixels (kinds: ``cell`` first, then ``not-...``)."""
        ...
