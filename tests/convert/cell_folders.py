"""Folders of drawn cells: a pale disc, with a dark dot in it or without, on several slides."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

CLASSES = ("clear", "dotted")


def draw(
    rng: np.random.Generator, *, dotted: bool, masked: bool = False, side: tuple[int, int] = (36, 60)
) -> np.ndarray:
    """RGB uint8 [h, w, 3]: a reddish disc; ``dotted`` has a violet dot, ``masked`` is cut out on black."""
    height, width = (int(n) for n in rng.integers(*side, 2))
    image = np.full((height, width, 3), (225, 220, 230), np.uint8)
    centre = (width // 2, height // 2)
    radius = min(centre) - 2
    cv2.circle(image, centre, radius, tuple(int(c) for c in rng.integers((190, 120, 130), (220, 160, 165))), -1)
    if dotted:
        spot = tuple(int(c + d) for c, d in zip(centre, rng.integers(-6, 7, 2), strict=True))
        cv2.circle(image, spot, int(rng.integers(5, 8)), (90, 40, 140), -1)
    noisy = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    if masked:
        inside = np.zeros((height, width), np.uint8)
        cv2.circle(inside, centre, radius, 1, -1)
        noisy[inside == 0] = 0
    return np.asarray(noisy, np.uint8)


def write(path: Path, rgb: np.ndarray) -> Path:
    """As the path's ending says; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), rgb[..., ::-1])
    return path


def make(
    folder: Path,
    count: int = 60,
    slides: int = 6,
    seed: int = 0,
    *,
    masked: bool = False,
    classes: tuple[str, str] = CLASSES,
    side: tuple[int, int] = (36, 60),
) -> Path:
    """``count`` cells of each class, named ``s<slide>_<number>.png``; of the second class dotted ones."""
    rng = np.random.default_rng(seed)
    for label in classes:
        for number in range(count):
            rgb = draw(rng, dotted=label == classes[1], masked=masked, side=side)
            write(folder / label / f"s{number % slides}_{number:03}.png", rgb)
    return folder


def write_table(folder: Path, name: str = "cells.csv", **more: str) -> Path:
    """A table of all cells of the folder: file, label, slide (``s1``), and ``more`` columns of one value each."""
    rows = [
        {"file": path.relative_to(folder).as_posix(), "label": path.parent.name, "slide": path.name[:2], **more}
        for path in sorted(folder.rglob("*.png"))
    ]
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name
