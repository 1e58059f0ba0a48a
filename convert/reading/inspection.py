"""What is in a model file: input, head, layers, cost and risks, read from the config alone. None of its code runs.

``inspect`` needs neither TensorFlow nor a child process; ``convert.reading.load:describe`` in a child adds the proof that it
loads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from convert.errors import ModelError
from convert.reading import risks, trust
from convert.reading.checked import Shape
from convert.reading.graph import Graph, Layer, words
from convert.reading.layers import DEPTH_TO_SPACE, LAYER_SCALE
from convert.reading.parse import admit
from convert.reading.shapes import LayerFacts, Measures, measure
from convert.reading.source import SourceModel

DEVICE_SIDE = 32
"""Side in pixels of the crops that the device feeds a classifier."""

_LARGER_SIDE = 512  # another side, at which a net of any size must work too
_COLOURS = {1: "grey", 3: "colour", 4: "colour and alpha"}
_FIXES_SIZE = words("Flatten Reshape Permute RepeatVector op:reshape TimeDistributed")
_PREPROCESSING = words("Rescaling Resizing CenterCrop Normalization")


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


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is in a model file.

    Attributes:
        inputs: shapes without the batch, None where open; so are ``outputs``.
        classes: how many the head has (a sigmoid of width 1 has 2); None: it is no classifier.
        macs: at the native size, or at 32 x 32 where that is open.
        macs_32: at 32 x 32, where the net can be rebuilt at that size.
        any_size: it has convolutions and global pooling only.
    """

    path: Path
    format: str
    keras_version: str | None
    sha256: str
    bytes: int
    inputs: tuple[Shape, ...]
    channels: int | None
    colour: str
    outputs: tuple[Shape, ...]
    head: Head
    classes: int | None
    parameters: int
    macs: int | None
    macs_32: int | None
    any_size: bool
    preprocessing: tuple[str, ...]
    layers: tuple[LayerFacts, ...]
    notes: tuple[str, ...]
    risks: tuple[str, ...]

    @property
    def native_size(self) -> tuple[int, int] | None:
        """(height, width) of the one image input, or None where it is open or there is none."""
        if len(self.inputs) != 1 or self.inputs[0] is None or len(self.inputs[0]) != 3:
            return None
        height, width, _ = self.inputs[0]
        return None if height is None or width is None else (height, width)


def inspect(source: SourceModel, trust_code: Path | None = None) -> Inspection:
    """Say what is in a model.

    Args:
        source: from ``open_source``.
        trust_code: the user's own file of custom classes; it is parsed for names, not run.

    Raises:
        ModelError: refused, see ``convert.errors``.
    """
    if source.config is None:
        return _graph_only(source)
    admitted = admit(source, trust.names_in(trust_code))
    graph = admitted.graph
    native = measure(graph)
    measured = native if native.macs is not None else measure(graph, (DEVICE_SIDE, DEVICE_SIDE))
    any_size = takes_any_size(graph, native)
    rebuilt = measure(graph, (DEVICE_SIDE, DEVICE_SIDE), force=True) if any_size else None
    head, classes = head_of(graph, native)
    return Inspection(
        **_file_facts(source, native.inputs, native.outputs),
        head=head,
        classes=classes,
        parameters=measured.parameters,
        macs=measured.macs,
        macs_32=rebuilt.macs if rebuilt else None,
        any_size=any_size,
        preprocessing=_preprocessing(graph),
        layers=measured.layers,
        notes=admitted.notes,
        risks=tuple(risks.find(admitted, measured, rebuilt)),
    )


def takes_any_size(graph: Graph, native: Measures) -> bool:
    """Whether the same weights fit an image of any size: nothing between input and head depends on height and width."""
    if len(native.inputs) != 1 or native.inputs[0] is None or len(native.inputs[0]) != 3:
        return False
    if any(_fixes_size(layer, native) for layer in graph.leaves()):
        return False
    try:
        small, large = (measure(graph, (side, side), force=True) for side in (DEVICE_SIDE, _LARGER_SIDE))
    except ModelError:
        return False
    if small.parameters != native.parameters or small.outputs[0] is None:
        return False
    return all(
        _is_map(given) or given == at_small == at_large
        for given, at_small, at_large in zip(native.outputs, small.outputs, large.outputs, strict=True)
    )


def _is_map(shape: Shape) -> bool:
    """Whether an output may grow with the image; what is one vector at the native size may not."""
    return shape is not None and any(side != 1 for side in shape[:-1])


def _fixes_size(layer: Layer, native: Measures) -> bool:
    if layer.kind in _FIXES_SIZE:
        return not _after_pooling(layer, native)
    if layer.kind == "PReLU":
        return not {1, 2} <= set(_tuple(layer.params.get("shared_axes")))
    if layer.kind == "LayerNormalization":
        return len(_tuple(layer.params.get("axis", -1))) > 1
    return layer.kind.startswith("trusted:")


def _after_pooling(layer: Layer, native: Measures) -> bool:
    """A Flatten or Reshape of what has no height and width any more changes nothing with the size."""
    facts = next((facts for facts in native.layers if facts.path[-1] == layer.name), None)
    shape = native.inputs[0]
    open_sides = shape is not None and None in shape
    if facts is None or facts.shape is None or open_sides:
        return False
    at = native.layers.index(facts)
    before = native.layers[at - 1].shape if at else None
    return before is not None and (len(before) == 1 or (all(side == 1 for side in before[:-1]) and _pooled(native, at)))


def _pooled(native: Measures, at: int) -> bool:
    return any(facts.kind.startswith("Global") for facts in native.layers[:at])


def _preprocessing(graph: Graph) -> tuple[str, ...]:
    found = []
    for layer in graph.leaves():
        scales = layer.kind.startswith("edge:") and layer.kind not in (DEPTH_TO_SPACE, LAYER_SCALE)
        if scales or layer.kind in _PREPROCESSING:
            options = ", ".join(f"{key}={value}" for key, value in layer.params.items() if value is not None)
            found.append(f"{layer.kind.removeprefix('edge:')}({options[:80]})")
    return tuple(found)


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _graph_only(source: SourceModel) -> Inspection:
    inputs, outputs = (
        tuple(tuple(None if side < 0 else side for side in shape[1:]) for shape in shapes)
        for shapes in source.signature
    )
    return Inspection(
        **_file_facts(source, inputs, outputs),
        head="unknown",
        classes=None,
        parameters=0,
        macs=None,
        macs_32=None,
        any_size=False,
        preprocessing=(),
        layers=(),
        notes=("a SavedModel with a graph only: its layers cannot be seen, nor the net rebuilt at another size",),
        risks=("convert the .keras or .h5 file of the same model if you have it: more can be done with it",),
    )


def _file_facts(source: SourceModel, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> dict[str, Any]:
    """What an ``Inspection`` says of the file, of inputs and of outputs."""
    first = inputs[0] if inputs else None
    channels = first[-1] if first is not None and len(first) == 3 else None
    return {
        "path": source.path,
        "format": source.format,
        "keras_version": source.keras_version,
        "sha256": source.sha256,
        "bytes": source.size,
        "inputs": inputs,
        "channels": channels,
        "colour": _COLOURS.get(channels or 0, "no image"),
        "outputs": outputs,
    }


def head_of(graph: Graph, measures: Measures) -> tuple[Head, int | None]:
    """The kind of the head, and how many classes it has (None: the net is no classifier)."""
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
