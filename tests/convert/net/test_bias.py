"""Corrected biases: what rounding does in one direction on a black background no longer adds up in a dense layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.net.batch import CONVERTED_AT, feed
from convert.net.bias import corrected
from convert.net.flatbuffer import unpacked
from convert.net.int8 import QuantisationRecipe, calibrate, quantise
from convert.net.rewrite import device_model
from convert.net.values import RANGES
from tests.convert.net.test_ranges import run_file

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
UNIT = RANGES["0..1"]


def net() -> Any:
    """A convolution whose every output goes into one dense layer, of which one value in a thousand is far out."""
    keras = pytest.importorskip("keras", reason="the converter is not installed")
    layers: Any = keras.layers
    keras.utils.set_random_seed(4)
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, 2, name="seen", bias_initializer=keras.initializers.RandomUniform(0.01, 0.06))(inputs)
    x = layers.Flatten()(layers.LeakyReLU(negative_slope=0.1)(x))
    dense = layers.Dense(4, name="added_up", kernel_initializer=keras.initializers.RandomUniform(0.0, 0.05))
    return keras.Model(inputs, dense(x))


def cells(count: int) -> np.ndarray:
    """Small dim cells on black; now and then a bright pixel."""
    rng = np.random.default_rng(count)
    images = np.zeros((count, 32, 32, 3), np.uint8)
    images[:, 10:22, 10:22] = rng.integers(60, 120, (count, 12, 12, 3), dtype=np.uint8)
    images[:, 16, 16] = 255
    return images


def test_the_usual_error_of_a_unit_is_taken_off() -> None:
    pytest.importorskip("tensorflow", reason="the converter is not installed")
    model, calibration, others = net(), cells(80), cells(41)
    static = device_model(model, 32, UNIT, batch=CONVERTED_AT, bare=True)
    fed = feed(calibration, UNIT)
    wanted = np.asarray(model(UNIT.values(others)))
    errors = [
        np.abs(np.median(run_file(quantise(static, fed, recipe), others) - wanted, axis=0)).max()
        for recipe in (QuantisationRecipe(), QuantisationRecipe(corrected=70))
    ]
    assert errors[1] < 0.5 * errors[0], errors


def test_nothing_but_biases_changes_and_a_file_without_int8_stays_as_it_is() -> None:
    pytest.importorskip("tensorflow", reason="the converter is not installed")
    static = device_model(net(), 32, UNIT, batch=CONVERTED_AT, bare=True)
    fed = feed(cells(80), UNIT)
    floats = calibrate(static, fed)
    assert corrected(floats, floats, fed) == floats
    plain, better = (
        constants(quantise(static, fed, r)) for r in (QuantisationRecipe(), QuantisationRecipe(corrected=70))
    )
    assert set(plain) == set(better)
    changed = [kind for (name, kind), held in plain.items() if better[name, kind] != held]
    assert changed
    assert set(changed) == {"INT32"}


def constants(flatbuffer: bytes) -> dict[tuple[str, str], bytes]:
    """What each constant tensor with a scale holds, by its name and type."""
    from tensorflow.lite.python import schema_py_generated as schema

    kinds = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    model = unpacked(flatbuffer)
    return {
        (bytes(tensor.name).decode(), kinds[tensor.type]): bytes(bytearray(model.buffers[tensor.buffer].data))
        for tensor in model.subgraphs[0].tensors
        if tensor.quantization is not None
        and tensor.quantization.scale is not None
        and model.buffers[tensor.buffer].data is not None
        and len(model.buffers[tensor.buffer].data)
    }
