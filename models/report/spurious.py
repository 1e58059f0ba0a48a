"""A contact sheet of the learned finder's false positives on unseen blocks, to look at: are they cells or not?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convert.measure.matching import assign
from edge.crops import crop_cells
from models.judge.unseen import unseen_folds
from models.report.sheets import SHOW, save


def sheet(folder: Path, out: Path, count: int = 96, seed: int = 0) -> int:
    """Write a PNG with a random ``count`` of the spurious finds, wider than their boxes; returns how many there are in all."""
    crops = []
    for fold in unseen_folds(folder):
        for one in fold.finds():
            match = assign(one.boxes, one.field.boxes, one.shape)
            crops.append(crop_cells(one.rgb, one.boxes[match.counts & (match.of < 0)], SHOW))
    every = np.concatenate(crops)
    chosen = every[np.random.default_rng(seed).permutation(len(every))[:count]]
    save(out, list(chosen), [""] * len(chosen))
    return len(every)
