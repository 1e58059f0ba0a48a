"""The cell classifier's architecture: dense 3x3 convolutions at 32x32, every shape static, logits out.

Dense convolutions run near a Cortex-A76's int8 peak and depthwise ones do not, hence no separable layers. The head is
a 4x4 convolution instead of Flatten, so that the batch stays free and the whole graph is delegated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SIZE = 32  # side of the input in pixels
WIDTHS = (16, 16, 32, 32)
"""Filters of the four convolutions, where a recipe says nothing else."""


def build(outputs: int = 1, widths: Sequence[int] = WIDTHS, channels: int = 3) -> Any:
    """A Keras model: bytes as (value - 128) / 64, float [n, 32, 32, channels], to logits [n, 1, 1, outputs]."""
    import keras  # noqa: PLC0415

    layers = keras.layers

    def conv(x: Any, filters: int, stride: int) -> Any:
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.98)(x)
        return layers.ReLU(6.0)(x)

    inputs = layers.Input((SIZE, SIZE, channels), name="cell")
    x = conv(inputs, widths[0], 2)
    x = conv(x, widths[1], 2)
    x = conv(x, widths[2], 2)
    x = conv(x, widths[3], 1)
    x = layers.Dropout(0.2)(x)
    x = layers.Conv2D(16, 4, activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(outputs, 1, name="logits")(x))
