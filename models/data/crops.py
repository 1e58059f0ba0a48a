"""Training cells of the classifier, always through ``edge.crops``: from real fields, composed fields and virtual slides.

Boxes are jittered as a finder's are. What is no red cell (white cells, platelets, stain) is not learned from: the finder sets it
aside, and a net that takes all that is purple for uninfected loses parasites that fill their cell.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convert.measure.typicals import CellTypicals, middle, stacked
from edge.crops import crop_cells
from edge.modelfile import CropSpec
from edge.types import Int32Array, UInt8Array
from edge.typical import FEWEST, typical_cell
from models.data.cells import BOX, LabelledCells
from models.data.scenes import Scene

INFECTED = 1
"""Kind of an infected cell in a scene (``models.data.scenes.KINDS``); 0 is an uninfected one."""

LABELS = ("uninfected", "parasitized")
SPEC = CropSpec(size=32, margin=1.15, normalise="typical")
"""How the shelf's classifiers see a cell: with its surroundings, beside the typical cell of its field."""

_FEW = (FEWEST, 2 * FEWEST)
"""Cells that some variants of a typical cell are made of."""

_VARIANTS = 2 + len(_FEW)
"""Estimates of a typical cell: the device's, for judging; to learn from, that of the healthy cells and those of a few of them."""

SLACK = 2
"""Pixels that crops to learn from are larger than the net's on every side, so that they can be moved without being resampled."""


def with_slack(spec: CropSpec) -> CropSpec:
    """``spec`` for crops to learn from: uncoloured, and ``SLACK`` pixels larger on every side."""
    size = spec.size + 2 * SLACK
    return replace(spec, size=size, margin=spec.margin * size / spec.size, normalise="none")


def jitter(boxes: np.ndarray, rng: np.random.Generator, shift: float = 0.06, scale: float = 0.08) -> np.ndarray:
    """Boxes as a finder would have put them: float [n, 4] in, int32 [n, 4] out; ``shift`` and ``scale`` are shares of a side."""
    sides = boxes[:, 2:]
    centres = boxes[:, :2] + sides / 2 + rng.normal(0, shift, sides.shape) * sides
    sides = sides * np.exp(rng.normal(0, scale, sides.shape))
    return np.asarray(np.rint(np.hstack([centres - sides / 2, sides])), np.int32)


def cells_of(
    scene: Scene, group: str, labels: tuple[str, str], spec: CropSpec, rng: np.random.Generator, *, copies: int = 1
) -> LabelledCells:
    """The cells of a whole scene, with slack; only to learn from.

    Args:
        scene: only red cells are taken, healthy and infected; unsure boxes and what is no red cell are left out.
        group: of all its cells.
        labels: what an uninfected and an infected cell is called.
        spec: of the crops.
        rng: moves the boxes as a finder would.
        copies: times that an infected cell is given, each with another box.
    """
    sure = (scene.kind == 0) | (scene.kind == INFECTED)
    boxes, kind = scene.boxes[sure], scene.kind[sure]
    repeat = np.where(kind == INFECTED, copies, 1)
    boxes, kind = np.repeat(boxes, repeat, axis=0), np.repeat(kind, repeat)
    crops = crop_cells(scene.rgb, jitter(boxes, rng), with_slack(spec))
    count = len(crops)
    return LabelledCells(
        crops,
        (kind == INFECTED).astype(np.int32),
        labels,
        np.full(count, group),
        np.zeros(count, np.int32),
        np.full(count, BOX, np.int8),
        typical=varied(middle(crops, spec.size), kind == 0, count, rng),
    )


def varied(crops: UInt8Array, healthy: np.ndarray, count: int, rng: np.random.Generator) -> CellTypicals | None:
    """A field's typical cell for its ``count`` cells: the device's; to learn from, that of its healthy ones and of a few of them.

    Where half of the cells are infected, as in collections of single cells, the device's estimate would be of both. A net
    that has seen estimates of many and of few cells does not lean on what a field with few cells cannot give.

    Args:
        crops: uint8 [n, s, s, 3], the field's cells; of none there is no typical one.
        healthy: bool [n], which of them are known to be healthy; of fewer than ``FEWEST``, all count.
        count: cells that are compared with it.
        rng: chooses the few.
    """
    if not len(crops):
        return None
    device = typical_cell(crops)
    if healthy.sum() >= FEWEST:
        crops = crops[healthy]
    few = [rng.permutation(len(crops))[:many] for many in _FEW]
    made = stacked([device, typical_cell(crops), *(typical_cell(crops[rows]) for rows in few)])
    return CellTypicals(made, np.zeros(count, np.int32), len(made))


def varied_slides(crops: UInt8Array, healthy: np.ndarray, slides: Int32Array, rng: np.random.Generator) -> CellTypicals:
    """The same for cells uint8 [n, s, s, 3], at least one, of several slides: int32 [n], numbered from 0 without gaps."""
    parts = []
    for number in range(int(slides.max()) + 1):
        mine = slides == number
        parts.append(varied(crops[mine], healthy[mine], int(mine.sum()), rng))
    made = stacked([part.typical for part in parts if part is not None])
    return CellTypicals(made, slides * np.int32(_VARIANTS), _VARIANTS)


def moved(crops: UInt8Array, size: int, rng: np.random.Generator) -> UInt8Array:
    """Each crop's window of that size at a random place, turned and mirrored: uint8 [n, s, s, 3] to [n, size, size, 3]."""
    out = np.empty((len(crops), size, size, 3), np.uint8)
    corners = rng.integers(0, crops.shape[1] - size + 1, (len(crops), 2))
    for crop, (top, left), way, target in zip(crops, corners, rng.integers(0, 8, len(crops)), out, strict=True):
        view = crop[top : top + size, left : left + size]
        view = view.transpose(1, 0, 2) if way & 4 else view
        view = view[::-1] if way & 2 else view
        target[:] = view[:, ::-1] if way & 1 else view
    return out
