"""The net on the device's input says what the trained net says, whatever is rewritten on the way. Needs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.measure.scoring import as_scores, outputs
from convert.net.batch import CONVERTED_AT, feed
from convert.net.int8 import quantise
from convert.net.rewrite import ShapeError, count_macs, device_model, has_head, net_input
from convert.net.values import RANGES
from edge.crops import to_colour
from edge.modelfile import ModelFile
from edge.runtime import Net

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
keras: Any = pytest.importorskip("keras")
L: Any = keras.layers
UNIT = RANGES["0..1"]
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


def same(model: Any, size: int = 32) -> None:
    fed = np.random.default_rng(1).random((4, size, size, net_input(model).channels), np.float32)
    want = np.asarray(model(fed, training=False))
    got = np.asarray(device_model(model, size, UNIT, batch=None)(fed))
    assert np.abs(got - want).max() < 1e-5


@pytest.mark.parametrize(
    "middle",
    [
        lambda: [L.PReLU()],
        lambda: [L.PReLU(shared_axes=[1, 2], alpha_initializer="normal")],
        lambda: [L.AveragePooling2D(3, 2), L.AveragePooling2D((2, 3)), L.AveragePooling2D((7, 5))],
        lambda: [L.MaxPooling2D(1, 2), L.AveragePooling2D(3, 2, padding="same")],
        lambda: [L.Reshape((-1, 4)), L.Reshape((16, 16, 16))],
        lambda: [L.Dropout(0.5), L.RandomFlip(), L.GaussianNoise(1.0), L.BatchNormalization()],
        lambda: [keras.Sequential([L.Conv2D(4, 3), keras.Sequential([L.ReLU(6.0)])])],
    ],
    ids=["prelu", "shared prelu", "average pools", "single pixels", "reshapes", "training only", "nested"],
)
def test_what_is_rewritten_says_the_same(middle: Any) -> None:
    same(keras.Sequential([L.Input((32, 32, 3)), L.Conv2D(4, 3, padding="same"), *middle(), L.Flatten(), L.Dense(2)]))


def test_branches_and_shared_layers_stay_what_they_are() -> None:
    inputs = L.Input((32, 32, 1))
    shared = L.Conv2D(3, 3, padding="same")
    x = L.Concatenate()([shared(inputs), shared(inputs * 0.5)])
    same(keras.Model(inputs, L.Dense(3, activation="softmax")(L.Flatten()(x))))


@pytest.mark.parametrize(("name", "mode"), [("caffe", "caffe"), ("imagenet", "torch"), ("-1..1", "tf")])
def test_value_ranges_are_those_of_keras(name: str, mode: str) -> None:
    model = keras.Sequential([L.Input((32, 32, 3)), L.Conv2D(4, 3), L.GlobalAveragePooling2D(), L.Dense(3)])
    colour = RANGES[name].colour or "rgb"
    want = model(keras.applications.imagenet_utils.preprocess_input(IMAGES.astype(np.float32), mode=mode))
    assert np.abs(outputs(model, IMAGES, RANGES[name], colour) - want).max() < 1e-4
    from_bytes = device_model(model, 32, RANGES[name], batch=None, from_bytes=True)
    assert np.abs(from_bytes(to_colour(IMAGES, colour).astype(np.float32)) - want).max() < 1e-4


@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_is_standardised_as_tensorflow_does_it(channels: int) -> None:
    import tensorflow as tf

    images = IMAGES.copy()
    images[0] = 90  # no deviation at all
    images[1] = 90 + images[1] // 64  # little
    model = keras.Sequential([L.Input((32, 32, channels)), L.Conv2D(4, 3), L.GlobalMaxPooling2D(), L.Dense(3)])
    colour = "rgb" if channels == 3 else "grey"
    fed = to_colour(images, colour).astype(np.float32)
    want = np.asarray(model(tf.image.per_image_standardization(fed)))
    assert np.abs(outputs(model, images, RANGES["per-image"], colour) - want).max() < 1e-3


def test_an_image_standardised_in_int8_gives_nearly_the_floats_answer() -> None:
    values = RANGES["per-image"]
    model = keras.Sequential(
        [L.Input((32, 32, 3)), L.Conv2D(8, 3, 2, "same", activation="relu"), L.Flatten(), L.Dense(3)]
    )
    dim = [(60 + image // share) for share in (2, 3, 5) for image in IMAGES]
    images = np.array(dim, np.uint8)
    floats = outputs(model, images, values, "rgb")
    file = quantise(device_model(model, 32, values, batch=CONVERTED_AT), feed(images, values), images=images[:5])
    int8 = Net(ModelFile(file, None, "", Path("net"))).run(images)[0]
    assert np.abs(int8 - floats).max() < 0.1 * np.ptp(floats)


@pytest.mark.parametrize(
    "end",
    [
        lambda: [L.Dense(1, activation="sigmoid")],
        lambda: [L.Dense(3, activation="softmax")],
        lambda: [L.Dense(3), L.Softmax()],
        lambda: [L.Dense(1), L.Activation("sigmoid")],
    ],
    ids=["sigmoid", "softmax", "softmax layer", "activation layer"],
)
def test_a_head_that_is_left_to_the_device_gives_the_same_scores(end: Any) -> None:
    model = keras.Sequential([L.Input((32, 32, 3)), L.Conv2D(4, 3, 2), L.Flatten(), *end()])
    fed = UNIT.values(IMAGES)
    assert has_head(model)
    bare = np.asarray(device_model(model, 32, UNIT, batch=None, bare=True)(fed))
    want = as_scores(np.asarray(model(fed)), logits=False)
    assert np.abs(as_scores(bare, logits=True) - want).max() < 1e-5


def test_a_net_that_gives_logits_has_no_head() -> None:
    assert not has_head(keras.Sequential([L.Input((32, 32, 3)), L.Flatten(), L.Dense(2)]))


def test_only_a_size_agnostic_net_is_rebuilt_at_another_size() -> None:
    pooled = keras.Sequential([L.Input((64, 64, 3)), L.Conv2D(4, 3), L.GlobalAveragePooling2D(), L.Dense(2)])
    assert device_model(pooled, 32, UNIT).input_shape == (1, 32, 32, 3)
    flat = keras.Sequential([L.Input((64, 64, 3)), L.Flatten(), L.Dense(2)])
    with pytest.raises(ShapeError, match="does not work at 32x32x3"):
        device_model(flat, 32, UNIT)
    assert device_model(flat, 32, UNIT, resize_to=(64, 64)).input_shape == (1, 32, 32, 3)


def test_multiply_accumulates_of_a_net_worked_out_by_hand() -> None:
    model = keras.Sequential(
        [
            L.Input((8, 8, 3)),
            L.Conv2D(4, 3, padding="same"),
            L.DepthwiseConv2D(3, padding="same"),
            L.Flatten(),
            L.Dense(2),
        ]
    )
    assert count_macs(model, 8, 8) == 64 * 4 * 27 + 64 * 4 * 9 + 256 * 2


def test_layers_with_the_names_that_keras_gives_do_not_collide_with_ours() -> None:
    keras.backend.clear_session()  # as in a fresh child, where names are counted from the start
    own = [L.Resizing(32, 32, name="enlarge"), L.Rescaling(1 / 255, name="rescaling"), L.Flatten(), L.Dense(2)]
    model = keras.Sequential([L.Input((64, 64, 3)), *own])
    for values in RANGES.values():
        assert device_model(model, 32, values, resize_to=(64, 64), batch=1, from_bytes=True).output_shape == (1, 2)
