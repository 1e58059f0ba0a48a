"""Keras builders of the candidates: float [n, 32, 32, 3], bytes as (value - 128) / 64, to one logit; random weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.studies.founding.nets import build
from models.train.net import SIZE

_FIRST = 16  # filters of ResNet8's first stage


@dataclass(frozen=True, slots=True)
class ConvLayer:
    """A convolution without bias, batch normalisation and ReLU6.

    Attributes:
        filters: of its output.
        side: of its kernel.
        stride: in both directions.
        separable: a depthwise kernel and a 1x1 convolution, each normalised and rectified.
        skip: two such layers with a sum around them (He et al. 2016); strides and filters must not change.
    """

    filters: int
    side: int = 3
    stride: int = 1
    separable: bool = False
    skip: bool = False


def stack(body: Sequence[ConvLayer]) -> Any:
    """These layers and the head of the shelf's nets: dropout, a convolution over all that is left, one logit."""
    import keras  # noqa: PLC0415

    layers = keras.layers
    inputs = layers.Input((SIZE, SIZE, 3), name="cell")
    x = inputs
    for layer in body:
        x = _called(x, layer)
    x = layers.Dropout(0.2)(x)
    x = layers.Conv2D(16, x.shape[1], activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, name="logits")(x))


def _called(x: Any, layer: ConvLayer) -> Any:
    import keras  # noqa: PLC0415

    layers = keras.layers
    if layer.separable:
        x = _done(layers.DepthwiseConv2D(layer.side, strides=layer.stride, padding="same", use_bias=False)(x))
        return _done(layers.Conv2D(layer.filters, 1, use_bias=False)(x))
    if layer.skip:
        y = _done(_convolution(x, layer))
        y = layers.BatchNormalization(momentum=0.98)(_convolution(y, layer))
        return layers.ReLU(6.0)(layers.Add()([x, y]))
    return _done(_convolution(x, layer))


def _convolution(x: Any, layer: ConvLayer) -> Any:
    import keras  # noqa: PLC0415

    return keras.layers.Conv2D(layer.filters, layer.side, strides=layer.stride, padding="same", use_bias=False)(x)


def _done(x: Any) -> Any:
    import keras  # noqa: PLC0415

    return keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(momentum=0.98)(x))


def founding(name: str) -> Any:
    """A net of ``models.studies.founding.nets`` at 32x32, its sigmoid replaced by a logit."""
    import keras  # noqa: PLC0415

    net = build(name, SIZE, outputs=1)
    return keras.Model(net.inputs, keras.layers.Dense(1, name="logits")(net.layers[-2].output))


def resnet8() -> Any:
    """MLPerf Tiny's ResNet for images of 32x32 (Banbury et al. 2021): three stages of one block, 16, 32 and 64 filters."""
    import keras  # noqa: PLC0415

    layers = keras.layers

    def conv(x: Any, filters: int, side: int = 3, stride: int = 1) -> Any:
        return layers.Conv2D(filters, side, strides=stride, padding="same")(x)

    def normal(x: Any) -> Any:
        return layers.BatchNormalization(momentum=0.98)(x)

    inputs = layers.Input((SIZE, SIZE, 3), name="cell")
    x = layers.ReLU()(normal(conv(inputs, _FIRST)))
    for stage in range(3):
        filters, stride = _FIRST << stage, 1 if stage == 0 else 2
        y = layers.ReLU()(normal(conv(x, filters, stride=stride)))
        y = normal(conv(y, filters))
        x = x if stage == 0 else conv(x, filters, 1, stride)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(1, name="logits")(x))
