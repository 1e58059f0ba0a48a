"""Made old_keras.zip: small nets as Keras 2.15 saves them, each with its outputs on ``images()``.

Run with TensorFlow 2.15 (Python 3.11): python tests/convert/data/make_old_keras.py
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
keras = tf.keras
layers = keras.layers
SHAPE = (12, 12, 3)


def images() -> np.ndarray:
    """Float32 [3, 12, 12, 3] in 0..255, the same everywhere."""
    return (np.arange(3 * 12 * 12 * 3) * 37 % 256).astype(np.float32).reshape(3, *SHAPE)


def nets() -> Iterator[tuple[str, Any]]:
    """File name and net."""
    adapted = layers.Normalization()
    adapted.adapt(images() / 3)
    end = [layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
    yield "normalization", keras.Sequential([layers.InputLayer(SHAPE), adapted, layers.Conv2D(3, 3), *end])
    steps = [layers.Reshape((2, 6, 12, 3)), layers.TimeDistributed(layers.Conv2D(3, 3)), layers.Reshape((8, 10, 3))]
    yield "time_distributed", keras.Sequential([layers.InputLayer(SHAPE), *steps, *end])

    inputs = keras.Input(SHAPE)
    x = tf.cast(inputs, tf.float32) / 255.0
    x = tf.nn.leaky_relu(layers.Conv2D(3, 3)(x[..., ::-1]), alpha=0.1)
    x = tf.concat([x, 1.0 - tf.math.sigmoid(x)], axis=-1)
    x = tf.image.resize(x, (8, 8)) - tf.reduce_max(x, axis=[1, 2], keepdims=True)
    x = tf.squeeze(tf.expand_dims(tf.reduce_mean(x, axis=[1, 2]), 1), [1])
    yield "functions.h5", keras.Model(inputs, tf.nn.softmax(layers.Dense(2)(x)))

    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(3, 3)(keras.applications.densenet.preprocess_input(inputs))
    x = layers.Multiply()([x, layers.ReLU(6.0)(x + 3.0)]) * (1 / 6)  # the product is a function, named like the layer
    yield "same_names.keras", keras.Model(inputs, layers.Dense(2, activation="softmax")(end[0](x)))


def main() -> None:
    tf.keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scores = {}
        for file, model in nets():
            scores[file] = model.predict(images(), verbose=0)
            model.save(folder / file)
        np.savez(folder / "scores.npz", **scores)
        with zipfile.ZipFile(HERE / "old_keras.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                out.write(path, path.relative_to(folder))


if __name__ == "__main__":
    main()
