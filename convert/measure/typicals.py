"""What each cell of a set is compared with: the typical cell of its field or slide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.types import Int32Array, UInt8Array
from edge.typical import TypicalCells, typical_cell


@dataclass(frozen=True, slots=True, eq=False)
class CellTypicals:
    """The typical cell of each of n cells' fields.

    Attributes:
        typical: of t fields, each several times in a row where there are variants.
        of: int32 [n], the (first) one of each cell's field.
        variants: how many estimates of each field there are: the device's own, then those to learn from.
    """

    typical: TypicalCells
    of: Int32Array
    variants: int = 1

    def __len__(self) -> int:
        return len(self.of)

    def take(self, rows: np.ndarray) -> CellTypicals:
        """Those of some of the cells, int or bool [m]."""
        return replace(self, of=self.of[rows])

    def each(self, rows: np.ndarray, rng: np.random.Generator) -> TypicalCells:
        """One to learn from for each of some cells, int [m], by chance: m of them. Without variants it is the device's own."""
        if self.variants == 1:
            return self.typical.take(self.of[rows])
        return self.typical.take(self.of[rows] + 1 + rng.integers(0, self.variants - 1, len(rows)))


def middle(crops: UInt8Array, size: int) -> UInt8Array:
    """The middle of crops: uint8 [n, s, s, 3] to [n, size, size, 3]."""
    edge = (crops.shape[1] - size) // 2
    return np.ascontiguousarray(crops[:, edge : edge + size, edge : edge + size])


def stacked(typicals: Sequence[TypicalCells]) -> TypicalCells:
    """Several as one, in that order."""
    return TypicalCells(
        np.concatenate([one.papers for one in typicals]), np.concatenate([one.cells for one in typicals])
    )


def typicals_of(crops: UInt8Array, fields: Int32Array) -> CellTypicals:
    """Of cells uint8 [n, s, s, 3], at least one, by the number int32 [n] of what each is from."""
    numbers, of = np.unique(fields, return_inverse=True)
    made = stacked([typical_cell(crops[fields == number]) for number in numbers])
    return CellTypicals(made, of.astype(np.int32))


def joined(parts: Sequence[CellTypicals]) -> CellTypicals:
    """Those of several sets as of one; raises ValueError where they have other numbers of variants."""
    first, of = 0, []
    for part in parts:
        if part.variants != parts[0].variants:
            raise ValueError("cells to learn from and cells to judge by do not mix")
        of.append(part.of + np.int32(first))
        first += len(part.typical)
    return CellTypicals(stacked([part.typical for part in parts]), np.concatenate(of), parts[0].variants)
