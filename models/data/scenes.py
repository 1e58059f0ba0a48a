"""What a finder learns from: whole fields with boxes around all that is in them. ``models.data.views`` shows them to the net.

Everything becomes a ``Scene``: an image at about twice the net's resolution with boxes in the convention of the IML
annotations (a margin around the cell).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from convert.measure.annotations import AnnotatedField
from convert.measure.names import same
from edge.types import UInt8Array
from models.data.classes import ClassScheme
from models.data.debris import look_of, weak_labels
from models.data.second_reading import NOT_RED

CELL_PX = 16.0
"""Width of a typical box at the net's input; ``edge.finders.learned.GUESS_PX`` is 16 of them."""

KINDS = ("cell", "suspect", "not-white-cell", "not-platelet", "not-other")
"""What a finder tells apart: red cells, those that may be infected, and what is no red cell: white cells, platelets, and all other
things (smudges, stain, scale bars, ghosts)."""

CELL, SUSPECT, WHITE_CELL, PLATELET, OTHER = range(len(KINDS))
UNSURE = -1  # kind of what counts neither way
_NAMES = {"white blood cell": WHITE_CELL, "white cell": WHITE_CELL, "platelet": PLATELET, "debris": OTHER}
"""Kind of annotated names that are no red cell under any classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A field to learn from.

    Attributes:
        rgb: uint8 [H, W, 3].
        boxes: float32 [n, 4], x, y, w, h in pixels of ``rgb``.
        kind: int [n], index into KINDS; -1: neither a target nor background.
        unit: width of a typical box in pixels of ``rgb``.
        known: kinds of which every thing in it has a box; of the others, a place without a box teaches nothing.
        pieces: float32 [k, 4] left, top, right, bottom of the fields that it is put together from; None: it is one field.
    """

    rgb: UInt8Array
    boxes: np.ndarray
    kind: np.ndarray
    unit: float
    known: tuple[int, ...] = (CELL, SUSPECT)
    pieces: np.ndarray | None = None


def kind_of(name: str) -> int | None:
    """The kind of an annotated name that is no red cell under any classes; None: classes say what it is."""
    return _NAMES.get(same(name))


def annotated_scene(
    one: AnnotatedField,
    rgb: UInt8Array,
    scheme: ClassScheme,
    *,
    full_size: bool = False,
    weak: bool = True,
    margin: float = 1.0,
) -> Scene | None:
    """A field to learn from; None where no cell is annotated in it.

    Args:
        one: its annotations, all of them within the image.
        rgb: uint8 [H, W, 3].
        scheme: which annotated names count, and which are suspicious.
        full_size: the image as it is; else with cells at most twice as wide as the finder's net sees them.
        weak: annotators left out what is no red cell: white cells and platelets get weak labels.
        margin: width that a box shall have over that of the annotated one.
    """
    index = scheme.indices(one.types)
    of_label = np.array([_label_kind(label, scheme) for label in scheme.labels])
    kind = np.where(index < 0, UNSURE, of_label[index])
    for number, name in enumerate(one.types):
        if (fixed := kind_of(name)) is not None:
            kind[number] = fixed
    red = (kind == CELL) | (kind == SUSPECT)
    if not red.any():
        return None
    boxes = _wider(one.boxes.astype(np.float32), margin)
    looks = np.array([same(name) == same(NOT_RED) for name in one.types], bool)
    if looks.any():
        kind[looks] = look_of(rgb, boxes[red], boxes[looks])
    known: tuple[int, ...] = (CELL, SUSPECT, WHITE_CELL, PLATELET)
    if weak:
        others, others_kind = weak_labels(rgb, boxes[red])
        boxes, kind = np.concatenate([boxes, others]), np.concatenate([kind, others_kind])
    unit = typical_side(boxes[: len(red)][red], rgb.shape)
    scale = 1.0 if full_size else min(1.0, 2 * CELL_PX / unit)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    return Scene(np.asarray(small, np.uint8), boxes * np.float32(scale), kind, unit * scale, known)


def typical_side(boxes: np.ndarray, shape: tuple[int, ...]) -> float:
    """Median side of the boxes, float [n, 4], that the border of a field of (H, W) does not cut; of all where it cuts most."""
    whole = (boxes[:, :2] > 1).all(axis=1) & (boxes[:, :2] + boxes[:, 2:] < (shape[1] - 1, shape[0] - 1)).all(axis=1)
    return float(np.median((boxes[whole] if whole.sum() >= 3 else boxes)[:, 2:]))


def _label_kind(label: str, scheme: ClassScheme) -> int:
    if label in scheme.positive:
        return SUSPECT
    return KINDS.index(label) if label in KINDS else CELL


def _wider(boxes: np.ndarray, factor: float) -> np.ndarray:
    """Boxes float32 [n, 4] ``factor`` times as wide and high around the same middles."""
    if factor == 1:
        return boxes
    sides = boxes[:, 2:] * np.float32(factor)
    return np.hstack([boxes[:, :2] + (boxes[:, 2:] - sides) / 2, sides])
