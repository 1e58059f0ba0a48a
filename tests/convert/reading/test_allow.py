"""What a config may name. Hostile and foreign classes are refused, naming the layer; no TensorFlow."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from convert.errors import ModelError, SourceError, UnsupportedError, UntrustedError
from convert.reading.graph import INPUT, Graph, Ref
from convert.reading.parse import admit
from convert.reading.shapes import measure
from tests.convert.make import JSON, called, conv, dense, functional, node, old, opened, sequential, tensor

LAMBDA = node("Lambda", name="evil", function={"class_name": "__lambda__", "config": {"value": "4wAAAA=="}})
BYTECODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAAAAA==", "defaults": None, "closure": None}}


def graph(config: JSON, version: str = "3.15.1", trusted: frozenset[str] = frozenset()) -> Graph:
    return admit(opened(config, version), trusted).graph


def refused(config: JSON, *words: str) -> None:
    with pytest.raises(UntrustedError) as caught:
        graph(config)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        sequential(LAMBDA),
        sequential(node("Sequential", "keras", name="inner", layers=[conv(), LAMBDA])),
        sequential(node("TimeDistributed", name="td", layer=LAMBDA)),
        sequential(node("Bidirectional", name="bi", layer=node("TimeDistributed", name="td", layer=LAMBDA))),
        functional(called(LAMBDA, "input"), output="evil"),
        sequential(old("Lambda", name="evil", function=["4wAAAA==", None, None], function_type="lambda")),
        sequential(node("Lambda", "evil.module", name="evil", function="f")),
    ],
)
def test_a_lambda_is_found_wherever_it_hides_and_named(config: JSON) -> None:
    refused(config, "'evil'", "Lambda", "never run")


@pytest.mark.parametrize(
    "layer",
    [
        dense(name="evil", activation=BYTECODE),
        dense(name="evil", activation="<lambda>"),
        dense(name="evil", kernel_initializer=BYTECODE),
        dense(name="evil", kernel_regularizer={"class_name": "L2", "config": {"l2": BYTECODE}}),
        dense(name="evil", dtype=BYTECODE),
        conv(name="evil", whatever={"deep": [{"inside": BYTECODE}]}),
        conv(name="evil", whatever={"function_type": "lambda", "function": "x"}),
    ],
)
def test_bytecode_in_any_option_of_a_layer_is_refused(layer: JSON) -> None:
    refused(sequential(layer), "'evil'", "never run")


@pytest.mark.parametrize(
    "layer",
    [
        node("system", "os", name="evil"),
        node("Dense", "evil.layers", name="evil", units=1),
        node("Dense", "kerasevil.layers", name="evil", units=1),
        node("Dense", None, name="evil", units=1),
        node("Dense", name="evil", units=1, registered="Evil>Thing"),
        old("Evil>Dense", name="evil", units=1),
        old("MyOwnLayer", name="evil"),
        dense(
            name="evil", kernel_initializer={"module": "subprocess", "class_name": "Popen", "config": {"args": "id"}}
        ),
        dense(
            name="evil",
            kernel_regularizer={"module": "my.code", "class_name": "Reg", "config": {}, "registered_name": "R"},
        ),
        dense(
            name="evil",
            activation={"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        ),
        dense(name="evil", activation="os.system"),
        dense(name="evil", activation="Custom>act"),
        node("TFSMLayer", name="evil", filepath="x"),
        node("get_file", "keras.utils", name="evil", fname="x", origin="http://x"),
    ],
)
def test_foreign_classes_are_refused_naming_the_layer(layer: JSON) -> None:
    with pytest.raises(ModelError, match="evil") as caught:
        graph(sequential(layer))
    assert isinstance(caught.value, UntrustedError | UnsupportedError)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (old("KerasLayer", name="evil", handle="x"), ("TensorFlow Hub", "model.export")),
        (node("KerasLayer", "tensorflow_hub.keras_layer", name="evil"), ("TensorFlow Hub", "model.export")),
        (node("Backbone", "keras_cv.src.models", name="evil"), ("keras-cv", "model.export")),
        (old("keras_cv>DropPath2", name="evil"), ("keras-cv", "model.export")),
        (node("ViT", "keras_hub.src.models", name="evil", registered="keras_hub>ViT"), ("keras_hub", "model.export")),
        (old("ClusterWeights", name="evil"), ("Model Optimization", "strip_clustering")),
        (old("Addons>GELU", name="evil"), ("TensorFlow Addons", "model.export")),
    ],
    ids=["hub, old", "hub", "keras-cv", "keras-cv, registered", "keras_hub", "clustered", "addons"],
)
def test_a_class_of_a_package_is_not_met_with_trust_code(layer: JSON, words: tuple[str, ...]) -> None:
    with pytest.raises(UntrustedError) as caught:
        graph(sequential(layer))
    assert all(word in str(caught.value) for word in words)
    assert "--trust-code" not in str(caught.value)


def test_a_class_of_an_unknown_package_gets_both_ways() -> None:
    refused(sequential(node("Thing", "some_package.layers", name="evil")), "--trust-code", "model.export")
    refused(sequential(node("Mine", "__main__", name="evil", registered="Custom>Mine")), "--trust-code")


def test_the_whole_model_may_not_be_foreign_either() -> None:
    config = sequential(dense())
    refused({**config, "module": "evil", "class_name": "Net"}, "Net")
    refused({**config, "registered_name": "Evil>Net"}, "net")
    with pytest.raises(UnsupportedError, match="subclassed"):
        graph({"module": "keras", "class_name": "Model", "config": {"name": "net"}, "registered_name": None})
    with pytest.raises(UnsupportedError, match="single layer"):
        graph(dense())


def test_calls_with_objects_are_refused() -> None:
    evil: Any = {"class_name": "Popen", "module": "subprocess", "config": {"args": "id"}}
    refused(functional(called(dense(name="evil"), "input", evil), output="evil"), "'evil'", "object")
    refused(functional(called(dense(name="evil"), "input", x=[[evil]]), output="evil"), "'evil'", "object")


def test_recurrent_layers_have_no_place_and_say_so() -> None:
    with pytest.raises(UnsupportedError, match=r"rnn.*recurrent"):
        graph(sequential(node("LSTM", name="rnn", units=3)))
    with pytest.raises(UnsupportedError, match="channels first"):
        graph(sequential(conv(data_format="channels_first")))


def test_trusted_names_are_let_in_and_only_those() -> None:
    config = sequential(node("Mine", "__main__", registered="pkg>Mine", name="mine", size=3), dense())
    refused(config, "mine", "--trust-code")
    layer = graph(config, trusted=frozenset(["Mine"])).layer("mine")
    assert layer.kind == "trusted:Mine"
    assert layer.params["size"] == 3
    hidden = sequential(node("Mine", "__main__", registered="pkg>Mine", name="mine", f=BYTECODE))
    with pytest.raises(UntrustedError, match="mine"):
        graph(hidden, trusted=frozenset(["Mine"]))


def test_only_listed_options_are_taken_and_training_ones_dropped() -> None:
    layer = graph(
        sequential(
            conv(
                kernel_initializer={
                    "module": "keras.initializers",
                    "class_name": "Zeros",
                    "config": {},
                    "registered_name": None,
                },
                kernel_constraint=None,
                build_from_config="evil",
                strides=[2, 2],
            )
        )
    ).layer("conv")
    assert dict(layer.params) == {"filters": 4, "kernel_size": (3, 3), "strides": (2, 2)}


def test_an_option_that_is_not_known_is_left_out_and_said() -> None:
    notes = admit(opened(sequential(conv(wobble=3)))).notes
    assert notes == ("layer 'conv': its option 'wobble' is not known here and was left out",)


@pytest.mark.parametrize("value", [1e400, 2**40, "x" * 100, [1] * 5000])
def test_values_that_make_no_sense_are_refused(value: object) -> None:
    with pytest.raises(SourceError, match="conv"):
        graph(sequential(conv(filters=value)))


def test_build_and_compile_config_never_come_in() -> None:
    config = sequential(dense(), shape=(8,))
    config["compile_config"] = {"loss": BYTECODE, "metrics": [{"class_name": "Evil", "module": "os", "config": {}}]}
    config["build_config"] = {"input_shape": [None, 10**12]}
    assert measure(graph(config)).parameters == 8 * 2 + 2


def test_layers_as_activations_and_functions_by_name() -> None:
    leaky = {"module": "keras.layers", "class_name": "LeakyReLU", "config": {"alpha": 0.1}, "registered_name": None}
    function = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "relu"}
    got = graph(sequential(conv("a", activation=leaky), conv("b", activation=function), conv("c", activation="swish")))
    assert got.layer("a").params["activation"].params == {"negative_slope": 0.1}
    assert got.layer("b").params["activation"] == "relu"
    assert got.layer("c").params["activation"] == "silu"


def test_a_net_that_names_its_layers_with_slashes_is_brought_in() -> None:
    got = graph(functional(called(conv("block1/conv 1"), "input"), called(dense("out"), "block1/conv 1"), output="out"))
    assert [layer.name for layer in got.layers] == ["input", "block1_conv_1", "out"]
    assert got.layer("out").calls[0].refs() == (Ref("block1_conv_1"),)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (functional(called(dense("a"), "nowhere"), output="a"), "nowhere"),
        (functional(called(dense("a"), "input"), output="b"), "'b'"),
        (functional(called(dense("a"), "b"), called(dense("b"), "a"), output="b"), "circle"),
        (functional(called(dense("a"), "input"), called(dense("a"), "input"), output="a"), "two layers named"),
        (functional(called(dense("a"), tensor("input", 3)), output="a"), "before it is called"),
        (functional(called(dense("a"), tensor("input", 0, 5)), output="a"), "no layer makes"),
        (functional(called(dense("a"), tensor("input", -1)), output="a"), "makes no sense"),
        (sequential(), "only an input"),
    ],
)
def test_broken_wiring_is_one_line(config: JSON, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        measure(graph(config))


def test_nets_nested_without_end_are_refused() -> None:
    config = dense()
    for _ in range(60):
        config = node("Sequential", "keras", name="n", layers=[config])
    with pytest.raises(SourceError, match="deep"):
        graph(sequential(config))


def test_sharing_that_doubles_at_every_level_is_cut_off() -> None:
    inner = functional(called(dense("d", 3), "input"), output="d", shape=(3,))
    for level in range(20):
        body = {**inner, "config": {**inner["config"], "name": f"n{level}"}, "name": f"n{level}"}
        body["inbound_nodes"] = [
            {"args": [tensor("input")], "kwargs": {}},
            {"args": [tensor(f"n{level}", 1)], "kwargs": {}},
        ]
        outer = functional(body, output=f"n{level}", shape=(3,))
        outer["config"]["output_layers"] = [[f"n{level}", 2, 0]]
        inner = outer
    with pytest.raises(SourceError, match="without end"):
        measure(graph(inner))


def everywhere(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for key, item in items for place in everywhere(item, (*path, key))]


def test_configs_mutated_at_random_end_in_a_known_refusal_or_are_measured() -> None:
    base = functional(
        called(
            conv(
                "a", activation={"module": "keras.layers", "class_name": "ReLU", "config": {}, "registered_name": None}
            ),
            "input",
        ),
        called(node("BatchNormalization", name="b", axis=[3]), "a"),
        called(
            node("Sequential", "keras", name="s", layers=[conv("c"), node("MaxPooling2D", name="m", pool_size=[2, 2])]),
            "b",
        ),
        called(node("Flatten", name="f"), "s"),
        called(dense("d"), "f"),
        output="d",
    )
    rng = random.Random(7)
    places = [place for place in everywhere(base) if place]
    junk: list[Any] = [
        None,
        -1,
        0,
        10**30,
        1.5,
        float("nan"),
        "",
        "x",
        [],
        {},
        [[]],
        {"class_name": "X"},
        True,
        "../..",
        [None],
    ]
    survived, lines = 0, []
    for _ in range(3000):
        config = copy.deepcopy(base)
        *way, last = rng.choice(places)
        holder: Any = config
        for key in way:
            holder = holder[key]
        holder[last] = copy.deepcopy(rng.choice(junk))
        try:
            measure(graph(config))
            survived += 1
        except ModelError as error:
            lines.append(str(error))
    assert not any("\n" in line for line in lines)
    assert 0 < survived < 3000


def test_an_input_layer_is_made_where_old_files_have_none() -> None:
    got = graph(
        old("Sequential", layers=[old("Conv2D", filters=2, kernel_size=3, batch_input_shape=[None, 8, 8, 3])]), "2.4.0"
    )
    assert got.layers[0].kind == INPUT
    assert got.layers[0].params == {"shape": (8, 8, 3)}
