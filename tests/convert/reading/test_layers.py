"""Stand-ins for custom layers: recognised by name, and exactly TensorFlow's colour conversions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convert.reading.graph import AdmittedNet
from convert.reading.layers import FLIP_CHANNELS, HSV_TO_RGB, LAYER_SCALE, RGB_TO_HSV, keras_classes, stand_in
from convert.reading.parse import admit
from tests.convert.make import JSON, conv, dense, node, old, opened, sequential

TO_RGB = node("HSVtoRGB", "__main__", registered="MyLayers>HSVtoRGB", name="to_rgb")
TO_HSV = node("RGBToHSVLayer", "__main__", registered="MyLayers>RGBToHSVLayer", name="to_hsv")
BRIGHTNESS = node(
    "RandomBrightnessShift", "__main__", registered="MyLayers>RandomBrightnessShift", name="bright", factor=0.2
)
HUE = node("RandomHueShift", "__main__", registered="MyLayers>RandomHueShift", name="hue", factor=0.2)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("HSVtoRGB", HSV_TO_RGB),
        ("Hsv2Rgb", HSV_TO_RGB),
        ("hsv_to_rgb_layer", HSV_TO_RGB),
        ("ConvertHSVToRGB", HSV_TO_RGB),
        ("RGB2HSV", RGB_TO_HSV),
        ("RgbToHsv", RGB_TO_HSV),
        ("BGR2RGB", FLIP_CHANNELS),
        ("RandomBrightness", "Identity"),
        ("BrightnessShift", "Identity"),
        ("RandomColorShift", "Identity"),
        ("HueShift", "Identity"),
        ("RandomHue", "Identity"),
        ("DataAugmentation", "Identity"),
        ("LayerScale", LAYER_SCALE),
    ],
)
def test_names_as_notebooks_write_them(name: str, kind: str) -> None:
    found = stand_in(name)
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize("name", ["Attention", "HSVNet", "Brightness", "RGB", "Hue", "ColorConstancy", "MyDense", ""])
def test_other_names_are_not_guessed_at(name: str) -> None:
    assert stand_in(name) is None


def nested(*layers: JSON, name: str = "augment") -> JSON:
    return node("Sequential", "keras", name=name, layers=list(layers))


def kinds(admitted: AdmittedNet) -> list[str]:
    return [layer.kind for layer in admitted.graph.leaves()]


def test_notebook_4_goes_to_rgb_and_back_and_so_nowhere() -> None:
    contrast = node("RandomContrast", name="contrast", factor=0.2)
    config = sequential(
        nested(TO_RGB, name="a"), nested(BRIGHTNESS, contrast, HUE, name="b"), nested(TO_HSV, name="c"), conv()
    )
    admitted = admit(opened(config))
    assert set(kinds(admitted)) == {"InputLayer", "Identity", "Conv2D"}
    notes = " ".join(admitted.notes)
    assert "'bright' (RandomBrightnessShift): a custom brightness shift, often random at inference too" in notes
    assert "'hue' (RandomHueShift)" in notes
    assert "'contrast' (RandomContrast) acts in training only" in notes
    assert "cancel out" in notes


def test_a_conversion_with_work_in_between_stays() -> None:
    got = kinds(admit(opened(sequential(TO_RGB, conv(filters=3), TO_HSV, dense()))))
    assert got == ["InputLayer", HSV_TO_RGB, "Conv2D", RGB_TO_HSV, "Dense"]
    assert kinds(admit(opened(sequential(TO_HSV, BRIGHTNESS, TO_RGB))))[1:] == [RGB_TO_HSV, "Identity", HSV_TO_RGB]


def test_old_files_give_the_name_alone() -> None:
    config = old(
        "Sequential",
        layers=[old("InputLayer", batch_input_shape=[None, 8, 8, 3]), old("HSVtoRGB"), old("Dense", units=2)],
    )
    assert kinds(admit(opened(config, "2.6.0"))) == ["InputLayer", HSV_TO_RGB, "Dense"]


@pytest.mark.build
@pytest.mark.filterwarnings("ignore")
def test_colours_are_converted_as_tensorflow_does() -> None:
    tf: Any = pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
    rng = np.random.default_rng(5)
    image = rng.random((1, 64, 64, 3)).astype(np.float32)
    image[0, 0] = rng.integers(0, 2, (64, 3))  # corners of the cube, where hue jumps or is none
    image[0, 1] = 0.5
    image[0, 2] = 0
    classes = keras_classes()
    np.testing.assert_allclose(classes[RGB_TO_HSV]()(image).numpy(), tf.image.rgb_to_hsv(image).numpy(), atol=1e-6)
    np.testing.assert_allclose(classes[HSV_TO_RGB]()(image).numpy(), tf.image.hsv_to_rgb(image).numpy(), atol=1e-6)
    np.testing.assert_array_equal(classes[FLIP_CHANNELS]()(image).numpy(), image[..., ::-1])


@pytest.mark.build
@pytest.mark.filterwarnings("ignore")
def test_the_finders_own_layer_is_the_same_class() -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
    from models.train.finder_net import depth_to_space_layer

    assert depth_to_space_layer() is keras_classes()["edge:DepthToSpace"]
