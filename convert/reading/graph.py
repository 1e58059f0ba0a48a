"""A net as plain data: what a config says once it has been read, migrated and admitted. No Keras object is in it.

Everything downstream (shapes, inspection, the builder that makes the Keras model) works on this, so a stranger's
config never reaches Keras's own deserialiser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from convert.errors import SourceError

MODEL = "Model"  # the kind of a nested net
INPUT = "InputLayer"
OP_PREFIX = "op:"  # a bare operation in a functional graph (x / 127.5), not a layer


def words(text: str) -> frozenset[str]:
    """The words of a text: how the lists of this package are written."""
    return frozenset(text.split())


def table(text: str) -> dict[str, tuple[str, ...]]:
    """What stands behind the colon for each name before it, line by line: how the tables of this package are written."""
    rows = [line.partition(":") for line in text.strip().splitlines()]
    return {name: tuple(values.split()) for names, _, values in rows for name in names.split()}


@dataclass(frozen=True, slots=True)
class Ref:
    """One tensor: output number ``tensor`` of call number ``call`` of layer ``layer``."""

    layer: str
    call: int = 0
    tensor: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a layer. ``args``: plain values, slices, Refs, or tuples of these."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def refs(self) -> tuple[Ref, ...]:
        """All tensors that go in, in order."""
        return tuple(_refs((*self.args, *self.kwargs.values())))


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    ``kind`` is a class of the allow-list, ``MODEL`` (then ``body`` is its net), ``op:name``, or ``edge:name`` for a
    built-in stand-in, or ``trusted:name`` for a class of the user's own file. ``written_as`` is the class in the file.
    """

    name: str
    kind: str
    params: Mapping[str, Any]
    calls: tuple[Call, ...] = ()
    body: Graph | None = None
    inner: Layer | None = None
    trainable: bool = True
    written_as: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """A net: its layers in file order, and which tensors go in and come out.

    ``sequential`` is kept because the layout of saved weights depends on it.
    """

    name: str
    layers: tuple[Layer, ...]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    sequential: bool = False
    trainable: bool = True

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    def leaves(self) -> Iterator[Layer]:
        """All layers, those of nested nets in place of the nested nets."""
        for layer in self.layers:
            if layer.body is not None:
                yield from layer.body.leaves()
            else:
                yield layer

    def mapped(self, change: Callable[[tuple[str, ...], Layer], Layer], path: tuple[str, ...] = ()) -> Graph:
        """The same net with each leaf, those of nested nets too, replaced by ``change(path, leaf)``.

        ``path`` names the nets that the leaf is in, outermost first, then the leaf.
        """
        layers = []
        for layer in self.layers:
            here = (*path, layer.name)
            body = layer.body
            layers.append(change(here, layer) if body is None else replace(layer, body=body.mapped(change, here)))
        return replace(self, layers=tuple(layers))

    def in_order(self) -> Iterator[tuple[Layer, int]]:
        """Each layer with the number of its call, after all calls whose tensors it takes; the inputs are left out.

        Raises:
            SourceError: a layer is connected to nothing, or the connections run in a circle.
        """
        done = {ref.layer: 1 for ref in self.inputs}
        waiting = [layer for layer in self.layers if layer.name not in done]
        while waiting:
            count = len(done), sum(done.values())
            for layer in waiting:
                if not layer.calls:
                    raise SourceError(f"layer {layer.name!r} is connected to nothing")
                for number in range(done.get(layer.name, 0), len(layer.calls)):
                    if any(done.get(ref.layer, 0) <= ref.call for ref in layer.calls[number].refs()):
                        break
                    yield layer, number
                    done[layer.name] = number + 1
            waiting = [layer for layer in waiting if done.get(layer.name, 0) < len(layer.calls)]
            if waiting and count == (len(done), sum(done.values())):
                raise SourceError(f"the connections of {self.name!r} run in a circle at layer {waiting[0].name!r}")


@dataclass(frozen=True, slots=True)
class AdmittedNet:
    """A net whose every class is allowed, with ``notes`` on what was changed on the way, in plain words."""

    graph: Graph
    notes: tuple[str, ...]


def _refs(values: Any) -> Iterator[Ref]:
    for value in values:
        if isinstance(value, Ref):
            yield value
        elif isinstance(value, tuple):
            yield from _refs(value)
