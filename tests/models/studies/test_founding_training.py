"""Founding nets are trained: what stopped goes on, the best epoch counts, a frozen part passes a signal on. Needs TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.studies.founding.cleaning import doubtful
from models.studies.founding.course import learnt_cells, turned
from models.studies.founding.data import Protocol
from models.studies.founding.frozen import features, initialise
from models.studies.founding.rows import ROWS
from models.studies.founding.train import TrainedNet, train_net

pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
RNG = np.random.default_rng(5)


def test_a_training_that_stops_goes_on_to_the_same_net(data: Path) -> None:
    row = replace(ROWS[0], name="small", batch=8, size=32)
    whole = train_net(row, Protocol.SLIDES, data / "whole", print, 3)
    lines: list[str] = []
    for epochs in (1, 3):
        parted = train_net(row, Protocol.SLIDES, data / "parted", lines.append, epochs)
    assert [line for line in lines if "epoch 1/20" in line or "epoch 3/20" in line]
    assert (whole.epochs, parted.epochs, parted.complete) == (3, 3, False)
    assert all(np.array_equal(a, b) for a, b in zip(weights(whole), weights(parted), strict=True))


def test_early_stopping_gives_the_weights_of_the_best_epoch(data: Path) -> None:
    row = replace(ROWS[0], name="small", batch=8, size=32, patience=1, rate=1.0)  # so high that the loss soon rises
    lines: list[str] = []
    net = train_net(row, Protocol.SLIDES, data, lines.append)
    assert net.ended
    assert net.complete
    assert net.epochs < row.epochs
    assert "on cells kept apart" in lines[-1]


def test_a_wrong_label_is_doubtful(tmp_path: Path) -> None:
    truth = RNG.permutation(80) % 2
    images = (60 + 120 * truth[:, None, None, None] + RNG.integers(0, 20, (80, 32, 32, 3))).astype(np.uint8)
    said = truth.copy()
    said[[10, 41]] ^= 1
    row = replace(ROWS[0], size=32, batch=8, rate=3e-3, epochs=15)
    found = doubtful(learnt_cells(images, said, row), row, tmp_path / "small", print)
    assert np.flatnonzero(found).tolist() == [10, 41]


def test_turned_images_hold_the_same_pixels_in_eight_orders() -> None:
    one = RNG.random((1, 3, 3, 1)).astype(np.float32)
    made = turned(np.repeat(one, 200, axis=0), RNG)
    assert len(np.unique(made.reshape(200, -1), axis=0)) == 8
    assert np.array_equal(np.sort(made.reshape(200, -1), axis=1), np.repeat(np.sort(one.reshape(1, -1)), 200, axis=0))


@pytest.mark.parametrize("functional", [False, True], ids=["layers in a row", "a model whose input is a layer too"])
def test_a_frozen_part_passes_a_signal_on(functional: bool) -> None:
    import keras

    layers = keras.layers
    body = keras.Sequential([layers.Input((16, 16, 3)), *(layers.Conv2D(8, 3, activation="relu") for _ in range(4))])
    if functional:
        body = keras.Model(body.inputs, body.outputs)
        assert isinstance(body.layers[0], layers.InputLayer)
    images = RNG.random((32, 16, 16, 3)).astype(np.float32)
    initialise(body, images, 0)
    last = body.layers[-1]
    last.activation = keras.activations.linear
    plain = np.asarray(body(images))
    assert np.abs(plain.mean(axis=(0, 1, 2))).max() < 0.01
    assert np.abs(plain.std(axis=(0, 1, 2)) - 1).max() < 0.01


def test_features_go_on_where_they_stopped(tmp_path: Path) -> None:
    import keras

    body = keras.Sequential([keras.layers.Input((4, 4, 3)), keras.layers.Flatten()])
    images = RNG.integers(0, 255, (70, 4, 4, 3), dtype=np.uint8)
    path = tmp_path / "f.npy"
    whole = features(body, images, path, lambda *_: None).copy()
    assert np.allclose(whole, images.reshape(70, -1) / 255, atol=1e-3)
    path.with_suffix(".done").write_text("32")
    changed = np.load(path)
    changed[32:] = 0
    np.save(path, changed)
    assert np.array_equal(features(body, images, path, lambda *_: None), whole)


def weights(net: TrainedNet) -> list[np.ndarray]:
    """Of the file as it was saved."""
    import keras

    return [np.asarray(one) for one in keras.models.load_model(net.path, compile=False).get_weights()]
