"""Tiny copies of the sets that nets learn from, in which the colour of every cell tells the group that it is of."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np

from edge.pixels import Image
from edge.types import CELL, Cells

SLIDES = tuple(f"C{number:02}" for number in range(10))
BLOCKS = 4
FIELDS = 2
"""Fields in a block."""

CELLS = 12
"""Cells of a slide, half of them infected."""

PICTURES = 3
"""Pictures of the one slide of single cells with their background, each with six cells, half of them infected."""

PIECES = 8
"""Pieces of film around a white cell in each set of these."""

GREEN = 90
"""Green value of all cells."""

_SIDE = 40
_STEP = 52
_FIELD = (320, 416)


def code_of_slide(slide: str) -> int:
    """Red value of all cells of a slide: 60, 68, ..."""
    return 60 + 8 * SLIDES.index(slide)


def code_of_block(block: int) -> int:
    """Red value of all cells of a block: 150, 160, ..."""
    return 150 + 10 * block


def make(root: Path) -> Path:
    """Write the sets below ``root``, which becomes the data directory."""
    _cells(root / "nih_cells")
    _pictured(root / "plymouth_cells")
    _fields(root / "iml_fields")
    for name in ("raabin_fields", "pbc_fields"):
        _pieces(root / name)
    return root


def _disc(code: int, *, infected: bool) -> np.ndarray:
    """A cell on black, RGB uint8 [40, 40, 3]; the middle has the group's code, infected or not."""
    image = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    cv2.circle(image, (_SIDE // 2, _SIDE // 2), _SIDE // 2 - 2, (code, GREEN, 110), -1)
    if infected:
        cv2.circle(image, (_SIDE // 2, 9), 4, (code, 30, 140), -1)
    return image


def _cells(folder: Path) -> None:
    rows = []
    for slide in SLIDES:
        for number in range(CELLS):
            label = ("Uninfected", "Parasitized")[number % 2]
            path = folder / label / f"{slide}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = _disc(code_of_slide(slide), infected=number % 2 == 1)
            image[0, 0] = number  # no two files are alike
            cv2.imwrite(str(path), image[..., ::-1])
            second = "uninfected" if (slide, number) == (SLIDES[1], 1) else ""
            rows.append([f"{label}/{path.name}", label.lower(), slide, slide, 120, 120, second])
    with (folder / "cells.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "slide", "field", "native_width", "native_height", "second_label"])
        writer.writerows(rows)


def _pictured(folder: Path) -> None:
    """Cells on paper; red values are none of a slide or a block."""
    for number in range(6 * PICTURES):
        picture, infected = number // 6, number % 2 == 1
        path = folder / ("parasitized" if infected else "uninfected") / f"57546_{picture}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((_SIDE + 8, _SIDE + 8, 3), (238, 232, 228), np.uint8)
        cell = _disc(200 + 8 * picture, infected=infected)
        inside = cell.any(axis=2)
        image[4:-4, 4:-4][inside] = cell[inside]
        image[0, 0] = number  # no two files are alike
        cv2.imwrite(str(path), image[..., ::-1])


def boxes() -> np.ndarray:
    """Boxes of the cells of every field, int32 [n, 4]: they lie in the same places."""
    rows, columns = _FIELD[0] // _STEP, _FIELD[1] // _STEP
    return np.array(
        [[8 + x * _STEP, 8 + y * _STEP, _SIDE, _SIDE] for y in range(rows) for x in range(columns)], np.int32
    )


def _fields(folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    entries = []
    for number in range(BLOCKS * FIELDS):
        block = number // FIELDS
        name = f"P{100 * (block + 1) + number % FIELDS}.png"  # a gap in the numbers starts a block
        rgb = np.full((*_FIELD, 3), (235, 230, 240), np.uint8)
        objects = []
        for place, (x, y, w, h) in enumerate(boxes().tolist()):
            cell = _disc(code_of_block(block), infected=place % 6 == 0)
            inside = cell.any(axis=2)
            rgb[y : y + h, x : x + w][inside] = cell[inside]
            kind = "ring" if place % 6 == 0 else "red blood cell"
            objects.append({"type": kind, "bbox": {"x": x, "y": y, "w": w, "h": h}})
        rgb[0, 0] = number
        cv2.imwrite(str(folder / "images" / name), rgb[..., ::-1])
        entries.append({"image_name": name, "objects": objects})
    (folder / "annotations.json").write_text(json.dumps(entries))


def _pieces(folder: Path) -> None:
    """Pieces 200 px wide with a white cell in the middle and red cells of the blocks' size around it."""
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(PIECES):
        rgb = np.full((200, 200, 3), (240, 225, 220), np.uint8)
        for x, y in ((10, 10), (80, 8), (150, 12), (12, 150), (90, 154), (150, 150)):
            cell = _disc(40 + number, infected=False)
            inside = cell.any(axis=2)
            rgb[y : y + _SIDE, x : x + _SIDE][inside] = cell[inside]
            annotations.append({"image_id": number, "category_id": 1, "bbox": [x, y, _SIDE, _SIDE]})
        cv2.circle(rgb, (100, 100), 34, (70, 30, 120), -1)
        annotations.append({"image_id": number, "category_id": 2, "bbox": [64, 64, 72, 72]})
        cv2.imwrite(str(folder / "images" / f"{number}.png"), rgb[..., ::-1])
        images.append({"id": number, "file_name": f"{number}.png", "width": 200, "height": 200})
    names = ("red blood cell", "white blood cell")
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    for number, one in enumerate(annotations):
        one["id"] = number
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(coco))


class KnownFinder:
    """A finder that finds every cell of these fields."""

    name = "known"

    def find(self, image: Image) -> Cells:
        """The boxes, as one would find them."""
        del image
        found = boxes()
        return Cells(found, np.ones(len(found), np.float32), np.zeros(len(found), np.int32), (CELL,))
