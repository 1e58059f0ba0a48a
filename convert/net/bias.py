"""Biases that make up for what rounding usually does.

Rounded weights and activations shift what a unit gives: most where values are the same in many places (a black background), for
there all errors have one direction, and a dense layer adds them up. Each output channel's usual error on the calibration images is
taken off its bias, layer by layer in the order of data, so that each layer sees what the corrected ones before it give (empirical
bias correction: Nagel, van Baalen, Blankevoort and Welling 2019, who take the mean; the median is not moved by the few values
that a range clips). It costs the device nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convert.net.batch import Feed, grouped
from convert.net.flatbuffer import packed, unpacked
from edge.types import FloatArray

_WITH_BIAS = {"CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2), "TRANSPOSE_CONV": (1, 3)}
"""Kinds of op with a bias of int32, and which of their inputs are weights and bias."""

_VALUES = 6_000  # rows of a tensor that are looked at
_MOST = float(1 << 30)  # of a bias: half of what int32 holds


def corrected(flatbuffer: bytes, floats: bytes, samples: Feed) -> bytes:
    """The int8 file with corrected biases.

    Args:
        flatbuffer: int8, of fixed batch.
        floats: the same net in float, of the same batch and tensor names.
        samples: images float32 [1, h, w, c] one by one; some tens are enough for convolutions, some hundreds for dense layers.

    Returns:
        the same file with other biases; as it was where no op has one.
    """
    model = unpacked(flatbuffer)
    graph = model.subgraphs[0]
    names = {bytes(tensor.name).decode(): number for number, tensor in enumerate(unpacked(floats).subgraphs[0].tensors)}
    mine = [op for op in graph.operators if _places(model, graph, op)]
    outputs = {int(op.outputs[0]): bytes(graph.tensors[int(op.outputs[0])].name).decode() for op in mine}
    wanted = {number: names[name] for number, name in outputs.items() if name in names}
    if not wanted:
        return flatbuffer
    batches = [batch for (batch,) in grouped(samples, int(graph.tensors[graph.inputs[0]].shape[0]))()]
    targets = _values(floats, batches, list(wanted.values()))
    for op in mine:
        made = int(op.outputs[0])
        if made not in wanted:
            continue
        seen = _values(packed(model), batches, [made])[made]
        usual = np.median(targets[wanted[made]] - seen, axis=0)
        _shift(model, graph, op, usual)
    return packed(model)


def _places(model: Any, graph: Any, op: Any) -> tuple[int, int] | None:
    """Numbers of the tensors that are an int8 op's weights and its bias; None: it has no bias that can be changed."""
    from tensorflow.lite.python import schema_py_generated as schema  # noqa: PLC0415

    kinds = {getattr(schema.BuiltinOperator, name): places for name, places in _WITH_BIAS.items()}
    places = kinds.get(model.operatorCodes[op.opcodeIndex].builtinCode)
    if places is None or len(op.inputs) <= places[1] or op.inputs[places[1]] < 0:
        return None
    bias, made = graph.tensors[op.inputs[places[1]]], graph.tensors[int(op.outputs[0])]
    data = model.buffers[bias.buffer].data
    known = data is not None and len(data) > 0 and bias.quantization is not None and bias.quantization.scale is not None
    if not known or bias.type != schema.TensorType.INT32 or made.type != schema.TensorType.INT8:
        return None
    return int(op.inputs[places[0]]), int(op.inputs[places[1]])


def _shift(model: Any, graph: Any, op: Any, by: FloatArray) -> None:
    """Add to an op's bias, per output channel, in the units of its output; the buffer becomes its own, for others may share it."""
    from tensorflow.lite.python import schema_py_generated as schema  # noqa: PLC0415

    found = _places(model, graph, op)
    if found is None:
        return
    bias = graph.tensors[found[1]]
    scale = np.asarray(bias.quantization.scale, np.float64)
    now = np.frombuffer(bytes(bytearray(model.buffers[bias.buffer].data)), "<i4").astype(np.float64)
    if by.shape != now.shape:
        return
    made = np.clip(np.round(now + by / scale), -_MOST, _MOST).astype("<i4")
    bias.buffer = len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(made.tobytes(), np.uint8)


def _values(flatbuffer: bytes, batches: Sequence[np.ndarray], wanted: Sequence[int]) -> dict[int, FloatArray]:
    """What these tensors hold over the images, float32 [n, c] each; images float32 [b, h, w, c]. Of large ones an even part."""
    import tensorflow as tf  # noqa: PLC0415

    runner = tf.lite.Interpreter(
        model_content=flatbuffer,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    runner.allocate_tensors()
    place = runner.get_input_details()[0]
    steps = {one["index"]: one["quantization"] for one in runner.get_tensor_details()}
    found: dict[int, list[np.ndarray]] = {number: [] for number in wanted}
    most = _VALUES // max(len(batches), 1)
    for batch in batches:
        scale, zero = place["quantization"]
        fed = np.clip(np.round(batch / scale + zero), -128, 127).astype(np.int8) if scale else batch
        runner.set_tensor(place["index"], fed)
        runner.invoke()
        for number in wanted:
            values = runner.get_tensor(number)
            values = values.reshape(-1, values.shape[-1])
            values = values[:: max(1, len(values) // most)].astype(np.float32)
            scale, zero = steps[number]
            found[number].append((values - zero) * scale if scale else values)
    return {number: np.concatenate(parts) for number, parts in found.items()}
