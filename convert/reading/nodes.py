"""How layers are wired: the ``inbound_nodes`` of a functional config, in Keras 3's form and in that of Keras 2."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

from convert.errors import SourceError, UntrustedError
from convert.reading.graph import Call, Graph, Ref
from convert.reading.migrate import untuple

_MAX_CALLS = 1000  # of one layer; no honest model comes near
_MAX_ITEMS = 4096  # of one list
_CONSTANT = "_CONSTANT_VALUE"


def parse_calls(nodes: Any, label: str, notes: list[str], *, by_default: bool = False) -> tuple[Call, ...]:
    """All uses of a layer; ``by_default``: training=True is what Keras writes itself, and predict() overrules it."""
    if not isinstance(nodes, list) or len(nodes) > _MAX_CALLS:
        raise SourceError(f"layer {label!r}: its connections make no sense")
    calls = [_call(node, label) for node in nodes]
    if not by_default and any(call.kwargs.get("training") is True for call in calls):
        notes.append(f"layer {label!r} is called with training=True, so also at inference: called without here")
    return tuple(Call(c.args, {k: v for k, v in c.kwargs.items() if k != "training"}) for c in calls)


def parse_refs(value: Any) -> tuple[Ref, ...]:
    """The tensors of ``input_layers`` or ``output_layers``, whatever they are packed in."""
    if isinstance(value, dict):
        return tuple(ref for item in value.values() for ref in parse_refs(item))
    if not isinstance(value, list):
        raise SourceError("the inputs or outputs of the model make no sense")
    if _is_ref(value):
        return (_ref(value),)
    return tuple(ref for item in value for ref in parse_refs(item))


def graph_call(call: Call, config: dict[str, Any], label: str) -> Call:
    """A call of a ``TensorFlowOpLayer``: its constants stand in its config, by the place among the arguments."""
    constants = config.get("constants") or {}
    if not isinstance(constants, dict) or len(constants) > _MAX_CALLS:
        raise SourceError(f"layer {label!r}: its constants make no sense")
    given = {int(place): _value(untuple(value), label) for place, value in constants.items()}
    args: list[Any] = list(call.refs())
    for place in sorted(given):
        args.insert(place, given[place])
    attributes = (config.get("node_def") or {}).get("attr") or {}
    keeps = (attributes.get("keep_dims") or {}).get("b") is True
    return Call(tuple(args), {"keepdims": True} if keeps else {})


def settle_calls(graph: Graph) -> Graph:
    """Count the calls of nested nets from 0 (some Keras versions count their making as call 0) and check all references."""
    used: dict[str, set[int]] = {}
    for ref in (*graph.inputs, *graph.outputs, *(r for layer in graph.layers for c in layer.calls for r in c.refs())):
        used.setdefault(ref.layer, set()).add(ref.call)
    shift: dict[str, int] = {}
    for layer in graph.layers:
        calls = max(1, len(layer.calls))
        indices = used.pop(layer.name, set())
        if indices and max(indices) >= calls:
            if layer.body is None or max(indices) > calls:
                raise SourceError(f"layer {layer.name!r} is used before it is called: the config is damaged")
            shift[layer.name] = 1
    if used:
        raise SourceError(f"the config refers to a layer {min(used)!r} that it does not hold")
    return replace(
        graph,
        layers=tuple(replace(layer, calls=tuple(_shifted(c, shift) for c in layer.calls)) for layer in graph.layers),
        inputs=tuple(_shifted_value(ref, shift) for ref in graph.inputs),
        outputs=tuple(_shifted_value(ref, shift) for ref in graph.outputs),
    )


def _shifted(call: Call, shift: dict[str, int]) -> Call:
    return Call(_shifted_value(call.args, shift), {k: _shifted_value(v, shift) for k, v in call.kwargs.items()})


def _shifted_value(value: Any, shift: dict[str, int]) -> Any:
    if isinstance(value, Ref):
        return replace(value, call=max(0, value.call - shift.get(value.layer, 0)))
    return tuple(_shifted_value(item, shift) for item in value) if isinstance(value, tuple) else value


def _call(node: Any, label: str) -> Call:
    if isinstance(node, dict):
        args = tuple(_value(item, label) for item in node.get("args") or [])
        kwargs = {str(k): _value(v, label) for k, v in (node.get("kwargs") or {}).items()}
    elif isinstance(node, list) and node and isinstance(node[0], str):  # a TensorFlow function: not wrapped in a list
        args, kwargs = (_leading(node, label),), _old_kwargs(node, label)
    elif isinstance(node, list) and node:
        refs = tuple(_leading(item, label) for item in node)
        args, kwargs = (refs if len(refs) > 1 else refs[0],), _old_kwargs(node[0], label)
    else:
        raise SourceError(f"layer {label!r}: its connections make no sense")
    return Call(args, {k: v for k, v in kwargs.items() if v is not None and k != "name"})


def _leading(item: list[Any], label: str) -> Any:
    if item[0] == _CONSTANT:
        return _value(item[2], label)
    return _ref(item)


def _old_kwargs(item: list[Any], label: str) -> dict[str, Any]:
    given = item[3] if len(item) > 3 and isinstance(item[3], dict) else {}
    return {str(key): _value(untuple(value) if key == "slice_spec" else value, label) for key, value in given.items()}


def _slice(item: dict[str, Any], label: str) -> slice:
    ends = [item.get(key) for key in ("start", "stop", "step")]
    if not all(end is None or isinstance(end, int) for end in ends):
        raise SourceError(f"layer {label!r}: a slice that makes no sense")
    return slice(*ends)


def _object(value: dict[str, Any], label: str) -> Any:
    inside = value.get("config")
    match value.get("class_name"):
        case "__keras_tensor__":
            return _ref(value["config"]["keras_history"])
        case "__ellipsis__":
            return ...
        case "__slice__" if isinstance(inside, dict):
            return _slice(inside, label)
        case "__tuple__":
            return tuple(_value(item, label) for item in value["items"])
        case "__numpy__" | "__tensor__" if isinstance(inside, dict):
            return _value(inside["value"], label)
    raise UntrustedError(f"layer {label!r} is called with an object ({str(value.get('class_name'))[:60]}): refused")


def _value(value: Any, label: str) -> Any:
    if isinstance(value, dict):
        return _slice(value, label) if value.keys() == {"start", "stop", "step"} else _object(value, label)
    if isinstance(value, list):
        if _is_ref(value):
            return _ref(value)
        if len(value) > _MAX_ITEMS:
            raise SourceError(f"layer {label!r} is called with a list of {len(value)}: refused")
        return tuple(_value(item, label) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise SourceError(f"layer {label!r} is called with a number that is not finite")
    if isinstance(value, str) and len(value) > 200:
        raise SourceError(f"layer {label!r} is called with a text that makes no sense")
    return value


def _is_ref(value: list[Any]) -> bool:
    return (
        len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(v, int) and not isinstance(v, bool) for v in value[1:3])
        and (len(value) == 3 or isinstance(value[3], dict))
    )


def _ref(value: Any) -> Ref:
    if not isinstance(value, list) or not _is_ref(value) or value[1] < 0 or value[2] < 0:
        raise SourceError("a connection between layers makes no sense: the config is damaged")
    return Ref(re.sub(r"[^A-Za-z0-9_.\-]", "_", value[0]), value[1], value[2])
