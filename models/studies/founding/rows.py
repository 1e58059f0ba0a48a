"""The rows of the table: each founding net with its author's recipe, at the sizes and in the colours it was used with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.studies.founding.data import Protocol
from models.studies.founding.nets import NETS


class Method(StrEnum):
    """How a row is trained."""

    AUTHOR = "author"
    """As its author did, from the published labels."""
    CLEANED = "cleaned"
    """Cells whose label two nets trained on other cells contradict are left out; cells are turned and mirrored; the rate falls."""


@dataclass(frozen=True, slots=True)
class FoundingRow:
    """One net, and how it is trained: with Adam, as its author did unless ``method`` says otherwise.

    Attributes:
        name: short, a file name too.
        net: one of ``models.studies.founding.nets.NETS``.
        cells: collection of ``models.studies.founding.data``.
        colour: ``hsv`` or ``rgb``; values are bytes / 255.
        epochs: of its author; where he stopped early, the most there may be.
        size: side of the input; None: its author's.
        batch: cells per step.
        rate: of Adam.
        patience: epochs without a gain on a tenth of the training cells, after which training ends; 0: it never ends early.
        weighted: whether rare classes weigh more.
        most: images for the converter, and as many to judge on, of a net that takes seconds for each; None: all.
        method: what is changed of its author's recipe.
        reported: accuracy that its author reports, 0..1; None: not known, or not of this size or colour.
    """

    name: str
    net: str
    cells: str
    colour: str
    epochs: int
    size: int | None = None
    batch: int = 32
    rate: float = 1e-3
    patience: int = 0
    weighted: bool = False
    most: int | None = None
    method: Method = Method.AUTHOR
    reported: float | None = None

    @property
    def side(self) -> int:
        """Side of the input in pixels."""
        return self.size or NETS[self.net].size


ROWS = (
    FoundingRow("notebook_1", "notebook_1", "nih", "hsv", 20, batch=512, reported=0.9438),
    FoundingRow("notebook_2", "notebook_2", "nih", "hsv", 25, reported=0.9681),
    FoundingRow("notebook_3", "notebook_3", "nih", "hsv", 13, reported=0.9412),
    FoundingRow("notebook_4", "notebook_4", "nih", "hsv", 50, rate=2e-4, reported=0.9158),
    FoundingRow("notebook_5", "notebook_5", "nih", "hsv", 9, most=400, reported=0.8858),
    FoundingRow("notebook_6", "notebook_6", "nih", "hsv", 25, reported=0.9815),
    FoundingRow("notebook_6_at_32_hsv", "notebook_6", "nih", "hsv", 25, size=32, reported=0.9815),
    FoundingRow("notebook_6_at_32_rgb", "notebook_6", "nih", "rgb", 25, size=32),
    FoundingRow(
        "notebook_6_at_32_cleaned",
        "notebook_6",
        "nih",
        "hsv",
        30,
        size=32,
        method=Method.CLEANED,
        reported=0.9815,
    ),
    FoundingRow("resnet50v2", "resnet50v2", "nih", "rgb", 30, rate=1e-4, most=400, reported=0.9619),
    FoundingRow("parasite_cnn", "parasite_cnn", "iml", "rgb", 100, patience=10, weighted=True, reported=0.9921),
    FoundingRow("micro_organisms", "micro_organisms", "mixed", "rgb", 100, rate=1e-4, patience=10, most=60),
)
"""Epochs, rates and notebook 1's batch are the authors'; where an author's batch is not known it is Keras' own, 32."""


def row_key(row: FoundingRow, protocol: Protocol) -> str:
    """What the files of a row under a protocol are named after."""
    return f"{row.name}-{protocol}"
