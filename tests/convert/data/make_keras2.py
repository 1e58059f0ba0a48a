"""Made keras2.zip: one small net as Keras 2 saves it (.h5, .keras, SavedModel), with inputs and its outputs.

Run with TensorFlow 2.21 and tf_keras 2.21 (the last of Keras 2): python tests/convert/data/make_keras2.py
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tf_keras as keras

HERE = Path(__file__).parent


def net() -> keras.Model:
    layers = keras.layers
    inputs = keras.Input((16, 16, 3))
    x = keras.applications.mobilenet_v2.preprocess_input(inputs)
    x = layers.RandomFlip()(x)
    base = keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(16, 16, 3)),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3),
        ],
        name="base",
    )
    x = layers.LeakyReLU(0.2)(base(x, training=False))
    side = layers.SeparableConv2D(4, 3, padding="same")(x)
    x = layers.Add()([x, side])
    x = layers.Activation("hard_sigmoid")(layers.Dropout(0.3)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x))


def main() -> None:
    tf.random.set_seed(1)
    model = net()
    rng = np.random.default_rng(1)
    model.set_weights([np.abs(rng.normal(0, 0.5, w.shape)).astype(w.dtype) for w in model.get_weights()])
    images = (rng.random((4, 16, 16, 3)) * 255).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.save(folder / "net.h5")
        model.save(folder / "net.keras")
        model.save(folder / "net_saved", save_format="tf")
        model.save_weights(folder / "weights.h5")
        np.save(folder / "images.npy", images)
        np.save(folder / "scores.npy", model.predict(images, verbose=0))
        with zipfile.ZipFile(HERE / "keras2.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                out.write(path, path.relative_to(folder))


if __name__ == "__main__":
    main()
