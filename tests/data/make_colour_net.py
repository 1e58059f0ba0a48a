"""Makes ``colour.tflite``: a net whose three outputs are the mean red, green and blue of a cell. Needs TensorFlow.

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
    """Write the file beside this one."""
    import keras

    inputs = keras.layers.Input((32, 32, 3))
    mean = keras.layers.AveragePooling2D(32)(inputs)
    out = keras.layers.Conv2D(
        3, 1, use_bias=False, kernel_initializer=lambda shape, dtype=None: np.eye(3).reshape(shape)
    )(mean)
    shades = np.stack([np.full((32, 32, 3), value, np.uint8) for value in (0, 80, 160, 255)])
    flatbuffer = classifier_file(keras.Model(inputs, out), shades, "colour")
    card = Card("colour", "classify", ("red", "green", "blue"), ("blue",), output="logit", tools=tool_versions())
    write_model(HERE / "colour.tflite", flatbuffer, card)


if __name__ == "__main__":
    main()
