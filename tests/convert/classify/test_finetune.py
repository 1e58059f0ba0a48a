"""Fine-tuning rescues a net whose channels differ so much that int8 loses it, and gives the same weights each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.errors import UnsupportedError
from convert.measure.cells import CellSet
from convert.measure.reading import read_cells
from convert.net.batch import feed
from convert.net.int8 import QuantisationRecipe, layer_errors, quantise
from convert.net.rewrite import device_model
from convert.net.values import RANGES
from edge.modelfile import ModelFile
from edge.runtime import Net
from tests.convert import cell_folders

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
VALUES = RANGES["0..1"]
SPREAD = 80.0


def silent(_doing: str, _at: float) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> CellSet:
    return read_cells(cell_folders.make(tmp_path_factory.mktemp("finetune") / "cells", count=250), ())


@pytest.fixture(scope="module")
def net(cells: CellSet) -> Any:
    """Trained, then its channels scaled apart: what one layer gives larger, the next one takes smaller. Same function."""
    import keras

    keras.utils.set_random_seed(3)
    make: Any = keras.layers
    convolutions = [make.Conv2D(12, 3, 2, activation="relu"), make.Conv2D(16, 3, 2, activation="relu")]
    stack = [make.Input((32, 32, 3)), *convolutions, make.Conv2D(16, 3, activation="relu"), make.GlobalMaxPooling2D()]
    net: Any = keras.Sequential([*stack, make.Dense(1, activation="sigmoid")])
    net.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    net.fit(cells.images / np.float32(255), cells.truth.astype("f"), epochs=25, batch_size=32, verbose=0)
    rng = np.random.default_rng(0)
    for first, second in zip(net.layers[:2], net.layers[1:3], strict=True):
        factors = np.exp(rng.uniform(-1, 1, first.filters) * np.log(SPREAD)).astype(np.float32)
        kernel, bias = first.get_weights()
        first.set_weights([kernel * factors, bias * factors])
        kernel, bias = second.get_weights()
        second.set_weights([kernel / factors[:, None], bias])
    return net


def verdicts(flatbuffer: bytes, cells: CellSet) -> np.ndarray:
    net = Net(ModelFile(flatbuffer, None, "", Path("net")))
    return np.asarray(net.run(cells.images)[0].ravel() > 0)


def int8(net: Any, cells: CellSet, recipe: QuantisationRecipe | None = None) -> bytes:
    return quantise(net, feed(cells.images, VALUES), recipe)


def tuned(net: Any, cells: CellSet) -> bytes:
    from convert.classify.finetune import fine_tuned

    fed = VALUES.values(cells.images)
    with fine_tuned(device_model(net, 32, VALUES, batch=None, bare=True), fed, 300_000, 0, silent) as better:
        return int8(better, cells)


def test_fine_tuning_gives_back_what_int8_lost(net: Any, cells: CellSet) -> None:
    calibration, check = cells.take(np.arange(0, 500, 2)), cells.take(np.arange(1, 500, 2))
    before = net.get_weights()
    floats = np.asarray(net.predict(check.images / np.float32(255), verbose=0)).ravel() > 0.5
    plain = verdicts(int8(device_model(net, 32, VALUES, bare=True), calibration), check)
    again = [tuned(net, calibration) for _ in range(2)]
    accuracy = [float((guess == check.truth).mean()) for guess in (floats, plain, verdicts(again[0], check))]
    assert accuracy[0] > 0.95
    assert accuracy[0] - accuracy[1] > 0.005
    assert accuracy[0] - accuracy[2] <= 0.005
    raw = [Net(ModelFile(one, None, "", Path("net"))).run(check.images)[0] for one in again]
    assert np.array_equal(raw[0], raw[1])  # the files differ in the names that Keras counts up
    assert all((a == b).all() for a, b in zip(before, net.get_weights(), strict=True))


def test_layers_left_in_float_still_take_the_devices_bytes(net: Any, cells: CellSet) -> None:
    static = device_model(net, 32, VALUES, bare=True)
    few = cells.take(np.arange(0, 500, 60))
    layers = layer_errors(static, feed(few.images, VALUES))
    want = np.asarray(device_model(net, 32, VALUES, batch=None, bare=True)(VALUES.values(few.images))).ravel()
    for kept in (layers[:1], layers[1:3], layers):  # the first op, some in the middle, all
        made = Net(
            ModelFile(
                int8(static, cells, QuantisationRecipe(float_layers=tuple(layer.tensor for layer in kept))),
                None,
                "",
                Path("n"),
            )
        )
        got = made.run(few.images)[0].ravel()
        assert made._input["dtype"] == np.int8
        assert np.abs(got - want).max() < (1e-3 if kept == layers else np.ptp(want))


def test_too_few_cells_are_refused(net: Any, cells: CellSet) -> None:
    with pytest.raises(UnsupportedError, match="too few cells"):
        tuned(net, cells.take(np.arange(12)))
