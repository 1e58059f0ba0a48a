"""Whether int8 files decide as their float nets do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from edge.modelfile import read_model
from models.data.folds import CLASSIFIERS
from models.data.folds import SLIDE_FOLDS as COUNT
from models.judge import agreement
from models.judge.agreement import Unseen, at_threshold
from models.places import SHELF

pytestmark = pytest.mark.build
pytest.importorskip("tensorflow")


@pytest.fixture
def folds(tmp_path: Path) -> Path:
    """The shipped net stands for the folds' nets."""
    for number in range(COUNT):
        for ending in (".tflite", ".keras"):
            shutil.copy(
                SHELF / CLASSIFIERS[0] / f"{CLASSIFIERS[0]}{ending}",
                tmp_path / f"{CLASSIFIERS[0]}-fold{number}{ending}",
            )
    return tmp_path


@pytest.fixture(autouse=True)
def some_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discs of many shades stand for the unseen cells; no fields."""

    def slides(fold: int, _spec: object) -> Unseen:
        rng = np.random.default_rng(fold)
        y, x = np.mgrid[:32, :32] - 15.5
        cell = np.where(np.hypot(y, x) < 13, 0.0, 100.0)[None, :, :, None]
        spots = np.zeros((60, 32, 32, 1))
        for spot, (top, left) in zip(spots, rng.integers(8, 20, (60, 2)), strict=True):
            spot[top : top + 4, left : left + 4] = rng.uniform(-120, 0)
        crops = np.clip(128 + cell + spots * [0.6, 1.0, 0.3], 0, 255).astype(np.uint8)
        return Unseen(crops, np.repeat([f"{fold} a", f"{fold} b"], 30))

    monkeypatch.setattr(agreement, "_slides", slides)
    monkeypatch.setattr(agreement, "_fields", lambda *_: [slides(9, None)])


def test_both_decide_alike_on_nearly_every_cell_and_every_fold_counts(folds: Path) -> None:
    found = at_threshold(folds, CLASSIFIERS[0], [])
    assert found["nih"]["n"] == found["iml"]["n"] == 60 * COUNT
    assert found["nih"]["value"] > 0.95
    assert found["nih"]["low"] <= found["nih"]["value"] <= found["nih"]["high"]


def test_a_float_net_that_says_the_opposite_is_seen(folds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    load = keras.models.load_model
    card = read_model(SHELF / CLASSIFIERS[0] / f"{CLASSIFIERS[0]}.tflite").card
    assert card is not None
    limit = np.log(card.threshold / (1 - card.threshold))

    class Opposite:
        def __init__(self, model: Any) -> None:
            self._model = model

        def predict(self, *words: Any, **more: Any) -> Any:
            return np.where(self._model.predict(*words, **more) >= limit, -100.0, 100.0)

    monkeypatch.setattr(keras.models, "load_model", lambda *words, **more: Opposite(load(*words, **more)))
    assert at_threshold(folds, CLASSIFIERS[0], [])["nih"]["value"] < 0.1


def test_a_missing_keras_file_is_named(folds: Path) -> None:
    (folds / f"{CLASSIFIERS[0]}-fold2.keras").unlink()
    with pytest.raises(ModelError, match="--fold 2"):
        at_threshold(folds, CLASSIFIERS[0], [])
