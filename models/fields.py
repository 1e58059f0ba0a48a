"""Annotated fields: reading them, and splitting them by blocks of consecutive images (neighbours show the same film)."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.types import Int32Array, UInt8Array

BLOCK = 35
"""Consecutive images per block; the split of every figure in this repository."""

RED_CELL = "red blood cell"
UNSURE = "difficult"


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedField:
    """One field with its truth.

    Attributes:
        boxes: int32 [n, 4], x, y, w, h in pixels.
        types: n names, as the annotators gave them.
        block: number of the block of consecutive images it belongs to.
    """

    path: Path
    boxes: Int32Array
    types: tuple[str, ...]
    block: int

    @property
    def infected(self) -> np.ndarray:
        """Bool [n]: annotated as a stage of the parasite."""
        return np.array([t not in (RED_CELL, UNSURE) for t in self.types], bool)

    def read(self) -> UInt8Array:
        """The image, uint8 [H, W, 3] RGB."""
        return read_rgb(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class PointedField:
    """One field whose cells are marked by points: float32 [n, 2], x, y in pixels."""

    path: Path
    points: np.ndarray

    def read(self) -> UInt8Array:
        """The image, uint8 [H, W, 3] RGB."""
        return read_rgb(self.path)


def read_rgb(path: Path) -> UInt8Array:
    """Read an image as uint8 [H, W, 3] RGB; raises FileNotFoundError when it cannot be read."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(path)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def data_dir() -> Path:
    """The real images: ``$EDGE_DATA``, else ``../shared/data`` beside this repository."""
    return Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parent.parent.parent / "shared" / "data")


def load_iml(folder: Path | None = None) -> list[AnnotatedField]:
    """The IML fields in order; a new block starts every 35 images of one consecutive numbering."""
    folder = folder or data_dir() / "iml_fields"
    raw = {entry["image_name"]: entry["objects"] for entry in json.loads((folder / "annotations.json").read_text())}
    out: list[AnnotatedField] = []
    block, first, last = -1, 0, -2
    for name in sorted(raw):
        number = int(re.findall(r"\d+", name)[-1])
        if number != last + 1 or number - first >= BLOCK:
            block, first = block + 1, number
        last = number
        boxes = [[o["bbox"][k] for k in "xywh"] for o in raw[name]]
        types = tuple(str(o["type"]) for o in raw[name])
        out.append(AnnotatedField(folder / "images" / name, np.array(boxes, np.int32).reshape(-1, 4), types, block))
    return out


def load_chula(folder: Path | None = None) -> list[PointedField]:
    """The Chula fields: points only."""
    folder = folder or data_dir() / "chula_fields"
    raw = json.loads((folder / "annotations.json").read_text())
    return [
        PointedField(folder / "images" / e["image_name"], np.array(e["points"], np.float32).reshape(-1, 2)) for e in raw
    ]


def folds(fields: list[AnnotatedField], count: int = 4) -> list[list[int]]:
    """Block numbers held out in each fold: blocks dealt round so that every block is held out exactly once."""
    blocks = sorted({f.block for f in fields})
    return [blocks[i::count] for i in range(count)]
