"""Cells of virtual slides, to calibrate on where the user has none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convert.measure.cells import CellSet
from convert.measure.fields import virtual_field
from edge.boxes import inside
from edge.crops import crop_cells
from edge.modelfile import CropSpec

_FIRST_SEED = 5000  # of the virtual slides, one field of each
_SLIDES = 16  # virtual slides, each with another stain
_PER_SLIDE = 60  # cells at most
_RED_CELL = "red blood cell"
_INFECTED = ("ring", "trophozoite", "schizont", "gametocyte")


def virtual_cells(labels: tuple[str, ...], size: int, progress: Callable[[str, float], None]) -> CellSet:
    """Cells of 16 slides of different stain, lamp and lens, the same at every size: RGB uint8 [n, size, size, 3].

    Their ``truth`` only divides them evenly among the labels, which mean nothing here: nothing may be judged by it.
    """
    images, groups, names = [], [], []
    for slide in range(_SLIDES):
        progress("drawing cells of virtual slides", slide / _SLIDES)
        rgb, truth = virtual_field(_FIRST_SEED + slide, cell_px=40.0, parasitaemia=0.3)
        cells = np.array([kind == _RED_CELL or kind in _INFECTED for kind in truth.types], bool)
        boxes = truth.boxes[cells & inside(truth.boxes, (rgb.shape[0], rgb.shape[1]))][:_PER_SLIDE]
        # One by one: how often a field is halved depends on all its boxes, and sizes differ
        images += [crop_cells(rgb, box[None], CropSpec(size=size))[0] for box in boxes]
        groups += [f"virtual slide {_FIRST_SEED + slide}"] * len(boxes)
        names += [f"{_FIRST_SEED + slide}/{number}" for number in range(len(boxes))]
    evenly = (np.arange(len(images)) % len(labels)).astype(np.int32)
    return CellSet(np.stack(images), evenly, labels, np.array(groups), tuple(names), grouped=True)
