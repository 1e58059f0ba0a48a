"""Walking a ``Graph`` with shapes in hand: what each layer gives and costs, and refusing what could never be built.

No Keras is needed, so a shape bomb is found before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from convert.errors import SourceError
from convert.reading.checked import Shape, elements
from convert.reading.graph import INPUT, Graph, Layer
from convert.reading.rules import cost

MAX_PARAMETERS = 500_000_000
MAX_ACTIVATION = 2**31
"""Numbers in one layer's output."""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer as measured. ``shape`` is its output without the batch (None: open or unknown); ``macs`` of one sample.

    ``path`` names the nets it is nested in, outermost first, then itself. ``parameters`` are counted once however often
    the layer is called, ``macs`` for each call.
    """

    path: tuple[str, ...]
    kind: str
    written_as: str
    shape: Shape
    parameters: int
    macs: int | None

    @property
    def name(self) -> str:
        """The layer's name with the nets it is in, as ``vgg16/block1_conv1``."""
        return "/".join(self.path)


@dataclass(frozen=True, slots=True)
class Measures:
    """A whole net as measured; ``macs`` is None where a side is open or a layer unknown."""

    layers: tuple[LayerFacts, ...]
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]

    @property
    def parameters(self) -> int:
        """All parameters, trainable and not."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one sample."""
        known = [layer.macs for layer in self.layers if layer.macs is not None]
        return sum(known) if len(known) == len(self.layers) else None


def measure(graph: Graph, size: tuple[int, int] | None = None, *, force: bool = False) -> Measures:
    """Measure a net.

    Args:
        graph: an admitted net.
        size: height and width for inputs that leave them open; with ``force`` for all inputs.
        force: see above.

    Raises:
        SourceError: shapes that do not fit, a layer with nothing in it, or more than any device or machine could hold.
    """
    inputs = [_given(graph.layer(ref.layer), size, force=force) for ref in graph.inputs]
    if any(shape is None for shape in inputs):
        raise SourceError(
            f"{graph.name!r} does not say what shape of input it takes: save it after it was trained or called"
        )
    walker = _Walker(size, force)
    outputs = walker.walk(graph, inputs, ())
    return Measures(tuple(walker.found.values()), tuple(inputs), tuple(outputs))


def resized(graph: Graph, size: tuple[int, int]) -> Graph:
    """The same net for images of ``size`` (height, width), the inputs of nested nets included; its weights still fit.

    Only for nets that ``inspection.takes_any_size``; raises SourceError where shapes no longer fit.
    """
    measures = measure(graph, size, force=True)
    inputs = {facts.path: facts.shape for facts in measures.layers if facts.kind == INPUT}
    return _with_inputs(graph, (), inputs)


def _with_inputs(graph: Graph, path: tuple[str, ...], inputs: dict[tuple[str, ...], Shape]) -> Graph:
    layers = []
    for layer in graph.layers:
        here = (*path, layer.name)
        if layer.body is not None:
            layers.append(replace(layer, body=_with_inputs(layer.body, here, inputs)))
        elif layer.kind == INPUT and here in inputs:
            layers.append(replace(layer, params={"shape": inputs[here]}))
        else:
            layers.append(layer)
    return replace(graph, layers=tuple(layers))


class _Walker:
    def __init__(self, size: tuple[int, int] | None, force: bool) -> None:
        self.size = size
        self.force = force
        self.found: dict[tuple[str, ...], LayerFacts] = {}
        self.parameters = 0
        self.steps = 0

    def walk(self, graph: Graph, inputs: Sequence[Shape], path: tuple[str, ...]) -> list[Shape]:
        """Output shapes of one call of a net."""
        done: dict[str, list[list[Shape]]] = {}
        for ref, shape in zip(graph.inputs, inputs, strict=False):
            done[ref.layer] = [[shape]]
            layer = graph.layer(ref.layer)
            self.found.setdefault((*path, layer.name), LayerFacts((*path, layer.name), layer.kind, INPUT, shape, 0, 0))
        if len(inputs) != len(graph.inputs):
            raise SourceError(f"{graph.name!r} takes {len(graph.inputs)} inputs, but is given {len(inputs)}")
        waiting = {layer.name: 0 for layer in graph.layers if layer.name not in done}
        progress = True
        while waiting and progress:
            progress = False
            for layer in graph.layers:
                progress |= self.advance(layer, done, waiting, path)
        if waiting:
            raise SourceError(f"the connections of {graph.name!r} run in a circle at layer {next(iter(waiting))!r}")
        try:
            return [done[ref.layer][ref.call][ref.tensor] for ref in graph.outputs]
        except IndexError as error:
            raise SourceError(f"{graph.name!r} hands out a tensor that no layer makes") from error

    def advance(
        self, layer: Layer, done: dict[str, list[list[Shape]]], waiting: dict[str, int], path: tuple[str, ...]
    ) -> bool:
        """Do the calls of a layer whose inputs are known; whether there was one."""
        at = waiting.get(layer.name)
        if at is None:
            return False
        if not layer.calls:
            raise SourceError(f"layer {layer.name!r} is connected to nothing")
        before = at
        while at < len(layer.calls):
            refs = layer.calls[at].refs()
            if any(len(done.get(ref.layer, ())) <= ref.call for ref in refs):
                break
            try:
                shapes = [done[ref.layer][ref.call][ref.tensor] for ref in refs]
            except IndexError as error:
                raise SourceError(f"layer {layer.name!r} takes a tensor that no layer makes") from error
            done.setdefault(layer.name, []).append(self.call(layer, shapes, at, path))
            at += 1
        waiting[layer.name] = at
        if at == len(layer.calls):
            del waiting[layer.name]
        return at > before

    def call(self, layer: Layer, shapes: list[Shape], at: int, path: tuple[str, ...]) -> list[Shape]:
        self.steps += 1
        if self.steps > 50_000:
            raise SourceError("nets nested in nets without end: refused")
        here = (*path, layer.name)
        if layer.body is not None:
            if not layer.body.sequential:
                declared = [_given(layer.body.layer(ref.layer), None, force=False) for ref in layer.body.inputs]
                _check_fit(layer, declared, shapes, strict=not self.force)
            return self.walk(layer.body, shapes, here)
        shape, parameters, macs = cost(layer, shapes, layer.calls[at])
        size = elements(shape)
        if size is not None and size > MAX_ACTIVATION:
            raise SourceError(
                f"layer {'/'.join(here)!r} would give {size:.1e} numbers per image: refused as a shape bomb"
            )
        earlier = self.found.get(here)
        if earlier is None:
            self.parameters += parameters
            if self.parameters > MAX_PARAMETERS:
                raise SourceError(
                    f"layer {'/'.join(here)!r} brings the model to {self.parameters:.1e} parameters "
                    f"(at most {MAX_PARAMETERS:.0e} are taken): refused as a shape bomb"
                )
        elif earlier.macs is not None and macs is not None:
            macs += earlier.macs
        self.found[here] = LayerFacts(here, layer.kind, layer.written_as or layer.kind, shape, parameters, macs)
        return [shape]


def _given(layer: Layer, size: tuple[int, int] | None, *, force: bool) -> Shape:
    shape: Shape = layer.params.get("shape") if layer.kind == INPUT else None
    if shape is None:
        return None
    if any(side is not None and side <= 0 for side in shape) or math.prod(side or 1 for side in shape) > MAX_ACTIVATION:
        raise SourceError(f"layer {layer.name!r}: an input of {shape} is refused as a shape bomb")
    if size is not None and len(shape) == 3 and (force or None in shape):
        return (*size, shape[2])
    return shape


def _check_fit(layer: Layer, declared: Sequence[Shape], given: Sequence[Shape], *, strict: bool) -> None:
    for want, got in zip(declared, given, strict=False):
        if want is None or got is None or not strict:
            continue
        if len(want) != len(got) or any(
            w is not None and g is not None and w != g for w, g in zip(want, got, strict=True)
        ):
            raise SourceError(f"the nested net {layer.name!r} wants the shape {want}, but is given {got}")
