"""The cells of a ``quantize`` job, at every size and cut that it needs, and which of them do what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convert.child import Progress
from convert.classify.candidate import divide
from convert.conversion import ConversionTask
from convert.measure.cells import CellSet, split
from convert.measure.reading import read_cells
from convert.measure.virtual_cells import virtual_cells
from edge.modelfile import CropSpec

_FEW = 1000  # cells, which are read in a second or two


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsTask(ConversionTask):
    """The part of what ``quantize`` is asked that concerns cells."""

    cells: str | None = None
    on_paper: bool = False


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads the cells of the job.

    Attributes:
        task: what is asked.
        width: outputs of the net: how many classes virtual cells have.
        progress: told how far it is.
        swapped: the two classes stand in the other order than the folders' names.
        shape: how the device cuts, one of ``edge.card.SHAPES``.
    """

    task: CellsTask
    width: int
    progress: Progress
    swapped: bool = False
    shape: str = "square"

    @property
    def known(self) -> bool:
        """Whether there are cells of known class; else they are virtual."""
        return self.task.cells is not None

    def read(
        self, size: int, *, author: str | None = None, only: Collection[str] | None = None, on_paper: bool = False
    ) -> CellSet:
        """Cells at ``size`` pixels; those cut out on black stay so, as in the net's training, but for ``on_paper``.

        Args:
            size: side in pixels.
            author: how they are cut, see ``convert.measure.single.as_author``; None: as the device does.
            only: names of the cells that are wanted; None: all.
            on_paper: those on black are put on paper, whatever the task says.
        """
        task = self.task
        if task.cells is None:
            generic = tuple(f"class {number}" for number in range(max(2, self.width)))
            cells = virtual_cells(task.labels or generic, size, self.progress)
        else:
            folder, keep = Path(task.cells), not (task.on_paper or on_paper)
            cells = read_cells(
                folder,
                task.labels,
                CropSpec(size=size, shape=self.shape),
                task.group_by,
                self.progress,
                keep_black=keep,
                author=author,
                only=only,
            )
        return swap(cells) if self.swapped else cells

    def again(self, cells: CellSet, size: int, author: str | None = None) -> CellSet:
        """The same cells at another size or cut. Of few cells nothing is told: that takes no time."""
        quiet = replace(self, progress=lambda *_: None) if len(cells) < _FEW else self
        return quiet.read(size, author=author, only=cells.names).named(cells.names)


@dataclass(frozen=True, slots=True, eq=False)
class CellRoles:
    """Which cells do what; no slide is in two parts where slides are known.

    Attributes:
        calibration: give the ranges of int8, and preprocessing is tried on them.
        choose: choose recipe, way and threshold.
        check: judge, and do nothing else.
        apart: ``calibration`` and ``choose`` are different cells.
    """

    calibration: CellSet
    choose: CellSet
    check: CellSet
    apart: bool

    def again(self, reader: CellReader, size: int) -> CellRoles:
        """The same cells as this reader cuts them."""
        calibration, choose, check = (
            reader.again(cells, size) for cells in (self.calibration, self.choose, self.check)
        )
        return CellRoles(calibration, choose if self.apart else calibration, check, self.apart)

    def swapped(self) -> CellRoles:
        """The same with the two classes in the other order."""
        return CellRoles(swap(self.calibration), swap(self.choose), swap(self.check), self.apart)


def roles(cells: CellSet, seed: int, *, known: bool) -> CellRoles:
    """Divide the cells; raises CellsError where none are left to judge. ``known``: their classes are known."""
    half, check = split(cells, seed)
    calibration, choose = divide(half, seed) if known else (half, half)
    return CellRoles(calibration, choose, check, apart=choose is not calibration)


def swap(cells: CellSet) -> CellSet:
    """The same cells with the two classes in the other order."""
    return replace(cells, labels=cells.labels[::-1], truth=(1 - cells.truth).astype(np.int32))
