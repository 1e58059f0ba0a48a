"""Does the int8 file decide as the float net does, at the operating threshold, on cells that neither has seen?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.metrics import share_interval
from convert.measure.scoring import as_scores, decide
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.errors import ModelError
from edge.finders.learned import LearnedFinder
from edge.modelfile import CropSpec, read_model
from edge.types import FloatArray, UInt8Array
from models.data import folds
from models.data.fields import ImlField
from models.data.folds import by_fold, fold_paths, slides_held_out
from models.data.nih import crops_of, nih_rows


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """Crops uint8 [n, s, s, 3] that a fold's nets never saw, and their slide or field, str [n]."""

    crops: UInt8Array
    groups: np.ndarray


def at_threshold(folder: Path, name: str, fields: list[ImlField]) -> dict[str, Any]:
    """Share of unseen cells that int8 (device runtime) and float (Keras) count as the same class at each fold's threshold.

    Args:
        folder: of the fold files, the ``.keras`` beside the ``.tflite``.
        name: of the classifier.
        fields: the IML fields.

    Returns:
        per set (``nih``, ``iml``): the share ``value``, its 95 % interval ``low`` to ``high`` over slides or fields, ``n``.

    Raises:
        ModelError: a Keras file is not there (they are not in the repository).
    """
    import keras  # noqa: PLC0415

    same: dict[str, list[np.ndarray]] = {"nih": [], "iml": []}
    groups: dict[str, list[np.ndarray]] = {"nih": [], "iml": []}
    for fold, path in enumerate(fold_paths(folder, name)):
        classifier, keras_file = Classifier(read_model(path)), path.with_suffix(".keras")
        if not keras_file.is_file():
            raise ModelError(f"{keras_file}: no such file: python -m models train {name} --fold {fold} writes it")
        model = keras.models.load_model(keras_file, compile=False)
        spec = classifier.card.crop
        unseen = {"nih": [_slides(fold, spec)], "iml": list(_fields(folder, fields, fold, spec))}
        for key, parts in unseen.items():
            for part in parts:
                same[key].append(_same(classifier, model, part.crops))
                groups[key].append(part.groups)
    found = {}
    for key, values in same.items():
        equal = np.concatenate(values)
        low, high = share_interval(equal, np.concatenate(groups[key]))
        found[key] = {
            "value": round(float(equal.mean()), 5),
            "low": round(low, 5),
            "high": round(high, 5),
            "n": len(equal),
        }
    return found


def _same(classifier: Classifier, model: Any, crops: UInt8Array) -> np.ndarray:
    card = classifier.card
    raw = np.asarray(model.predict((crops.astype(np.float32) - 128) / 64, batch_size=1024, verbose=0))
    float_scores: FloatArray = as_scores(raw.reshape(len(crops), -1), logits=True)
    called = classifier.classes(classifier.scores(crops))
    return np.asarray(called == decide(float_scores, card.labels, card.positive, card.threshold))


def _slides(fold: int, spec: CropSpec) -> Unseen:
    held_out = slides_held_out(fold)
    rows = [row for row in nih_rows() if row["slide"] in held_out]
    return Unseen(crops_of(rows, spec), np.array([row["slide"] for row in rows]))


def _fields(folder: Path, fields: list[ImlField], fold: int, spec: CropSpec) -> Iterator[Unseen]:
    """Finds on the fold's fields; none where the fold holds no block out."""
    parts = by_fold(fields)
    if fold >= len(parts):
        return
    finder = LearnedFinder(read_model(fold_paths(folder, folds.FINDER)[fold]))
    for entry in parts[fold]:
        rgb = entry.read()
        cells = finder.find(rgb)
        crops = crop_cells(rgb, cells.boxes[cells.kind == 0], spec)
        if len(crops):
            yield Unseen(crops, np.full(len(crops), entry.path.name))
