"""The second reading of IML cells: what two readers said of finds that fold nets had called infected, and of controls.

The readers saw each find without its annotation and without a score; how the finds were chosen stands in the README of the data.
Annotators missed parasites: with their labels alone a net that finds those is marked down for it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField
from edge.boxes import MATCHED, iou, pairs
from edge.types import Int32Array
from models.data.fields import RED_CELL, UNSURE

FILE = "second_reading.csv"


class Opinion(StrEnum):
    """What both readers said of a find."""

    INFECTED = "infected"
    UNINFECTED = "uninfected"
    FREE = "free"
    """A parasite outside a cell."""
    NOT_RED = "notred"
    """No red cell: a white cell, a platelet, a smudge, stain, the scale bar."""
    UNSURE = "unsure"
    """One or both were unsure, or they differ."""
    NOT_READ = ""
    """Nobody has read it."""


OPEN = frozenset({Opinion.INFECTED, Opinion.FREE, Opinion.UNSURE})
"""Opinions with which a find that is not annotated as infected is neither a sure false positive nor annotated truth."""


@dataclass(frozen=True, slots=True, eq=False)
class SecondReading:
    """What was read in one field.

    Attributes:
        boxes: int32 [n, 4], x, y, width and height of the finds that were read.
        annotated: annotated type of each; empty where the annotators had marked nothing.
        opinions: of both readers, for each.
    """

    boxes: Int32Array
    annotated: tuple[str, ...]
    opinions: tuple[Opinion, ...]

    def of(self, boxes: Int32Array) -> list[Opinion]:
        """The opinion on each of these boxes, int32 [m, 4]: that of the box read that it overlaps by half, one to one."""
        out = [Opinion.NOT_READ] * len(boxes)
        for mine, read in pairs(iou(boxes, self.boxes), MATCHED):
            out[mine] = self.opinions[read]
        return out


INFECTED, NOT_RED = "infected", "no red cell"
"""Annotated names that only a second reading gives: an infected cell of whatever stage, and what is no red cell."""

_NAMES = {
    Opinion.INFECTED: INFECTED,
    Opinion.UNINFECTED: RED_CELL,
    Opinion.NOT_RED: NOT_RED,
    Opinion.FREE: UNSURE,
    Opinion.UNSURE: UNSURE,
}
"""What is learned as annotated for what both readers said; a parasite outside a cell counts neither way."""

Amend = Callable[[AnnotatedField], AnnotatedField]
"""The same field with what the readers said."""

NOTHING_READ = SecondReading(np.zeros((0, 4), np.int32), (), ())
"""Of a field that holds no find that was read."""


def readings(folder: Path) -> Mapping[str, SecondReading]:
    """The second reading of a folder's fields by the name of the image; images without a find that was read are not in it.

    A folder without ``second_reading.csv`` has none. Raises CellsError where the file holds an opinion that is not known.
    """
    path = folder / FILE
    rows: dict[str, list[dict[str, str]]] = {}
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows.setdefault(row["image_name"], []).append(row)
        return {name: _of_rows(mine) for name, mine in rows.items()}
    except (KeyError, ValueError) as error:
        raise CellsError(f"{path}: is no second reading: {error}") from error


def second_reading(folder: Path) -> Amend:
    """What the second reading of a folder's fields changes in their annotations, to learn from; raises CellsError."""
    read = readings(folder)
    return lambda one: amended(one, read.get(one.path.name, NOTHING_READ))


def amended(one: AnnotatedField, read: SecondReading) -> AnnotatedField:
    """The field's annotations with what was read again, to learn from.

    A stage stays where both readers say infected. A box that was not annotated is added.
    """
    boxes, types = [*one.boxes.tolist()], [*one.types]
    for box, opinion in zip(read.boxes.tolist(), read.opinions, strict=True):
        overlap = iou(np.array([box], np.int32), np.array(boxes, np.int32).reshape(-1, 4))[0]
        place = int(overlap.argmax()) if len(overlap) else 0
        if not len(overlap) or overlap[place] < MATCHED:
            boxes.append(box)
            types.append(_NAMES[opinion])
        elif opinion is not Opinion.INFECTED or types[place] == RED_CELL:
            types[place] = _NAMES[opinion]
    return replace(one, boxes=np.array(boxes, np.int32).reshape(-1, 4), types=tuple(types))


def _of_rows(rows: list[dict[str, str]]) -> SecondReading:
    boxes = np.array([[int(row[key]) for key in ("x", "y", "w", "h")] for row in rows], np.int32)
    return SecondReading(boxes, tuple(row["annotated"] for row in rows), tuple(Opinion(row["both"]) for row in rows))
