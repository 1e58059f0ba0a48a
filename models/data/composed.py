"""Single cells on black (the NIH form) composed into fields, in many microscopes' colours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from convert.measure.single import BOX_MARGIN
from edge.types import UInt8Array
from models.data.fields import read_rgb
from models.data.scenes import CELL, CELL_PX, SUSPECT, WHITE_CELL, Scene

SIZE = (480, 640)
"""Height and width in pixels of a composed field."""

_FEWEST, _MOST = 40, 190  # cells in one


class CellPool:
    """Single cells on black (the NIH form), by slide, for composing fields in many scopes' colours."""

    def __init__(self, root: Path, rows: list[dict[str, str]]) -> None:
        self.by_slide: dict[str, list[tuple[UInt8Array, bool]]] = {}
        side: dict[str, list[int]] = {}
        for row in rows:
            longest = max(int(row["native_width"]), int(row["native_height"]))
            side.setdefault(row["slide"], []).append(longest)
        for row in rows:
            image = read_rgb(root / row["file"])
            native = max(int(row["native_width"]), int(row["native_height"]))
            # Cells keep their size relative to their slide; a typical one becomes two thirds of a box at scene scale.
            target = 2 * CELL_PX / BOX_MARGIN * native / float(np.median(side[row["slide"]]))
            factor = target / max(image.shape[:2])
            small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            self.by_slide.setdefault(row["slide"], []).append(
                (np.asarray(small, np.uint8), row["label"] == "parasitized")
            )

    def scene(self, rng: np.random.Generator, slide: str | None = None) -> Scene:
        """A composed field of one slide's cells (any, if not said which): some touching, some overlapping, on a pale background."""
        slide = slide or str(rng.choice(sorted(self.by_slide)))
        cells = self.by_slide[slide]
        height, width = SIZE
        paper = _paper(cells, rng, height, width)
        boxes: list[list[float]] = []
        kinds: list[int] = []
        centres = np.empty((0, 2))
        wanted = int(rng.integers(_FEWEST, _MOST))
        nearest = rng.uniform(0.6, 1.05) * 2 * CELL_PX / BOX_MARGIN
        for _ in range(wanted * 3):
            if len(boxes) >= wanted:
                break
            image, infected = cells[int(rng.integers(len(cells)))]
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            if len(centres) and np.hypot(*(centres - (x, y)).T).min() < nearest:
                continue
            image = np.rot90(image, int(rng.integers(4)))
            h, w = image.shape[:2]
            left, top = int(x - w / 2), int(y - h / 2)
            if not _paste(paper, image, left, top):
                continue
            margin = BOX_MARGIN
            boxes.append([left + w / 2 - w * margin / 2, top + h / 2 - h * margin / 2, w * margin, h * margin])
            kinds.append(int(infected))
            centres = np.vstack([centres, [x, y]])
        blurred = cv2.GaussianBlur(paper, (0, 0), float(rng.uniform(0.4, 1.0)))
        rgb = np.clip(blurred, 0, 255).astype(np.uint8)
        known = (CELL, SUSPECT, WHITE_CELL)
        return Scene(rgb, np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, int), 2 * CELL_PX, known)


def _paper(cells: list[tuple[UInt8Array, bool]], rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    some = [cells[int(i)][0].reshape(-1, 3) for i in rng.integers(0, len(cells), 8)]
    pixels = np.concatenate(some)
    pixels = pixels[pixels.sum(axis=1) > 60]
    bright = np.percentile(pixels, 97, axis=0) if len(pixels) else np.full(3, 200.0)
    tone = np.minimum(bright * rng.uniform(1.03, 1.3) * rng.uniform(0.97, 1.03, 3), 250)
    shade = cv2.resize(rng.normal(0, 4, (3, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(tone[None, None] + shade[:, :, None], np.float32)


def _paste(paper: np.ndarray, image: np.ndarray, left: int, top: int) -> bool:
    """Multiply the cell onto the paper where it overlaps others, as stained films do; False when it is out of view."""
    height, width = paper.shape[:2]
    h, w = image.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
    if x1 - x0 < w * 0.5 or y1 - y0 < h * 0.5:
        return False
    part = image[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
    alpha = cv2.GaussianBlur((part.max(axis=2) > 25).astype(np.float32), (3, 3), 0)[..., None]
    below = paper[y0:y1, x0:x1]
    paper[y0:y1, x0:x1] = below * (1 - alpha) + np.minimum(part, below) * alpha
    return True
