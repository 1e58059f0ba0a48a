"""Fields and settled microscopes to test with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge.scope.settling import SettledScope, SettledWith, field_for_settling, settle
from edge.types import Appearance, FieldResult, FieldTypical
from tests.fakes import result

USED = SettledWith("finder-thin", "f1", "c1")


def field(
    name: str = "f0.png",
    *,
    finds: int = 40,
    light: int = 220,
    red: float = 1.0,
    density: float = 0.5,
    size: float = 40.0,
    side: int = 32,
) -> FieldResult:
    """A field: the brightness of its paper, its red over its green, the density of its cells and their width; it holds ``finds``."""
    paper = np.array([min(255, round(light * red)), light, light], np.uint8)
    tone = (float(paper[0]), float(light), float(light))
    cell = np.empty((side, side, 3), np.uint8)
    cell[:] = np.rint(paper * np.exp(-density))
    looks = Appearance(finds, tone, (density / 2, density, density / 2), size, 0.5, np.full(50, finds, np.int32))
    typical = FieldTypical(finds, paper, cell) if finds else None
    return replace(result([0] * min(finds, 12), name=name), appearance=looks, typical=typical)


def settled(*fields: FieldResult, scope: str = "") -> SettledScope:
    """What these fields settle; without any, ten that are nearly alike."""
    given = fields or tuple(field(f"f{n}.png", light=215 + n, density=0.45 + n / 100) for n in range(10))
    seen = [one for one in map(field_for_settling, given) if one is not None]
    return settle(seen, USED, scope, {"by": "a test"})
