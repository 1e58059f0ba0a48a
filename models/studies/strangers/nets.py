"""The nets: small, of the kinds that tutorials and notebooks make, each with the reading of its author and its file format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from models.studies.founding.nets import keras_module

_MOMENTUM = 0.9  # of batch normalisation: trainings are brief


class FileForm(StrEnum):
    """In which form the author saved his net."""

    KERAS = "keras"
    """A ``.keras`` file."""
    H5 = "h5"
    """An ``.h5`` file as Keras 3 writes it."""
    H5_KERAS_2 = "h5 of Keras 2"
    """An ``.h5`` file as Keras 2 laid it out."""
    SAVED_MODEL = "SavedModel"
    """A folder that ``model.export`` wrote: a graph without layers."""


@dataclass(frozen=True, slots=True)
class StrangerNet:
    """One net and how its author trained it.

    Attributes:
        name: short, a file name too.
        what: the net in words, for the table.
        make: (height and width, channels, outputs) to the Keras model.
        side: of the input in pixels.
        channels: of the input.
        outputs: 1 is a sigmoid, 2 a softmax.
        values: value range of ``convert.net.values`` that the author's code made; ``0..255`` where the net scales by itself.
        colour: ``rgb``, ``bgr`` (OpenCV's reading, never turned around) or ``grey``.
        cut: how images were made square, one of ``convert.measure.single.AUTHOR_CUTS``.
        form: the file.
        infected_first: the classes' order is that of the folders' names, as Keras' own reader has it; else infected is the second.
        cells: at most so many to train on.
        rate: of Adam.
    """

    name: str
    what: str
    make: Callable[[int, int, int], Any]
    side: int
    channels: int
    outputs: int
    values: str
    colour: str
    cut: str
    form: FileForm
    infected_first: bool = True
    cells: int = 4000
    rate: float = 1e-3


def build(net: StrangerNet) -> Any:
    """The net with random weights: keras.Model, float32 [n, side, side, channels] to probabilities [n, outputs]."""
    return net.make(net.side, net.channels, net.outputs)


def _layers() -> Any:
    return keras_module().layers


def _stack(side: int, channels: int, *rest: Any) -> Any:
    return keras_module().Sequential([_layers().Input((side, side, channels)), *rest])


def _head(outputs: int) -> Any:
    return _layers().Dense(outputs, activation="sigmoid" if outputs == 1 else "softmax")


def _norm() -> Any:
    return _layers().BatchNormalization(momentum=_MOMENTUM)


def _plain(side: int, channels: int, outputs: int, filters: tuple[int, ...], dense: int) -> Any:
    """Convolution and pooling, over and over, then a dense layer with dropout."""
    layers = _layers()
    front: list[Any] = []
    for count in filters:
        front += [layers.Conv2D(count, 3, activation="relu"), layers.MaxPooling2D()]
    end = [layers.Flatten(), layers.Dense(dense, activation="relu"), layers.Dropout(0.3), _head(outputs)]
    return _stack(side, channels, *front, *end)


def _three_convolutions(side: int, channels: int, outputs: int) -> Any:
    return _plain(side, channels, outputs, (32, 32, 64), 64)


def _two_convolutions(side: int, channels: int, outputs: int) -> Any:
    return _plain(side, channels, outputs, (32, 32), 128)


def _rescaling(side: int, channels: int, outputs: int) -> Any:
    """The net of Keras' own tutorial on image classification, which scales bytes by itself."""
    layers = _layers()
    front: list[Any] = [layers.RandomFlip(), layers.Rescaling(1 / 255)]
    for filters in (16, 32, 64):
        front += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    end = [layers.Dropout(0.2), layers.Flatten(), layers.Dense(64, activation="relu"), _head(outputs)]
    return _stack(side, channels, *front, *end)


def _normalised(side: int, channels: int, outputs: int) -> Any:
    """Batch norm after every convolution, leaky units."""
    layers = _layers()
    front: list[Any] = []
    for filters in (16, 32, 64):
        front += [layers.Conv2D(filters, 3, padding="same", use_bias=False), _norm(), layers.LeakyReLU()]
        front += [layers.MaxPooling2D()]
    return _stack(side, channels, *front, layers.Flatten(), layers.Dense(32, activation="relu"), _head(outputs))


def _residual(stem: tuple[int, int, int], blocks: tuple[int, ...]) -> Callable[[int, int, int], Any]:
    """A small ResNet with global average pooling; ``stem``: filters, window, stride; ``blocks``: filters of each."""

    def make(side: int, channels: int, outputs: int) -> Any:
        layers = _layers()
        inputs = layers.Input((side, side, channels))
        first = layers.Conv2D(*stem, padding="same", use_bias=False)(inputs)
        x = layers.ReLU()(_norm()(first))
        for filters in blocks:
            beside = layers.Conv2D(filters, 1, 2, use_bias=False)(x)
            y = layers.ReLU()(_norm()(layers.Conv2D(filters, 3, 2, padding="same", use_bias=False)(x)))
            y = _norm()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y))
            x = layers.ReLU()(layers.Add()([y, _norm()(beside)]))
        x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
        return keras_module().Model(inputs, _head(outputs)(x))

    return make


def _mobile(stem: int, blocks: tuple[tuple[int, int], ...], *, scales: bool = False) -> Callable[[int, int, int], Any]:
    """A net like MobileNet: depthwise and pointwise convolutions; ``blocks``: filters and stride of each."""

    def make(side: int, channels: int, outputs: int) -> Any:
        layers = _layers()
        inputs = layers.Input((side, side, channels))
        x = layers.Rescaling(1 / 127.5, offset=-1)(inputs) if scales else inputs
        x = layers.ReLU(6.0)(_norm()(layers.Conv2D(stem, 3, 2, padding="same", use_bias=False)(x)))
        for filters, stride in blocks:
            x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(x)
            x = layers.Conv2D(filters, 1, use_bias=False)(layers.ReLU(6.0)(_norm()(x)))
            x = layers.ReLU(6.0)(_norm()(x))
        x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
        return keras_module().Model(inputs, _head(outputs)(x))

    return make


def _vgg(side: int, channels: int, outputs: int) -> Any:
    """Pairs of convolutions, flattened."""
    layers = _layers()
    front: list[Any] = []
    for filters in (16, 32, 48, 64):
        front += [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(2)]
        front += [layers.MaxPooling2D()]
    return _stack(side, channels, *front, layers.Flatten(), layers.Dense(64, activation="relu"), _head(outputs))


def _separable(side: int, channels: int, outputs: int) -> Any:
    """Separable convolutions as in Xception, average pooling."""
    layers = _layers()
    front: list[Any] = [layers.Conv2D(24, 3, 2, padding="same", activation="relu")]
    for filters in (48, 64, 96):
        front += [layers.SeparableConv2D(filters, 3, padding="same", use_bias=False), _norm(), layers.ReLU()]
        front += [layers.MaxPooling2D(3, 2, padding="same")]
    return _stack(side, channels, *front, layers.GlobalAveragePooling2D(), layers.Dropout(0.2), _head(outputs))


def _strided(side: int, channels: int, outputs: int) -> Any:
    """A large input that strides make small, batch norm, global pooling; it scales by itself."""
    layers = _layers()
    front: list[Any] = [layers.Rescaling(1 / 255)]
    for filters, window in ((24, 5), (48, 3), (64, 3), (96, 3), (96, 3)):
        front += [layers.Conv2D(filters, window, 2, padding="same", use_bias=False), _norm(), layers.Activation("relu")]
    return _stack(
        side, channels, *front, layers.GlobalAveragePooling2D(), layers.Dense(32, activation="relu"), _head(outputs)
    )


_MOBILE_96 = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (192, 2), (192, 1))  # filters and stride of each block
_MOBILE_224 = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (384, 1))  # likewise

NETS = (
    StrangerNet(
        "tutorial_64",
        "three convolutions, dense 64",
        _three_convolutions,
        64,
        3,
        1,
        "0..1",
        "rgb",
        "stretch",
        FileForm.H5_KERAS_2,
        infected_first=False,
    ),
    StrangerNet(
        "two_convolutions_50",
        "two convolutions, dense 128",
        _two_convolutions,
        50,
        3,
        2,
        "0..1",
        "bgr",
        "stretch",
        FileForm.H5,
    ),
    StrangerNet(
        "rescaling_128",
        "Rescaling, three convolutions",
        _rescaling,
        128,
        3,
        2,
        "0..255",
        "rgb",
        "stretch",
        FileForm.KERAS,
        cells=2500,
    ),
    StrangerNet("grey_64", "batch norm, leaky units", _normalised, 64, 1, 1, "0..1", "grey", "stretch", FileForm.KERAS),
    StrangerNet(
        "plain_32", "batch norm, leaky units", _normalised, 32, 3, 2, "0..1", "rgb", "pad", FileForm.SAVED_MODEL
    ),
    StrangerNet(
        "residual_48",
        "residual, global pooling",
        _residual((16, 3, 1), (16, 32, 64)),
        48,
        3,
        2,
        "-1..1",
        "rgb",
        "stretch",
        FileForm.KERAS,
    ),
    StrangerNet(
        "mobile_96",
        "depthwise, global pooling",
        _mobile(16, _MOBILE_96),
        96,
        3,
        2,
        "-1..1",
        "rgb",
        "stretch",
        FileForm.H5,
    ),
    StrangerNet(
        "mobile_224",
        "Rescaling, depthwise, global pooling",
        _mobile(32, _MOBILE_224, scales=True),
        224,
        3,
        1,
        "0..255",
        "rgb",
        "stretch",
        FileForm.KERAS,
        cells=2000,
    ),
    StrangerNet(
        "residual_224",
        "residual, global pooling",
        _residual((32, 5, 2), (80, 160, 192)),
        224,
        3,
        2,
        "imagenet",
        "rgb",
        "stretch",
        FileForm.KERAS,
        cells=800,
    ),
    StrangerNet(
        "vgg_100",
        "eight convolutions, dense 64",
        _vgg,
        100,
        3,
        2,
        "per-image",
        "rgb",
        "pad",
        FileForm.KERAS,
        cells=1500,
    ),
    StrangerNet(
        "separable_80",
        "separable, global pooling",
        _separable,
        80,
        3,
        1,
        "0..1",
        "rgb",
        "stretch",
        FileForm.SAVED_MODEL,
    ),
    StrangerNet(
        "strided_256",
        "Rescaling, strides, global pooling",
        _strided,
        256,
        3,
        1,
        "0..255",
        "rgb",
        "stretch",
        FileForm.KERAS,
        cells=2500,
    ),
    StrangerNet(
        "grey_128",
        "three convolutions, dense 64",
        _three_convolutions,
        128,
        1,
        2,
        "-1..1",
        "grey",
        "pad",
        FileForm.H5_KERAS_2,
        cells=2500,
    ),
)
"""All tell the two kinds of NIH cells apart."""
