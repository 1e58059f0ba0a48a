"""The NIH cells, each once, as the device would see it: on pale paper, through ``edge.crops``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge.crops import crop_cells, to_reference
from edge.modelfile import CropSpec
from edge.types import FloatArray, UInt8Array
from models.cell_data import of_field
from models.fields import data_dir, read_rgb
from models.finder.data import BOX_MARGIN

INFECTED_LABEL = "parasitized"
_PAPER = 1.12  # brightness of the paper over that of the cell's brightest parts
_CANVAS = 160


def on_paper(cell: UInt8Array) -> tuple[UInt8Array, np.ndarray]:
    """A masked cell uint8 [h, w, 3] (black outside) on paper uint8 [160, 160, 3], and its box int32 [4] with the usual margin."""
    height, width = cell.shape[:2]
    mask = cell.max(axis=2) > 25
    bright = np.percentile(cell[mask], 97, axis=0) if mask.any() else np.full(3, 200.0)
    paper = np.full((_CANVAS, _CANVAS, 3), np.minimum(bright * _PAPER, 250), np.float32)
    top, left = (_CANVAS - height) // 2, (_CANVAS - width) // 2
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)[..., None]
    part = paper[top : top + height, left : left + width]
    paper[top : top + height, left : left + width] = part * (1 - alpha) + np.minimum(cell, part) * alpha
    sides = np.array([width, height]) * BOX_MARGIN
    box = np.concatenate([np.array([_CANVAS, _CANVAS]) / 2 - sides / 2, sides])
    return paper.astype(np.uint8), np.rint(box).astype(np.int32)


def crops_of(rows: list[dict[str, str]], spec: CropSpec, folder: Path | None = None) -> UInt8Array:
    """Crops of these rows of ``cells.csv`` as the net sees them, a slide standing for a field: uint8 [n, size, size, 3]."""
    crops = plain_crops(rows, replace(spec, normalise="none"), folder)
    return to_reference(crops, spec, slide_colours(crops, rows, spec.size))


def plain_crops(rows: list[dict[str, str]], spec: CropSpec, folder: Path | None = None) -> UInt8Array:
    """Crops of these rows, uncoloured: uint8 [n, size, size, 3]."""
    folder = folder or data_dir() / "nih_cells"
    crops = np.empty((len(rows), spec.size, spec.size, 3), np.uint8)
    for i, row in enumerate(rows):
        rgb, box = on_paper(read_rgb(folder / row["file"]))
        crops[i] = crop_cells(rgb, box[None], spec)[0]
    return crops


def slide_colours(crops: UInt8Array, rows: list[dict[str, str]], size: int) -> FloatArray:
    """Colour of the median cell of each one's slide, float32 [n, 3]; of crops with slack the middle ``size`` pixels count."""
    slides = np.array([row["slide"] for row in rows])
    colours = np.empty((len(rows), 3), np.float32)
    for slide in np.unique(slides):
        mine = slides == slide
        colours[mine] = of_field(crops[mine], size)
    return colours


def with_second_opinions(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows, labelled as the second opinion has it where there is one: to learn from, not to be judged on."""
    return [{**row, "label": row["second_label"].strip() or row["label"]} for row in rows]


def infected(rows: list[dict[str, str]]) -> np.ndarray:
    """Bool [n]: the published label."""
    return np.array([row["label"] == INFECTED_LABEL for row in rows], bool)
