"""Made wrapped.zip: small nets in the wrappers of TensorFlow Model Optimization (.h5, .keras), with their outputs on ``images()``.

Run with TensorFlow 2.21, tf_keras 2.21 and tensorflow-model-optimization 0.8.1: python tests/convert/data/make_wrapped.py
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow_model_optimization as tfmot  # type: ignore[import-not-found]
import tf_keras as keras

HERE = Path(__file__).parent
layers = keras.layers
SHAPE = (12, 12, 3)


def images() -> np.ndarray:
    """Float32 [3, 12, 12, 3] in 0..1, the same everywhere."""
    return (np.arange(3 * 12 * 12 * 3) * 37 % 256).astype(np.float32).reshape(3, *SHAPE) / 255


def plain() -> Any:
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, use_bias=False)(x)))
    x = layers.DepthwiseConv2D(3)(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x))


def chain() -> Any:
    first = layers.Conv2D(4, 3, activation="relu", input_shape=SHAPE)
    return keras.Sequential([first, layers.Flatten(), layers.Dense(1, activation="sigmoid")])


def nets() -> Iterator[tuple[str, Any, Any]]:
    """Name, the net in its wrappers, and the same net without them."""
    for name, wrap in (
        ("rounded", tfmot.quantization.keras.quantize_model),
        ("pruned", tfmot.sparsity.keras.prune_low_magnitude),
    ):
        for kind, make in (("", plain), ("_chain", chain)):
            net = make()
            net.set_weights([np.abs(np.random.default_rng(1).normal(0, 0.4, w.shape)) for w in net.get_weights()])
            yield name + kind, wrap(net), net


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scores = {}
        for kind, wrapped, net in nets():
            scores[kind] = net.predict(images(), verbose=0)
            for ending in (".h5", ".keras"):
                wrapped.save(folder / f"{kind}{ending}")
        np.savez(folder / "scores.npz", **scores)
        with zipfile.ZipFile(HERE / "wrapped.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                out.write(path, path.relative_to(folder))


if __name__ == "__main__":
    main()
