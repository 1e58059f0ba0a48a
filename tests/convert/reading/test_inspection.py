"""What inspect says of the founding nets and of trouble, from configs alone."""

from __future__ import annotations

import pytest

from convert.reading.inspection import Inspection, inspect
from tests.convert.make import JSON, called, conv, dense, functional, node, opened, sequential

FLAT, POOL = node("Flatten"), node("MaxPooling2D", name="pool", pool_size=[2, 2])
GLOBAL = node("GlobalAveragePooling2D")


def seen(config: JSON) -> Inspection:
    return inspect(opened(config))


def notebook(*front: JSON, shape: tuple[int, int, int] = (64, 64, 3)) -> JSON:
    """Notebooks 2 and 6 of NETS.md."""
    layers: list[JSON] = []
    for number, (filters, slope) in enumerate(((18, 0.25), (16, 0.2), (12, 0.15), (8, 0.1))):
        layers.append(conv(f"conv{number}", filters, padding="same"))
        layers.append(node("LeakyReLU", name=f"leaky{number}", negative_slope=slope))
        if number == 2:
            layers.append(POOL)
    tail = [
        dense("d32", 32, activation="sigmoid"),
        dense("d18", 18, activation="sigmoid"),
        dense("out", 1, activation="sigmoid"),
    ]
    return sequential(*front, *layers, FLAT, *tail, shape=shape)


def test_notebook_6_resizes_inside_and_has_five_million_macs() -> None:
    found = seen(notebook(node("Resizing", name="resize", height=32, width=32, interpolation="bilinear")))
    assert found.inputs == ((64, 64, 3),)
    assert found.native_size == (64, 64)
    assert (found.head, found.classes, found.channels, found.colour) == ("sigmoid", 2, 3, "colour")
    assert found.preprocessing == ("Resizing(height=32, width=32, interpolation=bilinear)",)
    assert found.macs is not None
    assert 5.0e6 < found.macs < 5.5e6
    assert not found.any_size
    assert any("saturate" in risk for risk in found.risks)


@pytest.mark.parametrize(
    ("units", "activation", "head", "classes"),
    [
        (1, "sigmoid", "sigmoid", 2),
        (1, "linear", "logits", 2),
        (2, "softmax", "softmax", 2),
        (8, None, "logits", 8),
        (3, "sigmoid", "sigmoid", 3),
        (3, "relu", "unknown", 3),
    ],
)
def test_heads(units: int, activation: str | None, head: str, classes: int) -> None:
    found = seen(sequential(conv(), GLOBAL, dense(units=units, activation=activation)))
    assert (found.head, found.classes) == (head, classes)


def test_a_separate_activation_is_seen_through_dropout_and_nesting() -> None:
    tail = node(
        "Sequential",
        "keras",
        name="tail",
        layers=[dense(units=3), node("Activation", name="act", activation="softmax")],
    )
    assert seen(sequential(conv(), GLOBAL, tail, node("Dropout", rate=0.1))).head == "softmax"
    assert seen(sequential(conv(), GLOBAL, dense(), node("Softmax"))).head == "softmax"


def test_maps_and_several_outputs_are_no_classifiers() -> None:
    assert seen(sequential(conv(activation="sigmoid"))).head == "map"
    config = functional(called(conv("a"), "input"), called(conv("b"), "input"), output="a")
    config["config"]["output_layers"] = [["a", 0, 0], ["b", 0, 0]]
    found = seen(config)
    assert (found.head, found.classes, len(found.outputs)) == ("several outputs", None, 2)


@pytest.mark.parametrize(
    ("layers", "any_size"),
    [
        ([conv(), GLOBAL, dense()], True),
        ([conv(), GLOBAL, FLAT, dense()], True),
        ([conv(), POOL, FLAT, dense()], False),
        ([conv(), node("PReLU"), GLOBAL, dense()], False),
        ([conv(), node("PReLU", shared_axes=[1, 2]), GLOBAL, dense()], True),
        ([conv(kernel_size=40), GLOBAL, dense()], False),
        ([conv(strides=8, padding="same"), conv("head", 1, kernel_size=[8, 8])], False),
        ([conv(strides=8, padding="same"), conv("head", 1, kernel_size=[4, 4])], True),  # a map: may grow
        ([conv(), node("Reshape", target_shape=[-1, 4]), node("GlobalAveragePooling1D"), dense()], False),
    ],
)
def test_whether_the_same_weights_fit_any_size(layers: list[JSON], any_size: bool) -> None:
    found = seen(sequential(*layers, shape=(64, 64, 3)))
    assert found.any_size is any_size
    assert (found.macs_32 is not None) is any_size


def test_big_nets_are_called_big_with_what_32_by_32_would_cost() -> None:
    layers = [conv(f"c{n}", 128, padding="same") for n in range(4)]
    found = seen(sequential(*layers, GLOBAL, dense(), shape=(128, 128, 3)))
    assert any("very large for a Pi" in risk and "rebuilt at 32 x 32" in risk for risk in found.risks)
    assert found.macs_32 is not None
    assert found.macs is not None
    assert found.macs_32 < found.macs / 10


def test_a_large_dense_layer_behind_a_flatten_is_named() -> None:
    found = seen(sequential(FLAT, dense("big", 1024), dense("out"), shape=(64, 64, 3)))
    assert any(risk.startswith("big: a Flatten before a dense layer of 12.6 M parameters") for risk in found.risks)


def test_what_is_random_at_inference_is_a_risk() -> None:
    custom = node("BrightnessShift", "__main__", registered="My>BrightnessShift", name="bright")
    found = seen(sequential(custom, conv(), GLOBAL, dense()))
    assert any(risk.startswith("random at inference") and "bright" in risk for risk in found.risks)
    dropout = called(node("Dropout", name="drop", rate=0.5), "input", training=True)
    assert any("drop" in risk for risk in seen(functional(dropout, output="drop")).risks)


def test_augmentation_that_keras_3_marks_as_training_by_itself_is_not_random_at_inference() -> None:
    flip = called(node("RandomFlip", name="flip"), "input", training=True)
    found = seen(functional(flip, called(conv(), "flip"), output="conv"))
    assert not any("random at inference" in risk for risk in found.risks)
    assert any("acts in training only" in note for note in found.notes)


def test_a_classifier_whose_output_grows_with_the_image_is_of_fixed_size() -> None:
    config = sequential(conv(strides=8, padding="same"), conv("head", 1, kernel_size=[4, 4]))
    found = seen(config)
    assert found.outputs == ((1, 1, 1),)
    assert not found.any_size


def test_odd_inputs_are_risks() -> None:
    assert seen(sequential(conv(), GLOBAL, dense(), shape=(32, 32, 1))).colour == "grey"
    assert any("4 channels" in risk for risk in seen(sequential(conv(), GLOBAL, dense(), shape=(32, 32, 4))).risks)
    assert any("no image" in risk for risk in seen(sequential(dense(), shape=(5,))).risks)


def test_the_fixed_batch_is_opened_and_said() -> None:
    config = sequential(conv(), GLOBAL, dense())
    config["config"]["layers"][0]["config"]["batch_shape"][0] = 16
    found = seen(config)
    assert found.inputs == ((32, 32, 3),)
    assert "the batch is fixed at 16: opened" in found.notes
