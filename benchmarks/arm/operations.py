"""Single operations of OpenCV and NumPy on the same picture: which of them give the same bytes on every processor.

Where ``edge`` must give the same bytes everywhere it uses those that do; the list holds those it uses and their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import cv2
import numpy as np

from edge.types import FloatArray, UInt8Array

_ODD = (531, 398)
"""Width and height of a resize by no round factor."""


def pictures() -> tuple[UInt8Array, FloatArray]:
    """A smooth picture, uint8 [480, 640, 3], and a plane of noise, float32 [120, 160]; the same bytes everywhere."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (60, 80, 3), np.uint8)
    rgb = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(rgb, np.uint8), rng.random((120, 160), np.float32)


def operations() -> Mapping[str, Callable[[], Any]]:
    """Every operation, by the name that people read."""
    rgb, plane = pictures()
    rng = np.random.default_rng(6)
    x, y = (np.asarray(rng.random((300, 320), np.float32) * np.float32(side)) for side in (639, 479))
    resize = partial(cv2.resize, rgb)
    wide = plane.astype(np.float64)
    return {
        "`resize`, nearest": partial(resize, _ODD, interpolation=cv2.INTER_NEAREST),
        "`resize` by 1/2, area": partial(resize, (320, 240), interpolation=cv2.INTER_AREA),
        "`resize` by another factor, area": partial(resize, _ODD, interpolation=cv2.INTER_AREA),
        "`resize`, linear": partial(resize, _ODD, interpolation=cv2.INTER_LINEAR),
        "`resize`, linear exact": partial(resize, _ODD, interpolation=cv2.INTER_LINEAR_EXACT),
        "`remap`, fixed point": lambda: cv2.remap(rgb, *cv2.convertMaps(x, y, cv2.CV_16SC2), cv2.INTER_LINEAR),
        "`convertScaleAbs` of floats": lambda: cv2.convertScaleAbs(plane * np.float32(300)),
        "`multiply` of bytes by 1/256": lambda: cv2.multiply(rgb, rgb[::-1].copy(), scale=1 / 256),
        "`LUT`": lambda: cv2.LUT(rgb, np.arange(256, dtype=np.uint8)[::-1].copy()),
        "`cvtColor` to grey": lambda: cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY),
        "`cvtColor` to HSV": lambda: cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV),
        "`GaussianBlur`, 8 bits": lambda: cv2.GaussianBlur(rgb, (3, 3), 0),
        "`GaussianBlur`, float": lambda: cv2.GaussianBlur(plane, (3, 3), 0.8),
        "`Laplacian`, 16 bits": lambda: cv2.Laplacian(rgb, cv2.CV_16S),
        "`Sobel`, float": lambda: cv2.Sobel(plane, cv2.CV_32F, 1, 0),
        "`magnitude`, float": lambda: cv2.magnitude(plane, plane * plane),
        "`distanceTransform`": lambda: cv2.distanceTransform((rgb[..., 0] > 100).astype(np.uint8), cv2.DIST_L2, 5),
        "NumPy `exp`, float32": lambda: np.exp(plane),
        "NumPy `exp` in double, then float32": lambda: np.exp(wide).astype(np.float32),
        "NumPy `sqrt`, float32": lambda: np.sqrt(plane),
        "NumPy `linalg.norm`, float32": lambda: np.linalg.norm(plane),
    }


def between(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> str:
    """A Markdown table of what the two sides made of each operation."""
    lines = ["| operation | values that differ | by up to |", "|---|---:|---:|"]
    for name, mine in first.items():
        apart = np.abs(mine.astype(np.float64) - second[name].astype(np.float64))
        share, most = float((apart > 0).mean()), float(apart.max())
        lines.append(f"| {name} | {f'{share:.2g} of 1' if share else 'none'} | {f'{most:.1g}' if share else '—'} |")
    return "\n".join(lines) + "\n"
