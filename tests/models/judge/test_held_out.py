"""The figures in the card of a fold's classifier: float and int8 on the same cells of slides that neither saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.judge.unseen import CLASSIFIERS, unseen_folds
from models.train import shelf_classifier
from tests.models.judge.world import HEALTHY, SICK, SPEC, make_world


class FloatNet:
    """Stands for a Keras net with a logit: the red channel's, or its opposite."""

    def __init__(self, sign: int) -> None:
        self._sign = sign

    def predict(self, fed: np.ndarray, **_more: Any) -> np.ndarray:
        red = (fed[:, 16, 16, 0] * 64 + 128) / 255
        return self._sign * np.log(red / (1 - red))


@pytest.mark.parametrize(
    ("sign", "expected"),
    [pytest.param(1, (1.0, 10 / 12, 1.0), id="like int8"), pytest.param(-1, (0.0, 2 / 12, 0.0), id="the opposite")],
)
def test_float_and_int8_are_judged_on_the_folds_own_slides(
    sign: int, expected: tuple[float, float, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auc, accuracy, agreement = expected
    world = make_world(tmp_path, monkeypatch)
    world.slides["s05"] = [SICK] * 4 + [2 * HEALTHY] * 2  # two are missed at one half, though above all healthy ones
    monkeypatch.setattr(shelf_classifier, "SPEC", SPEC)
    fold = unseen_folds(world.build().folds)[0]
    found = shelf_classifier.held_out_figures(FloatNet(sign), fold.classifier(CLASSIFIERS[0]), fold.rows)
    assert found["cells"] == 12
    assert found["agreement"] == agreement
    assert found["int8"] == {"accuracy": round(10 / 12, 4), "auc": 1.0, "sensitivity_at_1_percent": 1.0}
    assert (found["float"]["auc"], found["float"]["accuracy"]) == (auc, round(accuracy, 4))
