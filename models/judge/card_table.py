"""What the shipped classifier's card says of whole fields it never saw: infected cells found at a row of thresholds.

And how often the int8 files decide as their float nets do (``models.judge.agreement``), which needs TensorFlow.

``edge calibrate`` takes its sensitivity from here where nobody gives it positive slides. Every field is scored by fold files that
never saw its block; what the finder loses counts as missed. The finder's count error is against the annotations, which
leave out cells (docs/models.md): the finder seems to count more than it does, and the sensitivity comes out lower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.matching import BORDER
from edge.boxes import inside
from edge.modelfile import read_model, write_model
from models.data import folds
from models.data.fields import UNSURE, ImlField, load_iml
from models.data.folds import by_fold
from models.judge.agreement import at_threshold
from models.judge.thresholds import ScoredCells, score_folds

_STEP, _END = 0.4, 9.3  # in logits: the thresholds that ``edge calibrate`` chooses from
_TYPICAL = (960, 1280)
AGREEMENT = "int8 decides as float does"
"""Key of ``models.judge.agreement.at_threshold`` in the card."""


def thresholds(own: float) -> list[float]:
    """Even in their logit, 0.5 to 0.9999, and the card's own."""
    return sorted({own, *(round(float(1 / (1 + np.exp(-z))), 4) for z in np.arange(0, _END, _STEP))})


def table(parts: list[ScoredCells], truth: list[int], at: list[float]) -> dict[str, Any]:
    """The card's ``end_to_end`` from scored parts and the cells that are annotated in each."""
    counted = np.array([len(part.score) for part in parts]) / np.array(truth) - 1
    return {
        "set": f"IML fields, {len(parts)} parts of blocks never seen",
        "finder": folds.FINDER,
        "infected": [int(part.infected.sum()) + part.lost for part in parts],
        "thresholds": at,
        "found": [[int((part.score[part.infected] >= limit).sum()) for part in parts] for limit in at],
        "count_error": {
            "bias": round(float(counted.mean()), 4),
            "spread": round(float(counted.std(ddof=1)), 4),
        },
    }


def annotated(fields: list[ImlField]) -> int:
    """Cells that are annotated, without the border and what annotators were unsure of."""
    sure = (np.array([t != UNSURE for t in entry.types]) & inside(entry.boxes, _TYPICAL, BORDER) for entry in fields)
    return sum(int(mine.sum()) for mine in sure)


def write(folder: Path, shelf: Path, say: Callable[[str], None]) -> None:
    """Write the table into the card of every shipped classifier."""
    fields = load_iml()
    for name in folds.CLASSIFIERS:
        _write(name, folder, shelf, fields, say)


def _write(name: str, folder: Path, shelf: Path, fields: list[ImlField], say: Callable[[str], None]) -> None:
    path = shelf / name / f"{name}.tflite"
    model = read_model(path)
    if model.card is None:
        raise ValueError(f"{path}: no card")
    at = thresholds(model.card.threshold)
    made = table(score_folds(folder, fields, name), [annotated(part) for part in by_fold(fields)], at)
    agreed = at_threshold(folder, name, fields)
    figures = {**model.card.accuracy, "end_to_end": made, AGREEMENT: agreed}
    write_model(path, model.flatbuffer, replace(model.card, accuracy=figures))
    say(
        f"{path.name}: {sum(made['infected'])} infected cells at {len(at)} thresholds; count error {made['count_error']}; "
        + ", ".join(f"{AGREEMENT} {one['value']:.3%} of {key}" for key, one in agreed.items())
    )
