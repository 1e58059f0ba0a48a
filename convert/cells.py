"""A folder of cells, ``DIR/<class>/*.png``: read as the device would see them, split into calibration and check.

Each image is one cell: its whole frame is the box that ``edge.crops`` cuts, so the aspect is kept. What the shorter side
lacks repeats the border, as on the device; a cell cut out on black gets black there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from convert.errors import CellsError
from edge.crops import crop_cells
from edge.errors import UnreadableFieldError
from edge.modelfile import CropSpec
from edge.sources.decode import decode_image
from edge.types import Int32Array, UInt8Array

_ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"))
_CALIBRATION_SHARE = 0.5
_ATTEMPTS = 50
_BLACK = 16


@dataclass(frozen=True, slots=True, eq=False)
class CellSet:
    """Cells of known class.

    Attributes:
        images: RGB uint8 [n, size, size, 3].
        truth: int32 [n], index into ``labels``.
        labels: class names, in the order of the net's outputs.
        groups: str [n]: the slide, or the file where no ``--group-by`` was given.
        names: file names relative to the folder, [n].
        grouped: whether groups hold more than one cell each.
        skipped: unreadable files with the reason.
        black: share of cells that stand on black.
    """

    images: UInt8Array
    truth: Int32Array
    labels: tuple[str, ...]
    groups: np.ndarray
    names: tuple[str, ...]
    grouped: bool
    skipped: tuple[str, ...] = ()
    black: float = 0.0

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: np.ndarray) -> CellSet:
        """Some of the cells: int or bool [n]."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        names = tuple(self.names[i] for i in rows)
        return CellSet(
            self.images[rows], self.truth[rows], self.labels, self.groups[rows], names, self.grouped, (), self.black
        )


def class_folders(folder: Path, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Class names in order: ``labels`` where given, else the folders by name. Raises CellsError where the two differ."""
    if not folder.is_dir():
        raise CellsError(f"{folder}: there is no such folder of cells")
    found = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__MACOSX")))
    if not found:
        raise CellsError(f"{folder}: no class folders: put the cells into {folder.name}/<class>/*.png")
    if not labels:
        return tuple(found)
    if len(set(labels)) < len(labels):
        raise CellsError(f"--labels names a class twice: {', '.join(labels)}")
    if set(labels) != set(found):
        lacking, extra = sorted(set(labels) - set(found)), sorted(set(found) - set(labels))
        parts = [f"no folder for {', '.join(lacking)}"] * bool(lacking)
        parts += [f"no label for the folder {', '.join(extra)}"] * bool(extra)
        raise CellsError(f"{folder}: the class folders do not match --labels: {'; '.join(parts)}")
    return labels


def read_cells(
    folder: Path,
    labels: tuple[str, ...],
    size: int = 32,
    group_by: str | None = None,
    progress: Callable[[str, float], None] = lambda *_: None,
) -> CellSet:
    """Read all cells below ``folder``; raises CellsError where a class has none.

    Args:
        folder: holds one folder per class.
        labels: class names in the order of the net's outputs; empty: the folders by name.
        size: side of the square crop in pixels.
        group_by: regular expression found in the file's path below its class folder, so that no class is taken for a
            slide; its first group (or all of it) names the slide, which may hold cells of several classes.
        progress: called with words and a share 0..1.
    """
    labels = class_folders(folder, labels)
    pattern = compiled(group_by)
    files = [(path, number) for number, label in enumerate(labels) for path in images_in(folder / label)]
    spec = CropSpec(size=size)
    images, truth, groups, names, skipped, black = [], [], [], [], [], 0
    for count, (path, number) in enumerate(files):
        if count % 200 == 0:
            progress("reading cells", count / len(files))
        name = path.relative_to(folder).as_posix()
        try:
            rgb = decode_image(path)
        except UnreadableFieldError as error:
            skipped.append(str(error))
            continue
        on_black = stands_on_black(rgb)
        black += on_black
        images.append(whole_image(rgb, spec, on_black=on_black))
        truth.append(number)
        names.append(name)
        groups.append(group_name(path.relative_to(folder / labels[number]).as_posix() if pattern else name, pattern))
    _check(folder, labels, truth, skipped)
    lost = sum(group is None for group in groups)
    if lost:
        first = names[groups.index(None)]
        raise CellsError(f"--group-by {group_by!r} is not found in {lost} of {len(groups)} file names, e.g. {first}")
    return CellSet(
        np.stack(images),
        np.array(truth, np.int32),
        labels,
        np.array(groups),
        tuple(names),
        pattern is not None and len(set(groups)) < len(groups),
        tuple(skipped),
        black / len(images),
    )


def whole_image(rgb: UInt8Array, spec: CropSpec, *, on_black: bool) -> UInt8Array:
    """The crop of an image that is one cell: uint8 [H, W, 3] to [size, size, 3]."""
    height, width = rgb.shape[:2]
    if on_black and height != width:
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        around = (top, side - height - top, left, side - width - left)
        rgb = np.asarray(cv2.copyMakeBorder(rgb, *around, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)
        height = width = side
    box = np.array([[0, 0, width, height]], np.int32)
    return np.asarray(crop_cells(rgb, box, spec)[0], np.uint8)


def split(cells: CellSet, seed: int = 0) -> tuple[CellSet, CellSet]:
    """(calibration, check): whole slides where they are known, else single files, by the hash of their name.

    Raises CellsError where the check would lack a class.
    """
    names = cells.groups if len(np.unique(cells.groups)) > 2 else np.array(cells.names)
    unique, member = np.unique(names, return_inverse=True)
    for attempt in range(_ATTEMPTS):  # slides often hold one class only
        chosen = draw_groups(unique, np.bincount(member), f"{seed}/{attempt}" if attempt else str(seed))[member]
        if all((cells.truth[~chosen] == number).any() for number in range(len(cells.labels))):
            return cells.take(chosen), cells.take(~chosen)
    rare = cells.labels[int(np.argmin(np.bincount(cells.truth, minlength=len(cells.labels))))]
    raise CellsError(f"too few cells or slides of class {rare!r}: none is left to check the result on")


def draw_groups(unique: np.ndarray, sizes: np.ndarray, salt: str, share: float = _CALIBRATION_SHARE) -> np.ndarray:
    """Which slides calibrate, bool [groups]: in the order of their hash, up to the calibration's share of cells."""
    order = sorted(range(len(unique)), key=lambda i: hashlib.sha256(f"{salt}/{unique[i]}".encode()).digest())
    chosen = np.zeros(len(unique), bool)
    taken = 0
    for i in order:
        if taken + sizes[i] <= max(1, share * sizes.sum()):
            chosen[i] = True
            taken += int(sizes[i])
    if not chosen.any():  # one slide holds nearly all: the smallest one calibrates
        chosen[int(np.argmin(sizes))] = True
    return chosen


def some(cells: CellSet, count: int, seed: int = 0) -> CellSet:
    """Up to ``count`` cells, as many of each class as there are, in a fixed random order."""
    rng = np.random.default_rng([seed, 23])
    order = rng.permutation(len(cells))
    rank = np.empty(len(cells), int)  # the how-manieth of its class a cell is
    for number in range(len(cells.labels)):
        mine = order[cells.truth[order] == number]
        rank[mine] = np.arange(len(mine))
    return cells.take(order[np.argsort(rank[order], kind="stable")][:count])


def images_in(folder: Path) -> list[Path]:
    """All image files below a folder, by path."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in _ENDINGS and not p.name.startswith("."))


def stands_on_black(rgb: UInt8Array) -> bool:
    """Whether the cell was cut out on black: at least three of the corners are."""
    corners = rgb[[0, 0, -1, -1], [0, -1, 0, -1]].max(axis=1)
    return int((corners < _BLACK).sum()) >= 3


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


def _check(folder: Path, labels: tuple[str, ...], truth: list[int], skipped: list[str]) -> None:
    empty = [label for number, label in enumerate(labels) if number not in truth]
    if empty:
        tail = f" ({len(skipped)} unreadable, the first: {skipped[0]})" if skipped else ""
        raise CellsError(f"{folder}: no readable image in the class folder {', '.join(empty)}{tail}")
    if len(labels) < 2:
        deeper = [p for p in (folder / labels[0]).iterdir() if p.is_dir() and not p.name.startswith(".")]
        hint = f" (did you mean --cells {folder / labels[0]}?)" if len(deeper) > 1 else ""
        raise CellsError(f"{folder}: only one class ({labels[0]}): cells of at least two classes are needed{hint}")
