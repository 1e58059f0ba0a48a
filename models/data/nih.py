"""The NIH cells by the rows of their table, each once and in that order, as the one reader of cells cuts and colours them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from convert.measure.single import cut
from convert.measure.typicals import CellTypicals, middle, typicals_of
from edge.crops import compared
from edge.modelfile import CropSpec
from edge.sources.decode import decode_image
from edge.types import UInt8Array
from models.data.fields import data_dir

INFECTED_LABEL = "parasitized"


def nih_rows(folder: Path | None = None) -> list[dict[str, str]]:
    """The rows of the NIH cells' table."""
    folder = folder or data_dir() / "nih_cells"
    with (folder / "cells.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def crops_of(rows: list[dict[str, str]], spec: CropSpec, folder: Path | None = None) -> UInt8Array:
    """Crops of these rows of ``cells.csv`` as the net sees them, a slide standing for a field: uint8 [n, size, size, 3 or 6]."""
    crops = plain_crops(rows, spec, folder)
    typical = slide_typicals(crops, rows, spec.size)
    return compared(crops, spec, typical.typical, typical.of)


def plain_crops(rows: list[dict[str, str]], spec: CropSpec, folder: Path | None = None) -> UInt8Array:
    """Crops of these rows, uncoloured: uint8 [n, size, size, 3]."""
    folder = folder or data_dir() / "nih_cells"
    crops = np.empty((len(rows), spec.size, spec.size, 3), np.uint8)
    for i, row in enumerate(rows):
        crops[i] = cut(decode_image(folder / row["file"]), spec, black=True, keep_black=False)
    return crops


def slide_typicals(crops: UInt8Array, rows: list[dict[str, str]], size: int) -> CellTypicals:
    """The typical cell of each one's slide; of crops with slack the middle ``size`` pixels count."""
    slides = np.unique([row["slide"] for row in rows], return_inverse=True)[1].astype(np.int32)
    return typicals_of(middle(crops, size), slides)


def with_second_opinions(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows, labelled as the second opinion has it where there is one: to learn from, not to be judged on."""
    return [{**row, "label": row["second_label"].strip() or row["label"]} for row in rows]


def infected(rows: list[dict[str, str]]) -> np.ndarray:
    """Bool [n]: the published label."""
    return np.array([row["label"] == INFECTED_LABEL for row in rows], bool)
