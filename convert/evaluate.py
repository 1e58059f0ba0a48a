"""``convert evaluate``: what a device file is worth on cells of known class, in the device's own runtime. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convert.cells import read_cells
from convert.scoring import figures, per_group
from edge.classifier import Classifier
from edge.cli.door import quiet_native_stderr
from edge.modelfile import read_model
from edge.runtime import runtime_version


def evaluate(path: Path, folder: Path, group_by: str | None, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Judge a device file; raises ModelError for one without a card, CellsError where the folders are not its labels."""
    with quiet_native_stderr():
        classifier = Classifier(read_model(path))
    card = classifier.card
    cells = read_cells(folder, card.labels, card.crop.size, group_by, progress)
    progress("scoring", -1)
    scores = classifier.scores(cells.images)
    judged = figures(scores, cells, card.positive, card.threshold)
    warnings = (
        []
        if cells.grouped
        else ["cells are not grouped by slide (--group-by): the intervals take each cell as its own"]
    )
    if cells.skipped:
        warnings.append(f"{len(cells.skipped)} unreadable images were skipped: {'; '.join(cells.skipped[:3])}")
    return {
        "model": path.name,
        "sha256": classifier.sha256,
        "runtime": runtime_version(),
        "labels": list(card.labels),
        "positive": list(card.positive),
        "threshold": card.threshold,
        "figures": {"int8": judged},
        "groups": {"int8": per_group(scores, cells, card.positive, card.threshold)},
        "cells": {"check": len(cells), "check_groups": len(np.unique(cells.groups))},
        "warnings": warnings,
    }
