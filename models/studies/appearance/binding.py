"""Does a calibration accept other slides of its own microscope, and does it refuse the same fields from a changed set-up?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import cv2
import numpy as np

from edge.finders.learned import LearnedFinder
from edge.types import UInt8Array
from edge.verdict.fitness import Fitness, ReferenceRanges, ranges_of
from models.data.fields import read_rgb
from models.studies.appearance.choose import samples
from models.studies.appearance.material import FieldLook, files_of, grey, look_at

BLANKS = (3, 5)
"""Numbers of blank slides in a calibration."""

FIELDS = 10
"""Fields of a sample."""

_DRAWS = 20  # samples of each set for each choice of blanks
_CHANGED = 24  # fields that are changed
_ALL = 1000  # more fields than a slide has


def _scaled(factor: float) -> Callable[[UInt8Array], UInt8Array]:
    return lambda rgb: np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def _lit(gains: tuple[float, float, float]) -> Callable[[UInt8Array], UInt8Array]:
    return lambda rgb: np.clip(rgb * np.array(gains), 0, 255).astype(np.uint8)


def _defocused(rgb: UInt8Array) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 3.0), np.uint8)


CHANGES: dict[str, Callable[[UInt8Array], UInt8Array]] = {
    "grey": grey,
    "objective of 0.7 times the magnification": _scaled(0.7),
    "objective of 1.5 times the magnification": _scaled(1.5),
    "two thirds of the light": _lit((0.66, 0.66, 0.66)),
    "warm lamp": _lit((1.0, 0.85, 0.7)),
    "cold lamp": _lit((0.8, 0.9, 1.0)),
    "out of focus by 3 px": _defocused,
}
"""The same fields as another set-up of the microscope would show them."""


def refused(folder: str, seen: list[FieldLook], finder: LearnedFinder, blanks: int) -> dict[str, tuple[int, int]]:
    """Samples that a calibration on ``blanks`` other slides of the set refuses, of all: the fields as they are, and changed."""
    slides = sorted({one.slide for one in seen})
    out = {"the same microscope, another slide": (0, 0)}
    out |= dict.fromkeys(CHANGES, (0, 0))
    changed = {
        name: [look_at(change(read_rgb(path)), finder, name) for path in files_of(folder, _CHANGED)]
        for name, change in CHANGES.items()
    }
    for chosen in combinations(slides, blanks):
        looks = [samples([s for s in seen if s.slide == name], _ALL, 1)[0].values for name in chosen]
        fits = Fitness((ReferenceRanges("the calibration", ranges_of(looks)),))
        others = [s for s in seen if s.slide not in chosen]
        for name, fields in {"the same microscope, another slide": others, **changed}.items():
            drawn = samples(fields, FIELDS, _DRAWS)
            no = sum(bool(fits(sample)) for sample in drawn)
            out[name] = (out[name][0] + no, out[name][1] + len(drawn))
    return out
