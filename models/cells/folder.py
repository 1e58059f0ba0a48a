"""A folder of cells, ``DIR/<class>/*.png``, or a table (``cells.csv``: file, label, slide) that says what each file is.

A cell that was cut out on black is put on pale paper, for the device cuts cells with their surroundings. A file that is there twice
counts once; one that is there under two classes counts not at all.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from convert.annotations import locate
from convert.cells import class_folders, compiled, group_name, images_in, stands_on_black, whole_image
from convert.errors import CellsError
from edge.crops import crop_cells, to_reference
from edge.errors import UnreadableFieldError
from edge.modelfile import CropSpec
from edge.sources.decode import decode_image
from edge.types import UInt8Array
from models.cell_data import middle, with_slack
from models.cells.cellset import FOUND, Cells, field_reference
from models.cells.classes import Plan
from models.nih import on_paper

TABLE = "cells.csv"
UNREADABLE = 0.1
"""Share of images that may be unreadable; with more, something is wrong with the folder and not with some files."""

PARTS = 200
"""Random parts that cells of unknown slides are dealt into."""

_PAPER_PX = 64  # longest side of a cell that is put on paper
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Listed:
    """One cell's file: what it is annotated as, and its slide (None: it cannot be told)."""

    path: Path
    label: str
    group: str | None


@dataclass(frozen=True, slots=True)
class CellFolder:
    """Cells in files, none of them opened yet.

    Attributes:
        name: of the folder.
        listed: its cells.
        notes: what was noticed, in words.
    """

    name: str
    listed: tuple[Listed, ...]
    notes: tuple[str, ...] = ()

    def names(self) -> Counter[str]:
        """How often each class name occurs."""
        return Counter(one.label for one in self.listed)

    def group_names(self) -> list[str]:
        """Slides, each once."""
        return sorted({one.group for one in self.listed if one.group is not None})

    def read(self, plan: Plan, spec: CropSpec, tell: Progress, *, learn: bool = False) -> tuple[Cells, list[str]]:
        """The cells as the device would crop them, and what was noticed; raises CellsError where too many are unreadable.

        Args:
            plan: the classes; what it leaves out is not opened.
            spec: of the crops.
            tell: gets progress.
            learn: crops to learn from: uncoloured and with slack, see ``models.cell_data``.
        """
        plain = _cutting(spec, self.name, learn=learn)
        index = plan.indices(one.label for one in self.listed)
        wanted = [(one, int(i)) for one, i in zip(self.listed, index, strict=True) if i >= 0]
        crops: list[UInt8Array] = []
        kept: list[tuple[Listed, int]] = []
        copies = Copies()
        unreadable: list[str] = []
        for number, (one, label) in enumerate(wanted):
            if number % 200 == 0:
                tell(f"reading the cells of {self.name}", number / len(wanted))
            try:
                if copies.seen(one.path, label, len(kept)):
                    continue
                rgb = decode_image(one.path)
            except OSError as error:
                unreadable.append(f"{one.path}: {error.strerror}")
                continue
            except UnreadableFieldError as error:
                unreadable.append(str(error))
                continue
            kept.append((one, label))
            crops.append(cut(rgb, plain))
        torn = copies.torn
        notes = list(self.notes) + check_readable(unreadable, len(wanted), self.name)
        if copies.count:
            notes.append(f"{copies.count} files of {self.name} are copies of others there: left out")
        if torn:
            first = kept[min(torn)][0].path.name
            notes.append(f"{len(torn)} cells of {self.name} stand under two classes: left out, e.g. {first}")
        rows = np.array([i for i in range(len(kept)) if i not in torn], int)
        if not len(rows):
            raise CellsError(f"{self.name}: no cell in it can be used")
        groups = np.array([f"{self.name}/{kept[i][0].group or _part(kept[i][0].path)}" for i in rows])
        fields = np.unique(groups, return_inverse=True)[1].astype(np.int32)
        role = np.full(len(rows), FOUND, np.int8)
        pixels = np.stack([crops[i] for i in rows])
        truth = np.array([kept[i][1] for i in rows], np.int32)
        reference = field_reference(np.ascontiguousarray(middle(pixels, spec.size)), fields)
        pixels = pixels if learn else to_reference(pixels, spec, reference)
        return Cells(pixels, truth, plan.labels, groups, fields, role, reference=reference), notes


@dataclass(slots=True)
class Copies:
    """Which files were there before, by their content.

    Attributes:
        count: files that are copies.
        torn: places of cells that stand under two classes.
    """

    count: int = 0
    torn: set[int] = field(default_factory=set)
    _known: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def seen(self, path: Path, label: int, place: int) -> bool:
        """Whether the file is a copy; if not it is remembered with its class and place. Raises OSError."""
        digest = hashlib.sha256(path.read_bytes()).digest()
        before = self._known.setdefault(digest, (place, label))
        if before == (place, label):
            return False
        self.count += 1
        if before[1] != label:
            self.torn.add(before[0])
        return True


def _part(path: Path) -> str:
    """The random part that a cell of unknown slide belongs to."""
    return f"part {int(hashlib.sha256(path.name.encode()).hexdigest(), 16) % PARTS}"


def open_folder(folder: Path, table: Path | None, group_by: str | None, *, random_split: bool) -> CellFolder:
    """List the cells of a folder; no image is opened.

    Args:
        folder: holds one folder per class, or what the table names.
        table: CSV with a column ``file`` and perhaps ``label`` and ``slide``; None: ``cells.csv`` in the folder, where there is one.
        group_by: a column of the table, or a regular expression found in the file's path below its class folder.
        random_split: slides may stay unknown.

    Raises:
        CellsError: no classes, no cells, or slides that cannot be told.
    """
    if not folder.is_dir():
        raise CellsError(f"{folder}: there is no such folder of cells")
    inside = folder / TABLE
    if table is None and inside.is_file():
        table = inside
    notes: list[str] = []
    listed = tuple(_tabled(folder, table, group_by, notes) if table else _found(folder, group_by))
    if not listed:
        raise CellsError(f"{folder}: there is no image in it")
    lost = [one for one in listed if one.group is None]
    if lost and group_by is not None:
        raise CellsError(
            f"--group-by {group_by!r} is not found in {len(lost)} of {len(listed)} cells, e.g. {lost[0].path.name}"
        )
    if lost and not random_split:
        raise CellsError(
            f"{folder}: which slide a cell is from cannot be told: give --group-by, a regular expression that finds it in "
            f"names like {lost[0].path.name}, or a column of {TABLE} (--random-split does without, and its figures will be too good)"
        )
    if lost:
        notes.append(
            f"{folder.resolve().name}: slides are unknown (--random-split): cells of one slide may be on both sides, so the "
            "figures are too good"
        )
    return CellFolder(folder.resolve().name, listed, tuple(notes))


def _found(folder: Path, group_by: str | None) -> Iterator[Listed]:
    pattern = compiled(group_by)
    for label in class_folders(folder, ()):
        for path in images_in(folder / label):
            group = group_name(path.relative_to(folder / label).as_posix(), pattern) if pattern else None
            yield Listed(path, label, group)


def _tabled(folder: Path, table: Path, group_by: str | None, notes: list[str]) -> Iterator[Listed]:
    rows, columns = _rows(table)
    by_column = group_by if group_by in columns else "slide" if group_by is None and "slide" in columns else None
    pattern = None if by_column else compiled(group_by)
    for row in rows:
        path = locate(folder, row["file"] or "")
        below = path.relative_to(folder)
        label = row.get("label") or (below.parts[0] if len(below.parts) > 1 else "")
        if not label:
            raise CellsError(f"{table}: no label is given for {row['file']}")
        if by_column:
            yield Listed(path, label, row.get(by_column) or None)
        else:
            yield Listed(path, label, group_name(below.as_posix(), pattern) if pattern else None)
    extra = len(images_in(folder)) - len(rows)
    if extra > 0:
        notes.append(f"{extra} images of {folder.resolve().name} are not in {table.name}: left out")


def _rows(table: Path) -> tuple[list[dict[str, str]], list[str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), list(reader.fieldnames or ())
    except OSError as error:
        raise CellsError(f"{table}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CellsError(f"{table}: no table of cells: {error}") from error
    if "file" not in columns:
        raise CellsError(f"{table}: has no column 'file' (columns: file, label, slide)")
    return rows, columns


def _cutting(spec: CropSpec, name: str, *, learn: bool) -> CropSpec:
    """How cells are cut before their colours are settled."""
    if spec.mask == "black":
        raise CellsError(f"{name}: this net wants masked crops; here cells are judged with their surroundings")
    return with_slack(spec) if learn else replace(spec, normalise="none")


def cut(rgb: UInt8Array, spec: CropSpec) -> UInt8Array:
    """The crop of a single cell's image: uint8 [h, w, 3] to [size, size, 3].

    On black it is put on paper first, else the whole image is the box.
    """
    if not stands_on_black(rgb):
        return whole_image(rgb, spec, on_black=False)
    longest = max(rgb.shape[:2])
    if longest > _PAPER_PX:
        width, height = (max(1, round(side * _PAPER_PX / longest)) for side in rgb.shape[1::-1])
        rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    paper, box = on_paper(rgb)
    return np.asarray(crop_cells(paper, box[None], spec)[0], np.uint8)


def check_readable(unreadable: list[str], count: int, where: str) -> list[str]:
    """What to say of images that could not be read; raises CellsError where they are too many."""
    if not unreadable:
        return []
    if len(unreadable) > UNREADABLE * count:
        raise CellsError(f"{where}: {len(unreadable)} of {count} images cannot be read, the first: {unreadable[0]}")
    return [f"{len(unreadable)} of {count} images of {where} cannot be read: left out, e.g. {unreadable[0]}"]
