"""The ladder of recipes that a device file climbs where int8 loses too much, the cheap steps first.

The first steps change biases and ranges and cost the device nothing (``convert.net.bias``, ``convert.net.ranges``), the next keeps
the tensor to blame in float (``convert.classify.blame``); the last keeps every layer in float, which always gives back what the
float file is worth, at its cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from convert.classify.blame import TensorBlame, float_layers
from convert.net.int8 import LayerError, QuantisationRecipe, worst_with_next

INT8 = "int8"
"""The recipe of the first step: all layers int8."""

FEW = 100
"""Calibration cells of the step that takes fewer: narrower ranges, finer steps."""

_LEFT_OUT = (1e-4, 1e-3)
"""Shares of each tensor's values that ranges leave out."""

_FEWEST_CORRECTED = 50
"""Cells from which the usual error of a unit can be told."""

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_BLAMED = (1, 3)  # how many of the tensors to blame stay float


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One step of the ladder.

    Attributes:
        name: as the report says it.
        recipe: what stays float.
        cells: calibration cells.
        tuned: after fine-tuning.
        last: only where the gate would not be passed.
    """

    name: str
    recipe: QuantisationRecipe
    cells: int
    tuned: bool = False
    last: bool = False


def ladder(
    layers: tuple[LayerError, ...],
    blame: list[TensorBlame],
    there: int,
    cells: int,
    more_cells: int,
    *,
    learnt: tuple[tuple[str, float, float], ...] = (),
    corrected: int = 0,
) -> Iterator[LadderStep]:
    """The steps after plain int8.

    Args:
        layers: error of each layer, in the order of data.
        blame: the tensors to blame, the worst first; empty: it is not known.
        there: calibration cells that there are.
        cells: those of plain int8.
        more_cells: those of the step that takes more.
        learnt: ranges that the net's own training gives; empty: none.
        corrected: on how many cells biases can be corrected in reasonable time; few: they are not.
    """
    tried: set[tuple[str, ...]] = {()}

    def kept(name: str, tensors: tuple[str, ...]) -> Iterator[LadderStep]:
        if tensors not in tried:
            tried.add(tensors)
            yield LadderStep(name, QuantisationRecipe(float_layers=tensors), cells)

    if learnt:
        yield LadderStep(
            "int8 with the ranges that the net's training learnt", QuantisationRecipe(learnt=learnt), cells
        )
    correcting = corrected >= _FEWEST_CORRECTED
    if correcting:
        yield LadderStep("int8, biases corrected", QuantisationRecipe(corrected=corrected), cells)
    for share in _LEFT_OUT:
        yield LadderStep(f"int8, ranges without {share:.2%} of the values", QuantisationRecipe(left_out=share), cells)
    if correcting:
        both = QuantisationRecipe(left_out=_LEFT_OUT[-1], corrected=corrected)
        yield LadderStep(f"int8, ranges without {_LEFT_OUT[-1]:.2%} of the values, biases corrected", both, cells)
    yield from kept("int8, the tensor to blame in float", float_layers(blame, _BLAMED[0]))
    if min(cells, there) > FEW:
        yield LadderStep("int8 with fewer calibration cells", QuantisationRecipe(), FEW)
    yield from kept(f"int8, the {_BLAMED[1]} tensors to blame in float", float_layers(blame, _BLAMED[1]))
    if there > cells:
        yield LadderStep("int8 with more calibration cells", QuantisationRecipe(), more_cells)
    dense = [i for i, layer in enumerate(layers) if layer.op == "FULLY_CONNECTED"]
    tail = layers[dense[0] + 1 :] if dense else ()  # the first dense layer has nearly all the weights
    yield from kept("int8, the small dense layers at the end in float", tuple(layer.tensor for layer in tail))
    worst = worst_with_next(layers)
    yield from kept(f"int8, the {len(worst)} worst layers in float", worst)
    yield from kept("int8, the first layers in float", _first(layers))
    yield LadderStep(
        "int8 after quantisation-aware fine-tuning", QuantisationRecipe(), more_cells, tuned=True, last=True
    )
    every = tuple(layer.tensor for layer in layers)
    yield LadderStep("float: every layer", QuantisationRecipe(float_layers=every), cells, last=True)


def _first(layers: tuple[LayerError, ...]) -> tuple[str, ...]:
    """All up to the second convolution's input: a small signal on a large constant has few steps there."""
    convolutions = [i for i, layer in enumerate(layers) if layer.op in _CONVOLUTIONS]
    return tuple(layer.tensor for layer in layers[: convolutions[1]]) if len(convolutions) > 1 else ()
