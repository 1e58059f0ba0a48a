"""What the shipped classifier's card says of whole fields it never saw: infected cells found at a row of thresholds.

And how often the int8 files decide as their float nets do, which needs TensorFlow.

``edge calibrate`` takes its sensitivity from here where nobody gives it positive slides. Every field is scored by fold files that
never saw its block; what the finder loses counts as missed. The finder's count error is against the annotations, which
leave out cells (docs/models.md): the finder seems to count more than it does, and the sensitivity comes out lower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.matching import BORDER
from convert.measure.scoring import as_scores
from edge.boxes import inside
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.errors import ModelError
from edge.modelfile import read_model, write_model
from edge.types import FloatArray, UInt8Array
from models.data.fields import UNSURE, ImlField
from models.data.folds import CLASSIFIERS, FINDER
from models.data.nih import crops_of
from models.judge.figures import agreeing, share
from models.judge.scores import FieldCells, score_fields
from models.judge.unseen import UnseenFold, unseen_folds

_STEP, _END = 0.4, 9.3  # in logits: the thresholds that ``edge calibrate`` chooses from
_TYPICAL = (960, 1280)  # height and width of an IML field in pixels
AGREEMENT = "int8 decides as float does"
"""Key of ``agreements`` in the card."""

FieldScores = tuple[FieldCells, FloatArray]


def thresholds(own: float) -> list[float]:
    """Even in their logit, 0.5 to 0.9999, and the card's own."""
    return sorted({own, *(round(float(1 / (1 + np.exp(-z))), 4) for z in np.arange(0, _END, _STEP))})


def table(parts: list[FieldScores], truth: list[int], at: list[float]) -> dict[str, Any]:
    """The card's ``end_to_end``.

    Args:
        parts: each fold's finds and their scores.
        truth: cells that are annotated in each fold.
        at: thresholds.
    """
    counted = np.array([len(score) for _, score in parts]) / np.array(truth) - 1
    return {
        "set": f"IML fields, {len(parts)} parts of blocks never seen",
        "finder": FINDER,
        "infected": [cells.total for cells, _ in parts],
        "thresholds": at,
        "found": [[int((score[cells.infected] >= limit).sum()) for cells, score in parts] for limit in at],
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
    folds = unseen_folds(folder)
    for name in CLASSIFIERS:
        _write(name, folds, shelf / name / f"{name}.tflite", say)


def _write(name: str, folds: list[UnseenFold], path: Path, say: Callable[[str], None]) -> None:
    model = read_model(path)
    if model.card is None:
        raise ValueError(f"{path}: no card")
    at = thresholds(model.card.threshold)
    parts = []
    for fold in folds:
        if fold.fields:
            cells, (score,) = score_fields(fold.finds(), [fold.classifier(name)], fold.number)
            parts.append((cells, score))
    made = table(parts, [annotated(fold.fields) for fold in folds if fold.fields], at)
    agreed = agreements(folds, name)
    figures = {**model.card.accuracy, "end_to_end": made, AGREEMENT: agreed}
    write_model(path, model.flatbuffer, replace(model.card, accuracy=figures))
    say(
        f"{path.name}: {sum(made['infected'])} infected cells at {len(at)} thresholds; count error {made['count_error']}; "
        + ", ".join(f"{AGREEMENT} {one['value']:.3%} of {key}" for key, one in agreed.items())
    )


def agreements(folds: list[UnseenFold], name: str) -> dict[str, Any]:
    """Share of unseen cells that int8 (device runtime) and float (Keras) count as the same class at each fold's threshold.

    Args:
        folds: with what they hold out; the ``.keras`` file stands beside the ``.tflite``.
        name: of the classifier.

    Returns:
        per set (``nih``, ``iml``): the share ``value``, its 95 % interval ``low`` to ``high`` over slides or fields, ``n``.

    Raises:
        ModelError: a Keras file is not there (they are not in the repository).
    """
    import keras  # noqa: PLC0415 - heavy

    same: dict[str, list[np.ndarray]] = {"nih": [], "iml": []}
    groups: dict[str, list[np.ndarray]] = {"nih": [], "iml": []}
    for fold in folds:
        classifier, keras_file = fold.classifier(name), fold.path(name).with_suffix(".keras")
        if not keras_file.is_file():
            raise ModelError(
                f"{keras_file}: no such file: python -m models train {name} --fold {fold.number} writes it"
            )
        model = keras.models.load_model(keras_file, compile=False)
        for key, crops, group in unseen_crops(fold, classifier):
            raw = np.asarray(model.predict((crops.astype(np.float32) - 128) / 64, batch_size=1024, verbose=0))
            both = classifier.scores(crops), as_scores(raw.reshape(len(crops), -1), logits=True)
            same[key].append(agreeing(*both, classifier.card))
            groups[key].append(group)
    found = {key: asdict(share(np.concatenate(values), np.concatenate(groups[key]))) for key, values in same.items()}
    return {key: {k: round(v, 5) for k, v in one.items()} for key, one in found.items()}


def unseen_crops(fold: UnseenFold, classifier: Classifier) -> Iterator[tuple[str, UInt8Array, np.ndarray]]:
    """Set, crops uint8 [n, s, s, 3] and group str [n] of what a fold's nets never saw: NIH cells, and finds of each field."""
    spec = classifier.card.crop
    yield "nih", crops_of(fold.rows, spec), np.array([row["slide"] for row in fold.rows])
    for one in fold.finds():
        crops = crop_cells(one.rgb, one.boxes, spec)
        if len(crops):
            yield "iml", crops, np.full(len(crops), one.field.path.name)
