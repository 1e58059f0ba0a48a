"""Cells of known class, and how they are split into calibration and check."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from edge.types import FloatArray, Int32Array, UInt8Array

PARTS = 200
"""Random parts that cells of unknown slides are dealt into: they vary as single cells do, and cost less."""

_CALIBRATION_SHARE = 0.5
_ATTEMPTS = 50


@dataclass(frozen=True, slots=True, eq=False)
class CellSet:
    """Cells of known class.

    Attributes:
        images: RGB uint8 [n, size, size, 3].
        truth: int32 [n], index into ``labels``.
        labels: class names, in the order of the net's outputs.
        groups: str [n]: the slide, or the cell's own name where its slide is not known.
        names: file names relative to the folder, [n].
        grouped: whether groups hold more than one cell each.
        black: bool [n], which are cut out on black; None: none is.
        reference: float32 [n, 3], colour of the median cell of each one's slide (of all whose slide is not known); None: not of a
            folder.
        notes: what was noticed on reading them, in words.
    """

    images: UInt8Array
    truth: Int32Array
    labels: tuple[str, ...]
    groups: np.ndarray
    names: tuple[str, ...]
    grouped: bool
    black: np.ndarray | None = None
    reference: FloatArray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: np.ndarray) -> CellSet:
        """Some of the cells: int or bool [n]."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(
            self,
            images=self.images[rows],
            truth=self.truth[rows],
            groups=self.groups[rows],
            names=tuple(self.names[i] for i in rows),
            black=None if self.black is None else self.black[rows],
            reference=None if self.reference is None else self.reference[rows],
        )

    def named(self, names: tuple[str, ...]) -> CellSet:
        """The cells of these names, in that order."""
        place = {name: i for i, name in enumerate(self.names)}
        return self.take(np.array([place[name] for name in names], int))

    @property
    def on_black(self) -> int:
        """How many are cut out on black."""
        return 0 if self.black is None else int(self.black.sum())

    def resampled(self) -> np.ndarray:
        """What a bootstrap draws, str [n]: slides; of cells whose slide is not known one of ``PARTS`` random parts each."""
        known = zip(self.groups.tolist(), self.names, strict=True)
        return np.array([_part(name) if group == name else group for group, name in known], str)


def _part(name: str) -> str:
    digest = hashlib.sha256(Path(name).name.encode("utf-8", "surrogateescape")).hexdigest()
    return f"part {int(digest, 16) % PARTS}"


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
