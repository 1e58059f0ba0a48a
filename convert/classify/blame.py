"""Which tensor int8 spoils: the file's tensors beside those of the same net in float, on the same cells.

The error of a layer in steps of its scale (``convert.net.int8.layer_errors``) does not see a range that is far too wide for most of
what is in it: there the steps are as large as the signal. So the error is taken as a share of the signal's own spread, and a tensor
is to blame for what it adds to the errors of those that it is made of.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.runtime import interpreter_class
from edge.types import FloatArray, UInt8Array

_NOTHING = 1e-7
"""Scale of a tensor that is always 0: the converter gives it the smallest range it knows, and no delegate takes that."""

_SHAPES_ONLY = ("RESHAPE", "DELEGATE")


@dataclass(frozen=True, slots=True)
class TensorBlame:
    """What int8 does to one tensor.

    Attributes:
        op: kind of op that makes it.
        tensor: its name.
        error: root mean square error as a share of the tensor's standard deviation in float.
        added: how much larger that is than the largest error of what the op reads; infinite where no delegate takes the scale.
        neighbours: names of the tensors that it is made of, and of those that are made of it.
    """

    op: str
    tensor: str
    error: float
    added: float
    neighbours: tuple[str, ...]


def blamed(int8: bytes, floats: bytes, cells: UInt8Array, values: FloatArray) -> list[TensorBlame]:
    """The tensors of the int8 file, the one that adds the largest error first.

    Args:
        int8: the device file.
        floats: the same net in float, of the same tensor names.
        cells: uint8 [n, h, w, c]; ten are enough.
        values: what the float file takes of them, float32 [n, h, w, c].
    """
    mine, theirs = _interpreter(int8), _interpreter(floats)
    details = {one["index"]: one for one in mine.get_tensor_details()}
    places = {one["name"]: one["index"] for one in theirs.get_tensor_details()}
    ops = [one for one in mine._get_ops_details() if one["op_name"] not in _SHAPES_ONLY]  # noqa: SLF001
    made = [(op, int(index)) for op in ops for index in op["outputs"] if details[int(index)]["name"] in places]
    pairs: dict[int, list[tuple[FloatArray, FloatArray]]] = {index: [] for _, index in made}
    for cell, value in zip(cells, values, strict=True):
        _run(mine, (cell.astype(np.int16) - 128).astype(np.int8)[None])
        _run(theirs, value[None])
        for index, seen in pairs.items():
            raw = mine.get_tensor(index).astype(np.float32)
            scale, zero = details[index]["quantization"]
            got = (raw - zero) * scale if scale else raw
            seen.append((got.ravel(), theirs.get_tensor(places[details[index]["name"]]).ravel()))
    errors = {index: _error(seen) for index, seen in pairs.items()}
    found = []
    for op, index in made:
        scale = details[index]["quantization"][0]
        before = max((errors.get(int(one), 0.0) for one in op["inputs"]), default=0.0)
        added = float("inf") if 0 < scale < _NOTHING else errors[index] - before
        near = [int(one) for one in op["inputs"] if int(one) in errors]
        near += [int(out) for other in ops if index in other["inputs"] for out in other["outputs"]]
        names = tuple(details[one]["name"] for one in near)
        found.append(TensorBlame(op["op_name"], details[index]["name"], errors[index], added, names))
    return sorted(found, key=lambda one: -one.added)


def float_layers(found: list[TensorBlame], count: int) -> tuple[str, ...]:
    """Names of the ``count`` tensors most to blame, each with its neighbours: neither it nor what it is made of is rounded then."""
    kept = [name for one in found[:count] if one.added > 0 for name in (one.tensor, *one.neighbours)]
    return tuple(dict.fromkeys(kept))


def _interpreter(flatbuffer: bytes) -> Any:
    cls = interpreter_class()[0]
    plain = importlib.import_module(cls.__module__).OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    made = cls(model_content=flatbuffer, experimental_op_resolver_type=plain, experimental_preserve_all_tensors=True)
    made.allocate_tensors()
    return made


def _run(interpreter: Any, image: np.ndarray) -> None:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()


def _error(seen: list[tuple[FloatArray, FloatArray]]) -> float:
    got, want = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    if got.shape != want.shape:
        return 0.0
    return float(np.sqrt(np.mean((got - want) ** 2)) / (want.std() + 1e-9))
