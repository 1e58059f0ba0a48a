"""Which cells a folder holds, of what class and slide: ``DIR/<class>/*.png``, or a table that says it. No image is opened.

The table, ``cells.csv`` in the folder or named by the user, has the columns ``file`` and perhaps ``label`` and ``slide``.
``convert.measure.names`` says which names mean the same class.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convert.errors import CellsError
from convert.measure.annotations import locate
from convert.measure.names import check_different, same, settle

TABLE = "cells.csv"
_ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"))


_NIH = re.compile(r"(C[0-9]+).*_IMG_[0-9]+_[0-9]+[a-z]?_cell_[0-9]+", re.IGNORECASE)
"""``C39P4thinF_original_IMG_20150622_105554_cell_10`` is a cell of slide ``C39``."""


@dataclass(frozen=True, slots=True)
class ListedCell:
    """One cell's file, its annotated class, and its slide (None: unknown)."""

    path: Path
    label: str
    slide: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """The cells of a folder.

    Attributes:
        name: of the folder.
        root: the folder.
        cells: in a fixed order.
        classes: names, each as it is first met; folders without an image among them.
        notes: what was noticed, in words.
    """

    name: str
    root: Path
    cells: tuple[ListedCell, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def names(self) -> Counter[str]:
        """How often each class name occurs."""
        return Counter(one.label for one in self.cells)

    def settled(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Class names in the order of a net's outputs: ``labels`` where given, else by name.

        Raises:
            CellsError: they are not the folder's, fewer than two, or one of them has no image.
        """
        labels = settle(self.classes, labels, str(self.root))
        there = {same(name) for name in self.names()}
        if empty := [label for label in labels if same(label) not in there]:
            raise CellsError(f"{self.root}: no image of the class {', '.join(empty)}")
        if len(labels) < 2:
            inner = self.root / self.classes[0]
            deeper = [p for p in inner.iterdir() if _shown(p)] if inner.is_dir() else []
            hint = f" (did you mean --cells {inner}?)" if len(deeper) > 1 else ""
            raise CellsError(f"{self.root}: only one class ({labels[0]}): cells of two or more are needed{hint}")
        return labels


def list_cells(folder: Path, table: Path | None = None, group_by: str | None = None) -> Listing:
    """List the cells of a folder.

    Args:
        folder: holds one folder per class, or what the table names.
        table: None: ``cells.csv`` in the folder, where there is one.
        group_by: a column of the table, or a regular expression found in the file's path below its class folder (so that no
            class is taken for a slide): its first group, or all of it, names the slide. None: the table's column ``slide``, else
            what names of the public NIH form say.

    Raises:
        CellsError: there are no classes or no cells, two folders mean the same class, or ``group_by`` finds nothing.
    """
    if not folder.is_dir():
        raise CellsError(f"{folder}: there is no such folder of cells")
    inside = folder / TABLE
    if table is None and inside.is_file():
        table = inside
    notes: list[str] = []
    cells = tuple(_tabled(folder, table, group_by, notes) if table else _found(folder, group_by))
    name = folder.resolve().name
    met = tuple({same(one.label): one.label for one in reversed(cells)}.values())
    classes = met if table else _classes(folder)
    lost = [one.path for one in cells if one.slide is None]
    if lost and group_by is not None:
        names = f"{len(lost)} of {len(cells)} file names, e.g. {_below(lost[0], folder)}"
        raise CellsError(f"--group-by {group_by!r} is not found in {names}")
    if not cells:
        raise CellsError(f"{folder}: there is no image in it")
    if told := {one.slide for one in cells if group_by is None and table is None and one.slide}:
        notes.append(f"{name}: {len(told)} slides are told by the files' names, which are those of the public NIH set")
    return Listing(name, folder, cells, classes, tuple(notes))


def images_in(folder: Path) -> list[Path]:
    """All image files below a folder, by path."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in _ENDINGS and not p.name.startswith("."))


def _classes(folder: Path) -> tuple[str, ...]:
    found = sorted(path.name for path in folder.iterdir() if _shown(path))
    if not found:
        raise CellsError(f"{folder}: no class folders: put the cells into {folder.name}/<class>/*.png")
    check_different(found, f"{folder}: the folders")
    return tuple(found)


def _shown(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith((".", "__MACOSX"))


def _found(folder: Path, group_by: str | None) -> Iterator[ListedCell]:
    pattern = compiled(group_by)
    for label in _classes(folder):
        for path in images_in(folder / label):
            below = path.relative_to(folder / label).as_posix()
            yield ListedCell(path, label, group_name(below, pattern) if pattern else slide_of_public_name(path.stem))


def _tabled(folder: Path, table: Path, group_by: str | None, notes: list[str]) -> Iterator[ListedCell]:
    rows, columns = _rows(table)
    by_column = group_by if group_by in columns else "slide" if group_by is None and "slide" in columns else None
    pattern = None if by_column else compiled(group_by)
    for row in rows:
        path = locate(folder, row["file"] or "")
        below = path.relative_to(folder)
        inside = below.parts[0] if len(below.parts) > 1 else ""
        label = (row.get("label") or "").strip() or inside
        if not label:
            raise CellsError(f"{table}: no label is given for {row['file']}")
        if by_column:
            yield ListedCell(path, label, (row.get(by_column) or "").strip() or None)
        else:
            if same(inside) == same(label):
                below = below.relative_to(inside)
            slide = group_name(below.as_posix(), pattern) if pattern else slide_of_public_name(path.stem)
            yield ListedCell(path, label, slide)
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


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def compiled(text: str | None) -> re.Pattern[str] | None:
    """The pattern of ``--group-by``; raises CellsError where it is none."""
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise CellsError(f"--group-by {text!r} is no regular expression: {error}") from error


def group_name(name: str, pattern: re.Pattern[str] | None) -> str | None:
    """What groups a file of that name: the pattern's first group, or all it finds; None where it finds nothing."""
    if pattern is None:
        return name
    found = pattern.search(name)
    if found is None:
        return None
    return next((part for part in found.groups() if part), found.group(0))


def slide_of_public_name(stem: str) -> str | None:
    """The slide that a file's name (without its ending) tells where it is of the public NIH form; None: it is not."""
    found = _NIH.fullmatch(stem)
    return found.group(1).upper() if found else None
