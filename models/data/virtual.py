"""Virtual slides as training data: seeds from 1,000 on, so that no slide a user, a test or a figure sees was trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convert.measure.single import BOX_MARGIN
from edge.virtual_slide import SlideSpec, render_field
from models.data.scenes import CELL, CELL_PX, KINDS, OTHER, PLATELET, SUSPECT, WHITE_CELL, Scene
from models.data.streams import RandomStream

FIRST_TRAINING_SEED = 1000
"""Below it are the slides that tests and figures see."""

_KIND = {"red blood cell": CELL, "white cell": WHITE_CELL, "platelet": PLATELET, "speck": OTHER}
"""Kinds of what is drawn; anything else is a parasite."""

_SMALLEST = 0.22
"""Typical boxes: a smaller speck is part of the background."""


def virtual_scenes(count: int, seed: int, parasitaemia: float = 0.08) -> list[Scene]:
    """Scenes at twice the finder's resolution, each of another slide, with more parasites than real ones have."""
    rng = np.random.default_rng([seed, RandomStream.VIRTUAL_SLIDES])
    scenes = []
    for number in range(count):
        spec = SlideSpec(
            seed=FIRST_TRAINING_SEED + seed * 10_000 + number,
            width=640,
            height=480,
            cell_px=2 * CELL_PX / BOX_MARGIN,
            cells_per_field=float(rng.uniform(50, 190)),
            parasitaemia=parasitaemia,
            bad_fields=0.0,
        )
        spec = replace(spec, white_per_field=1.6, platelets_per_field=4.0, specks_per_field=4.0)
        rgb, truth = render_field(spec, number)
        boxes = truth.boxes.astype(np.float32)
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        sides = boxes[:, 2:] * BOX_MARGIN
        kind = np.array([_KIND.get(t, SUSPECT) for t in truth.types], int)
        shown = (kind != OTHER) | (sides.max(axis=1) > _SMALLEST * 2 * CELL_PX)
        every = np.hstack([centres - sides / 2, sides])
        scenes.append(Scene(rgb, every[shown], kind[shown], 2 * CELL_PX, tuple(range(len(KINDS)))))
    return scenes
