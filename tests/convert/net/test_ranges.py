"""Ranges that leave out rare values: the others err less, and what goes in and comes out of the net keeps its meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.net.batch import CONVERTED_AT, feed
from convert.net.flatbuffer import unpacked
from convert.net.int8 import QuantisationRecipe, calibrate, quantise
from convert.net.ranges import learnt, narrowed
from convert.net.rewrite import device_model
from convert.net.values import RANGES
from edge.modelfile import ModelFile
from edge.runtime import Net

RNG = np.random.default_rng(3)
UNIT = RANGES["0..1"]


def run_file(flatbuffer: bytes, images: np.ndarray) -> np.ndarray:
    return Net(ModelFile(flatbuffer, None, "", Path("net"))).run(images)[0]


def net() -> Any:
    keras = pytest.importorskip("keras", reason="the converter is not installed")
    layers: Any = keras.layers
    keras.utils.set_random_seed(1)
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, 2, name="first")(inputs)
    x = layers.LeakyReLU(negative_slope=0.1)(x)
    x = layers.Conv2D(4, 3, 2, name="second")(x)
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling2D()(x)))


def cells() -> np.ndarray:
    """Dim cells on black; one has a bright pixel."""
    images = RNG.integers(0, 12, (60, 32, 32, 3), dtype=np.uint8)
    images[:, :8] = 0
    images[::60, 20, 20] = 255
    return images


@pytest.mark.build
@pytest.mark.filterwarnings("ignore")
def test_values_far_out_no_longer_make_all_others_coarse() -> None:
    pytest.importorskip("tensorflow", reason="the converter is not installed")
    model, images = net(), cells()
    static = device_model(model, 32, UNIT, batch=CONVERTED_AT, bare=True)
    fed = feed(images, UNIT)
    dim = images[1:20]
    wanted = np.asarray(model(UNIT.values(dim)))
    errors = [
        float(np.abs(run_file(quantise(static, fed, recipe), dim) - wanted).mean())
        for recipe in (QuantisationRecipe(), QuantisationRecipe(left_out=1e-3))
    ]
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.build
@pytest.mark.filterwarnings("ignore")
def test_input_and_output_keep_their_ranges() -> None:
    pytest.importorskip("tensorflow", reason="the converter is not installed")
    static = device_model(net(), 32, UNIT, batch=CONVERTED_AT, bare=True)
    fed = feed(cells(), UNIT)
    before = calibrate(static, fed)
    ranges = []
    for file in (before, narrowed(before, fed, 1e-3)):
        graph = unpacked(file).subgraphs[0]
        known = [(t.quantization.min, t.quantization.max) if t.quantization else None for t in graph.tensors]
        ranges.append([known, [known[i] for i in (*graph.inputs, *graph.outputs)]])
    assert str(ranges[0][1]) == str(ranges[1][1])
    assert str(ranges[0][0]) != str(ranges[1][0])


@pytest.mark.build
@pytest.mark.filterwarnings("ignore")
def test_a_layer_takes_the_range_that_its_training_learnt() -> None:
    pytest.importorskip("tensorflow", reason="the converter is not installed")
    static = device_model(net(), 32, UNIT, batch=CONVERTED_AT, bare=True)
    fed = feed(cells(), UNIT)
    before = calibrate(static, fed)
    after = learnt(before, {"second": (-3.0, 5.0)})
    graphs = [unpacked(file).subgraphs[0] for file in (before, after)]
    changed = [
        (now.name.decode(), now.quantization.min[0], now.quantization.max[0])
        for was, now in zip(*(graph.tensors for graph in graphs), strict=True)
        if was.quantization is not None and str(was.quantization.min) != str(now.quantization.min)
    ]
    assert len(changed) == 1
    assert "second" in changed[0][0]
    assert changed[0][1:] == (-3.0, 5.0)
    assert learnt(before, {"second": (-3.0, 5.0), "elsewhere": (0.0, 1.0)}) == before
    recipe = QuantisationRecipe(learnt=(("second", -3.0, 5.0),))
    assert quantise(static, fed, recipe) != quantise(static, fed, QuantisationRecipe(left_out=0.0))
    made = unpacked(quantise(static, fed, recipe)).subgraphs[0]
    scales = [t.quantization.scale for t in made.tensors if b"second" in t.name and t.quantization is not None]
    steps = [float(scale[0]) for scale in scales if scale is not None and len(scale) == 1]
    assert any(step == pytest.approx(8 / 255, rel=1e-3) for step in steps)
