"""Contact sheets of what the learned finder is charged with on unseen blocks, to look at: are they cells or not?"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from convert.measure.matching import BORDER, pairs
from edge.boxes import inside, iou
from edge.crops import crop_cells
from edge.finders.learned import LearnedFinder
from edge.modelfile import CropSpec, read_model
from models.data import folds
from models.data.fields import load_iml
from models.data.folds import by_fold, fold_paths

_SHOW = CropSpec(size=96, margin=1.4)


def sheet(folder: Path, out: Path, count: int = 96, seed: int = 0) -> int:
    """Write a PNG with a random ``count`` of the spurious finds, wider than their boxes; returns how many there are in all."""
    crops = []
    for path, fields in zip(fold_paths(folder, folds.FINDER), by_fold(load_iml()), strict=True):
        finder = LearnedFinder(read_model(path))
        for entry in fields:
            rgb = entry.read()
            cells = finder.find(rgb)
            boxes = cells.boxes[cells.kind == 0]
            spurious = inside(boxes, rgb.shape[:2], BORDER)
            spurious[[i for i, _ in pairs(iou(boxes, entry.boxes), 0.5)]] = False
            crops.append(crop_cells(rgb, boxes[spurious], _SHOW))
    every = np.concatenate(crops)
    chosen = every[np.random.default_rng(seed).permutation(len(every))[:count]]
    rows = [np.hstack(list(chosen[i : i + 12])) for i in range(0, len(chosen) - 11, 12)]
    cv2.imwrite(str(out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    return len(every)
