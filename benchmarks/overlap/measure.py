"""Everything that docs/overlap.md shows, measured in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.overlap.fields import SETS, found, joined_tiles, pictures, read, strips
from benchmarks.overlap.figures import (
    SHARES,
    Cost,
    Creep,
    Recall,
    Sweep,
    cost,
    creep,
    false_in_mirrors,
    mosaic_pairs,
    recall,
    sweep,
)

MIRRORED: Final = ("iml_fields", "healthy_tiles", "bbbc_fields")
"""Sets whose mirror images are registered too."""

CELL_PX: Final = {"iml_fields": 83.0, "bbbc_fields": 129.0, "healthy_tiles": 45.0}
"""Side of a cell in pixels, by set."""

STRIPS_SEED: Final = 7000
"""Random seed of the first field's windows; every field has the next one."""

MOSAIC_SEED: Final = 99
"""Random seed of the windows on the joined tiles."""

MOSAIC_PAIRS: Final = 100
"""Pairs of windows on the joined tiles, of each share of common area."""

CREEPS: Final = ((16, 60), (40, 40), (240, 12))
"""Pixels a frame and frames of the stages that creep."""


@dataclass(frozen=True, slots=True)
class OverlapFigures:
    """The figures of docs/overlap.md.

    Attributes:
        sweeps: one per set.
        mirrors: set, fields with their mirror images, pairs of different ones, false overlaps among them.
        recalls: one per kind of windows.
        creeps: one per speed of the stage.
        costs: one per number of earlier fields.
    """

    sweeps: Sequence[Sweep]
    mirrors: Sequence[tuple[str, int, int, int]]
    recalls: Sequence[Recall]
    creeps: Sequence[Creep]
    costs: Sequence[Cost]


def measure(say: Callable[[str], None]) -> OverlapFigures:
    """Measure everything; ``say`` is told what is done. About ten minutes."""
    results = {name: [found(read(p), i, p.name) for i, p in enumerate(pictures(name))] for name in SETS}
    say("cells found")
    sweeps = [sweep(name, results[name]) for name in SETS]
    mirrors = [(name, *false_in_mirrors(results[name])) for name in MIRRORED]
    say("false overlaps measured")
    tile_px = CELL_PX["healthy_tiles"]
    mosaic = joined_tiles()
    recalls = [
        _strip_recall("iml_fields", 2, "IML, the fields not chosen on"),
        _strip_recall("bbbc_fields", 1, "BBBC (fewest cells)"),
        recall(
            "joined tiles, windows of 16 x 12 cells",
            mosaic_pairs(mosaic, tile_px, MOSAIC_PAIRS, MOSAIC_SEED),
            tile_px,
        ),
    ]
    say("true overlaps measured")
    size = (int(16 * tile_px), int(12 * tile_px))
    creeps = [creep(mosaic, (1000, 3000), size, step, frames) for step, frames in CREEPS]
    say("a creeping stage filmed")
    return OverlapFigures(sweeps, mirrors, recalls, creeps, cost(pictures("iml_fields"), results["iml_fields"]))


def _strip_recall(name: str, step: int, what: str) -> Recall:
    """Recall on windows of the last of every ``step`` fields of a set."""
    chosen = list(enumerate(pictures(name)))[step - 1 :: step]
    pairs = [pair for i, p in chosen for pair in strips(read(p), CELL_PX[name], [*SHARES], STRIPS_SEED + i)]
    return recall(what, pairs, CELL_PX[name])
