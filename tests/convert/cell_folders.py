"""Folders of drawn cells: a pale disc, with a dark dot in it or without, on several slides."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

CLASSES = ("clear", "dotted")


def draw(rng: np.random.Generator, *, dotted: bool) -> np.ndarray:
    """RGB uint8 [h, w, 3]: a reddish disc; ``dotted`` has a violet dot."""
    height, width = (int(n) for n in rng.integers(36, 60, 2))
    image = np.full((height, width, 3), (225, 220, 230), np.uint8)
    centre = (width // 2, height // 2)
    cv2.circle(
        image, centre, min(centre) - 2, tuple(int(c) for c in rng.integers((190, 120, 130), (220, 160, 165))), -1
    )
    if dotted:
        spot = tuple(int(c + d) for c, d in zip(centre, rng.integers(-6, 7, 2), strict=True))
        cv2.circle(image, spot, int(rng.integers(5, 8)), (90, 40, 140), -1)
    return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def make(folder: Path, count: int = 60, slides: int = 6, seed: int = 0) -> Path:
    """``count`` cells of each class, named ``s<slide>_<number>.png``."""
    rng = np.random.default_rng(seed)
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            name = folder / label / f"s{number % slides}_{number:03}.png"
            cv2.imwrite(str(name), draw(rng, dotted=label == "dotted")[..., ::-1])
    return folder
