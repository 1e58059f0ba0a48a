"""Makes ``colour.tflite``, whose three outputs are the mean red, green and blue of a cell, and ``dark.tflite``. Needs TensorFlow.

The one output of ``dark.tflite`` rises with how dark a cell is; it sees cells alone, and calls dark ones parasitized.

Run from the repository's root: ``python -m tests.data.make_colour_net``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convert.net.int8 import tool_versions
from edge.modelfile import Card, write_model
from models.train.device import classifier_file

HERE = Path(__file__).parent


def main() -> None:
    """Write the files beside this one."""
    import keras

    shades = np.stack([np.full((32, 32, 3), value, np.uint8) for value in (0, 80, 160, 255)])
    inputs = keras.layers.Input((32, 32, 3))
    mean = keras.layers.AveragePooling2D(32)(inputs)
    out = keras.layers.Conv2D(
        3, 1, use_bias=False, kernel_initializer=lambda shape, dtype=None: np.eye(3).reshape(shape)
    )(mean)
    flatbuffer = classifier_file(keras.Model(inputs, out), shades, "colour")
    card = Card("colour", "classify", ("red", "green", "blue"), ("blue",), output="logit", tools=tool_versions())
    write_model(HERE / "colour.tflite", flatbuffer, card)
    dark = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer=lambda shape, dtype=None: np.full(shape, -2.0))(
        mean
    )
    flatbuffer = classifier_file(keras.Model(inputs, dark), shades, "dark")
    names = ("uninfected", "parasitized")
    write_model(
        HERE / "dark.tflite",
        flatbuffer,
        Card("dark", "classify", names, names[1:], output="logit", tools=tool_versions()),
    )


if __name__ == "__main__":
    main()
