"""Fields that are what the models are for, and fields that are not: real ones, spoilt ones and drawn ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.analysis import set_aside_cut
from edge.appearance import appearance_of
from edge.finders.learned import LearnedFinder
from edge.gate import measure
from edge.pixels import Pyramid
from edge.types import Appearance, UInt8Array
from edge.virtual_slide import SlideSpec, render_field
from models.data.fields import BLOCK, data_dir, read_rgb
from models.studies.streams import StudyStream

TEACHING = ("iml_fields", "raabin_fields", "pbc_fields")
"""Microscopes that may teach what ships; the ranges come from them and from virtual slides."""

JUDGING = ("chula_fields", "bbbc_fields", "healthy_tiles")
"""Microscopes that only judge."""

FOREIGN = (
    "thick_fields",
    "micro_organisms/Amoeba",
    "micro_organisms/Euglena",
    "micro_organisms/Hydra",
    "micro_organisms/Rod_bacteria",
)
VIRTUAL = "virtual slides"
_SEEDS, _PER_SEED = 6, 10  # virtual slides, and fields of each
_DRAWN = 30  # drawn pages, and drawn leaves
_SPOILT = 30  # fields of each set that are changed
_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, slots=True, eq=False)
class FieldLook:
    """One field: its measures, its sharpness, and the slide or block it is of."""

    look: Appearance
    sharpness: float
    slide: str


def files_of(folder: str, most: int | None = None) -> list[Path]:
    """The pictures of one set, in order; with ``most`` at most that many, taken evenly."""
    root = data_dir() / folder
    found = sorted(p for p in root.rglob("*") if p.suffix.lower() in _SUFFIXES)
    return found if most is None or len(found) <= most else found[:: max(1, len(found) // most)][:most]


def look_at(rgb: UInt8Array, finder: LearnedFinder, slide: str) -> FieldLook:
    """Measure one field, uint8 [H, W, 3]."""
    levels = Pyramid(rgb)
    cells = set_aside_cut(finder.find(levels), (rgb.shape[0], rgb.shape[1]))
    return FieldLook(appearance_of(levels, cells), measure(rgb).sharpness, slide)


def real(folder: str, finder: LearnedFinder) -> list[FieldLook]:
    """All fields of a set; blocks of consecutive images stand for slides."""
    return [look_at(read_rgb(path), finder, f"{folder}/{i // BLOCK}") for i, path in enumerate(files_of(folder))]


def virtual(finder: LearnedFinder) -> list[FieldLook]:
    """Fields of virtual slides."""
    out = []
    for seed in range(_SEEDS):
        spec = SlideSpec(seed)
        out += [look_at(render_field(spec, i)[0], finder, f"virtual/{seed}") for i in range(_PER_SEED)]
    return out


def spoilt(change: Callable[[UInt8Array], UInt8Array], finder: LearnedFinder) -> list[FieldLook]:
    """Fields of all real microscopes after a change."""
    paths = [path for folder in (*TEACHING, *JUDGING) for path in files_of(folder, _SPOILT)]
    return [look_at(change(read_rgb(path)), finder, "spoilt") for path in paths]


def grey(rgb: UInt8Array) -> UInt8Array:
    """The field as a grey picture."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def tinted(rgb: UInt8Array) -> UInt8Array:
    """The field as a grey picture with one tint."""
    return np.asarray(grey(rgb) * np.array([0.95, 0.85, 0.72]), np.uint8)


def inverted(rgb: UInt8Array) -> UInt8Array:
    """The field with a dark ground."""
    return np.asarray(255 - rgb, np.uint8)


def unstained(rgb: UInt8Array) -> UInt8Array:
    """The same cells as they might look without stain: haemoglobin absorbs some blue, rims refract.

    It is drawn from the density of green; there is no unstained field among the real ones here.
    """
    light = rgb[..., 1].astype(np.float32) + 1
    dense = np.clip(np.log(np.percentile(light, 92) / light), -0.2, None)
    dense = np.clip(dense / max(float(np.percentile(dense, 80)), 0.05), -0.2, 1.3).astype(np.float32)
    wide = max(1.0, rgb.shape[1] / 640)
    rim = cv2.GaussianBlur(dense, (0, 0), 2.5 * wide) - cv2.GaussianBlur(dense, (0, 0), 6 * wide)
    away = dense[..., None] * np.array([0.03, 0.06, 0.12]) + 0.2 * rim[..., None]
    return np.asarray(np.clip(np.array([222, 222, 210]) * np.exp(-away), 0, 255), np.uint8)


def pages() -> Iterator[UInt8Array]:
    """Drawn pages of text in several sizes, inks and papers."""
    rng = np.random.default_rng(StudyStream.TEXT_PAGES)
    for _ in range(_DRAWN):
        page = np.full((960, 1280, 3), rng.integers(200, 256, 3), np.uint8)
        ink = [int(v) for v in rng.integers(0, 90, 3)]
        size, face = float(rng.uniform(0.5, 3)), int(rng.integers(0, 5))
        for y in range(int(30 * size), 960, int(35 * size)):
            letters = rng.integers(97, 123, 120)
            words = "".join(" " if rng.random() < 0.18 else chr(letter) for letter in letters)
            cv2.putText(page, words, (10, y), face, size, ink, max(1, int(size * 1.5)), cv2.LINE_AA)
        yield np.asarray(cv2.GaussianBlur(page, (0, 0), 1.0), np.uint8)


def leaves() -> Iterator[UInt8Array]:
    """Drawn leaves: green tissue with veins."""
    rng = np.random.default_rng(StudyStream.LEAVES)
    for _ in range(_DRAWN):
        base = np.array([rng.integers(40, 110), rng.integers(110, 190), rng.integers(20, 80)], np.float32)
        tissue = np.zeros((960, 1280), np.float32)
        for grain, depth in ((8, 0.3), (30, 0.5), (120, 0.8)):
            coarse = rng.normal(0, depth, (960 // grain, 1280 // grain)).astype(np.float32)
            tissue += cv2.resize(coarse, (1280, 960), interpolation=cv2.INTER_CUBIC)
        leaf = base * (1 + 0.12 * tissue[..., None])
        for _ in range(12):
            (x0, y0), (x1, y1) = rng.integers(0, [1280, 960], (2, 2)).tolist()
            cv2.line(leaf, (x0, y0), (x1, y1), (base * 1.4).tolist(), int(rng.integers(2, 10)))
        yield np.clip(cv2.GaussianBlur(leaf, (0, 0), 1.2), 0, 255).astype(np.uint8)
