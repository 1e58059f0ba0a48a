"""Walking a ``Graph`` with shapes in hand: what each layer gives and costs, and refusing what could never be built.

No Keras is needed, so a net too large for any machine is refused before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from convert.errors import SourceError
from convert.reading.checked import Shape, elements
from convert.reading.graph import INPUT, Graph, Layer
from convert.reading.rules import cost

MAX_PARAMETERS = 500_000_000
"""Far more than any classifier has, and 2 GB of float32."""
MAX_ACTIVATION = 2**31
"""How many numbers one layer's output may hold."""


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
        raise SourceError(f"{graph.name!r} does not say what shape of input it takes: save it after it was trained")
    walker = _Walker(size, force)
    outputs = walker.walk(graph, inputs, ())
    return Measures(tuple(walker.found.values()), tuple(inputs), tuple(outputs))


class _Walker:
    def __init__(self, size: tuple[int, int] | None, force: bool) -> None:
        self.size = size
        self.force = force
        self.found: dict[tuple[str, ...], LayerFacts] = {}
        self.parameters = 0
        self.steps = 0

    def walk(self, graph: Graph, inputs: Sequence[Shape], path: tuple[str, ...]) -> list[Shape]:
        """Output shapes of one call of a net."""
        if len(inputs) != len(graph.inputs):
            raise SourceError(f"{graph.name!r} takes {len(graph.inputs)} inputs, but is given {len(inputs)}")
        done: dict[str, list[list[Shape]]] = {}
        for ref, shape in zip(graph.inputs, inputs, strict=True):
            done[ref.layer] = [[shape]]
            here = (*path, ref.layer)
            self.found.setdefault(here, LayerFacts(here, graph.layer(ref.layer).kind, INPUT, shape, 0, 0))
        for layer, number in graph.in_order():
            try:
                shapes = [done[ref.layer][ref.call][ref.tensor] for ref in layer.calls[number].refs()]
            except IndexError as error:
                raise SourceError(f"layer {layer.name!r} takes a tensor that no layer makes") from error
            done.setdefault(layer.name, []).append(self.call(layer, shapes, number, path))
        try:
            return [done[ref.layer][ref.call][ref.tensor] for ref in graph.outputs]
        except IndexError as error:
            raise SourceError(f"{graph.name!r} gives a tensor that no layer makes") from error

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
            raise SourceError(f"layer {'/'.join(here)!r} would give {size:.1e} numbers per image: refused as too large")
        earlier = self.found.get(here)
        if earlier is None:
            self.parameters += parameters
            if self.parameters > MAX_PARAMETERS:
                raise SourceError(
                    f"layer {'/'.join(here)!r} brings the model to {self.parameters:.1e} parameters "
                    f"(at most {MAX_PARAMETERS:.0e} are taken): refused as too large"
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
        raise SourceError(f"layer {layer.name!r}: an input of {shape} is refused as too large")
    if size is not None and len(shape) == 3 and (force or None in shape):
        return (*size, shape[2])
    return shape


def _check_fit(layer: Layer, declared: Sequence[Shape], given: Sequence[Shape], *, strict: bool) -> None:
    """Raise SourceError where a nested net is given other shapes than it says it takes."""
    for want, got in zip(declared, given, strict=False):
        if want is None or got is None or not strict:
            continue
        if len(want) != len(got) or any(
            None not in pair and len(set(pair)) > 1 for pair in zip(want, got, strict=True)
        ):
            raise SourceError(f"the nested net {layer.name!r} wants the shape {want}, but is given {got}")
