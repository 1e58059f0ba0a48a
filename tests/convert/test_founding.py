"""The founding nets of NETS.md, as their notebooks save them, through the door. Needs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.reading.inspection import inspect
from convert.reading.load import load_model
from convert.reading.source import open_source

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install 'edge-microscopy[convert]'")
keras: Any = pytest.importorskip("keras")
RNG = np.random.default_rng(3)


def shaken(model: Any) -> Any:
    model.set_weights([np.abs(RNG.normal(0, 0.5, w.shape)).astype(w.dtype) for w in model.get_weights()])
    return model


def notebook_4(package: str) -> tuple[Any, Any]:
    """The whole net with its custom front, and the part that is left at inference."""
    layers = keras.layers
    Base: Any = layers.Layer  # noqa: N806
    register = keras.saving.register_keras_serializable(package=package)

    @register
    class HSVtoRGB(Base):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return tf.image.hsv_to_rgb(x)

    @register
    class RandomBrightnessShift(Base):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return tf.image.random_brightness(x, 0.2)

    @register
    class RGBtoHSV(Base):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return tf.image.rgb_to_hsv(x)

    rest = [
        layers.Conv2D(6, 3, padding="same"),
        layers.LeakyReLU(0.25),
        layers.MaxPooling2D(4),
        layers.Flatten(),
        layers.Dense(16, activation="sigmoid"),
        layers.Dense(1, activation="sigmoid"),
    ]
    front = [
        keras.Sequential([HSVtoRGB()]),
        keras.Sequential([RandomBrightnessShift(), layers.RandomContrast(0.2)]),
        keras.Sequential([RGBtoHSV()]),
    ]
    plain = keras.Sequential([keras.Input((64, 64, 3)), *rest])
    return keras.Sequential([keras.Input((64, 64, 3)), *front, *rest]), shaken(plain)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_notebook_4_loads_without_its_code_and_without_its_chance(tmp_path: Path, ending: str) -> None:
    whole, plain = notebook_4("MyLayers")
    path = tmp_path / f"net{ending}"
    whole.save(path)
    found = inspect(open_source(path))
    assert any(risk.startswith("random at inference") for risk in found.risks)
    model = load_model(open_source(path))
    images = RNG.random((4, 64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(model(images).numpy(), plain(images).numpy(), atol=1e-6)


def test_notebook_5_a_frozen_vgg_inside(tmp_path: Path) -> None:
    layers = keras.layers
    vgg = keras.applications.VGG16(weights=None, include_top=False, input_shape=(64, 64, 3))
    base = keras.Model(vgg.input, vgg.get_layer("block3_pool").output, name="vgg16")
    base.trainable = False
    model = keras.Sequential(
        [keras.Input((64, 64, 3)), base, layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dense(1)]
    )
    images = RNG.random((2, 64, 64, 3)).astype(np.float32)
    for name in ("net.keras", "net.h5"):
        model.save(tmp_path / name)
        source = open_source(tmp_path / name)
        loaded = load_model(source)
        np.testing.assert_allclose(loaded(images).numpy(), model(images).numpy(), atol=1e-6)
        assert inspect(source).parameters == model.count_params()


def test_the_finder_goes_through_the_same_door(tmp_path: Path) -> None:
    from models.finder_net import build

    model = build(2, height_px=96, width_px=128)
    model.save(tmp_path / "finder.keras")
    source = open_source(tmp_path / "finder.keras")
    found = inspect(source)
    assert found.head == "several outputs"
    assert found.outputs == tuple(tuple(shape[1:]) for shape in model.output_shape)
    images = RNG.random((1, 96, 128, 3)).astype(np.float32)
    for ours, theirs in zip(load_model(source)(images), model(images), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)
