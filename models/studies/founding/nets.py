"""The founding nets: the architectures people bring, in Keras, with random weights, at any size they can take.

``build("notebook_6", 32)`` is a plain Keras model, not compiled. Its own size, classes and file ending stand in ``NETS``.
Those with one output give the probability of the second class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Shape = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class FoundingNet:
    """One architecture.

    Attributes:
        make: (shape, outputs) to the Keras model.
        size: side of its input in pixels, as its author had it.
        outputs: width of its head.
        ending: of the file its author saved; ``.savedmodel`` is a folder.
        frozen: name of the layer up to which its author took pretrained weights and did not train them; "" is none.
    """

    make: Callable[[Shape, int], Any]
    size: int
    outputs: int
    ending: str
    frozen: str = ""


def build(name: str, size: int | None = None, channels: int = 3, outputs: int | None = None) -> Any:
    """A founding net with random weights.

    Args:
        name: one of ``NETS``.
        size: side of the input in pixels; None: its author's.
        channels: of the input (those that turn colours around take three).
        outputs: width of the head; None: its author's.

    Returns:
        keras.Model, float32 [n, size, size, channels] to [n, outputs].

    Raises:
        KeyError: no founding net has that name.
    """
    net = NETS[name]
    side = size or net.size
    return net.make((side, side, channels), outputs or net.outputs)


def save(net: Any, path: Path) -> None:
    """Write a net as its author did: ``.keras``, ``.h5``, or a SavedModel folder."""
    if path.suffix == ".savedmodel":
        net.export(str(path), verbose=False)
    else:
        net.save(path)


def keras_module() -> Any:
    """Keras, which is large: imported when a net is made."""
    import keras  # noqa: PLC0415

    return keras


def _layers() -> Any:
    return keras_module().layers


def _sequential(*layers: Any) -> Any:
    return keras_module().Sequential(list(layers))


def _dense(*units: int, activation: str = "sigmoid") -> list[Any]:
    """Flatten and dense layers."""
    layers = _layers()
    return [layers.Flatten(), *(layers.Dense(n, activation=activation) for n in units)]


def _head(outputs: int) -> Any:
    return _layers().Dense(outputs, activation="sigmoid" if outputs == 1 else "softmax")


def _convolutions(*, normalise: bool = False) -> list[Any]:
    """The four convolutions that notebooks 2, 3, 4 and 6 share."""
    layers = _layers()
    stack: list[Any] = []
    for number, (filters, slope) in enumerate(((18, 0.25), (16, 0.2), (12, 0.15))):
        stack += [layers.Conv2D(filters, 3, padding="same"), layers.LeakyReLU(negative_slope=slope)]
        stack += [layers.BatchNormalization()] if normalise and number < 2 else []
    last = [layers.Conv2D(8, 3, padding="same"), layers.LeakyReLU(negative_slope=0.1)]
    return [*stack, layers.MaxPooling2D(), *last]


def _notebook_1(shape: Shape, outputs: int) -> Any:
    layers = _layers()
    stack: list[Any] = [layers.Input(shape)]
    for filters in (6, 4):
        stack += [layers.Conv2D(filters, 3), layers.PReLU(), layers.MaxPooling2D()]
    return _sequential(*stack, layers.Flatten(), layers.Dense(16), layers.PReLU(), _head(outputs))


def _notebook_2(shape: Shape, outputs: int) -> Any:
    return _sequential(_layers().Input(shape), *_convolutions(), *_dense(32, 18), _head(outputs))


def _notebook_3(shape: Shape, outputs: int) -> Any:
    layers = _layers()
    stack = [*_dense(32), layers.BatchNormalization(), layers.Dense(18, activation="sigmoid"), _head(outputs)]
    return _sequential(layers.Input(shape), *_convolutions(normalise=True), *stack)


def _notebook_4(shape: Shape, outputs: int) -> Any:
    layers, own = _layers(), _colour_layers()
    shaken = [own["RandomBrightnessShift"](), layers.RandomContrast(0.2), own["RandomHueShift"]()]
    front = [_sequential(own["HSVtoRGB"]()), _sequential(*shaken), _sequential(own["RGBtoHSV"]())]
    return _sequential(layers.Input(shape), *front, *_convolutions(), *_dense(64, 16), _head(outputs))


def _notebook_5(shape: Shape, outputs: int) -> Any:
    keras = keras_module()
    whole = keras.applications.VGG16(include_top=False, weights=None, input_shape=shape)
    part = keras.Model(whole.input, whole.get_layer("block3_pool").output, name="vgg16")
    part.trainable = False
    return _sequential(_layers().Input(shape), part, *_dense(32, 16, activation="relu"), _head(outputs))


def _notebook_6(shape: Shape, outputs: int) -> Any:
    layers = _layers()
    return _sequential(layers.Input(shape), layers.Resizing(32, 32), *_convolutions(), *_dense(32, 18), _head(outputs))


def _resnet50v2(shape: Shape, outputs: int) -> Any:
    keras = keras_module()
    layers = keras.layers
    base = keras.applications.ResNet50V2(include_top=False, weights=None, input_shape=shape)
    side = base.output.shape[1]
    x = layers.Flatten(name="features")(layers.AveragePooling2D((side, side))(base.output))
    x = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x))
    return keras.Model(base.input, _head(outputs)(x))


def _parasite_cnn(shape: Shape, outputs: int) -> Any:
    layers = _layers()
    stack: list[Any] = [layers.Input(shape)]
    for filters in (16, 32, 64):
        stack += [layers.Conv2D(filters, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D()]
    return _sequential(*stack, *_dense(64, activation="relu"), layers.Dropout(0.5), _head(outputs))


def _micro_organisms(shape: Shape, outputs: int) -> Any:
    keras = keras_module()
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=shape)
    x = keras.layers.GlobalAveragePooling2D(name="features")(base.output)
    for units in (1024, 1024, 512):
        x = keras.layers.Dense(units, activation="relu")(x)
    return keras.Model(base.input, _head(outputs)(x))


@cache
def _colour_layers() -> dict[str, Any]:
    """Notebook 4's own layers, registered as it registers them. Brightness is shifted at inference too: its mistake."""
    import tensorflow as tf  # noqa: PLC0415

    keras = keras_module()
    base: Any = keras.layers.Layer
    register = keras.saving.register_keras_serializable("notebook")

    @register
    class HSVtoRGB(base):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return tf.image.hsv_to_rgb(inputs)

    @register
    class RGBtoHSV(base):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return tf.image.rgb_to_hsv(inputs)

    @register
    class RandomBrightnessShift(base):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs + tf.random.uniform([], -0.2, 0.2)

    @register
    class RandomHueShift(base):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None) -> Any:
            return tf.image.random_hue(tf.clip_by_value(inputs, 0, 1), 0.2) if training else inputs

    return {one.__name__: one for one in (HSVtoRGB, RGBtoHSV, RandomBrightnessShift, RandomHueShift)}


NETS: dict[str, FoundingNet] = {
    "notebook_1": FoundingNet(_notebook_1, 64, 1, ".keras"),
    "notebook_2": FoundingNet(_notebook_2, 64, 1, ".keras"),
    "notebook_3": FoundingNet(_notebook_3, 64, 1, ".keras"),
    "notebook_4": FoundingNet(_notebook_4, 64, 1, ".keras"),
    "notebook_5": FoundingNet(_notebook_5, 64, 1, ".keras", frozen="vgg16"),
    "notebook_6": FoundingNet(_notebook_6, 64, 1, ".keras"),
    "resnet50v2": FoundingNet(_resnet50v2, 128, 2, ".h5", frozen="features"),
    "parasite_cnn": FoundingNet(_parasite_cnn, 32, 3, ".savedmodel"),
    "micro_organisms": FoundingNet(_micro_organisms, 224, 8, ".h5", frozen="features"),
}
"""By name; sizes, heads and endings as their authors had them (the parasite CNN's size is not known to us)."""
