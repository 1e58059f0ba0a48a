"""What a net hands out: the kind of its head, read off the last activation and the shape of the output."""

from __future__ import annotations

from typing import Literal

from convert.reading.graph import Graph, Layer, words
from convert.reading.shapes import Measures

Head = Literal["sigmoid", "softmax", "logits", "several outputs", "map", "unknown"]
_HEADS: dict[str, Head] = {
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "hard_sigmoid": "sigmoid",
    "hard_sigmoid_2": "sigmoid",
    "linear": "logits",
}
_PASSES = words("Identity Dropout SpatialDropout2D Flatten Reshape GlobalAveragePooling2D op:reshape op:squeeze")
_NAMES_ITS_ACTIVATION = words("Dense Conv1D Conv2D SeparableConv2D DepthwiseConv2D Conv2DTranspose Activation")
_LINEAR = words("BatchNormalization Add Concatenate InputLayer Rescaling")


def head_of(graph: Graph, measures: Measures) -> tuple[Head, int | None]:
    """What comes out, and how many classes that tells apart (None: no classifier; a width of 1 tells 2)."""
    if len(measures.outputs) != 1:
        return "several outputs", None
    shape = measures.outputs[0]
    if shape is None or not shape or shape[-1] is None:
        return "unknown", None
    if any(side != 1 for side in shape[:-1]):
        return "map", None
    head = _HEADS.get(last_activation(graph), "unknown")
    return head, 2 if shape[-1] == 1 and head != "softmax" else shape[-1]


def last_activation(graph: Graph) -> str:
    """The activation function that the first output leaves through; "linear" for none."""
    ref = graph.outputs[0]
    while True:
        layer = graph.layer(ref.layer)
        if layer.body is not None:
            return last_activation(layer.body)
        if layer.kind in _PASSES and layer.calls:
            ref = layer.calls[0].refs()[0]
            continue
        return _activation_of(layer)


def _activation_of(layer: Layer) -> str:
    if layer.inner is not None:
        return _activation_of(layer.inner)
    if layer.kind in _NAMES_ITS_ACTIVATION:
        value = layer.params.get("activation", "linear")
        return value.kind.lower() if isinstance(value, Layer) else str(value)
    if layer.kind in _LINEAR:
        return "linear"
    return layer.kind.removeprefix("op:").lower()
