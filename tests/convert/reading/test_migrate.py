"""Configs in the words of Keras 1, of Keras 2 and of TensorFlow 2.0 to 2.3, read without TensorFlow."""

from __future__ import annotations

from typing import Any

import pytest

from convert.errors import UnsupportedError
from convert.reading.graph import Graph, Ref
from convert.reading.parse import admit
from convert.reading.shapes import measure
from tests.convert.make import JSON, old, opened, sequential


def graph(config: JSON, version: str) -> Graph:
    return admit(opened(config, version)).graph


@pytest.mark.parametrize(
    ("written", "kind", "params"),
    [
        (
            old("Convolution2D", nb_filter=4, nb_row=3, nb_col=5, border_mode="same", subsample=[2, 2], init="uniform"),
            "Conv2D",
            {"filters": 4, "kernel_size": (3, 5), "padding": "same", "strides": (2, 2)},
        ),
        (
            old("AtrousConvolution2D", nb_filter=4, nb_row=3, nb_col=3, atrous_rate=[2, 2], W_regularizer=None),
            "Conv2D",
            {"filters": 4, "kernel_size": (3, 3), "dilation_rate": (2, 2)},
        ),
        (old("LeakyReLU", alpha={"type": "ndarray", "value": 0.3}), "LeakyReLU", {"negative_slope": 0.3}),
        (old("ZeroPadding2D", padding=[1, 1], dim_ordering="tf"), "ZeroPadding2D", {"padding": (1, 1)}),
        (
            old("BatchNormalization", mode=0, axis=-1, gamma_init="one", beta_init="zero"),
            "BatchNormalization",
            {"axis": -1},
        ),
    ],
    ids=["convolution of Keras 1", "dilated convolution of Keras 1", "NumPy slope", "padding", "norm of Keras 1"],
)
def test_words_of_older_days(written: JSON, kind: str, params: JSON) -> None:
    admitted = admit(opened(sequential(written), "1.2.2"))
    layer = admitted.graph.layers[1]
    assert layer.kind == kind
    assert {key: layer.params[key] for key in params} == params
    assert admitted.notes == ()


def old_functional(*layers: JSON, output: str) -> JSON:
    """As Keras 1 and 2 write it; each layer is (node, names of what goes in)."""
    first = {**old("InputLayer", name="input", batch_input_shape=[None, 8, 8, 3]), "name": "input", "inbound_nodes": []}
    config = {
        "name": "net",
        "layers": [first, *layers],
        "input_layers": [["input", 0, 0]],
        "output_layers": [[output, 0, 0]],
    }
    return {"class_name": "Model", "config": config}


def wired(layer: JSON, *names: str) -> JSON:
    refs = [[name, 0, 0, {}] for name in names]
    return {**layer, "name": layer["config"]["name"], "inbound_nodes": [refs]}


@pytest.mark.parametrize(
    ("mode", "kind", "shape"),
    [("concat", "Concatenate", (8, 8, 6)), ("sum", "Add", (8, 8, 3)), ("mul", "Multiply", (8, 8, 3))],
)
def test_the_merge_of_keras_1(mode: str, kind: str, shape: tuple[int, ...]) -> None:
    branch = wired(old("Activation", name="bend", activation="relu"), "input")
    merge = wired(old("Merge", name="both", mode=mode, concat_axis=-1, dot_axes=-1), "input", "bend")
    got = graph(old_functional(branch, merge, output="both"), "1.2.2")
    assert got.layer("both").kind == kind
    assert measure(got).outputs == (shape,)


def test_operations_as_tensorflow_2_0_to_2_3_wrote_them() -> None:
    def operation(name: str, op: str, constants: JSON, source: str, **attr: Any) -> JSON:
        layer = old(
            "TensorFlowOpLayer", name=name, node_def={"name": name, "op": op, "attr": attr}, constants=constants
        )
        return wired(layer, source)

    got = graph(
        old_functional(
            operation("halve", "RealDiv", {"1": 127.5}, "input"),
            operation("turn", "Sub", {"0": 1.0}, "halve"),
            operation("pool", "Mean", {"1": [1, 2]}, "turn", keep_dims={"b": True}),
            output="pool",
        ),
        "2.3.0-tf",
    )
    assert [layer.kind for layer in got.layers[1:]] == ["op:true_divide", "op:subtract", "op:mean"]
    assert got.layer("halve").calls[0].args == (Ref("input"), 127.5)
    assert got.layer("turn").calls[0].args == (1.0, Ref("halve"))
    assert measure(got).outputs == ((1, 1, 3),)
    with pytest.raises(UnsupportedError, match="TensorFlow function ReadFile"):
        graph(old_functional(operation("evil", "ReadFile", {}, "input"), output="evil"), "2.3.0")


def test_celu_without_an_alpha_is_elu() -> None:
    assert graph(sequential(old("Activation", activation="celu")), "3.0.0").layers[1].params == {"activation": "elu"}
