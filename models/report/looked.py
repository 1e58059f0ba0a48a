"""What was seen on the contact sheets, by people without training in microscopy, and which cells were looked at.

A note counts only for the cells it was made on: once other cells are the worst, the page says that nobody has looked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SheetNote:
    """One sheet.

    Attributes:
        infected: cells that look infected.
        unsure: cells that may be either.
        other: the rest.
        words: what is seen.
        cells: ``fingerprint`` of the cells on the sheet.
    """

    infected: int
    unsure: int
    other: int
    words: str
    cells: str


def fingerprint(cells: Iterable[str]) -> str:
    """Stands for a set of cells, in whatever order."""
    return hashlib.sha256("\n".join(sorted(cells)).encode()).hexdigest()[:16]


LOOKED = {
    "nih-uninfected-highest": SheetNote(
        14,
        18,
        16,
        "a dot, ring or rod inside the cell in those that look infected; in the rest folds, torn outlines, "
        "stain and bodies at the rim",
        "e8fe7e68c7c6f609",
    ),
    "nih-infected-lowest": SheetNote(0, 3, 45, "nothing inside them", "586d55e8fceadf63"),
    "iml-uninfected-highest": SheetNote(
        33,
        6,
        9,
        "read blind, see below: dots, rings and mottled, stippled cells annotated as red blood cells; among the "
        "rest white cells, torn cells and smudges",
        "e997d28e05c3f18d",
    ),
    "iml-infected-lowest": SheetNote(46, 1, 1, "faint rings, and cells mottled all over", "d6a4ed3bdf296725"),
}
"""By the sheet's file name without its ending."""
