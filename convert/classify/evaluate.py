"""``convert evaluate``: what a device file is worth on cells of known class, in the device's own runtime. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.bootstrap import RESAMPLES
from convert.measure.cells import CellSet
from convert.measure.reading import read_cells
from convert.measure.scoring import figures, per_group, trained_on_black
from edge.classifier import Classifier
from edge.door import quiet_native_stderr
from edge.modelfile import read_model
from edge.runtime import runtime_version


def evaluate(path: Path, folder: Path, group_by: str | None, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Judge a device file; raises ModelError for one without a card, CellsError where the folders are not its labels."""
    with quiet_native_stderr():
        classifier = Classifier(read_model(path))
    card = classifier.card
    cells = read_cells(folder, card.labels, card.crop, group_by, progress)
    warnings = list(cells.notes)

    def judged(seen: CellSet) -> tuple[dict[str, Any], dict[str, float]]:
        progress("scoring", -1)
        scores = classifier.scores(seen.images)
        return (
            figures(scores, seen, card.positive, card.threshold, RESAMPLES),
            per_group(scores, seen, card.positive, card.threshold),
        )

    found, groups = judged(cells)
    both = {"int8": found}
    if trained_on_black(card) and cells.on_black and card.crop.mask != "black":
        both["int8_on_black"] = judged(read_cells(folder, card.labels, card.crop, group_by, progress, keep_black=True))[
            0
        ]
        warnings.append(
            "its net was trained on cells on black, its card says: 'on black' is what it does there, the other column what it does "
            "on fields"
        )
    return {
        "model": path.name,
        "sha256": classifier.sha256,
        "runtime": runtime_version(),
        "labels": list(card.labels),
        "positive": list(card.positive),
        "threshold": card.threshold,
        "figures": both,
        "groups": {"int8": groups},
        "cells": {"check": len(cells), "check_groups": len(np.unique(cells.resampled()))},
        "warnings": warnings,
    }
