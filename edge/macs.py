"""The cost of a net: multiply-accumulates per image, read from the runtime's list of operations."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from math import prod

from edge.runtime import interpreter_class

_COUNTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def macs(flatbuffer: bytes, shape: Sequence[int] | None = None) -> int:
    """Multiply-accumulates per image, of convolutions and dense layers.

    Args:
        flatbuffer: a sound ``.tflite``, without or with its card.
        shape: (height, width, channels) of the image, for nets that take several; None for the file's own.

    Raises:
        ValueError: the runtime refuses the file or the shape.
    """
    cls = interpreter_class()[0]
    plain = importlib.import_module(cls.__module__).OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    # A delegate would hide the shapes inside it from a resize.
    interpreter = cls(model_content=flatbuffer, experimental_op_resolver_type=plain)
    if shape is not None:
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], [1, *shape], strict=False)
        interpreter.allocate_tensors()
    shapes = {d["index"]: [int(n) for n in d["shape"]] for d in interpreter.get_tensor_details()}
    total = 0
    for op in interpreter._get_ops_details():
        if op["op_name"] not in _COUNTED:
            continue
        inputs, output = [int(i) for i in op["inputs"]], shapes[int(op["outputs"][0])]
        weights = shapes[inputs[1]]
        if op["op_name"] == "TRANSPOSE_CONV":
            total += prod(shapes[inputs[2]][1:]) * prod(weights) // weights[3]
        else:  # [out, h, w, in], [1, h, w, c] and [out, in]: all but the output's channels, per output value
            lead = weights[3] if op["op_name"] == "DEPTHWISE_CONV_2D" else weights[0]
            total += prod(output[1:]) * prod(weights) // lead
    return total
