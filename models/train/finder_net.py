"""The finder's architecture: strided 3x3 convolutions, the wide ones at stride 8, outputs at stride 4.

No op outside the device's int8 delegate, and none that fixes the input's height and width: the coarse level is brought
back by depth-to-space, not by a resize, so one file runs on any field size.
"""

from __future__ import annotations

from typing import Any

from convert.reading.layers import DEPTH_TO_SPACE, keras_classes

STRIDE = 4  # pixels of the input per cell of the map


def depth_to_space_layer() -> Any:
    """A registered Keras layer, [n, h, w, 4c] to [n, 2h, 2w, c]; the workshop must know it too, so it lives there."""
    return keras_classes()[DEPTH_TO_SPACE]


def build(kinds: int, width: int = 8, height_px: int | None = None, width_px: int | None = None) -> Any:
    """A Keras model: bytes as (value - 128) / 64, float [n, h, w, 3], to heat [n, h/4, w/4, kinds] and boxes [n, h/4, w/4, 4].

    Args:
        kinds: heat channels.
        width: channels of the first convolution; the others are multiples of it.
        height_px: fixed input height, or None.
        width_px: fixed input width, or None.
    """
    import keras  # noqa: PLC0415

    layers = keras.layers
    unpack = depth_to_space_layer()

    def conv(x: Any, filters: int, stride: int = 1, spread: int = 1) -> Any:
        x = layers.Conv2D(filters, 3, strides=stride, dilation_rate=spread, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        return layers.ReLU(6.0)(x)

    inputs = layers.Input((height_px, width_px, 3), name="image")
    x = conv(inputs, width, 2)
    fine = x = conv(x, 3 * width, 2)
    x = conv(x, 5 * width, 2)
    x = conv(x, 5 * width)
    x = conv(x, 5 * width, spread=2)  # a white cell is three red cells wide
    x = conv(x, 5 * width)
    x = layers.Conv2D(12 * width, 1)(x)
    x = unpack()(x)
    x = layers.ReLU(6.0)(layers.Add()([fine, x]))
    heat = layers.Conv2D(
        kinds, 1, activation="sigmoid", bias_initializer=keras.initializers.Constant(-3.0), name="heat"
    )(x)
    boxes = layers.Conv2D(4, 1, name="boxes")(x)
    return keras.Model(inputs, [heat, boxes])
