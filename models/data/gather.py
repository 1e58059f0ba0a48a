"""What the commands were given: folders of cells and of annotated fields, opened and with their classes settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from convert.errors import CellsError
from convert.measure.reading import Progress
from edge.modelfile import CropSpec
from models.data.cells import LabelledCells
from models.data.classes import ClassScheme, Naming, make_scheme
from models.data.fieldset import CLASSICAL, Fields, open_fields
from models.data.folder import CellFolder, open_folder
from models.data.scene_sources import SceneSource

__all__ = ["CLASSICAL", "DataOptions", "OpenData", "gather", "named_apart"]

Named = TypeVar("Named", bound="CellFolder | Fields | SceneSource")


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What a user gives.

    Attributes:
        cells: folders of cells.
        fields: folders of annotated fields.
        table: CSV that says what the cells are; None: ``cells.csv`` in their folder, where there is one.
        annotations: annotation file of the fields; None: the one in their folder.
        group_by: finds slides in names, or names a column of the table.
        random_split: slides may stay unknown though cells are split by them.
        finder: of the fields' cells.
        naming: what annotated names become.
        background: the ordinary class.
        positive: the suspicious classes.
    """

    cells: tuple[Path, ...] = ()
    fields: tuple[Path, ...] = ()
    table: Path | None = None
    annotations: Path | None = None
    group_by: str | None = None
    random_split: bool = False
    finder: str = CLASSICAL
    naming: Naming = field(default_factory=Naming)
    background: str | None = None
    positive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class OpenData:
    """Opened folders and the classes they are read with."""

    sources: tuple[CellFolder | Fields, ...]
    plan: ClassScheme

    def read(
        self, spec: CropSpec, progress: Progress, say: Callable[[str], None], *, learn: bool = False
    ) -> list[LabelledCells]:
        """The cells of each folder, cut by ``spec``; ``say`` gets what was noticed."""
        parts = []
        for source in self.sources:
            cells, notes = source.read(self.plan, spec, progress, learn=learn)
            for note in notes:
                say(note)
            parts.append(cells)
        return parts

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the folders."""
        return tuple(source.name for source in self.sources)


def gather(given: DataOptions, least: int = 2, *, split: bool = True) -> OpenData:
    """Open everything; no image is read.

    Args:
        given: what the user gave.
        least: classes there must be.
        split: single cells will be split, so that their slides must be known.

    Raises:
        CellsError: nothing was given, or it cannot be used.
        ModelError: there is no such finder.
    """
    if not given.cells and not given.fields:
        raise CellsError("nothing to work on: give --cells DIR or --fields DIR")
    sources: list[CellFolder | Fields] = [
        open_folder(folder, given.table, given.group_by, split=split, random_split=given.random_split)
        for folder in given.cells
    ]
    by = None if given.cells else given.group_by
    sources += [open_fields(folder, given.annotations, by, given.finder) for folder in given.fields]
    counts: Counter[str] = Counter()
    for source in sources:
        counts += source.names()
    plan = make_scheme(
        counts, given.naming, given.background, given.positive, whole_fields=bool(given.fields), least=least
    )
    return OpenData(tuple(named_apart(sources, (*given.cells, *given.fields))), plan)


def named_apart(sources: Sequence[Named], paths: Sequence[Path]) -> list[Named]:
    """The sources of these folders; where two folders are called alike, the folder above is part of their names."""
    shared = Counter(source.name for source in sources)
    return [
        replace(source, name=f"{path.absolute().parent.name}/{source.name}") if shared[source.name] > 1 else source
        for source, path in zip(sources, paths, strict=True)
    ]
