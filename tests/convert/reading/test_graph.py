"""Nets as plain data: the order of their calls, changes to their leaves, and how the tables of the reader are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from convert.errors import SourceError
from convert.reading.graph import INPUT, MODEL, Call, Graph, Layer, Ref, table


def layer(name: str, *calls: tuple[Ref, ...]) -> Layer:
    return Layer(name, "Add", {}, tuple(Call((refs,)) for refs in calls))


def net(*layers: Layer, name: str = "net") -> Graph:
    start = Layer("in", INPUT, {"shape": (8, 8, 3)})
    return Graph(name, (start, *layers), (Ref("in"),), (Ref(layers[-1].name),))


def test_every_call_comes_after_those_whose_tensors_it_takes() -> None:
    graph = net(
        layer("c", (Ref("b"), Ref("a", 1))),
        layer("b", (Ref("a"),)),
        layer("a", (Ref("in"),), (Ref("b"),)),
    )
    assert [(one.name, number) for one, number in graph.in_order()] == [("a", 0), ("b", 0), ("a", 1), ("c", 0)]


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ((layer("a", (Ref("b"),)), layer("b", (Ref("a"),))), "'net' run in a circle at layer 'a'"),
        ((layer("a", (Ref("a"),)),), "run in a circle at layer 'a'"),
        ((layer("a", (Ref("in"),)), layer("b")), "layer 'b' is connected to nothing"),
    ],
)
def test_a_net_without_an_order_is_refused(layers: tuple[Layer, ...], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        list(net(*layers).in_order())


def test_leaves_are_changed_in_nested_nets_too_and_know_where_they_are() -> None:
    inner = net(layer("a", (Ref("in"),)), name="inner")
    graph = net(layer("a", (Ref("in"),)), Layer("block", MODEL, {}, (Call((Ref("a"),)),), inner))
    seen = []

    def change(path: tuple[str, ...], leaf: Layer) -> Layer:
        seen.append(path)
        return replace(leaf, kind="Identity") if path == ("block", "a") else leaf

    assert [leaf.kind for leaf in graph.mapped(change).leaves()] == [INPUT, "Add", INPUT, "Identity"]
    assert seen == [("in",), ("a",), ("block", "in"), ("block", "a")]


def test_a_table_gives_every_name_of_a_line_what_stands_behind_the_colon() -> None:
    assert table("a b: x y\n c:\n d: z") == {"a": ("x", "y"), "b": ("x", "y"), "c": (), "d": ("z",)}
