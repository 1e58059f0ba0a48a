"""A classifier that learns from answers: its last layers alone, mixed with the old weights; needs TensorFlow."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge import shelf
from models.adapt.rehearsal import OldCells
from models.adapt.reviewed_net import LEARNING_LAYERS, Lessons, ReviewedLearner, ReviewedTraining
from models.data.cells import LabelledCells, join
from models.data.crops import LABELS, SPEC, cells_of
from models.data.virtual import virtual_scenes
from models.studies.review_learning.rebuilt import rebuilt
from models.train.classifier import CellTraining
from models.train.device import device_bytes, int8_scores
from models.train.material import CellMaterial
from models.train.start import open_start

pytestmark = [
    pytest.mark.build,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow (make test-build brings it)"
    ),
]


@pytest.fixture(scope="module")
def cells() -> LabelledCells:
    """Cells of two virtual slides."""
    rng = np.random.default_rng(0)
    scenes = virtual_scenes(2, 90, parasitaemia=0.3)
    return join([cells_of(scene, f"slide {i}", LABELS, SPEC, rng) for i, scene in enumerate(scenes)])


def learner(cells: LabelledCells, *, allowed: float = 0.003) -> ReviewedLearner:
    old = OldCells(others=(CellMaterial("old", "old", 1.0, cells),))
    settings = ReviewedTraining(CellTraining(steps=12, batch=32, rate=1e-2, decay=0.0), allowed=allowed)
    return ReviewedLearner(open_start(shelf.CLASSIFIER, "classify"), old, settings)


def turned(cells: LabelledCells) -> Lessons:
    """Answers that are all wrong, so that whoever learns them forgets."""
    return Lessons(replace(cells, truth=(1 - cells.truth).astype(np.int32)), None, np.zeros(0, np.float32))


def weights(model: Any) -> list[list[np.ndarray]]:
    return [layer.get_weights() for layer in model.layers]


def test_the_last_layers_learn_and_all_others_stay_as_they_are(cells: LabelledCells) -> None:
    made = learner(cells)
    before, after = weights(made.start.model()), weights(made.fine_tuned(turned(cells), 0))
    same = [all(np.array_equal(a, b) for a, b in zip(*pair, strict=True)) for pair in zip(before, after, strict=True)]
    assert all(same[:-LEARNING_LAYERS])
    assert not any(same[-LEARNING_LAYERS:])


def test_the_same_seed_teaches_the_same(cells: LabelledCells) -> None:
    made = learner(cells)
    one, other = (made.fine_tuned(turned(cells), 3).get_weights()[-1] for _ in range(2))
    assert np.allclose(one, other, atol=1e-5)


def test_a_net_that_forgets_is_mixed_with_the_old_weights_until_it_stands_or_said_not_to(cells: LabelledCells) -> None:
    made = learner(cells)
    tuned = made.fine_tuned(turned(cells), 0)
    guarded = made.guarded(tuned, turned(cells))
    assert guarded.mix < 1
    assert guarded.stands == all(guarded.before[key] - guarded.after[key] <= 0.003 for key in guarded.before)
    free = learner(cells, allowed=1.0)
    assert free.guarded(tuned, turned(cells)).mix == 1


def test_a_net_from_its_device_file_says_what_the_file_says(cells: LabelledCells, tmp_path: Path) -> None:
    file = shelf.load(shelf.CLASSIFIER)
    assert file.card is not None
    fed = (device_bytes(cells, SPEC).astype(np.float32) - np.float32(128)) / np.float32(64)
    model = rebuilt(file, fed, tmp_path / "again.keras").model()
    logits = np.asarray(model(fed, training=False)).reshape(-1)
    said = int8_scores(file.flatbuffer, file.card, cells)[:, 1]
    assert np.abs(1 / (1 + np.exp(-logits)) - said).max() < 0.1
    assert np.abs(1 / (1 + np.exp(-logits)) - said).mean() < 0.01
