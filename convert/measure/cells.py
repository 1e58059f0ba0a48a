"""Cells of known class, and how they are split into calibration and check."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.typicals import CellTypicals
from edge.types import Int32Array, UInt8Array

PARTS = 200
"""Cells of unknown slides are divided into so many random parts for a bootstrap: as good as single cells, and quicker."""

_CALIBRATION_SHARE = 0.5  # of the cells
_ATTEMPTS = 50  # at a division that suits the caller
_STREAM = 23  # random stream of a seed: which cells ``some`` takes


@dataclass(frozen=True, slots=True, eq=False)
class CellSet:
    """Cells of known class.

    Attributes:
        images: uint8 [n, size, size, 3 or 4], as ``edge.crops`` gives them.
        truth: int32 [n], index into ``labels``.
        labels: class names, in the order of the net's outputs.
        groups: str [n]: the slide, or the cell's own name where its slide is not known.
        names: file names relative to the folder, [n].
        grouped: whether groups hold more than one cell each.
        black: bool [n], which are cut out on black; None: none is.
        typical: the typical cell of each one's slide (of all whose slide is not known); None: not of a folder.
        notes: what was noticed on reading them, in words.
    """

    images: UInt8Array
    truth: Int32Array
    labels: tuple[str, ...]
    groups: np.ndarray
    names: tuple[str, ...]
    grouped: bool
    black: np.ndarray | None = None
    typical: CellTypicals | None = None
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
            typical=None if self.typical is None else self.typical.take(rows),
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
    for chosen in draws(names, str(seed), _CALIBRATION_SHARE):  # slides often hold one class only
        if all((cells.truth[~chosen] == number).any() for number in range(len(cells.labels))):
            return cells.take(chosen), cells.take(~chosen)
    rare = cells.labels[int(np.argmin(np.bincount(cells.truth, minlength=len(cells.labels))))]
    raise CellsError(f"too few cells or slides of class {rare!r}: none is left to check the result on")


def draws(
    groups: np.ndarray | Sequence[str], salt: str, share: float, first: str | None = None
) -> Iterator[np.ndarray]:
    """Divisions of the same items, bool [n] each, until one suits the caller: whole groups, up to a share of the items.

    Args:
        groups: str [n], what is never divided.
        salt: of the hashes that put the groups in order; every division has another one.
        share: of the items that are chosen, 0..1.
        first: salt of the first division; None: ``salt``.
    """
    unique, member = np.unique(groups, return_inverse=True)
    for attempt in range(_ATTEMPTS):
        yield _drawn(unique, np.bincount(member), f"{salt}/{attempt}" if attempt else first or salt, share)[member]


def _drawn(unique: np.ndarray, sizes: np.ndarray, salt: str, share: float) -> np.ndarray:
    """Which groups are chosen, bool [groups]: in the order of their hash, as long as their share is not exceeded."""
    order = sorted(range(len(unique)), key=lambda i: hashlib.sha256(f"{salt}/{unique[i]}".encode()).digest())
    chosen = np.zeros(len(unique), bool)
    taken = 0
    for i in order:
        if taken + sizes[i] <= max(1, share * sizes.sum()):
            chosen[i] = True
            taken += int(sizes[i])
    if not chosen.any():  # one group holds nearly all: the smallest one is chosen
        chosen[int(np.argmin(sizes))] = True
    return chosen


def some(cells: CellSet, count: int, seed: int = 0) -> CellSet:
    """Up to ``count`` cells, as many of each class as there are, in a fixed random order."""
    rng = np.random.default_rng([seed, _STREAM])
    order = rng.permutation(len(cells))
    rank = np.empty(len(cells), int)  # each cell's position within its class
    for number in range(len(cells.labels)):
        mine = order[cells.truth[order] == number]
        rank[mine] = np.arange(len(mine))
    return cells.take(order[np.argsort(rank[order], kind="stable")][:count])
