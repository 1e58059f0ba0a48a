"""Shapes, parameters and MACs from the config alone, and what is refused before anything is allocated."""

from __future__ import annotations

import pytest

from convert.errors import SourceError
from convert.reading.parse import admit
from convert.reading.shapes import Measures, measure
from tests.convert.make import JSON, called, conv, dense, functional, node, opened, sequential, tensor


def measured(config: JSON) -> Measures:
    return measure(admit(opened(config)).graph)


def after(layer: JSON, shape: tuple[int | None, ...] = (9, 9, 4)) -> tuple[object, int, int | None]:
    facts = measured(sequential(layer, shape=shape)).layers[-1]
    return facts.shape, facts.parameters, facts.macs


@pytest.mark.parametrize(
    ("layer", "shape", "parameters", "macs"),
    [
        (conv(filters=8), (7, 7, 8), 296, 7 * 7 * 8 * 36),
        (conv(filters=8, padding="same", strides=[2, 2], use_bias=False), (5, 5, 8), 288, 25 * 288),
        (conv(filters=8, dilation_rate=[2, 2]), (5, 5, 8), 296, 25 * 288),
        (conv(filters=8, groups=2), (7, 7, 8), 152, 49 * 144),
        (node("DepthwiseConv2D", kernel_size=3, depth_multiplier=2), (7, 7, 8), 80, 49 * 72),
        (node("SeparableConv2D", filters=5, kernel_size=3), (7, 7, 5), 36 + 20 + 5, 49 * 56),
        (node("Conv2DTranspose", filters=5, kernel_size=3, strides=2, padding="same"), (18, 18, 5), 185, 81 * 180),
        (node("Conv2DTranspose", filters=5, kernel_size=3, strides=2), (19, 19, 5), 185, 81 * 180),
        (node("MaxPooling2D", pool_size=[2, 2]), (4, 4, 4), 0, 0),
        (node("AveragePooling2D", pool_size=2, padding="same"), (5, 5, 4), 0, 0),
        (node("GlobalAveragePooling2D"), (4,), 0, 0),
        (node("GlobalMaxPooling2D", keepdims=True), (1, 1, 4), 0, 0),
        (node("BatchNormalization"), (9, 9, 4), 16, 0),
        (node("BatchNormalization", scale=False, axis=3), (9, 9, 4), 12, 0),
        (node("PReLU", shared_axes=[1, 2]), (9, 9, 4), 4, 0),
        (node("PReLU"), (9, 9, 4), 324, 0),
        (node("Flatten"), (324,), 0, 0),
        (node("Reshape", target_shape=[-1, 4]), (81, 4), 0, 0),
        (node("Permute", dims=[3, 1, 2]), (4, 9, 9), 0, 0),
        (node("ZeroPadding2D", padding=[[1, 0], [2, 3]]), (10, 14, 4), 0, 0),
        (node("Cropping2D", cropping=2), (5, 5, 4), 0, 0),
        (node("UpSampling2D", size=2), (18, 18, 4), 0, 0),
        (node("Resizing", height=32, width=30), (32, 30, 4), 0, 0),
        (node("Normalization", axis=-1), (9, 9, 4), 9, 0),
        (node("TimeDistributed", layer=dense(units=7)), (9, 9, 7), 35, 9 * 9 * 28),
        (dense(units=7), (9, 9, 7), 35, 81 * 28),
        (node("RandomFlip"), (9, 9, 4), 0, 0),
        (node("DepthToSpace", "models.train.finder_net", registered="edge>DepthToSpace"), (18, 18, 1), 0, 0),
    ],
)
def test_each_kind_of_layer(layer: JSON, shape: tuple[int, ...], parameters: int, macs: int) -> None:
    assert after(layer) == (shape, parameters, macs)


@pytest.mark.parametrize(
    "layer",
    [
        dense(name="empty", units=0),
        dense(name="empty", units=-3),
        dense(name="empty", units=None),
        dense(name="empty", units=True),
        conv(name="empty", filters=0),
        conv(name="empty", kernel_size=[0, 3]),
        conv(name="empty", strides=[0, 0]),
        conv(name="empty", kernel_size="three"),
        node("MaxPooling2D", name="empty", pool_size=[0, 0]),
        node("Resizing", name="empty", height=0, width=4),
        node("Reshape", name="empty", target_shape=[0]),
        conv(name="empty", kernel_size=[20, 20]),
        node("Cropping2D", name="empty", cropping=5),
        conv(name="empty", groups=3),
    ],
)
def test_a_layer_with_nothing_in_it_is_refused_by_name(layer: JSON) -> None:
    with pytest.raises(SourceError, match="'empty'"):
        after(layer)


@pytest.mark.parametrize(
    "config",
    [
        sequential(node("Flatten"), dense("bomb", units=10**6), shape=(100, 100, 3)),
        sequential(conv("bomb", filters=2 * 10**9)),
        sequential(*[dense(f"bomb{n}", units=20_000) for n in range(5)], shape=(20_000,)),
        sequential(node("UpSampling2D", name="bomb", size=[100_000, 100_000])),
        sequential(node("Resizing", name="bomb", height=2**30, width=2**30)),
        sequential(node("ZeroPadding2D", name="bomb", padding=2**30)),
        sequential(node("RepeatVector", name="bomb", n=2**30), shape=(100,)),
        sequential(dense(), shape=(2**20, 2**20, 3)),
    ],
)
def test_shape_bombs_are_refused_at_once(config: JSON) -> None:
    with pytest.raises(SourceError, match=r"bomb|too large"):
        measured(config)


def test_branches_and_nested_nets_add_up() -> None:
    body = functional(called(conv("inside", padding="same"), "input"), output="inside", shape=(32, 32, 4))
    body["config"]["name"] = "body"
    got = measured(
        functional(
            called(conv("a", padding="same"), "input"),
            called(body, "a"),
            _merge("Add", "sum", "a", ("body", 1)),
            _merge("Concatenate", "cat", "a", "sum"),
            output="cat",
        )
    )
    assert got.outputs == ((32, 32, 8),)
    assert [facts.name for facts in got.layers] == ["input", "a", "body/input", "body/inside", "sum", "cat"]
    assert got.parameters == 112 + 148


def _merge(kind: str, name: str, *layers: str | tuple[str, int]) -> JSON:
    tensors = [tensor(item) if isinstance(item, str) else tensor(*item) for item in layers]
    return called(node(kind, name=name), tensors)


def test_shapes_that_do_not_fit_are_one_line() -> None:
    with pytest.raises(SourceError, match="do not fit together"):
        measured(functional(called(conv("a"), "input"), _merge("Add", "sum", "a", "input"), output="sum"))
    with pytest.raises(SourceError, match="wants 3 axes"):
        measured(sequential(node("Flatten"), conv("c")))


def test_an_open_size_is_filled_in_where_asked() -> None:
    graph = admit(opened(sequential(conv(), node("GlobalAveragePooling2D"), dense(), shape=(None, None, 3)))).graph
    assert measure(graph).macs is None
    assert measure(graph, (32, 32)).macs == 30 * 30 * 108 + 8


def test_a_model_that_never_saw_an_image_says_so() -> None:
    config = node("Sequential", "keras", name="net", layers=[conv()])
    with pytest.raises(SourceError, match="does not say what shape"):
        measured(config)
