"""Cells of virtual slides, to calibrate on where the user has none: seen as a microscope would show them, of no known worth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convert.measure.cells import CellSet
from edge.crops import crop_cells
from edge.modelfile import CropSpec
from edge.sources.virtual import SlideSpec, render_field

_FIRST_SEED = 5000
_SLIDES = 16
_PER_SLIDE = 60
_RED_CELL = "red blood cell"
_INFECTED = ("ring", "trophozoite", "schizont", "gametocyte")


def virtual_cells(labels: tuple[str, ...], size: int, progress: Callable[[str, float], None]) -> CellSet:
    """The same cells whatever the size: RGB uint8 [n, size, size, 3], of 16 slides of different stain, lamp and lens.

    Their classes are unknown to the net's author, so ``truth`` only deals them out evenly; nothing may be judged by it.
    """
    images, groups, names = [], [], []
    for slide in range(_SLIDES):
        progress("drawing cells of virtual slides", slide / _SLIDES)
        spec = SlideSpec(
            seed=_FIRST_SEED + slide, width=640, height=480, cell_px=40.0, parasitaemia=0.3, bad_fields=0.0
        )
        rgb, truth = render_field(spec, 0)
        cells = np.array([kind == _RED_CELL or kind in _INFECTED for kind in truth.types], bool)
        inside = (truth.boxes[:, :2] >= 0).all(axis=1) & (truth.boxes[:, 0] + truth.boxes[:, 2] <= spec.width)
        inside &= truth.boxes[:, 1] + truth.boxes[:, 3] <= spec.height
        boxes = truth.boxes[cells & inside][:_PER_SLIDE]
        # One by one: how often a field is halved depends on all its boxes, and sizes differ
        images += [crop_cells(rgb, box[None], CropSpec(size=size))[0] for box in boxes]
        groups += [f"virtual slide {spec.seed}"] * len(boxes)
        names += [f"{spec.seed}/{number}" for number in range(len(boxes))]
    truth_dealt = (np.arange(len(images)) % len(labels)).astype(np.int32)
    return CellSet(np.stack(images), truth_dealt, labels, np.array(groups), tuple(names), grouped=True)
