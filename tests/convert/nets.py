"""The founding nets with random weights, each saved as its author saved it: ``python -m tests.convert.nets NAME FILE``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

L: Any = keras.layers
Base: Any = L.Layer


def head(stack: list[Any], *units: int, activation: str = "sigmoid") -> list[Any]:
    return [*stack, L.Flatten(), *(L.Dense(n, activation=activation) for n in units), L.Dense(1, activation="sigmoid")]


def convolutions(*, normalise: bool = False) -> list[Any]:
    stack: list[Any] = []
    for number, (filters, slope) in enumerate(((18, 0.25), (16, 0.2), (12, 0.15))):
        stack += [L.Conv2D(filters, 3, padding="same"), L.LeakyReLU(negative_slope=slope)]
        stack += [L.BatchNormalization()] if normalise and number < 2 else []
    return [*stack, L.MaxPooling2D(), L.Conv2D(8, 3, padding="same"), L.LeakyReLU(negative_slope=0.1)]


def notebook_1() -> Any:
    stack: list[Any] = [L.Input((64, 64, 3))]
    for filters in (6, 4):
        stack += [L.Conv2D(filters, 3), L.PReLU(), L.MaxPooling2D()]
    return keras.Sequential([*stack, L.Flatten(), L.Dense(16), L.PReLU(), L.Dense(1, activation="sigmoid")])


def notebook_2() -> Any:
    return keras.Sequential(head([L.Input((64, 64, 3)), *convolutions()], 32, 18))


def notebook_3() -> Any:
    stack = head([L.Input((64, 64, 3)), *convolutions(normalise=True)], 32, 18)
    return keras.Sequential([*stack[:-2], L.BatchNormalization(), *stack[-2:]])


@keras.saving.register_keras_serializable("notebook")
class HSVtoRGB(Base):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return tf.image.hsv_to_rgb(inputs)


@keras.saving.register_keras_serializable("notebook")
class RGBtoHSV(Base):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return tf.image.rgb_to_hsv(inputs)


@keras.saving.register_keras_serializable("notebook")
class RandomBrightnessShift(Base):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return inputs + tf.random.uniform([], -0.2, 0.2)


def notebook_4() -> Any:
    front = keras.Sequential([HSVtoRGB(), RandomBrightnessShift(), L.RandomContrast(0.2), RGBtoHSV()])
    return keras.Sequential(head([L.Input((64, 64, 3)), front, *convolutions()], 64, 16))


def notebook_5() -> Any:
    whole = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3))
    part = keras.Model(whole.input, whole.get_layer("block3_pool").output)
    part.trainable = False
    return keras.Sequential(head([L.Input((64, 64, 3)), part], 32, 16, activation="relu"))


def notebook_6() -> Any:
    return keras.Sequential(head([L.Input((64, 64, 3)), L.Resizing(32, 32), *convolutions()], 32, 18))


def resnet50v2() -> Any:
    base = keras.applications.ResNet50V2(include_top=False, weights=None, input_shape=(128, 128, 3))
    x = L.Flatten()(L.AveragePooling2D((4, 4))(base.output))
    x = L.Dropout(0.5)(L.Dense(128, activation="relu")(x))
    return keras.Model(base.input, L.Dense(2, activation="softmax")(x))


def parasite_cnn() -> Any:
    stack: list[Any] = [L.Input((32, 32, 3))]
    for filters in (16, 32, 64):
        stack += [L.Conv2D(filters, 3, activation="relu"), L.BatchNormalization(), L.MaxPooling2D()]
    dense = [L.Flatten(), L.Dense(64, activation="relu"), L.Dropout(0.5), L.Dense(3, activation="softmax")]
    return keras.Sequential([*stack, *dense])


def micro_organisms() -> Any:
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3))
    x = L.GlobalAveragePooling2D()(base.output)
    for units in (1024, 1024, 512):
        x = L.Dense(units, activation="relu")(x)
    return keras.Model(base.input, L.Dense(8, activation="softmax")(x))


NETS: dict[str, Callable[[], Any]] = {
    f.__name__: f
    for f in (
        notebook_1,
        notebook_2,
        notebook_3,
        notebook_4,
        notebook_5,
        notebook_6,
        resnet50v2,
        parasite_cnn,
        micro_organisms,
    )
}


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    net = NETS[sys.argv[1]]()
    if sys.argv[2].endswith("savedmodel"):
        net.export(sys.argv[2])
    else:
        net.save(sys.argv[2])
