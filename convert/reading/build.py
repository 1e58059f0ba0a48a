"""From a ``Graph`` to a Keras model, layer by layer, with classes taken from the allow-list alone. Needs TensorFlow.

The nesting is kept, because saved weights are laid out by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from convert.errors import ModelError, SourceError, gist
from convert.reading import allow
from convert.reading.graph import INPUT, OP_PREFIX, Call, Graph, Layer, Ref, words
from convert.reading.layers import keras_classes

_ARITHMETIC = words("op:add op:subtract op:multiply op:divide op:true_divide op:power op:maximum op:minimum")


def build(graph: Graph, trusted: Mapping[str, Any] | None = None) -> Any:
    """The Keras model of a graph, with fresh weights.

    Args:
        graph: admitted and measured.
        trusted: the user's own classes and functions by name, from ``trust.load``.

    Raises:
        SourceError: Keras cannot make it; names the layer.
    """
    builder = _Builder(trusted or {})
    builder.reserve(graph)
    return builder.model(graph)


class _Builder:
    def __init__(self, trusted: Mapping[str, Any]) -> None:
        import keras  # noqa: PLC0415

        self.keras = keras
        self.trusted = trusted

    def reserve(self, graph: Graph) -> None:
        """Keep Keras from naming a bare operation, here or when the net is replayed, as a layer of the file is named."""
        for layer in graph.layers:
            base, _, number = layer.name.rpartition("_")
            wanted = int(number) + 1 if base and number.isdecimal() and len(number) < 5 else 1
            stem = base if wanted > 1 or (base and number == "0") else layer.name
            while self.keras.backend.get_uid(stem) < wanted:
                pass
            if layer.body is not None:
                self.reserve(layer.body)

    def model(self, graph: Graph) -> Any:
        made = {layer.name: self.layer(layer) for layer in graph.layers}
        if graph.sequential:
            stack = [made[layer.name] for layer in graph.layers if made[layer.name] is not None]
            try:
                model = self.keras.Sequential(stack, name=graph.name)
            except (ValueError, TypeError) as error:
                raise SourceError(f"{graph.name!r} cannot be built: {gist(error)}") from error
        else:
            model = self.functional(graph, made)
        if not graph.trainable:
            model.trainable = False
        return model

    def functional(self, graph: Graph, made: Mapping[str, Any]) -> Any:
        outputs: dict[str, list[Any]] = {ref.layer: [[made[ref.layer].output]] for ref in graph.inputs}
        for layer, number in graph.in_order():
            made_of = self.call(layer, made[layer.name], layer.calls[number], outputs)
            outputs.setdefault(layer.name, []).append(made_of)
        ends = [outputs[ref.layer][ref.call][ref.tensor] for ref in graph.outputs]
        starts = [outputs[ref.layer][ref.call][ref.tensor] for ref in graph.inputs]
        taken, given = (one[0] if len(one) == 1 else one for one in (starts, ends))
        try:
            return self.keras.Model(taken, given, name=graph.name)
        except (ValueError, TypeError) as error:
            raise SourceError(f"{graph.name!r} cannot be built: {gist(error)}") from error

    def call(self, layer: Layer, made: Any, call: Call, outputs: Mapping[str, list[Any]]) -> list[Any]:
        args = [_filled(value, outputs) for value in call.args]
        kwargs = {key: _filled(value, outputs) for key, value in call.kwargs.items()}
        if layer.kind in _ARITHMETIC:
            args = [np.asarray(value, np.float32) if isinstance(value, list) else value for value in args]
        try:
            result = made(*args, **kwargs)
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise SourceError(f"layer {layer.name!r} ({layer.kind}) cannot be built: {gist(error)}") from error
        return list(result) if isinstance(result, list | tuple) else [result]

    def layer(self, layer: Layer) -> Any:
        """A layer of Keras, a nested model, or a function for a bare operation; None for an input of unknown shape."""
        if layer.body is not None:
            return self.model(layer.body)
        if layer.kind.startswith(OP_PREFIX):
            return self.operation(layer)
        if layer.kind == INPUT:
            shape = layer.params["shape"]
            return None if shape is None else self.keras.layers.InputLayer(shape=shape, name=layer.name)
        try:
            return self.make(layer)
        except ModelError:
            raise
        except Exception as error:
            raise SourceError(f"layer {layer.name!r} ({layer.kind}) cannot be made: {gist(error)}") from error

    def make(self, layer: Layer) -> Any:
        params = {key: self.param(key, value) for key, value in layer.params.items()}
        if layer.kind.startswith("trusted:"):
            cls = self.trusted[layer.kind.removeprefix("trusted:")]
            return cls.from_config(params)
        if layer.kind.startswith("edge:"):
            cls = keras_classes()[layer.kind]
        elif layer.kind in allow.LAYERS:
            cls = getattr(self.keras.layers, layer.kind)
        else:
            raise SourceError(f"layer {layer.name!r}: no class {layer.kind}")
        if layer.inner is not None:
            params["layer"] = self.layer(layer.inner)
        made = cls(name=layer.name, **params)
        made.trainable = layer.trainable
        return made

    def param(self, key: str, value: Any) -> Any:
        if isinstance(value, Layer):
            return self.make(value)
        if key == "activation" and value == "hard_sigmoid_2":
            return self.old_hard_sigmoid
        if key == "activation" and isinstance(value, str) and value.startswith("trusted:"):
            return self.trusted[value.removeprefix("trusted:")]
        listed = isinstance(value, tuple) and key in ("axis", "mean", "variance", "scale", "offset")
        return list(value) if listed else value

    def old_hard_sigmoid(self, x: Any) -> Any:
        """Keras 2's: clip(0.2 x + 0.5, 0, 1)."""
        return self.keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)

    def operation(self, layer: Layer) -> Callable[..., Any]:
        """A function of keras.ops with the layer's options bound."""
        name = layer.kind.removeprefix(OP_PREFIX)
        if name == "get_item":
            return lambda x, key: x[key]
        function = getattr(self.keras.ops.image if name == "resize" else self.keras.ops, name)
        return lambda *args, **kwargs: function(*args, **{**layer.params, **kwargs})


def _filled(value: Any, outputs: Mapping[str, list[Any]]) -> Any:
    if isinstance(value, Ref):
        return outputs[value.layer][value.call][value.tensor]
    if isinstance(value, tuple):
        filled = [_filled(item, outputs) for item in value]
        return tuple(filled) if any(isinstance(item, slice) or item is Ellipsis for item in value) else filled
    return value
