"""What the camera process lets pass: every real field, as it is and dimmer, softer or noisier than it was taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.camera.formats import BadFrameError
from edge.camera.looks import FrameChecker
from edge.sources.decode import decode_image
from edge.types import UInt8Array

DATA = Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
SETS = ("iml_fields", "bbbc_fields", "chula_fields", "raabin_fields", "thick_fields")
FIELDS = 12  # of each set
PICTURES = (".jpg", ".jpeg", ".png", ".tif")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not all((DATA / s).is_dir() for s in SETS), reason=f"no real fields in {DATA}"),
]


def noisy(rgb: UInt8Array) -> UInt8Array:
    drawn = np.random.default_rng(0).standard_normal(rgb.shape, dtype=np.float32)
    return (rgb + 6 * drawn).clip(0, 255).round().astype(np.uint8)


TAKEN: dict[str, Callable[[UInt8Array], UInt8Array]] = {
    "as it is": lambda rgb: rgb,
    "out of focus": lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), 6), np.uint8),
    "noisy": noisy,
    "at half the light": lambda rgb: (rgb // 2).astype(np.uint8),
}


def fields(name: str) -> list[UInt8Array]:
    files = [one for one in sorted((DATA / name).rglob("*")) if one.suffix.lower() in PICTURES]
    found = []
    for path in files[:: max(1, len(files) // FIELDS)]:
        rgb = decode_image(path)
        height, width = rgb.shape[:2]
        if min(height, width) < 256:
            continue  # no field
        if width > 1280:
            size = (1280, round(height * 1280 / width))
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        found.append(rgb)
    return found


@pytest.mark.parametrize("name", SETS)
def test_no_real_field_is_withheld(name: str) -> None:
    shown = fields(name)
    assert len(shown) >= 5
    withheld = []
    for rgb in shown:
        for how, change in TAKEN.items():
            try:
                FrameChecker().check(np.ascontiguousarray(change(rgb)))
            except BadFrameError as error:
                withheld.append((how, str(error.trouble)))
    assert withheld == []
