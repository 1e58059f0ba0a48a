"""The frozen part of a founding net: weights through which a signal passes, and what it makes of each image, computed once.

No package was found that ships ImageNet weights of VGG16 or ResNet50V2. With plain random weights what images share grows from layer
to layer beside what they differ in. So every channel of each convolution is scaled and shifted until it has mean 0 and variance 1
over one batch (after Mishkin and Matas 2016); batch normalisation gets that batch's statistics.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_BATCH = 32  # images at a time
_LINE_EVERY = 15.0  # seconds between lines of progress


def split_at(net: Any, name: str) -> tuple[Any, Any]:
    """The net up to the layer of that name, and what follows; both share the net's weights."""
    import keras  # noqa: PLC0415

    if not isinstance(net, keras.Sequential):
        middle = net.get_layer(name).output
        return keras.Model(net.input, middle), keras.Model(middle, net.output)
    place = [layer.name for layer in net.layers].index(name)
    body = net.layers[place]
    return body, keras.Sequential([keras.Input(body.output_shape[1:]), *net.layers[place + 1 :]])


def initialise(body: Any, some: np.ndarray, seed: int) -> None:
    """Weights that depend on ``seed`` and on these images, float32 [n, H, W, 3], alone."""
    import keras  # noqa: PLC0415

    he = keras.initializers.HeNormal(seed=seed)
    normalised = [layer for layer in body.layers if isinstance(layer, keras.layers.BatchNormalization)]
    usual = [layer.momentum for layer in normalised]
    for layer in normalised:
        layer.momentum = 0.0
    if normalised:
        body(some, training=True)
    for layer, momentum in zip(normalised, usual, strict=True):
        layer.momentum = momentum
    x: Any = some
    called = [layer for layer in body.layers if not isinstance(layer, keras.layers.InputLayer)]
    for layer in called if not normalised else ():  # which follow one another
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(he(layer.kernel.shape))
            plain = np.asarray(keras.ops.conv(x, layer.kernel, padding=layer.padding))
            spread = plain.std(axis=(0, 1, 2)) + 1e-6
            layer.kernel.assign(np.asarray(layer.kernel) / spread)
            layer.bias.assign(-plain.mean(axis=(0, 1, 2)) / spread)
        x = layer(x)


def features(body: Any, images: np.ndarray, path: Path, told: Callable[[float, float], None]) -> np.ndarray:
    """What the body makes of images uint8 [n, H, W, 3] / 255: float16 [n, ...], kept at ``path``; goes on where it stopped.

    Args:
        body: the frozen part.
        images: to compute them of, always in the same order.
        path: of a NumPy file; a text file beside it says how many are done.
        told: gets the share that is done and the seconds left.
    """
    shape = (len(images), *body.output_shape[1:])
    note = path.with_suffix(".done")
    path.parent.mkdir(parents=True, exist_ok=True)
    first = int(note.read_text()) if note.exists() and path.exists() else 0
    kept: Any = np.lib.format.open_memmap(
        path, mode="r+" if first else "w+", dtype=np.float16, shape=None if first else shape
    )
    if kept.shape != shape:
        raise ValueError(f"{path}: holds features of other images: remove it")
    began = shown = time.monotonic()
    for start in range(first, len(images), _BATCH):
        fed = images[start : start + _BATCH].astype(np.float32) / 255
        kept[start : start + _BATCH] = np.asarray(body.predict_on_batch(fed))
        done = min(start + _BATCH, len(images))
        if time.monotonic() - shown > _LINE_EVERY or done == len(images):
            shown = time.monotonic()
            kept.flush()
            note.write_text(str(done))
            told(done / len(images), (shown - began) / (done - first) * (len(images) - done))
    return np.asarray(kept)
