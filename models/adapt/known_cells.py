"""Cells of fields that somebody knows: what a person answered about them, or that their whole slide is negative.

A classifier learns from them as from every other cell: cut from the field's own pixels through ``edge.crops``, beside the typical
cell of all that the device counted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from convert.measure.typicals import middle
from edge.crops import crop_cells
from edge.modelfile import CropSpec
from edge.types import Int32Array, UInt8Array
from models.data.cells import FOUND, LabelledCells
from models.data.crops import varied, with_slack


@dataclass(frozen=True, slots=True, eq=False)
class TaughtField:
    """A field of which some cells are known.

    Attributes:
        rgb: uint8 [H, W, 3], as the device saw it.
        boxes: int32 [n, 4], all cells that the device counts in it.
        rows: int32 [m], which of them are known; one that two people call different things stands in it twice.
        classes: int32 [m], what they are.
        doubtful: bool [n], which may be infected: they do not make the field's typical cell.
        group: the field's slide.
        number: the field's.
    """

    rgb: UInt8Array
    boxes: Int32Array
    rows: Int32Array
    classes: Int32Array
    doubtful: np.ndarray
    group: str
    number: int


def cells_of(field: TaughtField, labels: Sequence[str], spec: CropSpec, rng: np.random.Generator) -> LabelledCells:
    """The known cells of a field, plain and with slack.

    Args:
        field: that they are in.
        labels: the classes.
        spec: how the classifier's crops are cut.
        rng: chooses the cells of some variants of the typical cell.
    """
    plain = replace(spec, normalise="none")
    crops = crop_cells(field.rgb, field.boxes, with_slack(plain))
    count = len(field.rows)
    return LabelledCells(
        crops[field.rows],
        field.classes.astype(np.int32),
        tuple(labels),
        np.full(count, field.group),
        np.full(count, field.number, np.int32),
        np.full(count, FOUND, np.int8),
        typical=varied(middle(crops, spec.size), ~field.doubtful, count, rng),
    )
