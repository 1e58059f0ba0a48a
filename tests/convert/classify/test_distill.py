"""A student takes its teacher's colour, learns from one that is not square, and comes out the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.classify import distill
from convert.classify.preprocess import Preprocessing
from convert.classify.ways import ways_for
from convert.measure.reading import read_cells
from convert.measure.scoring import outputs
from convert.net.batch import feed
from convert.net.int8 import quantise
from convert.net.values import RANGES
from edge.crops import to_colour
from edge.modelfile import CropSpec, ModelFile
from edge.runtime import Net
from tests.convert import cell_folders

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
keras: Any = pytest.importorskip("keras")
UNIT = RANGES["0..1"]


def teacher(height: int, width: int, channels: int) -> Any:
    keras.utils.set_random_seed(2)
    make = keras.layers
    stack = [make.Input((height, width, channels)), make.Conv2D(4, 3, 2, activation="relu"), make.Flatten()]
    return keras.Sequential([*stack, make.Dense(1, activation="sigmoid")])


@pytest.mark.parametrize(("colour", "channels"), [("grey", 1), ("rgb", 3)])
def test_a_student_of_a_net_that_is_not_square(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: str, channels: int
) -> None:
    monkeypatch.setattr(distill, "_STEPS", 20)
    folder = cell_folders.make(tmp_path / "cells", count=20)
    small, native = (read_cells(folder, (), CropSpec(size=size)) for size in (32, 48))
    net = teacher(40, 48, channels)
    asked = distill.Teacher(net, Preprocessing(UNIT, colour, logits=False), 10_000)
    ways = [distill.distil(asked, native, small, 0, lambda *_: None) for _ in range(2)]
    assert ways[0].colour == colour
    assert ways[0].make(1, False).input_shape == (1, 32, 32, channels)
    fed = feed(to_colour(small.images, colour), distill.VALUES)
    other = distill.distil(asked, native, small, 1, lambda *_: None)
    files = [quantise(way.make(1, False), fed) for way in (*ways, other)]
    seen = to_colour(small.images, colour)
    raw = [Net(ModelFile(one, None, "", Path("net"))).run(seen)[0] for one in files]
    assert np.array_equal(raw[0], raw[1])
    assert not np.array_equal(raw[0], raw[2])


def test_a_net_that_is_not_square_sees_the_cell_squashed_as_the_file_squashes_it(tmp_path: Path) -> None:
    cells = read_cells(cell_folders.make(tmp_path / "cells", count=4), ())
    net = teacher(40, 48, 3)
    want = outputs(net, cells.images, UNIT, "rgb")
    ways, _ = ways_for(net, UNIT, "upscale", logits=False, keep_head=True)
    got = np.asarray(ways[0].make(None, False)(UNIT.values(to_colour(cells.images, "rgb"))))
    assert np.abs(got - want).max() < 1e-5
