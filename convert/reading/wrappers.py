"""Nets of TensorFlow Model Optimization: trained with rounding (quantisation-aware) or pruned, each layer in a wrapper.

The wrapper is taken off and the layer in it goes the way of any layer. Its weights are found by their names (HDF5) or by their
place (``.keras``). So are, in HDF5, the ranges that training with rounding learnt: int8 may take them
(``convert.classify.ladder``). In ``.keras`` they have no names, and are not used.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from convert.errors import SourceError
from convert.reading import hdf5
from convert.reading.graph import Graph, words

PACKAGE = "tensorflow_model_optimization"
WRAPPERS = words("QuantizeWrapper QuantizeWrapperV2 PruneLowMagnitude")
"""Classes that hold one layer, as ``layer``."""

_INPUT = "QuantizeLayer"  # rounds the net's input
_ACTIVATIONS = words("QuantizeAwareActivation NoOpActivation")
NOTE = (
    "layers were trained in wrappers of TensorFlow Model Optimization (quantisation-aware or pruned): taken off; ranges that such "
    "training learnt are tried where int8 needs them and the file names them (.h5)"
)


def unwrapped(node: Mapping[str, Any]) -> dict[str, Any] | None:
    """The layer in a wrapper, as a node in the wrapper's place and under its name; None: the node is no wrapper."""
    module, name = node.get("module"), str(node.get("class_name"))
    if module is not None and not str(module).startswith(f"{PACKAGE}."):
        return None
    config = node.get("config")
    if not isinstance(config, dict):
        return None
    place = {key: node[key] for key in ("name", "inbound_nodes") if key in node}
    own = config.get("name")
    if name == _INPUT and "quantizer" in config:
        return {"class_name": "Identity", "config": {"name": own}, **place}
    inner = config.get("layer")
    if name not in WRAPPERS or not isinstance(inner, dict) or not isinstance(inner.get("config"), dict):
        return None
    options = {**inner["config"], "name": own}
    if "activation" in options:
        options["activation"] = _activation(options["activation"])
    return {**inner, **place, "config": options}


def is_wrapped(graph: Graph) -> bool:
    """Whether a layer of the net stood in a wrapper."""
    return any(layer.written_as in WRAPPERS for layer in graph.layers)


def restore(path: Path, graph: Graph, model: Any) -> None:
    """Give a net whose wrappers were taken off its weights.

    Args:
        path: of the HDF5 file, or of the weights of a ``.keras`` archive; its links are checked already.
        graph: the net; it nests no others, which quantisation-aware training does not allow.
        model: built of ``graph``.

    Raises:
        SourceError: a weight is missing or has another shape; names the layer.
    """
    with hdf5.opened(path) as file:
        by_name = file.get("model_weights")
        places = dict(_places(graph))
        for layer in model.layers:
            if not layer.weights:
                continue
            if by_name is not None:
                values = _named(by_name.get(layer.name), layer)
            else:
                values = _placed(file.get(f"layers/{places.get(layer.name)}"), len(layer.weights))
            if [value.shape for value in values] != [tuple(weight.shape) for weight in layer.weights]:
                raise SourceError(f"layer {layer.name!r}: its weights are not where its wrapper keeps them")
            layer.set_weights(values)
        for layer in model.layers if by_name is not None else ():
            found = _learnt(by_name.get(layer.name))
            if found is not None:
                layer.learnt_range = found


def learnt_ranges(model: Any) -> dict[str, tuple[float, float]]:
    """What layers of a loaded net give out, lowest and highest value, as training with rounding learnt it; by the layer's name.

    The last layer is not among them: what comes out of the net keeps its own range.
    """
    found = {layer.name: getattr(layer, "learnt_range", None) for layer in model.layers[:-1]}
    return {name: (float(known[0]), float(known[1])) for name, known in found.items() if known is not None}


def _learnt(group: Any) -> tuple[float, float] | None:
    """The range of a layer's output that its wrapper learnt; None where it has none or was never trained."""
    known = {name.rpartition(":")[0]: item[()] for name, item in _items(group) if getattr(item, "size", 0) == 1}
    if float(known.get("optimizer_step", -1)) < 0:
        return None
    for name in ("post_activation", "output"):
        low, high = known.get(f"{name}_min"), known.get(f"{name}_max")
        if low is not None and high is not None and -math.inf < float(low) < float(high) < math.inf:
            return float(low), float(high)
    return None


def _activation(value: Any) -> Any:
    for _ in range(2):  # one may hold the other
        if isinstance(value, dict) and value.get("class_name") in _ACTIVATIONS:
            config = value.get("config")
            value = config.get("activation", "linear") if isinstance(config, dict) else "linear"
    return value


def _named(group: Any, layer: Any) -> list[Any]:
    """Weights of an HDF5 group by the last part of their names, in the order of the layer's own; what is not there is left out."""
    found: dict[str, Any] = {}
    for name, item in _items(group):
        found.setdefault(name, item)
    values = []
    for weight in layer.weights:
        names = (f"{weight.name}:0", f"depthwise_{weight.name}:0", f"pointwise_{weight.name}:0")
        item = next((found[name] for name in names if name in found), None)
        if item is not None:
            values.append(item[()])
    return values


def _items(group: Any) -> Iterator[tuple[str, Any]]:
    """Arrays in a group and the groups in it, with the last part of their names; outer ones first."""
    pending = [group] if group is not None else []
    while pending:
        for name, item in pending.pop().items():
            if hasattr(item, "shape"):
                yield name, item
            else:
                pending.append(item)


def _placed(group: Any, count: int) -> list[Any]:
    """Weights by their number: those of the layer inside; the kernel is the wrapper's first where it is the wrapper's own."""
    if group is None:
        return []
    inner, own = ([part[key][()] for key in sorted(part, key=int)] for part in (_vars(group, "layer"), _vars(group)))
    if "layer" not in group and len(own) == count:
        return own  # a layer without a wrapper
    return inner if len(inner) == count else [*own[:1], *inner]


def _vars(group: Any, *path: str) -> Any:
    return group.get("/".join((*path, "vars")), {})


def _places(graph: Graph) -> Iterator[tuple[str, str]]:
    """(name of a layer, name of its group): Keras numbers the layers of each class."""
    used: Counter[str] = Counter()
    for layer in graph.layers:
        snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", layer.written_as)).lower()
        yield layer.name, f"{snake}_{used[snake]}" if used[snake] else snake
        used[snake] += 1
