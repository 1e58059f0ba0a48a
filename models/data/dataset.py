"""What is known of a set of images: where it stands, its licence, its groups, and whether weights that ship may learn from it.

Each set is one file in ``models/data/sets``. It is read like anybody's folder of cells or annotated fields; a file adds code only for
what no other set has, as second opinions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField, find_annotations, read_annotations
from convert.measure.fields import FieldSet
from convert.measure.single import BOX_MARGIN
from models.data.fields import data_dir
from models.data.folder import CellFolder, open_folder


class SetKind(StrEnum):
    """What a set's images are."""

    CELLS = "single cells"
    ANNOTATED = "annotated fields"
    MARKED = "fields with marked centres"


def _no_lessons(folder: Path) -> Mapping[str, str]:
    del folder
    return {}


@dataclass(frozen=True, slots=True)
class DataSet:
    """One set of images.

    Attributes:
        name: of the set and of its folder under the data directory.
        kind: what its images are.
        source: who made it, and where it is published.
        licence: of the images.
        groups: what is never split, in words: slide, block of images, or that none is known.
        classes: annotated name to what it means.
        may_teach: weights that ship may learn from it.
        reason: why they may, or may not.
        complete: everything of its classes is annotated, as far as is known.
        group_by: regular expression that finds the group in a file's name; None: a table, the annotations or ``blocks`` say it.
        blocks: of consecutive images: their length, and how many missing numbers start a new one; None: there are no blocks.
        cut_out: cells are cut out on black and their native size is known, so that fields can be composed of them.
        margin: width of an annotated box over that of its cell.
        lessons: reads from the folder, per file, the class to learn where it is not the published one.
        only: names of the images that are read; None: all.
    """

    name: str
    kind: SetKind
    source: str
    licence: str
    groups: str
    classes: Mapping[str, str]
    may_teach: bool
    reason: str
    complete: bool
    group_by: str | None = None
    blocks: tuple[int, int] | None = None
    cut_out: bool = False
    margin: float = BOX_MARGIN
    lessons: Callable[[Path], Mapping[str, str]] = field(default=_no_lessons)
    only: frozenset[str] | None = None

    @property
    def folder(self) -> Path:
        """Where its images are."""
        return data_dir() / self.name

    @property
    def present(self) -> bool:
        """Whether the images are on this machine."""
        return self.folder.is_dir()

    def takes(self, path: Path) -> bool:
        """Whether an image is among those that are read."""
        return self.only is None or path.name in self.only

    def cells(self) -> CellFolder:
        """Its single cells, listed; raises CellsError where they are not there."""
        opened = open_folder(self.folder, None, self.group_by, split=True, random_split=True)
        listing = replace(opened.listing, cells=tuple(one for one in opened.listing.cells if self.takes(one.path)))
        return CellFolder(self.name, listing, opened.notes, self.lessons(self.folder))

    def fields(self) -> FieldSet:
        """Its fields with their groups, none of them opened; raises CellsError where they are not there."""
        file = find_annotations(self.folder)
        read = [one for one in read_annotations(self.folder, file, *(self.blocks or ())) if self.takes(one.path)]
        if self.blocks:
            return FieldSet(tuple(read), tuple(f"block {one.block}" for one in read), grouped=False)
        known = any(one.group for one in read)
        return FieldSet(tuple(read), tuple(one.group or one.path.name for one in read), grouped=known)

    def counts(self) -> tuple[Counter[str], int, int]:
        """How often each class is annotated, the number of groups that are known, and the number of images."""
        if self.kind is SetKind.CELLS:
            opened = self.cells()
            return opened.names(), len(opened.group_names()), len(opened.listing.cells)
        fields = self.fields()
        known = len(set(fields.groups)) if self.blocks or fields.grouped else 0
        return _annotated(fields.fields), known, len(fields)


def _annotated(fields: tuple[AnnotatedField, ...]) -> Counter[str]:
    counts = Counter(name for one in fields for name in one.types)
    points = sum(len(one.points) for one in fields if one.points is not None)
    return counts + Counter({"cell": points})


def need(data: DataSet) -> None:
    """Raise CellsError where the images of a set are not on this machine."""
    if not data.present:
        raise CellsError(f"{data.folder}: no such folder: EDGE_DATA names the folder that {data.name} stands in")
