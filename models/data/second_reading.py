"""A second reading of annotated fields: finds that two readers looked at again, and what both said of them.

``second_reading.csv`` beside the annotations has a box per line and in ``both`` what both readers said: ``infected``, ``uninfected``,
``notred`` (no red cell), ``free`` (a parasite outside a cell), or ``unsure`` where they differ.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from convert.measure.annotations import AnnotatedField
from convert.measure.matching import MATCHED
from edge.boxes import iou
from models.data.fields import RED_CELL, UNSURE
from models.data.scenes import NOT_RED

FILE = "second_reading.csv"
INFECTED = "infected"
"""Annotated name of a cell that both readers call infected, of whatever stage."""

_NAME = {"infected": INFECTED, "uninfected": RED_CELL, "notred": NOT_RED, "free": UNSURE, "unsure": UNSURE}
"""What is annotated for what both readers said; a parasite outside a cell counts neither way."""

Amend = Callable[[AnnotatedField], AnnotatedField]
"""The same field with what the readers said."""


def second_reading(folder: Path) -> Amend:
    """What the second reading of a folder's fields changes in their annotations; nothing where the folder has none."""
    file = folder / FILE
    readings: dict[str, list[tuple[list[int], str]]] = {}
    if file.is_file():
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                box = [int(row[key]) for key in ("x", "y", "w", "h")]
                readings.setdefault(row["image_name"], []).append((box, row["both"]))
    return lambda one: amended(one, readings.get(one.path.name, []))


def amended(one: AnnotatedField, readings: list[tuple[list[int], str]]) -> AnnotatedField:
    """The field's annotations with those of its finds that were read again.

    A stage stays where both readers say infected. A box that was not annotated is added.

    Args:
        one: the field.
        readings: box (x, y, w, h) of each find that was read, and what both readers said.
    """
    boxes, types = [*one.boxes.tolist()], [*one.types]
    for box, said in readings:
        overlap = iou(np.array([box], np.int32), np.array(boxes, np.int32).reshape(-1, 4))[0]
        place = int(overlap.argmax()) if len(overlap) else 0
        if not len(overlap) or overlap[place] < MATCHED:
            boxes.append(box)
            types.append(_NAME[said])
        elif said != INFECTED or types[place] == RED_CELL:
            types[place] = _NAME[said]
    return replace(one, boxes=np.array(boxes, np.int32).reshape(-1, 4), types=tuple(types))
