"""Fields through the finder that the runner uses, and windows of fields whose overlap is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.places import real_images
from edge import shelf
from edge.analysis import set_aside_cut
from edge.finders.learned import LearnedFinder
from edge.types import FieldResult, Quality, Timings, UInt8Array

SETS: Final = ("iml_fields", "chula_fields", "bbbc_fields", "healthy_tiles", "raabin_fields", "pbc_fields")
TILE: Final = 512
"""Side of a tile in pixels."""

_NO_QUALITY = Quality(1.0, 128.0, 0.0, 0.0, 0.5, b"")
_NO_TIME = Timings(0, 0, 0, 0, 0)
"""Measures and times of fields that no gate judged and nobody timed."""


def pictures(name: str) -> list[Path]:
    """The images of a set, in the order of their names."""
    return sorted((real_images() / name / "images").iterdir())


def read(path: Path) -> UInt8Array:
    """An image, uint8 [H, W, 3], red first."""
    return decoded(np.frombuffer(path.read_bytes(), np.uint8))


def decoded(data_: UInt8Array) -> UInt8Array:
    """A file's bytes, uint8 [n], as an image; raises ValueError where they are none."""
    bgr = cv2.imdecode(data_, cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError("not an image")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def joined_tiles() -> UInt8Array:
    """The contiguous tiles of one slide as one picture, uint8 [H, W, 3]."""
    places = {path: [int(n) for n in path.stem.split("_")] for path in pictures("healthy_tiles")}
    rows, columns = (max(place[i] for place in places.values()) + 1 for i in (0, 1))
    out = np.zeros((rows * TILE, columns * TILE, 3), np.uint8)
    for path, (row, column) in places.items():
        out[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE] = read(path)
    return out


@cache
def _finder() -> LearnedFinder:
    return LearnedFinder(shelf.load(shelf.FINDER))


def found(rgb: UInt8Array, index: int = 0, name: str = "") -> FieldResult:
    """What the finder finds in a field; everything it takes for a cell is counted."""
    cells = set_aside_cut(_finder().find(np.ascontiguousarray(rgb)), (rgb.shape[0], rgb.shape[1]))
    classes = np.where(cells.kind == 0, 0, -1).astype(np.int32)
    scores = np.zeros((len(cells), 1), np.float32)
    return FieldResult(index, "s", name, (rgb.shape[0], rgb.shape[1]), cells, scores, classes, _NO_QUALITY, _NO_TIME)


def mirrored(field: FieldResult, index: int, *, across: bool, down: bool) -> FieldResult:
    """The field in a mirror: cells lie as cells lie, and no two of them as in the field itself."""
    height, width = field.shape
    boxes = field.cells.boxes.copy()
    if across:
        boxes[:, 0] = width - boxes[:, 0] - boxes[:, 2]
    if down:
        boxes[:, 1] = height - boxes[:, 1] - boxes[:, 3]
    return replace(field, index=index, cells=replace(field.cells, boxes=boxes))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two windows of one picture, the second seen by another exposure and focus.

    Attributes:
        share: of a window's area that both show.
        shift: what stands at p in the second stands at about p + shift in the first, pixels.
        first: what was found in it; likewise ``second``.
        blur: sigma of the second's blur in hundredths of a cell's side.
    """

    share: float
    shift: tuple[int, int]
    first: FieldResult
    second: FieldResult
    blur: int


def altered(
    rgb: UInt8Array, corner: tuple[int, int], size: tuple[int, int], cell_px: float, rng: Any
) -> tuple[UInt8Array, int]:
    """A window as another shot shows it: turned, scaled, blurred, exposed otherwise, noisy, JPEG; and the blur (see ``Pair``)."""
    (x, y), (w, h) = corner, size
    turn = cv2.getRotationMatrix2D((x + w / 2, y + h / 2), rng.uniform(-1, 1), 1 + rng.uniform(-0.01, 0.01))
    turn[:, 2] -= corner
    out = cv2.warpAffine(rgb, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    blur = int(rng.integers(0, 5))
    if blur:
        out = cv2.GaussianBlur(out, (0, 0), blur / 100 * cell_px)
    light = 255 * (out / 255.0) ** rng.uniform(0.8, 1.25) * rng.uniform(0.7, 1.3)
    noisy = np.clip(light + rng.normal(0, rng.uniform(0, 6), out.shape), 0, 255).astype(np.uint8)
    _, data_ = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))])
    return np.asarray(cv2.imdecode(data_, cv2.IMREAD_COLOR), np.uint8), blur


def windows(rgb: UInt8Array, size: tuple[int, int], shares: tuple[float, float], cell_px: float, rng: Any) -> Pair:
    """Two windows of ``size`` that share an area between the two ``shares``; the first where the picture has it, by chance."""
    (width, height), (w, h) = (rgb.shape[1], rgb.shape[0]), size
    while True:
        (x, other_x), (y, other_y) = rng.integers(0, width - w + 1, 2), rng.integers(0, height - h + 1, 2)
        share = max(0, w - abs(x - other_x)) * max(0, h - abs(y - other_y)) / (w * h)
        if shares[0] <= share < shares[1]:
            break
    second, blur = altered(rgb, (int(other_x), int(other_y)), size, cell_px, rng)
    first = found(rgb[y : y + h, x : x + w])
    return Pair(float(share), (int(other_x - x), int(other_y - y)), first, found(second, 1), blur)


def strips(rgb: UInt8Array, cell_px: float, shares: list[tuple[float, float]], seed: int) -> Iterator[Pair]:
    """Pairs of windows, each 0.58 of a field wide or high: that is the most in which two can share as little as 20 %."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    for wanted in shares:
        wide = rng.random() < 0.5
        size = (int(0.58 * width), height) if wide else (width, int(0.58 * height))
        yield windows(rgb, size, wanted, cell_px, rng)
