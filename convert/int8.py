"""Keras to full-integer int8 TFLite. TensorFlow is imported inside: it is a build-time package."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


def tool_versions() -> dict[str, str]:
    """Versions of what makes a model file, for its card."""
    found = {}
    for name in ("tensorflow-cpu", "tensorflow", "keras", "numpy"):
        with contextlib.suppress(ImportError):
            found[name] = version(name)
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow's C++ log off the terminal."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


def to_int8(model: Any, calibration: Iterable[np.ndarray], shape: tuple[int, int, int]) -> bytes:
    """Quantise a Keras model whose input is (byte - 128) / 64.

    Args:
        model: Keras model with one image input.
        calibration: uint8 images [h, w, 3].
        shape: fixed input (h, w, 3) of the file; the runtime may resize it.

    Returns:
        the flatbuffer: int8 in (byte - 128, exactly), int8 out, per-channel weights.
    """
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    inputs = keras.layers.Input(batch_shape=(1, *shape))
    static = keras.Model(inputs, model(inputs, training=False))

    def samples() -> Iterator[list[np.ndarray]]:
        for number, image in enumerate(calibration):
            fed = (image[None].astype(np.float32) - 128) / 64
            if number == 0:  # the whole byte range must be seen, so that the input's scale is exactly 1/64
                fed[0, 0, 0], fed[0, -1, -1] = -2.0, 127 / 64
            yield [fed]

    converter = tf.lite.TFLiteConverter.from_keras_model(static)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with _quiet():
        return bytes(converter.convert())


def file_digest(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
