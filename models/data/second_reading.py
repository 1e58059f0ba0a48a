"""The second reading of IML cells: what two readers said of finds that fold nets had called infected, and of controls.

The readers saw each find without its annotation and without a score; how the finds were chosen stands in the README of the data.
Annotators missed parasites: with their labels alone a net that finds those is marked down for it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.matching import MATCHED, pairs
from edge.boxes import iou
from edge.types import Int32Array
from models.data.fields import data_dir

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


NOTHING_READ = SecondReading(np.zeros((0, 4), np.int32), (), ())
"""Of a field that holds no find that was read."""


def second_reading(folder: Path | None = None) -> Mapping[str, SecondReading]:
    """The second reading by the name of the image; images without a find that was read are not in it.

    Args:
        folder: of the IML fields; None: under the data directory.

    Raises:
        CellsError: the file is not there, or holds an opinion that is not known.
    """
    path = (folder or data_dir() / "iml_fields") / FILE
    rows: dict[str, list[dict[str, str]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows.setdefault(row["image_name"], []).append(row)
        return {name: _of_rows(mine) for name, mine in rows.items()}
    except OSError as error:
        raise CellsError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise CellsError(f"{path}: is no second reading: {error}") from error


def _of_rows(rows: list[dict[str, str]]) -> SecondReading:
    boxes = np.array([[int(row[key]) for key in ("x", "y", "w", "h")] for row in rows], np.int32)
    return SecondReading(boxes, tuple(row["annotated"] for row in rows), tuple(Opinion(row["both"]) for row in rows))
