"""What a finder's outputs mean, read from its config alone: their roles, the stride, and the finder part of the card.

| role | channels | meaning |
|---|---|---|
| heat | one per kind | how sure the net is that a cell of that kind is centred here; a sigmoid is added where it ends in none |
| boxes | 4 | dx, dy from the position's middle in strides; w, h in typical cells |
| offset, size | 2 and 2 | the same four in two outputs: joined in the device file |

The output's name decides its role; where it says nothing, channels and activation do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from convert.errors import ModelError, UnsupportedError
from convert.reading.graph import Graph
from convert.reading.inspection import last_activation, takes_any_size
from convert.reading.shapes import measure
from edge.card import Card, FinderSpec, check_card
from edge.finders.learned import GUESS_PX

STEP = 8
"""The device pads its input to a multiple of this."""

OPEN_SIZE = (GUESS_PX * 3 // 4, GUESS_PX)
"""Input (height, width) of the file where the net leaves it open; the device runs any other."""

_NAMES = (
    ("offset", r"off|shift|delta"),
    ("size", r"size|wh|dim|extent"),
    ("boxes", r"box|reg"),
    ("heat", r"heat|hm|cent|score|conf|prob|peak"),
)


@dataclass(frozen=True, slots=True)
class NetOutput:
    """One output of a net: its layer's name, height, width and channels at ``NetShape.size``, the last activation."""

    name: str
    height: int
    width: int
    channels: int
    activation: str


@dataclass(frozen=True, slots=True)
class NetShape:
    """A finder's net as its config tells it.

    Attributes:
        size: (height, width) of the file's input in pixels, multiples of ``STEP``.
        stride: input pixels per output pixel.
        outputs: all of them.
        macs: multiply-accumulates at ``size``.
        parameters: of the net.
    """

    size: tuple[int, int]
    stride: int
    outputs: tuple[NetOutput, ...]
    macs: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Roles:
    """Which output is what: indices; ``boxes`` is one index, or two (offset, size). ``logits``: the heat lacks its sigmoid."""

    heat: int
    boxes: tuple[int, ...]
    logits: bool


def shape_of(graph: Graph) -> NetShape:
    """Check that the device can run the net on fields of any size, and measure it; raises UnsupportedError."""
    native = measure(graph)
    first = native.inputs[0] if len(native.inputs) == 1 else None
    if first is None or len(first) != 3 or first[2] != 3:
        raise UnsupportedError("a finder takes one RGB image [height, width, 3]: this net does not")
    if not takes_any_size(graph, native):
        raise UnsupportedError("not fully convolutional: a layer is tied to one image size, and fields have many")
    height, width = (-(-(side or usual) // STEP) * STEP for side, usual in zip(first[:2], OPEN_SIZE, strict=True))
    here = measure(graph, (height, width), force=True)
    outputs = tuple(
        _output(graph, number, shape)
        for number, shape in enumerate(here.outputs)
        if shape is not None and len(shape) == 3
    )
    if len(outputs) != len(graph.outputs) or len(outputs) < 2:
        raise UnsupportedError(f"a finder has maps for outputs, heat and boxes: this net has {len(outputs)} such")
    strides = {height // max(one.height, 1) for one in outputs}
    stride = min(strides)
    if (
        len(strides) > 1
        or not _follows(graph, (height, width), stride)
        or not _follows(graph, (height + STEP, width), stride)
    ):
        raise UnsupportedError(
            f"its outputs do not follow the input by one whole stride for every size that is a multiple of {STEP} "
            "pixels, which is what the device feeds: halve at most three times, with padding 'same'"
        )
    return NetShape((height, width), stride, outputs, here.macs or 0, here.parameters)


def roles_of(outputs: Sequence[NetOutput]) -> Roles:
    """Which output has which role; raises UnsupportedError where names, channels and activations leave it open."""
    named: dict[str, list[int]] = {}
    for number, one in enumerate(outputs):
        named.setdefault(_by_name(one.name), []).append(number)
    unnamed = named.pop("", [])
    if len(unnamed) == 2 and not named:
        named = _by_form(outputs, unnamed)
    elif len(unnamed) == 1 and "heat" not in named:
        named["heat"] = unnamed
    elif len(unnamed) == 1 and not named.keys() & {"boxes", "offset", "size"}:
        named["boxes"] = unnamed
    heat, boxes = named.get("heat", []), named.get("boxes", [])
    if not boxes and "size" in named and "offset" in named:
        boxes = [*named["offset"], *named["size"]]
    if len(heat) != 1 or [outputs[i].channels for i in boxes] not in ([4], [2, 2]):
        seen = ", ".join(f"{one.name} ({one.channels} channels, {one.activation})" for one in outputs)
        raise UnsupportedError(
            f"cannot tell heat from boxes among its outputs {seen}: name the layers 'heat' and 'boxes' (4 channels: dx, dy, w, h), "
            "or 'heat', 'offset' and 'size'"
        )
    return Roles(heat[0], tuple(boxes), outputs[heat[0]].activation != "sigmoid")


def spec_of(
    channels: int, stride: int, labels: tuple[str, ...], cell_px: float | None, like: FinderSpec | None
) -> tuple[FinderSpec, bool]:
    """The card's part for the device, and whether its thresholds are still to be chosen; raises UnsupportedError.

    Args:
        channels: of the heat.
        stride: input pixels per output pixel.
        labels: kinds as the user names them, in the order of the heat's channels; empty: those of ``like``.
        cell_px: width of a typical box at the net's input; None: that of ``like``.
        like: the finder to take what is not given from.
    """
    kinds = labels or (like.kinds if like is not None else ("cell",) * (channels == 1))
    if len(kinds) != channels:
        told = f"{len(kinds)} kinds are named ({', '.join(kinds)})" if kinds else "nothing says what they are"
        raise UnsupportedError(
            f"the net's heat has {channels} channels, {told}: name them with --labels, as cell,suspect,not-platelet, "
            "or give a finder like it with --like"
        )
    size = cell_px if cell_px is not None else like.cell_px if like is not None else None
    if size is None:
        raise UnsupportedError(
            "the net does not say how wide a cell is at its input: give --cell-px PIXELS, "
            "or a finder trained at the same scale with --like"
        )
    if like is not None and like.stride != stride:
        raise UnsupportedError(f"the net's stride is {stride}, that of the finder of --like is {like.stride}")
    base = like if like is not None else FinderSpec()
    known = like is not None and like.kinds == kinds
    thresholds = base.thresholds if known else FinderSpec().thresholds * channels
    spec = replace(base, kinds=kinds, thresholds=thresholds, cell_px=float(size), stride=stride)
    try:
        check_card(Card("finder", "find", kinds, finder=spec))
    except ValueError as error:
        raise UnsupportedError(f"the device would not take this finder ({', '.join(kinds)}): {error}") from error
    return spec, not known


def _output(graph: Graph, number: int, shape: Sequence[int | None]) -> NetOutput:
    ref = graph.outputs[number]
    height, width, channels = (int(side or 0) for side in shape)
    return NetOutput(ref.layer, height, width, channels, last_activation(replace(graph, outputs=(ref,))))


def _follows(graph: Graph, size: tuple[int, int], stride: int) -> bool:
    wanted = tuple(side // stride for side in size)
    try:
        shapes = measure(graph, size, force=True).outputs
    except ModelError:  # two branches that do not meet
        return False
    exact = all(side % stride == 0 for side in size)
    return exact and all(shape is not None and tuple(shape[:2]) == wanted for shape in shapes)


def _by_name(name: str) -> str:
    return next((role for role, pattern in _NAMES if re.search(pattern, name.lower())), "")


def _by_form(outputs: Sequence[NetOutput], two: list[int]) -> dict[str, list[int]]:
    """Heat and boxes of two outputs without telling names: the only one of 4 channels is the boxes, or the only sigmoid the heat."""
    four = [i for i in two if outputs[i].channels == 4]
    hot = [i for i in two if outputs[i].activation == "sigmoid"]
    boxes = four if len(four) == 1 else [i for i in two if i not in hot] if len(hot) == 1 else []
    return {"boxes": boxes, "heat": [i for i in two if i not in boxes]}
