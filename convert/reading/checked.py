"""Values from a stranger's config, each checked before it is used; what fails is a SourceError that names the layer."""

from __future__ import annotations

import math
import re
from typing import Any

from convert.errors import SourceError
from convert.reading import migrate
from convert.reading.graph import Layer

Shape = tuple[int | None, ...] | None
"""Without the batch; None is an open side, a whole shape of None is unknown."""
_MAX_LIST, _MAX_NUMBER = 4096, 2**31  # no honest option comes near


def plain(value: Any, label: str, key: str) -> Any:
    """An option as plain numbers, short texts and tuples of these."""
    value = migrate.untuple(value)
    if isinstance(value, list):
        if len(value) > _MAX_LIST:
            raise SourceError(f"layer {label!r}: its {key} is a list of {len(value)}: refused")
        return tuple(plain(item, label, key) for item in value)
    if value is None or (isinstance(value, bool | int) and abs(value) < _MAX_NUMBER):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str) and len(value) <= 40:
        return value
    raise SourceError(f"layer {label!r}: its {key} makes no sense")


def shape(dims: list[Any], label: str) -> tuple[int | None, ...]:
    """A shape from a config; None and -1 are open."""
    for dim in dims:
        if dim is not None and (isinstance(dim, bool) or not isinstance(dim, int) or not -2 < dim < _MAX_NUMBER):
            raise SourceError(f"layer {label!r}: its shape makes no sense")
        if dim == 0:
            raise SourceError(f"layer {label!r}: its shape has a side of 0")
    return tuple(None if dim == -1 else dim for dim in dims)


def name(text: Any) -> str:
    """A layer's name, without what Keras 3 does not take."""
    if not isinstance(text, str) or not 0 < len(text) <= 200:
        raise SourceError("a layer whose name is no short text: the config is damaged")
    return re.sub(r"[^A-Za-z0-9_.\-]", "_", text)


def positive(layer: Layer, key: str, default: int | None = None) -> int:
    """An option that must be a whole number above 0."""
    value = layer.params.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise SourceError(f"layer {layer.name!r}: its {key} is {value}, but must be at least 1: an empty layer")
    return value


def pair(layer: Layer, key: str, default: Any = 1, count: int = 2) -> tuple[int, ...]:
    """An option that is one whole number above 0, or one per axis."""
    value = layer.params.get(key)
    value = default if value is None else value
    values = value if isinstance(value, tuple) else (value,) * count
    if len(values) != count or any(isinstance(v, bool) or not isinstance(v, int) or v <= 0 for v in values):
        raise SourceError(f"layer {layer.name!r}: its {key} is {value}, but must be at least 1")
    return values


def elements(shape: Shape) -> int | None:
    """How many numbers a shape holds; None where a side is open."""
    return None if shape is None or None in shape else math.prod(s for s in shape if s is not None)


def channels_of(layer: Layer, shape: tuple[int | None, ...], rank: int | None = None) -> int:
    """The number of channels that go in; ``rank`` axes are wanted, without the batch."""
    if rank is not None and len(shape) != rank:
        raise SourceError(f"layer {layer.name!r}: it wants {rank} axes, but gets the shape {shape}")
    if not shape or shape[-1] is None:
        raise SourceError(f"layer {layer.name!r}: the number of channels that go in is open")
    return shape[-1]


def axis_of(layer: Layer, shape: tuple[int | None, ...], axis: Any) -> int:
    """A position in ``shape`` for an axis that counts the batch."""
    if isinstance(axis, bool) or not isinstance(axis, int) or not -len(shape) <= axis <= len(shape) or axis == 0:
        raise SourceError(f"layer {layer.name!r}: an axis {axis} that the shape {shape} does not have")
    return axis - 1 if axis > 0 else axis % len(shape)
