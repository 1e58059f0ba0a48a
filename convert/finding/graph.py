"""A finder's net as it goes into the file: heat first, then boxes, and nothing in it that fixes the field's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import UnsupportedError
from convert.finding.spec import STEP, NetShape, Roles
from convert.net.batch import feed
from convert.net.int8 import QuantisationRecipe, quantise, to_float
from convert.net.rewrite import replay
from convert.net.values import ValueRange
from convert.reading.layers import DEPTH_TO_SPACE, keras_classes
from edge.modelfile import Card, FinderSpec, ModelFile
from edge.runtime import Net
from edge.types import UInt8Array

HEAT = 0
"""The heat's place among the outputs, before the boxes: it counts where both have four channels."""

_DOUBLINGS = {(2, 2): 1, (4, 4): 2}  # how often an UpSampling2D of that size doubles


def finder_graph(
    model: Any, size: tuple[int, int], roles: Roles, values: ValueRange, *, from_bytes: bool = False
) -> Any:
    """keras.Model, float32 [1, h, w, 3] to heat [1, h', w', kinds] (0 to 1) and boxes [1, h', w', 4].

    Args:
        model: as trained.
        size: (height, width) of the file's input; the device may feed any other multiple of 8.
        roles: what its outputs are.
        values: what its input means.
        from_bytes: the input is 0..255 and the graph makes the values, for files whose input is not int8.
    """
    import keras  # noqa: PLC0415

    inputs = keras.Input(batch_shape=(1, *size, 3), name="field")
    tensor = inputs
    if from_bytes and values.limits != (0.0, 255.0):
        tensor = keras.layers.Rescaling(values.scale, values.offset, name="edge_values")(tensor)
    outputs = replay(model, tensor, instead=_any_size(model))
    heat, boxes = outputs[roles.heat], [outputs[i] for i in roles.boxes]
    if roles.logits:
        heat = keras.layers.Activation("sigmoid", name="edge_heat")(heat)
    joined = boxes[0] if len(boxes) == 1 else keras.layers.Concatenate(name="edge_boxes")(boxes)
    return keras.Model(inputs, [heat, joined])


def quantised(
    graph: Any, images: Sequence[UInt8Array], values: ValueRange, recipe: QuantisationRecipe | None = None
) -> bytes:
    """The int8 flatbuffer of a ``finder_graph``; ``models`` makes the shelf's finder with this too."""
    return quantise(graph, feed(images, values), recipe)


def float_file(model: Any, size: tuple[int, int], roles: Roles, values: ValueRange) -> bytes:
    """The same net as a float32 flatbuffer that takes bytes, to be run by the device's own code."""
    return to_float(finder_graph(model, size, roles, values, from_bytes=True))


def as_model(flatbuffer: bytes, spec: FinderSpec, name: str) -> ModelFile:
    """A flatbuffer as the device would read it."""
    return ModelFile(flatbuffer, Card(name, "find", spec.kinds, finder=spec), "", Path(name))


def check_runs(flatbuffer: bytes, net: NetShape, heat: int, image: UInt8Array) -> None:
    """Run a file at its own size and at another, and see that heat and boxes come out in order and in shape.

    Args:
        flatbuffer: float or int8.
        net: its shape.
        heat: channels of the heat.
        image: uint8 [h, w, 3] of the file's size, a field as the device feeds it.

    Raises:
        UnsupportedError: an op in the file keeps the size it was converted at, or the converter changed the outputs' order.
    """
    runner = Net(ModelFile(flatbuffer, None, "", Path("finder")))
    larger = np.pad(image, ((0, STEP), (0, 3 * STEP), (0, 0)), mode="symmetric")
    for fed in (image, larger):
        outputs = runner.run(fed[None])
        wanted = (1, fed.shape[0] // net.stride, fed.shape[1] // net.stride)
        if [output.shape for output in outputs] != [(*wanted, heat), (*wanted, 4)]:
            raise UnsupportedError(
                f"fed with {fed.shape[0]}x{fed.shape[1]} the file gives {' and '.join(str(o.shape) for o in outputs)}: "
                "a layer of it keeps the size it was converted at"
            )
        if outputs[HEAT].min() < 0 or outputs[HEAT].max() > 1 + 1e-6:
            raise UnsupportedError("the file's first output is not heat from 0 to 1: the device would misread it")


def _any_size(model: Any) -> dict[int, Any]:
    """What stands for layers that TFLite can only make with a fixed size, by their ``id``."""
    found = {}
    for layer in model._flatten_layers(include_self=False, recursive=True):  # noqa: SLF001 - nested nets too
        kind = type(layer).__name__
        if kind == "UpSampling2D" and layer.interpolation == "nearest" and tuple(layer.size) in _DOUBLINGS:
            found[id(layer)] = _enlarging(layer.name, _DOUBLINGS[tuple(layer.size)])
        elif kind in ("UpSampling2D", "Conv2DTranspose", "Resizing"):
            raise UnsupportedError(
                f"layer {layer.name!r} ({kind}) would keep the size it is converted at, and fields have many: "
                "use UpSampling2D with 'nearest', by 2 or 4, or depth to space"
            )
    return found


def _enlarging(name: str, times: int) -> Callable[[Any], Any]:
    """Nearest-neighbour doubling as depth-to-space of repeated channels: the same numbers, no size in the file."""

    def enlarge(tensor: Any) -> Any:
        import keras  # noqa: PLC0415

        for number in range(times):
            tensor = keras.layers.Concatenate(name=f"edge_{name}_repeat_{number}")([tensor] * 4)
            tensor = keras_classes()[DEPTH_TO_SPACE](name=f"edge_{name}_unpack_{number}")(tensor)
        return tensor

    return enlarge
