"""Output shape, parameters and multiply-accumulates of each kind of layer, from plain numbers.

Shapes are without the batch; None is an open side, and a whole shape of None is unknown (a layer of the user's own).
MACs of one sample: a convolution to [H, W, F] with a kernel [h, w] and C channels in G groups costs H W F h w C / G.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from convert.errors import SourceError
from convert.reading.checked import Shape, axis_of, channels_of, elements, pair, positive
from convert.reading.graph import Call, Layer, words
from convert.reading.operations import operation_shape, option

KnownShape = tuple[int | None, ...]
Cost = tuple[Shape, int, int | None]
"""(output shape, parameters, MACs or None where a side is open)"""

_ELEMENTWISE = words(
    "Activation ReLU LeakyReLU ELU Softmax Dropout SpatialDropout1D SpatialDropout2D Identity Rescaling UnitNormalization "
    "edge:HSVToRGB edge:RGBToHSV edge:FlipChannels"
)
_MERGE = words("Add Subtract Multiply Average Maximum Minimum")
_BROADCAST = words("op:add op:subtract op:multiply op:divide op:true_divide op:power op:maximum op:minimum")


def cost(layer: Layer, shapes: Sequence[Shape], call: Call) -> Cost:  # noqa: PLR0911 - one return per family
    """What one call of a layer without a body gives and costs; ``shapes`` are its inputs'."""
    if layer.kind.startswith("trusted:") or not shapes or any(shape is None for shape in shapes):
        return None, 0, None
    known = [shape for shape in shapes if shape is not None]
    first = known[0]
    kind = layer.kind
    if kind in _ELEMENTWISE:
        return first, 0, 0
    if kind in _MERGE or kind in _BROADCAST:
        return _broadcast(layer, known), 0, 0
    if kind in _COSTS:
        return _COSTS[kind](layer, first)
    if kind in _SHAPES:
        return _SHAPES[kind](layer, first), 0, 0
    if kind in ("Concatenate", "op:concatenate"):
        return _concatenated(layer, known, option(layer, call, "axis", 0, -1)), 0, 0
    if kind == "TimeDistributed" and layer.inner is not None:
        inside, parameters, macs = cost(layer.inner, [first[1:]], call)
        steps = first[0]
        return inside and (steps, *inside), parameters, None if macs is None or steps is None else macs * steps
    if kind.startswith("op:"):
        if kind == "op:reshape":
            target = option(layer, call, "newshape", 0)
            return reshaped(layer, first, target[1:]) if isinstance(target, tuple) and target else None, 0, 0
        return operation_shape(layer, first, call), 0, 0
    return None, 0, None


def _side(layer: Layer, size: int | None, kernel: int, stride: int, dilation: int = 1) -> int | None:
    if size is None:
        return None
    if layer.params.get("padding", "valid") == "valid":
        size = (size - (kernel - 1) * dilation - 1) // stride + 1
    else:
        size = -(-size // stride)
    if size <= 0:
        raise SourceError(f"layer {layer.name!r}: its kernel is larger than the image that reaches it")
    return size


def _conv(layer: Layer, shape: KnownShape) -> Cost:
    rank = 1 if layer.kind == "Conv1D" else 2
    channels = channels_of(layer, shape, rank + 1)
    depthwise, separable = layer.kind == "DepthwiseConv2D", layer.kind == "SeparableConv2D"
    kernel = pair(layer, "kernel_size", count=rank)
    stride, dilation = pair(layer, "strides", count=rank), pair(layer, "dilation_rate", count=rank)
    multiplier = positive(layer, "depth_multiplier", 1) if depthwise or separable else 1
    filters = channels * multiplier if depthwise else positive(layer, "filters")
    groups = positive(layer, "groups", 1)
    if channels % groups or filters % groups:
        raise SourceError(f"layer {layer.name!r}: {channels} channels do not fall into {groups} groups")
    if layer.kind == "Conv2DTranspose":
        sides = tuple(s and _grown(layer, s, k, t) for s, k, t in zip(shape, kernel, stride, strict=False))
        weights = math.prod(kernel) * channels * filters
        area = elements(shape[:-1])
    else:
        sides = tuple(_side(layer, *four) for four in zip(shape[:-1], kernel, stride, dilation, strict=True))
        weights = math.prod(kernel) * channels // groups * (multiplier if depthwise or separable else filters)
        if separable:
            weights += channels * multiplier * filters
        area = elements(sides)
    bias = filters if layer.params.get("use_bias", True) else 0
    return (*sides, filters), weights + bias, None if area is None else area * weights


def _grown(layer: Layer, size: int, kernel: int, stride: int) -> int:
    return size * stride if layer.params.get("padding") == "same" else size * stride + max(kernel - stride, 0)


def _dense(layer: Layer, shape: KnownShape) -> Cost:
    channels, units = channels_of(layer, shape), positive(layer, "units")
    rest = elements(shape[:-1])
    bias = units if layer.params.get("use_bias", True) else 0
    return (*shape[:-1], units), channels * units + bias, None if rest is None else rest * channels * units


def _pool(layer: Layer, shape: KnownShape) -> Shape:
    rank = 1 if layer.kind.endswith("1D") else 2
    channels = channels_of(layer, shape, rank + 1)
    size = pair(layer, "pool_size", 2, rank)
    stride = pair(layer, "strides", size, rank)
    return (*(_side(layer, *three) for three in zip(shape[:-1], size, stride, strict=True)), channels)


def _norm(layer: Layer, shape: KnownShape) -> Cost:
    axis = layer.params.get("axis", -1)
    axes = axis if isinstance(axis, tuple) else (-1 if axis is None else axis,)
    if layer.kind == "Normalization" and axis is None:
        return shape, 0 if layer.params.get("mean") is not None else 3, 0
    sides = [axis_of(layer, shape, a) for a in axes]
    size = math.prod(shape[a] or 0 for a in sides)
    if layer.kind == "Normalization":
        return shape, 0 if layer.params.get("mean") is not None else 2 * size + 1, 0
    kept = bool(layer.params.get("center", True)) + bool(layer.params.get("scale", True))
    return shape, size * (kept + (2 if layer.kind == "BatchNormalization" else 0)), 0


def _prelu(layer: Layer, shape: KnownShape) -> Cost:
    shared = layer.params.get("shared_axes") or ()
    shared = {axis_of(layer, shape, a) for a in (shared if isinstance(shared, tuple) else (shared,))}
    sides = [side for at, side in enumerate(shape) if at not in shared]
    if None in sides:
        raise SourceError(f"layer {layer.name!r}: a PReLU with a weight per pixel needs a fixed input size")
    return shape, math.prod(side or 1 for side in sides), 0


def reshaped(layer: Layer, shape: KnownShape, target: Any) -> Shape:
    """``target`` with its one -1 filled in."""
    sides = target if isinstance(target, tuple) else (target,)
    if any(isinstance(s, bool) or not isinstance(s, int) or s < -1 or s == 0 for s in sides) or sides.count(-1) > 1:
        raise SourceError(f"layer {layer.name!r}: the shape {target} makes no sense")
    total, fixed = elements(shape), math.prod(s for s in sides if s != -1)
    if total is None:
        return tuple(None if s == -1 else s for s in sides)
    if total % fixed or (-1 not in sides and total != fixed):
        raise SourceError(f"layer {layer.name!r}: {shape} cannot be brought to {target}")
    return tuple(total // fixed if s == -1 else s for s in sides)


def _border(layer: Layer, shape: KnownShape) -> Shape:
    sign, key = (1, "padding") if layer.kind == "ZeroPadding2D" else (-1, "cropping")
    value = layer.params.get(key, 1 if sign == 1 else 0)
    rows = value if isinstance(value, tuple) else (value, value)
    both = [tuple(r) if isinstance(r, tuple) else (r, r) for r in rows]
    channels = channels_of(layer, shape, 3)
    if len(both) != 2 or any(len(b) != 2 or not all(isinstance(v, int) and v >= 0 for v in b) for b in both):
        raise SourceError(f"layer {layer.name!r}: its {key} {value} makes no sense")
    sides = [None if s is None else s + sign * sum(b) for s, b in zip(shape, both, strict=False)]
    if any(s is not None and s <= 0 for s in sides):
        raise SourceError(f"layer {layer.name!r}: it crops more than there is")
    return (*sides, channels)


def _depth_to_space(layer: Layer, shape: KnownShape) -> Shape:
    channels = channels_of(layer, shape, 3)
    if channels % 4:
        raise SourceError(f"layer {layer.name!r}: {channels} channels are not a multiple of 4")
    return (*(s and s * 2 for s in shape[:2]), channels // 4)


def _broadcast(layer: Layer, shapes: Sequence[KnownShape]) -> Shape:
    rank = max(len(s) for s in shapes)
    sides: list[int | None] = []
    for column in zip(*[(1,) * (rank - len(s)) + s for s in shapes], strict=True):
        wide = {side for side in column if side != 1}
        if len(wide - {None}) > 1:
            raise SourceError(f"layer {layer.name!r}: the shapes {list(shapes)} do not fit together")
        sides.append(1 if not wide else None if None in wide else wide.pop())
    return tuple(sides)


def _concatenated(layer: Layer, shapes: Sequence[KnownShape], axis: Any) -> Shape:
    at = axis_of(layer, shapes[0], axis)
    if any(len(s) != len(shapes[0]) for s in shapes):
        raise SourceError(f"layer {layer.name!r}: the shapes {list(shapes)} do not fit together")
    column = [s[at] for s in shapes]
    whole = None if None in column else sum(s for s in column if s is not None)
    return (*shapes[0][:at], whole, *shapes[0][at + 1 :])


def _permuted(layer: Layer, shape: KnownShape) -> Shape:
    dims = layer.params.get("dims")
    if not isinstance(dims, tuple) or sorted(dims) != list(range(1, len(shape) + 1)):
        raise SourceError(f"layer {layer.name!r}: it permutes axes that are not there")
    return tuple(shape[d - 1] for d in dims)


def _pooled(layer: Layer, shape: KnownShape) -> Shape:
    """The shape after global pooling."""
    rank = 1 if layer.kind.endswith("1D") else 2
    channels = channels_of(layer, shape, rank + 1)
    return ((1,) * rank if layer.params.get("keepdims") else ()) + (channels,)


def _upsampled(layer: Layer, shape: KnownShape) -> Shape:
    size, channels = pair(layer, "size", 2), channels_of(layer, shape, 3)
    return (*(None if s is None else s * f for s, f in zip(shape, size, strict=False)), channels)


def _resized(layer: Layer, shape: KnownShape) -> Shape:
    return positive(layer, "height"), positive(layer, "width"), channels_of(layer, shape, 3)


def _dot(layer: Layer, _shape: KnownShape) -> Shape:
    raise SourceError(f"layer {layer.name!r}: Dot is not supported")


_COSTS: dict[str, Callable[[Layer, KnownShape], Cost]] = {
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"), _conv),
    **dict.fromkeys(("BatchNormalization", "LayerNormalization", "GroupNormalization", "Normalization"), _norm),
    "Dense": _dense,
    "PReLU": _prelu,
    "edge:LayerScale": lambda layer, shape: (shape, channels_of(layer, shape), 0),
}
_SHAPES: dict[str, Callable[[Layer, KnownShape], Shape]] = {  # of layers that cost nothing
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"), _pool),
    **{f"Global{kind}Pooling{axes}": _pooled for kind in ("Average", "Max") for axes in ("1D", "2D")},
    **dict.fromkeys(("ZeroPadding2D", "Cropping2D"), _border),
    **dict.fromkeys(("Resizing", "CenterCrop"), _resized),
    "Flatten": lambda _layer, shape: (elements(shape),),
    "Reshape": lambda layer, shape: reshaped(layer, shape, layer.params.get("target_shape")),
    "Permute": _permuted,
    "RepeatVector": lambda layer, shape: (positive(layer, "n"), *shape),
    "UpSampling2D": _upsampled,
    "Dot": _dot,
    "edge:DepthToSpace": _depth_to_space,
}
