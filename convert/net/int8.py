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
from convert.net.batch import batch_of, free_batch, grouped

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
    """Which layers stay float.

    Attributes:
        float_layers: tensor names (outputs) of ops that stay float.
    """

    float_layers: tuple[str, ...] = ()


def quantise(static: Any, samples: Callable[[], Iterator[list[np.ndarray]]], recipe: Recipe | None = None) -> bytes:
    """Quantise a Keras model of static shape.

    Args:
        static: from ``convert.net.rewrite.device_model``.
        samples: gives float32 [1, h, w, c] one by one, as often as it is called.
        recipe: None is plain full-integer int8 with per-channel weights.

    Returns:
        the flatbuffer.

    Raises:
        UnsupportedError: an op has no int8 form.
    """
    recipe = recipe or Recipe()
    converter = _converter(static, samples)
    try:
        if recipe.float_layers:
            return free_batch(_partly_float(converter, recipe.float_layers), batch_of(static))
        return free_batch(converter.convert(), batch_of(static))
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UnsupportedError(f"TensorFlow cannot make this net int8: {(lines or ['?'])[0][:200]}") from error


def to_float(static: Any) -> bytes:
    """The same net as a float32 flatbuffer, the yardstick for speed and size."""
    import tensorflow as tf  # noqa: PLC0415

    return free_batch(tf.lite.TFLiteConverter.from_keras_model(static).convert(), batch_of(static))


def layer_errors(
    static: Any,
    samples: Callable[[], Iterator[list[np.ndarray]]],
    calibration: Callable[[], Iterator[list[np.ndarray]]] | None = None,
) -> list[LayerError]:
    """Each quantised op, in the order of data. The samples should be few: every one runs the net twice.

    The ranges are those of ``calibration``, without it those of the samples themselves, which then never leave them.
    """
    import tensorflow as tf  # noqa: PLC0415

    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=_converter(static, calibration or samples),
        debug_dataset=grouped(samples, batch_of(static)),
    )
    try:
        debugger.run()
    except RuntimeError:  # the delegate does not take the verifying ops beside some others
        without = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        debugger._quant_interpreter = tf.lite.Interpreter(  # noqa: SLF001
            model_content=debugger.quant_model, experimental_op_resolver_type=without
        )
        debugger.run()
    table = io.StringIO()
    debugger.layer_statistics_dump(table)
    rows = []
    for row in csv.DictReader(io.StringIO(table.getvalue())):
        scale, square, bias = float(row["scale"]), float(row["mean_squared_error"]), float(row["mean_error"])
        if scale > 0 and math.isfinite(square):
            rows.append(LayerError(row["op_name"], row["tensor_name"], math.sqrt(square) / scale, bias / scale))
    return rows


def _partly_float(converter: Any, stay_float: tuple[str, ...]) -> bytes:
    """Calibrate as always, then quantise all ops but those whose outputs are named. Int8 goes in, float may come out."""
    import tensorflow as tf  # noqa: PLC0415
    from tensorflow.lite.python.convert import mlir_quantize  # noqa: PLC0415 - what QuantizationDebugger calls
    from tensorflow.lite.python.util import modify_model_io_type  # noqa: PLC0415

    converter._experimental_calibrate_only = True  # noqa: SLF001
    calibrated = converter.convert()
    made = mlir_quantize(
        calibrated, denylisted_nodes=list(stay_float), disable_per_channel_for_dense_layers=True
    )  # its input is float: rounded first, or read by a float op as it is
    with contextlib.suppress(ValueError):  # nothing in it is int8
        made = modify_model_io_type(made, tf.int8, tf.float32)
    return _bytes_in(bytes(made), bytes(calibrated))


def _bytes_in(flatbuffer: bytes, calibrated: bytes) -> bytes:
    """Put a DEQUANTIZE before a float input, so that the device's byte means what it meant in calibration.

    Without it a net whose first op stays float would read bytes as values.
    """
    from tensorflow.lite.python import schema_py_generated as schema  # noqa: PLC0415
    from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    graph = model.subgraphs[0]
    taken = graph.tensors[graph.inputs[0]]
    if taken.type != schema.TensorType.FLOAT32:
        return flatbuffer
    seen = flatbuffer_utils.convert_bytearray_to_object(bytearray(calibrated)).subgraphs[0]
    ranges = seen.tensors[seen.inputs[0]].quantization
    low, high = float(ranges.min[0]), float(ranges.max[0])
    tensor, steps = schema.TensorT(), schema.QuantizationParametersT()
    steps.scale = [(high - low) / 255]
    steps.zeroPoint = [round(-128 - low / steps.scale[0])]
    tensor.name, tensor.type, tensor.quantization = b"cell_int8", schema.TensorType.INT8, steps
    tensor.shape, tensor.shapeSignature, tensor.buffer = taken.shape, taken.shapeSignature, len(model.buffers)
    model.buffers.append(schema.BufferT())
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 2
    op = schema.OperatorT()
    op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes), [len(graph.tensors)], [int(graph.inputs[0])]
    model.operatorCodes.append(code)
    graph.operators.insert(0, op)
    graph.tensors.append(tensor)
    for signature in model.signatureDefs or ():
        for entry in signature.inputs:
            if entry.tensorIndex == graph.inputs[0]:
                entry.tensorIndex = op.inputs[0]
    graph.inputs = list(op.inputs)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _converter(static: Any, samples: Callable[[], Iterator[list[np.ndarray]]]) -> Any:
    import tensorflow as tf  # noqa: PLC0415

    converter = tf.lite.TFLiteConverter.from_keras_model(static)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = grouped(samples, batch_of(static))
    # tflite-runtime 2.14 knows dense layers with one scale only
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter


def repeatable(seed: int) -> None:
    """For training: the same seed gives the same weights, on any number of cores. Holds for the rest of the process."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
