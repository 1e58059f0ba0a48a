"""Output shapes of bare operations in a functional graph (``x / 127.5``, ``x[..., ::-1]``), with the batch as axis 0.

Shapes come and go without the batch, as everywhere here; what is not understood gives None, an unknown shape.
"""

from __future__ import annotations

from typing import Any

from convert.reading.checked import Shape, axis_of
from convert.reading.graph import OP_PREFIX, Call, Layer, Ref, words

_REDUCE = words("mean max min sum")


def operation_shape(layer: Layer, shape: tuple[int | None, ...], call: Call) -> Shape:  # noqa: PLR0911 - one per family
    """Output shape of one call; ``shape`` is that of the first tensor."""
    kind = layer.kind.removeprefix(OP_PREFIX)
    if kind in _REDUCE:
        return _reduced(layer, shape, option(layer, call, "axis", 0), option(layer, call, "keepdims", 1))
    if kind == "get_item":
        return _sliced(shape, option(layer, call, "key", 0))
    if kind in ("expand_dims", "squeeze"):
        return _stretched(kind, layer, shape, option(layer, call, "axis", 0))
    if kind == "transpose":
        return _transposed(shape, option(layer, call, "axes", 0))
    if kind == "resize":
        size = option(layer, call, "size", 0)
        sides = size if isinstance(size, tuple) and len(size) == 2 and all(isinstance(s, int) for s in size) else None
        return (*sides, shape[-1]) if sides and len(shape) == 3 else None
    if kind == "stack":
        axis = option(layer, call, "axis", 0, 0)
        at = axis if axis >= 0 else axis + len(shape) + 2
        return (*shape[: at - 1], len(call.refs()), *shape[at - 1 :]) if 0 < at <= len(shape) + 1 else None
    return shape


def option(layer: Layer, call: Call, key: str, place: int, default: Any = None) -> Any:
    """An option of an operation: of the layer, by name in the call, or ``place`` values after its tensors."""
    values = [value for value in call.args if not _tensors(value)]
    given = values[place] if len(values) > place else default
    return layer.params.get(key, call.kwargs.get(key, given))


def _tensors(value: Any) -> bool:
    return isinstance(value, Ref) or (isinstance(value, tuple) and any(isinstance(item, Ref) for item in value))


def _reduced(layer: Layer, shape: tuple[int | None, ...], axis: Any, keep: Any) -> Shape:
    if axis is None:
        return None
    gone = {axis_of(layer, shape, a) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if at in gone else s for at, s in enumerate(shape) if keep or at not in gone)


def _sliced(shape: tuple[int | None, ...], key: Any) -> Shape:
    parts = key if isinstance(key, tuple) else (key,)
    rank = len(shape) + 1
    if parts.count(Ellipsis) > 1 or any(
        isinstance(p, bool) or not isinstance(p, int | slice) for p in parts if p is not ...
    ):
        return None
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts = (*parts[:at], *[slice(None)] * (rank - len(parts) + 1), *parts[at + 1 :])
    parts = (*parts, *[slice(None)] * (rank - len(parts)))
    if len(parts) != rank or parts[0] != slice(None):
        return None
    sides: list[int | None] = []
    for side, part in zip(shape, parts[1:], strict=True):
        if isinstance(part, int):
            continue
        if part.step == 0 or (side is None and (part.start is not None or part.stop is not None)):
            return None
        sides.append(None if side is None else len(range(side)[part]))
    return tuple(sides)


def _stretched(kind: str, layer: Layer, shape: tuple[int | None, ...], axis: Any) -> Shape:
    if isinstance(axis, tuple) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, bool) or not isinstance(axis, int):
        return None
    if kind == "squeeze":
        at = axis_of(layer, shape, axis)
        return (*shape[:at], *shape[at + 1 :])
    at = axis - 1 if axis >= 0 else axis + len(shape) + 1
    return (*shape[:at], 1, *shape[at:]) if 0 <= at <= len(shape) else None


def _transposed(shape: tuple[int | None, ...], axes: Any) -> Shape:
    if not isinstance(axes, tuple) or axes[:1] != (0,) or sorted(axes) != list(range(len(shape) + 1)):
        return None
    return tuple(shape[a - 1] for a in axes[1:])
