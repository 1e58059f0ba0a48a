"""A folder of cells as a source of cells to learn from or to be judged on; ``convert.measure.reading`` reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.listing import TABLE, Listing, list_cells
from convert.measure.reading import Progress, read
from convert.measure.typicals import middle
from edge.modelfile import CropSpec
from models.data.cells import FOUND, LabelledCells
from models.data.classes import ClassScheme
from models.data.crops import varied_slides, with_slack
from models.data.streams import RandomStream


@dataclass(frozen=True, slots=True)
class CellFolder:
    """Cells in files, none of them opened yet.

    Attributes:
        name: of the folder, among those it is read with.
        listing: its cells.
        notes: what was noticed beyond that, in words.
        lessons: by file (relative to the folder) the class to learn, where it is not the listed one.
    """

    name: str
    listing: Listing
    notes: tuple[str, ...] = ()
    lessons: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> Counter[str]:
        """How often each class name occurs."""
        return self.listing.names()

    def group_names(self) -> list[str]:
        """Slides, each once."""
        return sorted({one.slide for one in self.listing.cells if one.slide is not None})

    def read(
        self, plan: ClassScheme, spec: CropSpec, progress: Progress, *, learn: bool = False
    ) -> tuple[LabelledCells, list[str]]:
        """The cells as the device would crop them, and what was noticed; raises CellsError where they cannot be used.

        Args:
            plan: the classes; what it leaves out is not opened.
            spec: of the crops.
            progress: gets progress.
            learn: crops to learn from: uncoloured and with slack, see ``models.data.crops``.
        """
        numbers = plan.indices(one.label for one in self.listing.cells).tolist()
        found = read(self.listing, plan.labels, numbers, spec, progress, plain=with_slack(spec) if learn else None)
        groups = np.array([f"{self.name}/{group}" for group in found.resampled()])
        fields = np.unique(groups, return_inverse=True)[1].astype(np.int32)
        role = np.full(len(found), FOUND, np.int8)
        other = plan.indices(self.lessons.get(name, "") for name in found.names) if self.lessons else None
        lessons = None if other is None else np.where(other < 0, found.truth, other).astype(np.int32)
        typical = found.typical
        if learn and typical is not None:
            rng = np.random.default_rng(RandomStream.SLIDE_TYPICALS)
            healthy = found.truth == plan.background_index
            typical = varied_slides(middle(found.images, spec.size), healthy, typical.of, rng)
        cells = LabelledCells(
            found.images, found.truth, plan.labels, groups, fields, role, typical=typical, lessons=lessons
        )
        return cells, [*self.notes, *found.notes]


def open_folder(
    folder: Path, table: Path | None, group_by: str | None, *, split: bool = False, random_split: bool = False
) -> CellFolder:
    """List the cells of a folder; no image is opened.

    Args:
        folder: holds one folder per class, or what the table names.
        table: see ``convert.measure.listing.list_cells``.
        group_by: likewise.
        split: the cells will be split, and those of one slide must stay together.
        random_split: they need not.

    Raises:
        CellsError: no classes, no cells, or slides that are needed and cannot be told.
    """
    listing = list_cells(folder, table, group_by)
    lost = [one.path.name for one in listing.cells if one.slide is None] if split else []
    if lost and not random_split:
        raise CellsError(
            f"{folder}: which slide a cell is from cannot be told: give --group-by, a regular expression that finds it in "
            f"names like {lost[0]}, or a column of {TABLE} (--random-split does without, and its figures will be too good)"
        )
    too_good = f"{listing.name}: slides are unknown (--random-split): one slide may be on both sides, and the figures are too good"
    return CellFolder(listing.name, listing, (too_good,) if lost else ())
