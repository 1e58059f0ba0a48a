"""Keras to full-integer int8 TFLite. TensorFlow is imported inside: it is a build-time package."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import UnsupportedError

HEALTHY = 1 / math.sqrt(12)
"""0.289: error of rounding alone, in steps."""


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


@dataclass(frozen=True, slots=True)
class LayerError:
    """What rounding does to one op's output.

    Rounding to a grid of step ``scale`` errs evenly within half a step, whose root mean square is scale / sqrt(12): a sound
    op is near ``HEALTHY``. Far above it saturates (the calibration missed its range).

    Attributes:
        op: kind of op.
        tensor: name of its output.
        ratio: root mean square error / scale.
        bias: mean error / scale.
    """

    op: str
    tensor: str
    ratio: float
    bias: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """How activations are kept, and which layers stay float.

    Attributes:
        wide: 16-bit activations (8-bit weights): more exact, and no delegate takes it. Its input is 0..255 as float.
        float_layers: tensor names (outputs) of ops that stay float.
    """

    wide: bool = False
    float_layers: tuple[str, ...] = ()


def quantise(static: Any, samples: Callable[[], Iterator[list[np.ndarray]]], recipe: Recipe | None = None) -> bytes:
    """Quantise a Keras model of static shape.

    Args:
        static: from ``convert.rewrite.device_model``.
        samples: gives float32 [1, h, w, c] one by one, as often as it is called.
        recipe: None is plain full-integer int8 with per-channel weights.

    Returns:
        the flatbuffer.

    Raises:
        UnsupportedError: an op has no int8 form.
    """
    recipe = recipe or Recipe()
    converter = _converter(static, samples, wide=recipe.wide)
    try:
        if recipe.float_layers:
            made = _debugger(converter, samples, recipe.float_layers).get_nondebug_quantized_model()
            return free_batch(_int8_input(made))
        return free_batch(converter.convert())
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UnsupportedError(f"TensorFlow cannot make this net int8: {(lines or ['?'])[0][:200]}") from error


def free_batch(flatbuffer: bytes) -> bytes:
    """Let the batch of every reshape to [1, n] follow its input ([-1, n]): the device runs batches.

    A SavedModel's own Flatten is out of ``convert.rewrite``'s reach; its batch is folded to 1 in the conversion.
    """
    from tensorflow.lite.python import schema_py_generated as schema  # noqa: PLC0415
    from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    changed = False
    for graph in model.subgraphs:
        for op in graph.operators:
            code = model.operatorCodes[op.opcodeIndex].builtinCode
            if code != schema.BuiltinOperator.RESHAPE or len(op.inputs) < 2:
                continue
            buffer = model.buffers[graph.tensors[op.inputs[1]].buffer]
            if buffer.data is None or len(buffer.data) < 8:
                continue
            shape = np.frombuffer(bytes(bytearray(buffer.data)), "<i4").copy()
            if shape[0] == 1 and (shape[1:] > 0).all() and graph.tensors[op.inputs[0]].shape[0] == 1:
                shape[0] = -1
                buffer.data = np.frombuffer(shape.tobytes(), np.uint8)
                if op.builtinOptions is not None:
                    op.builtinOptions.newShape = shape.tolist()
                changed = True
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model)) if changed else bytes(flatbuffer)


def to_float(static: Any) -> bytes:
    """The same net as a float32 flatbuffer, the yardstick for speed and size."""
    import tensorflow as tf  # noqa: PLC0415

    return free_batch(tf.lite.TFLiteConverter.from_keras_model(static).convert())


def layer_errors(static: Any, samples: Callable[[], Iterator[list[np.ndarray]]]) -> list[LayerError]:
    """Each quantised op, in the order of data. The samples should be few: every one runs the net twice."""
    debugger = _debugger(_converter(static, samples, wide=False), samples, ())
    debugger.run()
    table = io.StringIO()
    debugger.layer_statistics_dump(table)
    rows = []
    for row in csv.DictReader(io.StringIO(table.getvalue())):
        scale, square, bias = float(row["scale"]), float(row["mean_squared_error"]), float(row["mean_error"])
        if scale > 0 and math.isfinite(square):
            rows.append(LayerError(row["op_name"], row["tensor_name"], math.sqrt(square) / scale, bias / scale))
    return rows


def _debugger(converter: Any, samples: Callable[[], Iterator[list[np.ndarray]]], stay_float: tuple[str, ...]) -> Any:
    import tensorflow as tf  # noqa: PLC0415

    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=list(stay_float))
    return tf.lite.experimental.QuantizationDebugger(converter=converter, debug_dataset=samples, debug_options=options)


def _int8_input(flatbuffer: bytes) -> bytes:
    """The debugger's files take float; the first op of them only rounds to int8 and can go. Outputs stay float."""
    import tensorflow as tf  # noqa: PLC0415
    from tensorflow.lite.python.util import modify_model_io_type  # noqa: PLC0415

    return bytes(modify_model_io_type(flatbuffer, tf.int8, tf.float32))


def _converter(static: Any, samples: Callable[[], Iterator[list[np.ndarray]]], *, wide: bool) -> Any:
    import tensorflow as tf  # noqa: PLC0415

    converter = tf.lite.TFLiteConverter.from_keras_model(static)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    # tflite-runtime 2.14 knows dense layers with one scale only
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001
    ops = tf.lite.OpsSet
    if wide:
        converter.target_spec.supported_ops = [ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    else:
        converter.target_spec.supported_ops = [ops.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    return converter


def file_digest(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
