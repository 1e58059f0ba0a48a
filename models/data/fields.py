"""The annotated fields of this repository's figures, split by blocks of consecutive images (neighbours show the same film)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField as AnyField
from convert.measure.annotations import read_annotations
from edge.types import UInt8Array
from models.places import REPOSITORY

BLOCK = 35
"""Consecutive images per block; the split of every figure in this repository."""

RED_CELL = "red blood cell"
UNSURE = "difficult"


@dataclass(frozen=True, slots=True, eq=False)
class ImlField(AnyField):
    """One of the IML fields."""

    @property
    def infected(self) -> np.ndarray:
        """Bool [n]: annotated as a stage of the parasite."""
        return np.asarray(~self.of((RED_CELL, UNSURE)))

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
    return Path(os.environ.get("EDGE_DATA") or REPOSITORY.parent / "shared" / "data")


def need_images() -> None:
    """Raise CellsError where the real images are not."""
    for wanted in (data_dir() / "nih_cells" / "cells.csv", data_dir() / "iml_fields" / "annotations.json"):
        if not wanted.is_file():
            raise CellsError(f"{wanted}: no such file: EDGE_DATA names the folder of nih_cells and iml_fields")


def load_iml(folder: Path | None = None) -> list[ImlField]:
    """The IML fields in order; a new block starts every 35 images of one consecutive numbering."""
    folder = folder or data_dir() / "iml_fields"
    read = read_annotations(folder, folder / "annotations.json", BLOCK, gap=1)
    return [ImlField(one.path, one.boxes, one.types, one.block) for one in read]


def load_chula(folder: Path | None = None) -> list[PointedField]:
    """The Chula fields: points only, by name as text: figures hold every second one out, so the order must not change."""
    folder = folder or data_dir() / "chula_fields"
    read = read_annotations(folder, folder / "annotations.json")
    read.sort(key=lambda one: one.path.name)
    return [PointedField(one.path, one.points) for one in read if one.points is not None]
