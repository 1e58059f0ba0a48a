"""The founding nets of NETS.md, as their notebooks save them, through the door. Needs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.reading.inspection import inspect
from convert.reading.load import load_model
from convert.reading.source import open_source
from models.studies.founding.nets import NETS, build

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
keras: Any = pytest.importorskip("keras")
RNG = np.random.default_rng(3)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_notebook_4_loads_without_its_code_and_without_its_chance(tmp_path: Path, ending: str) -> None:
    keras.utils.set_random_seed(3)
    whole = build("notebook_4")
    plain = keras.Sequential([keras.Input((64, 64, 3)), *whole.layers[3:]])  # the front is three Sequentials
    path = tmp_path / f"net{ending}"
    whole.save(path)
    found = inspect(open_source(path))
    assert any(risk.startswith("random at inference") for risk in found.risks)
    model = load_model(open_source(path))
    images = (RNG.random((4, 64, 64, 3)) * np.array([0.1, 0.4, 0.7, 1.0])[:, None, None, None]).astype(np.float32)
    wanted = plain(images).numpy()
    assert np.ptp(wanted) > 1e-4  # else nothing would be seen
    np.testing.assert_allclose(model(images).numpy(), wanted, atol=1e-6)


def test_notebook_5_a_frozen_vgg_inside(tmp_path: Path) -> None:
    model = build("notebook_5")
    images = RNG.random((2, 64, 64, 3)).astype(np.float32)
    for name in ("net.keras", "net.h5"):
        model.save(tmp_path / name)
        source = open_source(tmp_path / name)
        loaded = load_model(source)
        np.testing.assert_allclose(loaded(images).numpy(), model(images).numpy(), atol=1e-6)
        assert inspect(source).parameters == model.count_params()


def test_the_finder_goes_through_the_same_door(tmp_path: Path) -> None:
    from models.train import finder_net

    model = finder_net.build(2, height_px=96, width_px=128)
    model.save(tmp_path / "finder.keras")
    source = open_source(tmp_path / "finder.keras")
    found = inspect(source)
    assert found.head == "several outputs"
    assert found.outputs == tuple(tuple(shape[1:]) for shape in model.output_shape)
    images = RNG.random((1, 96, 128, 3)).astype(np.float32)
    for ours, theirs in zip(load_model(source)(images), model(images), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_every_founding_net_can_be_built_at_the_devices_size(name: str) -> None:
    if name in ("resnet50v2", "micro_organisms"):
        pytest.skip("the two large ones take seconds to build; tests/convert/test_nets.py does, at their own size")
    model = build(name, 32, 3, 3)
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 3)


def test_a_founding_net_of_one_channel_has_one() -> None:
    assert build("notebook_2", 32, 1).input_shape == (None, 32, 32, 1)
