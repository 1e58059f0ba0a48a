"""Cells between runs of a study, as arrays in one file outside the repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convert.measure.typicals import CellTypicals
from edge.safe_file import whole_path
from edge.types import FloatArray
from edge.typical import TypicalCells
from models.data.cells import LabelledCells


def cells_to(path: Path, cells: LabelledCells, suspicion: FloatArray) -> None:
    """Write the cells that were found or given, with a score of each, float32 [n]; lost ones are not kept. Raises OutputError."""
    typical = cells.typical
    if typical is None:
        raise ValueError("cells of a study are compared with a typical cell")
    with whole_path(path) as part, part.open("wb") as file:
        np.savez(
            file,
            crops=cells.crops,
            truth=cells.truth,
            groups=cells.groups,
            fields=cells.fields,
            role=cells.role,
            taught=cells.taught,
            papers=typical.typical.papers,
            typical=typical.typical.cells,
            of=typical.of,
            variants=np.array(typical.variants),
            suspicion=suspicion,
        )


def cells_from(path: Path, labels: tuple[str, ...]) -> tuple[LabelledCells, FloatArray]:
    """Read them back."""
    with np.load(path) as kept:
        typical = CellTypicals(TypicalCells(kept["papers"], kept["typical"]), kept["of"], int(kept["variants"]))
        cells = LabelledCells(
            kept["crops"],
            kept["truth"],
            labels,
            kept["groups"],
            kept["fields"],
            kept["role"],
            typical=typical,
            lessons=kept["taught"],
        )
        return cells, kept["suspicion"]
