"""From Keras to int8 TFLite. TensorFlow is imported inside the functions, because it is large."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from convert.errors import UnsupportedError, gist
from convert.net.batch import Feed, batch_of, check_batches, first_of, free_batch, grouped
from convert.net.bias import corrected
from convert.net.flatbuffer import packed, unpacked
from convert.net.ranges import learnt, narrowed
from edge.types import UInt8Array

HEALTHY = 1 / math.sqrt(12)
"""0.289: the error of rounding alone, in steps of the scale (see ``LayerError``)."""

_WORST = 4
"""How many layers count as the worst ones when they are kept in float; more would cost the speed of int8."""


def tool_versions() -> dict[str, str]:
    """Versions of what makes a model file, for its card."""
    found = {}
    for name in ("tensorflow-cpu", "tensorflow", "keras", "numpy"):
        with contextlib.suppress(ImportError):
            found[name] = version(name)
    return found


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
class QuantisationRecipe:
    """How a net is quantised.

    Attributes:
        float_layers: what stays float: the tensor names of the layers' outputs.
        left_out: share of each tensor's values, 0..1, that its range leaves out (``convert.net.ranges``).
        learnt: ranges of layers' outputs (name, lowest, highest) that the net's own training gives.
        corrected: on how many images biases are corrected (``convert.net.bias``); 0: they are not.
    """

    float_layers: tuple[str, ...] = ()
    left_out: float = 0.0
    learnt: tuple[tuple[str, float, float], ...] = ()
    corrected: int = 0

    @property
    def plain(self) -> bool:
        """Whether it is what TensorFlow does by itself."""
        return self == QuantisationRecipe()


def quantise(
    static: Any,
    samples: Feed,
    recipe: QuantisationRecipe | None = None,
    *,
    images: UInt8Array | None = None,
    name: str = "net",
    calibrated: bytes | None = None,
) -> bytes:
    """Make a Keras model of static shape a full-integer int8 file: every int8 file of this project is made here.

    Args:
        static: from ``convert.net.rewrite.device_model`` or ``convert.finding.graph.finder_graph``.
        samples: calibration images, float32 [1, h, w, c] one by one, as often as it is called.
        recipe: None is plain int8, with weights scaled per channel.
        images: uint8 [n, h, w, c], a few images as the device feeds them: the file must give each the same answer alone as
            in a batch. None: it is not checked, for nets that are fed one image at a time.
        name: what to call the net in messages.
        calibrated: from ``calibrate`` with the same samples, so that another recipe takes a second and not half a minute.

    Returns:
        the flatbuffer, for any batch size.

    Raises:
        UnsupportedError: an op has no int8 form, or an answer depends on the other images of the batch.
    """
    converter = _converter(static, samples)
    try:
        if recipe is None or recipe.plain:
            made = converter.convert()
        else:
            ranges = calibrated or calibrate(static, samples)
            made = _quantised(_with_ranges(ranges, samples, recipe), recipe.float_layers)
            if recipe.corrected:
                made = corrected(made, ranges, first_of(samples, recipe.corrected))
        flatbuffer = free_batch(made, batch_of(static))
    except Exception as error:
        raise UnsupportedError(f"TensorFlow cannot make this net int8: {gist(error)}") from error
    if images is not None:
        check_batches(flatbuffer, images, name)
    return flatbuffer


def calibrate(static: Any, samples: Feed) -> bytes:
    """The net in float with the range of every tensor, for ``quantise``."""
    converter = _converter(static, samples)
    converter._experimental_calibrate_only = True  # noqa: SLF001
    return bytes(converter.convert())


def to_float(static: Any) -> bytes:
    """The same net as a float32 flatbuffer, the yardstick for speed and size."""
    import tensorflow as tf  # noqa: PLC0415

    return free_batch(tf.lite.TFLiteConverter.from_keras_model(static).convert(), batch_of(static))


def layer_errors(static: Any, samples: Feed, calibration: Feed | None = None) -> list[LayerError]:
    """Each quantised op, in the order of data. The samples should be few: every one runs the net twice.

    The ranges are those of ``calibration``, without it those of the samples themselves, which then never leave them.
    """
    import tensorflow as tf  # noqa: PLC0415

    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=_converter(static, calibration or samples), debug_dataset=grouped(samples, batch_of(static))
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


def worst_with_next(layers: Sequence[LayerError]) -> tuple[str, ...]:
    """Output names of the worst layers, each with the next one: what a float layer gives is rounded where int8 reads it."""
    order = sorted(range(len(layers)), key=lambda i: -layers[i].ratio)[:_WORST]
    kept = sorted({j for i in order for j in (i, i + 1) if j < len(layers)})
    return tuple(layers[j].tensor for j in kept) if len(kept) < len(layers) else ()


def _with_ranges(calibrated: bytes, samples: Feed, recipe: QuantisationRecipe) -> bytes:
    if recipe.left_out:
        calibrated = narrowed(calibrated, samples, recipe.left_out)
    return learnt(calibrated, {name: (low, high) for name, low, high in recipe.learnt}) if recipe.learnt else calibrated


def _quantised(calibrated: bytes, stay_float: tuple[str, ...]) -> bytes:
    """Quantise all ops but those whose outputs are named. Int8 goes in; where something stays float, float comes out."""
    import tensorflow as tf  # noqa: PLC0415
    from tensorflow.lite.python.convert import mlir_quantize  # noqa: PLC0415 - what QuantizationDebugger calls
    from tensorflow.lite.python.util import modify_model_io_type  # noqa: PLC0415

    made = mlir_quantize(
        calibrated, denylisted_nodes=list(stay_float), disable_per_channel_for_dense_layers=True
    )  # its input is float: rounded first, or read by a float op as it is
    with contextlib.suppress(ValueError):  # nothing in it is int8
        made = modify_model_io_type(made, tf.int8, tf.float32 if stay_float else tf.int8)
    return _bytes_in(bytes(made), calibrated)


def _bytes_in(flatbuffer: bytes, calibrated: bytes) -> bytes:
    """Put a DEQUANTIZE before a float input, so that the device's byte means what it meant in calibration.

    Without it a net whose first op stays float would read bytes as values.
    """
    from tensorflow.lite.python import schema_py_generated as schema  # noqa: PLC0415

    model = unpacked(flatbuffer)
    graph = model.subgraphs[0]
    taken = graph.tensors[graph.inputs[0]]
    if taken.type != schema.TensorType.FLOAT32:
        return flatbuffer
    seen = unpacked(calibrated).subgraphs[0]
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
    return packed(model)


def _converter(static: Any, samples: Feed) -> Any:
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
