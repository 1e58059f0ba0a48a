"""What was seen on the contact sheets, by people without training in microscopy, and which cells were looked at.

A note counts only for the cells it was made on: once other cells are the worst, the page says that nobody has looked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
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
    "nih-uninfected-highest": Look(
        11,
        14,
        23,
        "a dot, ring or rod inside the cell in those that look infected; in most of the rest a purple body at or outside "
        "the rim, a fold, or a torn outline",
        "8a7b4a7d5407b4d7",
    ),
    "nih-infected-lowest": Look(
        2,
        4,
        42,
        "nothing inside most of them",
        "333f194557e3778b",
    ),
    "iml-uninfected-highest": Look(
        27,
        9,
        12,
        "dots, rings and mottled, stippled cells annotated as red blood cells; among the rest white cells and plain "
        "magenta cells",
        "c7d1d17ca963f50a",
    ),
    "iml-infected-lowest": Look(
        46,
        1,
        1,
        "faint rings, and cells mottled all over",
        "1348cc215cbb279b",
    ),
}
"""By the sheet's file name without its ending."""
