"""The nets of keras.applications, cut after some blocks, go through the reader and become int8, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.net.batch import CONVERTED_AT, feed
from convert.net.int8 import quantise
from convert.net.rewrite import device_model
from convert.net.values import RANGES, ValueRange
from convert.reading.allow import ACTIVATIONS
from convert.reading.inspection import inspect
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.modelfile import ModelFile
from edge.runtime import Net
from edge.types import FloatArray
from tests.convert.nets import shaken

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
keras: Any = pytest.importorskip("keras")
L: Any = keras.layers
BYTES = RANGES["0..255"]
CELLS = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3), np.uint8)

CUTS = [
    ("MobileNet", {"alpha": 0.25}, "conv_pw_4_relu"),
    ("MobileNetV2", {"alpha": 0.35}, "block_4_add"),
    ("MobileNetV3Small", {"alpha": 0.75}, "expanded_conv_4_add"),
    ("MobileNetV3Large", {"alpha": 0.75}, "expanded_conv_5_add"),
    ("EfficientNetB0", {}, "block2b_add"),
    ("EfficientNetV2B0", {}, "block2b_add"),
    ("ResNet50", {}, "conv2_block2_out"),
    ("ResNet50V2", {}, "conv2_block3_out"),
    ("VGG16", {}, "block2_pool"),
    ("DenseNet121", {}, "pool2_relu"),
    ("InceptionV3", {}, "mixed0"),
    ("Xception", {}, "block3_pool"),
    ("NASNetMobile", {}, "reduction_bn_1_stem_1"),
    ("ConvNeXtTiny", {}, "convnext_tiny_stage_0_block_0_identity"),
]


def cut(name: str, options: dict[str, Any], last: str) -> Any:
    """The beginning of a net of keras.applications, with a head for three classes."""
    side = 75 if name in ("InceptionV3", "Xception") else 64
    net = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(side, side, 3), **options)
    pooled = L.GlobalAveragePooling2D(keepdims=True)(net.get_layer(last).output)
    scores = L.Dense(3, activation="softmax")(L.Dropout(0.2)(L.Flatten()(pooled)))
    return shaken(keras.Model(net.inputs, scores))


@pytest.mark.parametrize(("name", "options", "last"), CUTS, ids=[name for name, *_ in CUTS])
def test_a_cut_becomes_int8_and_answers_as_in_float(
    tmp_path: Path, name: str, options: dict[str, Any], last: str
) -> None:
    made = cut(name, options, last)
    made.save(tmp_path / "net.keras")
    source = open_source(tmp_path / "net.keras")
    model = load_model(source)
    images = np.random.default_rng(1).integers(0, 256, (2, *made.input_shape[1:])).astype(np.float32)
    assert np.abs(np.asarray(model(images)) - np.asarray(made(images))).max() < 1e-4
    assert inspect(source).parameters == made.count_params()
    floats, int8 = in_float_and_int8(model, BYTES, bare=True)
    assert np.abs(int8 - floats).max() < 0.2 * np.ptp(floats)


def in_float_and_int8(model: Any, values: ValueRange, *, bare: bool) -> tuple[FloatArray, FloatArray]:
    """What a net says of the cells in Keras, and what its int8 file says in the device's runtime."""
    floats = np.asarray(device_model(model, 32, values, batch=None, bare=bare)(values.values(CELLS)))
    static = device_model(model, 32, values, batch=CONVERTED_AT, bare=bare)
    file = quantise(static, feed(CELLS, values), images=CELLS[:3])
    return floats, Net(ModelFile(file, None, "", Path("net"))).run(CELLS)[0]


def test_every_activation_on_the_list_has_a_form_in_int8(tmp_path: Path) -> None:
    names = sorted(ACTIVATIONS - {"softmax", "log_softmax"})  # those two stand at the end
    inputs = keras.Input((32, 32, 3))
    bent = [L.Conv2D(6, 5, 4, activation=name, name=f"conv_{name}")(inputs) for name in names]
    scores = [L.Dense(1)(L.Flatten()(L.LayerNormalization(axis=(1, 2, 3))(one))) for one in bent]
    shaken(keras.Model(inputs, L.Concatenate()(scores))).save(tmp_path / "net.keras")
    model = load_model(open_source(tmp_path / "net.keras"))
    floats, int8 = in_float_and_int8(model, RANGES["-1..1"], bare=False)
    wrong = np.abs(int8 - floats).max(axis=0) / np.ptp(floats)
    assert {name: share for name, share in zip(names, wrong, strict=True) if share > 0.05} == {}
