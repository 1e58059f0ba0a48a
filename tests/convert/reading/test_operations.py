"""Shapes of bare operations, and what TensorFlow called their arguments."""

from __future__ import annotations

from typing import Any

import pytest

from convert.reading.graph import Call, Layer, Ref
from convert.reading.operations import operation_shape
from convert.reading.parse import admit
from tests.convert.make import conv, functional, opened

X = Ref("x")


@pytest.mark.parametrize(
    ("kind", "args", "kwargs", "shape"),
    [
        ("get_item", ((..., slice(None, None, -1)),), {}, (8, 6, 3)),
        ("get_item", ((..., 2),), {}, (8, 6)),
        ("get_item", ((slice(None), slice(1, -1), slice(None, None, 2)),), {}, (6, 3, 3)),
        ("get_item", ((0,),), {}, None),  # a slice of the batch
        ("get_item", ((slice(None), None),), {}, None),
        ("mean", ((1, 2),), {}, (3,)),
        ("max", (-1, True), {}, (8, 6, 1)),
        ("sum", (), {"axis": (1, 2), "keepdims": True}, (1, 1, 3)),
        ("mean", (), {}, None),  # the batch is averaged too
        ("expand_dims", (1,), {}, (1, 8, 6, 3)),
        ("expand_dims", (), {"axis": -1}, (8, 6, 3, 1)),
        ("transpose", ((0, 3, 1, 2),), {}, (3, 8, 6)),
        ("transpose", ((1, 0, 2, 3),), {}, None),
        ("resize", ((32, 16),), {}, (32, 16, 3)),
        ("relu", (), {}, (8, 6, 3)),
    ],
)
def test_shape_of_an_operation(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any], shape: Any) -> None:
    layer = Layer("one", f"op:{kind}", {})
    assert operation_shape(layer, (8, 6, 3), Call((X, *args), kwargs)) == shape


def test_squeeze_takes_its_axis_from_the_layer_too() -> None:
    call = Call((X,))
    assert operation_shape(Layer("one", "op:squeeze", {"axis": 1}), (1, 6, 3), call) == (6, 3)
    assert operation_shape(Layer("one", "op:squeeze", {"axis": (-2,)}), (6, 1, 3), call) == (6, 3)


def test_stack_makes_an_axis_as_long_as_what_goes_in() -> None:
    call = Call(((X, X, X, X),))
    assert operation_shape(Layer("one", "op:stack", {"axis": -1}), (8, 6), call) == (8, 6, 4)
    assert operation_shape(Layer("one", "op:stack", {"axis": 1}), (8, 6), call) == (4, 8, 6)


def test_an_argument_left_out_does_not_move_those_after_it() -> None:
    tensorflow = {
        "class_name": "TFOpLambda",
        "name": "mean",
        "config": {"name": "mean", "function": "math.reduce_mean"},
        "inbound_nodes": [["conv", 0, 0, {"axis": None, "keepdims": True}]],
    }
    first = {**conv(), "name": "conv", "inbound_nodes": [[["input", 0, 0, {}]]]}
    graph = admit(opened(functional(first, tensorflow, output="mean"), "2.15.0")).graph
    call = graph.layer("mean").calls[0]
    assert call.args == (Ref("conv"),)
    assert call.kwargs == {"keepdims": True}
