"""Cells of known class, as the device's finder and crops give them, with what each of them counts for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from convert.measure.bootstrap import FEW_GROUPS
from convert.measure.cells import CellSet as JudgedCells
from convert.measure.typicals import CellTypicals, joined
from edge.types import Int32Array, UInt8Array

FOUND, BOX, HARD = 0, 1, 2
"""What a cell is: found by the finder (or a cell of a folder) and annotated; an annotated box, moved a little, to learn from only;
found where nothing is annotated, and taken for background."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCells:
    """Cells of known class.

    Attributes:
        crops: uint8 [n, size, size, 3 or 6], as the specification they were cut by asks for.
        truth: int32 [n], index into ``labels``.
        labels: class names.
        groups: str [n], what is never split: the slide, or the block of consecutive fields.
        fields: int32 [n], number of the field each cell is from; cells of folders: of the slide.
        role: int8 [n]: ``FOUND``, ``BOX`` or ``HARD``.
        lost_truth: int32 [m], class of each annotated cell that the finder lost.
        lost_groups: str [m], their groups.
        lost_fields: int32 [m], their fields.
        typical: what each is compared with, the typical cell of its field (of cells in folders: of its slide); None: not known.
        lessons: int32 [n] or None: the class to learn, where it is not ``truth`` (a second opinion); nothing is judged by it.
    """

    crops: UInt8Array
    truth: Int32Array
    labels: tuple[str, ...]
    groups: np.ndarray
    fields: Int32Array
    role: np.ndarray
    lost_truth: Int32Array = field(default_factory=lambda: np.empty(0, np.int32))
    lost_groups: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    lost_fields: Int32Array = field(default_factory=lambda: np.empty(0, np.int32))
    typical: CellTypicals | None = None
    lessons: Int32Array | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: np.ndarray) -> LabelledCells:
        """Some of the cells, int or bool [n]; lost ones stay."""
        return replace(
            self,
            crops=self.crops[rows],
            truth=self.truth[rows],
            groups=self.groups[rows],
            fields=self.fields[rows],
            role=self.role[rows],
            typical=None if self.typical is None else self.typical.take(rows),
            lessons=None if self.lessons is None else self.lessons[rows],
        )

    def of_groups(self, names: frozenset[str]) -> LabelledCells:
        """The cells of these groups, lost ones with them."""
        lost = np.array([group in names for group in self.lost_groups], bool)
        kept = self.take(np.array([group in names for group in self.groups], bool))
        return replace(
            kept,
            lost_truth=self.lost_truth[lost],
            lost_groups=self.lost_groups[lost],
            lost_fields=self.lost_fields[lost],
        )

    def units(self) -> tuple[np.ndarray, np.ndarray]:
        """What a bootstrap draws: the group of each cell [n] and of each lost one [m]; their fields where groups are few."""
        groups = np.unique(np.concatenate([self.groups, self.lost_groups]))
        fields = np.unique(np.concatenate([self.fields, self.lost_fields]))
        if len(groups) >= FEW_GROUPS or len(fields) <= len(groups):
            return self.groups, self.lost_groups
        return self.fields, self.lost_fields

    def as_found(self) -> LabelledCells:
        """What the device would see: without the annotated boxes that are only learned from."""
        return self.take(self.role != BOX)

    def judged(self) -> JudgedCells:
        """In the form the workshop judges."""
        names = tuple(str(number) for number in range(len(self)))
        grouped = len(np.unique(self.groups)) < len(self)
        return JudgedCells(self.crops, self.truth, self.labels, self.groups, names, grouped)

    @property
    def taught(self) -> Int32Array:
        """The class to learn of each cell, int32 [n]."""
        return self.truth if self.lessons is None else self.lessons

    def counts(self) -> np.ndarray:
        """Cells per class, int [k]."""
        return np.bincount(self.truth, minlength=len(self.labels))


def join(parts: Sequence[LabelledCells]) -> LabelledCells:
    """Several sets of the same classes as one; fields are numbered on."""
    fields, lost_fields, first = [], [], 0
    for part in parts:
        fields.append(part.fields + np.int32(first))
        lost_fields.append(part.lost_fields + np.int32(first))
        first += int(max(part.fields.max(initial=-1), part.lost_fields.max(initial=-1))) + 1
    filled = [part for part in parts if len(part)] or parts[:1]
    known = [part.typical for part in filled if part.typical is not None]
    return LabelledCells(
        np.concatenate([part.crops for part in parts]),
        np.concatenate([part.truth for part in parts]),
        parts[0].labels,
        np.concatenate([part.groups for part in parts]),
        np.concatenate(fields),
        np.concatenate([part.role for part in parts]),
        np.concatenate([part.lost_truth for part in parts]),
        np.concatenate([part.lost_groups for part in parts]),
        np.concatenate(lost_fields),
        joined(known) if len(known) == len(filled) else None,
        np.concatenate([part.taught for part in parts]) if any(part.lessons is not None for part in parts) else None,
    )
