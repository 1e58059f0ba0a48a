"""A dense int8 net, built in memory without TensorFlow: five 3x3 convolutions of 64 channels over 32 x 32.

Small nets keep a core's multipliers waiting; this one does not, so its speed says what the runtime can get out of the core.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

SIDE: Final = 32
"""Width and height of the net's maps in pixels."""

CHANNELS: Final = 64
"""Channels of its input and of every layer."""

LAYERS: Final = 5
"""Its convolutions."""


def dense_net() -> bytes:
    """The net as a flatbuffer; the same bytes every time.

    Raises:
        ImportError: the runtime in use does not come with the schema (tflite-runtime).
    """
    import flatbuffers  # noqa: PLC0415 - comes with the runtime, as does the schema
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415

    model, graph = schema.ModelT(), schema.SubGraphT()
    rng = np.random.default_rng(0)
    model.version, model.description = 3, "dense 3x3 net"
    model.buffers = [schema.BufferT()]
    graph.tensors, graph.operators = [], []

    def tensor(name: str, shape: list[int], kind: int, scale: list[float], data: np.ndarray | None = None) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, shape, kind, 0
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = scale, [0] * len(scale)
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    types = schema.TensorType
    here = tensor("image", [1, SIDE, SIDE, CHANNELS], types.INT8, [0.05])
    graph.inputs = [here]
    for number in range(LAYERS):
        weights = rng.integers(-127, 128, (CHANNELS, 3, 3, CHANNELS), dtype=np.int8)
        scales = [0.002] * CHANNELS
        kernel = tensor(f"kernel{number}", list(weights.shape), types.INT8, scales, weights)
        zeros = np.zeros(CHANNELS, np.int32)
        bias = tensor(f"bias{number}", [CHANNELS], types.INT32, [0.0001] * CHANNELS, zeros)
        there = tensor(f"map{number}", [1, SIDE, SIDE, CHANNELS], types.INT8, [0.05])
        graph.operators.append(_convolution(schema, [here, kernel, bias], there))
        here = there
    graph.outputs = [here]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = 3
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _convolution(schema: Any, inputs: list[int], output: int) -> Any:
    operator, options = schema.OperatorT(), schema.Conv2DOptionsT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [output]
    options.padding, options.strideW, options.strideH = schema.Padding.SAME, 1, 1
    options.dilationWFactor = options.dilationHFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.Conv2DOptions, options
    return operator
