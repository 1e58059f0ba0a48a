"""The ways that a net of some size has to the device, and a crop of the net's own size on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.classify.ways import ways_for
from convert.measure.scoring import plain_card
from convert.net.batch import CONVERTED_AT, feed
from convert.net.int8 import quantise
from convert.net.values import RANGES
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.modelfile import CropSpec, ModelFile

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
keras: Any = pytest.importorskip("keras")
UNIT = RANGES["0..1"]


def net(height: int, width: int) -> Any:
    keras.utils.set_random_seed(2)
    make = keras.layers
    stack = [make.Input((height, width, 3)), make.Conv2D(4, 3, 2, activation="relu"), make.Flatten()]
    return keras.Sequential([*stack, make.Dense(1, activation="sigmoid")])


@pytest.mark.parametrize(
    ("height", "width", "asked", "wanted"),
    [
        pytest.param(32, 32, "auto", [("native", 32)], id="32 px: as it is"),
        pytest.param(64, 64, "auto", [("upscale", 32), ("native", 64)], id="64 px: its own size comes last"),
        pytest.param(50, 50, "native", [("native", 50)], id="50 px, asked for its own size"),
        pytest.param(40, 48, "native", [("native", 48)], id="not square: the square of its longer side"),
        pytest.param(28, 32, "native", [("native", 32)], id="not square, longer side 32 px"),
        pytest.param(
            97, 97, "auto", [("upscale", 32), ("native", 96)], id="larger than the device cuts: enlarged from 96 px"
        ),
        pytest.param(80, 128, "native", [("native", 96)], id="likewise, not square"),
    ],
)
def test_ways_and_the_sizes_of_their_crops(height: int, width: int, asked: str, wanted: list[tuple[str, int]]) -> None:
    ways, _ = ways_for(net(height, width), UNIT, asked, logits=False, keep_head=False)
    assert [(way.name, way.size) for way in ways] == wanted
    assert [way.make(1, False).input_shape for way in ways] == [(1, way.size, way.size, 3) for way in ways]


def test_the_device_cuts_a_cell_at_the_nets_own_size_and_the_file_gives_the_nets_answer() -> None:
    made = net(48, 48)
    rng = np.random.default_rng(0)
    field = np.kron(rng.integers(60, 250, (30, 40, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    boxes = np.array([[10, 20, 60, 50], [100, 90, 40, 44], [200, 150, 70, 70]], np.int32)
    way = ways_for(made, UNIT, "native", logits=False, keep_head=True)[0][0]
    spec = CropSpec(size=way.size)
    crops = crop_cells(field, boxes, spec)
    card = plain_card("net", ("a", "b"), "rgb", logits=False, crop=spec)
    file = ModelFile(quantise(way.make(CONVERTED_AT, False), feed(crops, UNIT)), card, "", Path("net"))
    got = Classifier(file).scores(crop_cells(field, boxes, card.crop))
    want = np.asarray(made(UNIT.values(crops)))
    assert crops.shape == (3, 48, 48, 3)
    assert np.abs(got[:, 1:] - want).max() < 0.02
