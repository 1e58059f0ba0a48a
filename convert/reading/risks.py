"""What may go wrong with a model on the device, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from convert.reading.graph import AdmittedNet, words
from convert.reading.shapes import Measures

_LARGE_DENSE = 1_000_000  # parameters
_BIG_MACS = 20_000_000  # per cell
_CELLS = 350  # of a sample
PI4_MACS_PER_SECOND = 3e9
"""int8 on one core of a Pi 4, an A72 without dot products; an estimate, and called one."""

_SATURATING = words("tanh sigmoid hard_sigmoid hard_sigmoid_2")
_HARD_IN_INT8 = words(
    "LayerNormalization GroupNormalization UnitNormalization op:power op:divide edge:HSVToRGB edge:RGBToHSV"
)


def find(admitted: AdmittedNet, measured: Measures, rebuilt: Measures | None) -> Iterator[str]:
    """Each risk as a sentence."""
    yield from _size(measured, rebuilt)
    yield from _layers(admitted)
    if len(measured.inputs) != 1:
        yield f"it takes {len(measured.inputs)} inputs: the device gives one image"
    elif measured.inputs[0] is None or len(measured.inputs[0]) != 3:
        yield "its input is no image (height, width, channels)"
    elif measured.inputs[0][2] not in (1, 3):
        yield f"its image has {measured.inputs[0][2]} channels: the device gives 3 (or 1, grey)"


def _size(measured: Measures, rebuilt: Measures | None) -> Iterator[str]:
    layers = measured.layers
    for at, facts in enumerate(layers):
        if facts.kind == "Dense" and facts.parameters >= _LARGE_DENSE and at and layers[at - 1].kind == "Flatten":
            share = 100 * facts.parameters / max(1, measured.parameters)
            yield (
                f"{facts.name}: a Flatten before a dense layer of {facts.parameters / 1e6:.1f} M parameters "
                f"({share:.0f} % of the model); it also ties the net to its input size"
            )
    macs = measured.macs
    if macs is not None and macs > _BIG_MACS and len(measured.outputs) == 1:
        seconds = _CELLS * macs / PI4_MACS_PER_SECOND
        text = f"very large for a Pi: {macs / 1e6:,.0f} M MACs per cell, "
        text += f"about {seconds:,.0f} s for {_CELLS} cells on a Pi 4 (estimate)"
        if rebuilt is not None and rebuilt.macs is not None and rebuilt.macs < macs:
            small = _CELLS * rebuilt.macs / PI4_MACS_PER_SECOND
            text += f"; rebuilt at 32 x 32 {rebuilt.macs / 1e6:,.0f} M, about {small:,.1f} s"
        yield text


def _layers(admitted: AdmittedNet) -> Iterator[str]:
    hidden = [layer for layer in admitted.graph.leaves() if str(layer.params.get("activation")) in _SATURATING]
    if len(hidden) > 1:
        yield (
            f"{len(hidden)} layers end in sigmoid or tanh, which saturate: int8 may blur small differences there "
            f"({', '.join(layer.name for layer in hidden[:3])})"
        )
    for layer in admitted.graph.leaves():
        if layer.kind in _HARD_IN_INT8:
            yield f"{layer.name}: {layer.kind.split(':')[-1]} loses precision in int8 or leaves the fast path"
        if layer.kind.startswith("trusted:"):
            yield f"{layer.name}: a class of your own ({layer.written_as}); what it does on the device is for you to check"
        epsilon = layer.params.get("epsilon")
        if layer.kind == "BatchNormalization" and isinstance(epsilon, float) and epsilon < 1e-6:
            yield f"{layer.name}: a very small epsilon; channels that were constant in training become large in int8"
    for note in admitted.notes:
        if "also at inference" in note or "random at inference" in note:
            yield f"random at inference: {note}"
