"""The contents of a field before it is drawn: positions, outlines and types; cheap to compute."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from edge.types import FloatArray, Int32Array
from edge.virtual_slide.look import SlideLook, look_of
from edge.virtual_slide.placing import BoolArray, Crowd
from edge.virtual_slide.spec import (
    DEFECTS,
    GAMETOCYTE,
    PLATELET,
    RED,
    RING,
    SCHIZONT,
    SPECK,
    TROPHOZOITE,
    TYPES,
    WHITE,
    FieldTruth,
    SlideSpec,
    Stream,
)
from edge.virtual_slide.sprites import ANGLES, ellipses, outline_boxes, ripple

COLUMNS: Final = 40
"""Fields in one sweep of the stage, before it steps on and sweeps back."""

RED_CELL_UM: Final = 7.5  # diameter of a human red cell in micrometres

_STAGES: Final = (RING, TROPHOZOITE, SCHIZONT, GAMETOCYTE)
_GROWTH: Final = {TROPHOZOITE: 1.12, SCHIZONT: 1.28, GAMETOCYTE: 1.24}
_FULLEST: Final = 0.62
"""Share of a field that single-layer cells can fill and still be told apart."""


@dataclass(frozen=True, eq=False)
class FieldLayout:
    """A field's contents, in the order in which they are laid down.

    Attributes:
        kinds: int32 [n], index into ``TYPES``.
        centres: int32 [n, 2], x, y in field pixels.
        outlines: float32 [n, TURNS], radius in pixels per turn.
        pressed: bool [n], True where another cell lies over or under it.
        defect: one of ``DEFECTS`` or None.
    """

    kinds: Int32Array
    centres: Int32Array
    outlines: FloatArray
    pressed: BoolArray
    defect: str | None

    def truth(self) -> FieldTruth:
        """The same as boxes and names."""
        boxes = outline_boxes(self.centres, self.outlines)
        return FieldTruth(boxes, tuple(TYPES[kind] for kind in self.kinds), self.defect)


def stage_position(spec: SlideSpec, index: int) -> tuple[float, float]:
    """Where the stage stands, in µm: a serpentine of fields 5 % apart, so that no cell is seen twice."""
    row, column = divmod(index, COLUMNS)
    if row % 2:
        column = COLUMNS - 1 - column
    um = RED_CELL_UM / spec.cell_px
    slip = spec.rng(Stream.DEFECT, index).uniform(-0.015, 0.015, 2)
    return float((column * 1.05 + slip[0]) * spec.width * um), float((row * 1.05 + slip[1]) * spec.height * um)


def defect_of(spec: SlideSpec, index: int) -> str | None:
    """What is wrong with field ``index``; the first cannot be a duplicate."""
    rng = spec.rng(Stream.DEFECT, index)
    rng.random(2)
    chance, which = rng.random(2)
    if chance >= spec.bad_fields:
        return None
    return DEFECTS[int(which * (len(DEFECTS) - (index == 0)))]


def content_index(spec: SlideSpec, index: int) -> int:
    """The field whose cells are seen in field ``index``: an earlier one where the stage did not move."""
    while index > 0 and defect_of(spec, index) == "duplicate":
        index -= 1
    return index


@lru_cache(maxsize=8)
def lay_out(spec: SlideSpec, index: int) -> FieldLayout:
    """Lay out field ``index`` of a slide; nothing is rendered and no other field is needed."""
    defect, source = defect_of(spec, index), content_index(spec, index)
    look, rng = look_of(spec), spec.rng(Stream.LAYOUT, source)
    empty = defect_of(spec, source) == "empty"
    crowd = Crowd(spec.width, spec.height, 0.35 * spec.cell_px)
    whites = 0 if empty else int(rng.poisson(spec.white_per_field))
    kinds = [WHITE] * whites
    sizes = np.where(rng.random(whites) < 0.7, 0.86, 0.58) * np.exp(rng.normal(0, 0.06, whites))
    crowd.scatter(rng, sizes * spec.cell_px, overlap=0.0)
    reds = np.empty(0, np.int32) if empty else _red_kinds(spec, look, rng, stage_position(spec, source))
    growth = np.ones(len(reds))
    if not look.banana:
        growth = np.asarray([_GROWTH.get(int(kind), 1.0) for kind in reds])
    radii = growth * spec.cell_px / 2 * np.exp(rng.normal(0, look.size_spread, len(reds)))
    fits = crowd.scatter(rng, radii, overlap=min(1.0, spec.overlap * look.clumping), patchy=0.55)
    kinds.extend(int(kind) for kind in reds[fits])
    outlines = _outlines(look, rng, np.asarray(kinds, np.int32), crowd.radii)
    small_kinds, small_centres, small_outlines = _small_things(spec, rng)
    return FieldLayout(
        kinds=np.asarray([*kinds, *small_kinds], np.int32),
        centres=np.concatenate([crowd.centres, small_centres]).astype(np.int32),
        outlines=np.concatenate([outlines, small_outlines]),
        pressed=np.concatenate([crowd.pressed(), np.zeros(len(small_kinds), np.bool_)]),
        defect=defect,
    )


def _red_kinds(spec: SlideSpec, look: SlideLook, rng: np.random.Generator, stage: tuple[float, float]) -> Int32Array:
    """Types of the red cells of one field, int32 [n]; the film is thicker in some regions of the slide."""
    waves = look.lamp[0] * 40 + np.asarray(stage) / np.asarray([410.0, 530.0])
    local = 1 + 0.13 * float(np.sin(waves[0]) + np.sin(waves[1] * 1.7))
    mean = spec.cells_per_field * look.density * local
    room = _FULLEST * (spec.width + spec.cell_px) * (spec.height + spec.cell_px) / (0.785 * spec.cell_px**2)
    count = int(min(rng.poisson(mean), room))
    infected = rng.random(count) < spec.parasitaemia
    stages = rng.choice(_STAGES, size=count, p=look.stages)
    return np.where(infected, stages, RED).astype(np.int32)


def _outlines(look: SlideLook, rng: np.random.Generator, kinds: Int32Array, radii: FloatArray) -> FloatArray:
    """Outlines float32 [n, TURNS] of red and white cells: mostly round, some elongated, crenated or drawn to a tip."""
    count = len(kinds)
    stretch = np.abs(rng.normal(0, look.stretch * 0.75, count))
    stretch[kinds == WHITE] = 0.05
    if look.banana:
        stretch[kinds == GAMETOCYTE] = rng.uniform(0.25, 0.42)
    out = ellipses(radii, stretch.astype(np.float32), rng.uniform(0, np.pi, count).astype(np.float32))
    out *= 1 + ripple(rng, count, range(2, 7), 0.012)
    grown = np.isin(kinds, [TROPHOZOITE, SCHIZONT]) | ((kinds == GAMETOCYTE) & (not look.banana))
    for i in np.flatnonzero(grown | (kinds == WHITE)):
        out[i] *= 1 + ripple(rng, 1, range(2, 9), 0.022)[0]
    fate = rng.random(count)
    for i in np.flatnonzero(((fate < look.burr) & (kinds == RED)) | ((fate < 0.15) & grown)):
        spikes = int(rng.integers(12, 20))
        uneven = ripple(rng, 2, range(1, 5), 0.35)
        bumps = 0.4 - np.abs(np.sin(ANGLES * spikes / 2 + uneven[0] * 2))
        out[i] *= 1 + rng.uniform(0.05, 0.14) * bumps * np.clip(1 + uneven[1], 0, 2)
    for i in np.flatnonzero((fate > 1 - look.tear) & (kinds == RED)):
        point = (0.5 + 0.5 * np.cos(ANGLES - rng.uniform(0, 6.3))) ** rng.uniform(6, 14)
        out[i] *= 0.92 + rng.uniform(0.25, 0.6) * point
    return out.astype(np.float32)


def _small_things(spec: SlideSpec, rng: np.random.Generator) -> tuple[list[int], Int32Array, FloatArray]:
    """Platelets and specks: kinds, centres and outlines; they fall anywhere, on red cells too."""
    platelets, specks = int(rng.poisson(spec.platelets_per_field)), int(rng.poisson(spec.specks_per_field))
    radii = np.concatenate([rng.uniform(0.11, 0.20, platelets), 0.035 * np.exp(rng.normal(0.3, 0.5, specks))])
    count = len(radii)
    radii = np.maximum(radii * spec.cell_px, 1.0)
    outlines = ellipses(
        radii.astype(np.float32),
        np.abs(rng.normal(0, 0.15, count)).astype(np.float32),
        rng.uniform(0, np.pi, count).astype(np.float32),
    )
    outlines *= 1 + np.clip(ripple(rng, count, range(2, 8), 0.05), -0.4, 0.4)
    centres = (rng.random((count, 2)) * [spec.width, spec.height]).astype(np.int32)
    return [PLATELET] * platelets + [SPECK] * specks, centres, outlines.astype(np.float32)
