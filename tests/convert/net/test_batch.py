"""A file that was made for one cell must say the same of it among others."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from convert.errors import UnsupportedError
from convert.net.batch import CONVERTED_AT, batch_of, check_batches, grouped

CELLS = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)


def test_single_images_are_grouped_and_the_last_fills_up() -> None:
    def feed() -> Iterator[list[np.ndarray]]:
        for n in range(5):
            yield [np.full((1, 2, 2, 3), n, np.float32)]

    groups = [group[0][:, 0, 0, 0].tolist() for group in grouped(feed, 3)()]
    assert groups == [[0, 1, 2], [3, 4, 4]]
    assert [len(group[0]) for group in grouped(feed, 1)()] == [1] * 5


@pytest.mark.build
@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")
def test_an_attention_net_converts_at_the_batch_we_use_and_is_found_out_at_one() -> None:
    import keras

    from convert.net.int8 import quantise, to_float

    layers = keras.layers

    def net(batch: int) -> Any:
        inputs = layers.Input(batch_shape=(batch, 32, 32, 3))
        x = layers.Conv2D(8, 3, padding="same", activation="relu", kernel_initializer="glorot_normal")(inputs)
        gate = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
        other = layers.Reshape((1, 1, 8))(layers.GlobalMaxPooling2D()(x))
        shared = layers.Dense(8)
        x = layers.Multiply()([x, layers.Activation("sigmoid")(layers.Add()([shared(gate), shared(other)]))])
        return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))

    def feed() -> Iterator[list[np.ndarray]]:
        for cell in CELLS:
            yield [cell[None].astype(np.float32) / 255]

    sound = net(CONVERTED_AT)
    assert batch_of(sound) == CONVERTED_AT
    for file in (to_float(sound), quantise(sound, feed)):
        check_batches(file, CELLS[:5], "sound")
    with pytest.raises(UnsupportedError, match="batch"):
        check_batches(to_float(net(1)), CELLS[:5], "folded")
