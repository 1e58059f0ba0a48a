"""A chain of convolutions read out of a ``.keras`` file, and written as ONNX and as ncnn: the shelf's classifier for other runtimes.

Exact up to rounding: batch normalisation is folded into the convolution before it, TensorFlow's ``same`` padding is written out
as pixels. Only what such nets are made of is known; anything else raises ValueError rather than giving another net.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.types import FloatArray

OPSET = 17
"""ONNX operator set, which all runtimes of the extra know."""


@dataclass(frozen=True, slots=True, eq=False)
class Conv:
    """One convolution.

    Attributes:
        kernel: float32 [out, in, h, w].
        bias: float32 [out].
        stride: in both directions.
        pads: pixels of zeros added at top, left, bottom, right.
        most: upper bound of its ReLU (infinity: plain ReLU); None: no activation.
    """

    kernel: FloatArray
    bias: FloatArray
    stride: int
    pads: tuple[int, int, int, int]
    most: float | None = None


def read_keras(path: Path) -> tuple[list[Conv], tuple[int, int, int]]:
    """The convolutions of a Keras chain and its input's (height, width, channels); raises ValueError for any other net."""
    import keras  # noqa: PLC0415 - half a minute to import

    model = keras.models.load_model(path, compile=False)
    convs: list[Conv] = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("InputLayer", "Dropout"):
            continue
        if kind == "Conv2D":
            convs.append(_conv(layer))
        elif kind == "BatchNormalization" and convs and convs[-1].most is None:
            convs[-1] = _folded(convs[-1], layer)
        elif kind == "ReLU" and convs and not layer.negative_slope and not layer.threshold:
            convs[-1] = replace(convs[-1], most=np.inf if layer.max_value is None else float(layer.max_value))
        else:
            raise ValueError(f"{path.name}: layer {layer.name!r} ({kind}) is not part of a plain chain of convolutions")
    height, width, channels = (int(n) for n in model.input_shape[1:])
    return convs, (height, width, channels)


def _conv(layer: Any) -> Conv:
    kernel = np.asarray(layer.kernel, np.float32).transpose(3, 2, 0, 1)
    bias = np.asarray(layer.bias, np.float32) if layer.use_bias else np.zeros(len(kernel), np.float32)
    activation = layer.activation.__name__
    if activation not in ("linear", "relu") or set(layer.dilation_rate) != {1} or layer.groups != 1:
        raise ValueError(f"convolution {layer.name!r} is of a kind that is not known here")
    stride = int(layer.strides[0])
    if layer.padding == "same":
        sides = [_same(int(layer.input.shape[axis]), kernel.shape[axis + 1], stride) for axis in (1, 2)]
        pads = (sides[0][0], sides[1][0], sides[0][1], sides[1][1])
    else:
        pads = (0, 0, 0, 0)
    return Conv(np.ascontiguousarray(kernel), bias, stride, pads, np.inf if activation == "relu" else None)


def _same(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's ``same`` padding: what does not go in halves goes behind."""
    total = max(0, (-(-length // stride) - 1) * stride + kernel - length)
    return total // 2, total - total // 2


def _folded(conv: Conv, norm: Any) -> Conv:
    gamma, beta, mean, variance = (
        np.asarray(w, np.float64) for w in (norm.gamma, norm.beta, *norm.non_trainable_variables[:2])
    )
    factor = gamma / np.sqrt(variance + norm.epsilon)
    kernel = (conv.kernel * factor[:, None, None, None]).astype(np.float32)
    return replace(conv, kernel=kernel, bias=((conv.bias - mean) * factor + beta).astype(np.float32))


def write_onnx(convs: list[Conv], shape: tuple[int, int, int], path: Path) -> None:
    """As ONNX: float32 [n, height, width, channels] in, as Keras has it, [n, outputs] out."""
    from onnx import TensorProto, checker, helper, numpy_helper, save  # noqa: PLC0415 - optional

    nodes = [helper.make_node("Transpose", ["image"], ["x0"], perm=[0, 3, 1, 2])]
    weights = []
    for number, conv in enumerate(convs):
        at, then = f"x{number}", f"x{number + 1}"
        names = [f"kernel{number}", f"bias{number}"]
        weights += [numpy_helper.from_array(w, name) for w, name in zip((conv.kernel, conv.bias), names, strict=True)]
        out = then if conv.most is None else f"c{number}"
        strides = [conv.stride, conv.stride]
        nodes.append(helper.make_node("Conv", [at, *names], [out], strides=strides, pads=list(conv.pads)))
        if conv.most is not None and np.isinf(conv.most):
            nodes.append(helper.make_node("Relu", [out], [then]))
        elif conv.most is not None:
            bounds = [f"least{number}", f"most{number}"]
            pairs = zip((0.0, conv.most), bounds, strict=True)
            weights += [numpy_helper.from_array(np.array(value, np.float32), name) for value, name in pairs]
            nodes.append(helper.make_node("Clip", [out, *bounds], [then]))
    nodes.append(helper.make_node("Flatten", [f"x{len(convs)}"], ["out"]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", *shape])
    out_info = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", len(convs[-1].bias)])
    graph = helper.make_graph(nodes, "net", [image], [out_info], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    checker.check_model(model)
    save(model, str(path))


def write_ncnn(convs: list[Conv], shape: tuple[int, int, int], path: Path) -> None:
    """As ncnn's pair of files, ``path`` with .param and .bin: one image [channels, height, width] in, its outputs out."""
    height, width, channels = shape
    lines = [f"Input in 0 1 x0 0={width} 1={height} 2={channels}"]
    data = b""
    for number, conv in enumerate(convs):
        out, _, high, wide = conv.kernel.shape
        top, left, bottom, right = conv.pads
        text = f"Convolution conv{number} 1 1 x{number} x{number + 1} 0={out} 1={wide} 11={high} 3={conv.stride} 13={conv.stride}"
        text += f" 4={left} 14={top} 15={right} 16={bottom} 5=1 6={conv.kernel.size}"
        if conv.most is not None:
            text += " 9=1" if np.isinf(conv.most) else f" 9=3 -23310=2,0.0,{conv.most}"
        lines.append(text)
        data += struct.pack("<I", 0) + conv.kernel.astype("<f4").tobytes() + conv.bias.astype("<f4").tobytes()
    path.with_suffix(".bin").write_bytes(data)
    head = ["7767517", f"{len(lines)} {len(lines)}"]
    path.with_suffix(".param").write_text("\n".join([*head, *lines]) + "\n")
