"""A net that int8 spoils, or whose file no delegate takes, becomes a sound device file; the tensor to blame is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from convert.classify import candidate
from convert.classify.blame import TensorBlame, blamed, float_layers
from convert.classify.candidate import QuantizePlan
from convert.classify.ladder import ladder
from convert.classify.ways import Way, ways_for
from convert.measure import operating
from convert.measure.cells import CellSet
from convert.measure.scoring import device_scores, plain_card
from convert.net.batch import CONVERTED_AT, feed
from convert.net.int8 import LayerError, quantise, to_float
from convert.net.rewrite import device_model
from convert.net.values import RANGES

pytestmark = pytest.mark.filterwarnings("ignore")
UNIT = RANGES["0..1"]
BLAME = [
    TensorBlame("CONV_2D", "b", 0.5, 0.4, ("c",)),
    TensorBlame("CONV_2D", "a", 0.1, 0.1, ("b",)),
    TensorBlame("ADD", "c", 0.1, -0.4, ()),
]
LAYERS = tuple(LayerError(op, name, 0.3, 0.0) for op, name in (("CONV_2D", "a"), ("CONV_2D", "b"), ("ADD", "c")))


def test_a_tensor_to_blame_stays_float_with_its_neighbours() -> None:
    assert float_layers(BLAME, 1) == ("b", "c")
    assert float_layers(BLAME, 3) == ("b", "c", "a")


@pytest.mark.parametrize(
    ("blame", "there", "wanted"),
    [
        pytest.param(BLAME, 50, "tensor to blame", id="after ranges the tensor to blame stays in float"),
        pytest.param([], 700, "fewer calibration", id="where none is to blame, fewer cells come next"),
    ],
)
def test_the_first_steps_of_the_ladder(blame: list[TensorBlame], there: int, wanted: str) -> None:
    steps = list(ladder(LAYERS, blame, there, 500, 2000))
    assert [step.recipe.left_out for step in steps[:3]] == [1e-4, 1e-3, 0]  # ranges cost the device nothing
    assert wanted in steps[2].name
    assert steps[-1].recipe.float_layers == ("a", "b", "c")
    assert [step.last for step in steps[-3:]] == [False, True, True]
    kept = [step.recipe.float_layers for step in steps if step.recipe.float_layers]
    assert len(kept) == len(set(kept))


def test_ranges_that_the_nets_training_learnt_come_before_others() -> None:
    steps = list(ladder(LAYERS, BLAME, 50, 500, 2000, learnt=(("a", -1.0, 1.0),)))
    assert steps[0].recipe.learnt == (("a", -1.0, 1.0),)
    assert not any(step.recipe.learnt for step in steps[1:])


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        pytest.param(300, [(0.0, 300), (1e-4, 0), (1e-3, 0), (1e-3, 300)], id="alone, and with narrow ranges"),
        pytest.param(20, [(1e-4, 0), (1e-3, 0), (0.0, 0)], id="not where only few cells can be afforded"),
    ],
)
def test_biases_are_corrected_before_anything_that_costs_the_device_time(
    cells: int, wanted: list[tuple[float, int]]
) -> None:
    steps = list(ladder(LAYERS, BLAME, 50, 500, 2000, corrected=cells))
    assert [(step.recipe.left_out, step.recipe.corrected) for step in steps[: len(wanted)]] == wanted


@pytest.fixture
def cells() -> CellSet:
    """120 cells of two classes: some have a dark spot."""
    rng = np.random.default_rng(0)
    images = rng.integers(150, 200, (120, 32, 32, 3), dtype=np.uint8)
    truth = np.arange(120, dtype=np.int32) % 2
    for number in np.flatnonzero(truth):
        top, left = rng.integers(4, 20, 2)
        images[number, top : top + 8, left : left + 8] = 40
    names = tuple(f"{number}.png" for number in range(120))
    return CellSet(images, truth, ("clear", "spot"), np.array(names), names, grouped=False)


def plan_of(cells: CellSet) -> QuantizePlan:
    card = plain_card("net", cells.labels, "rgb", logits=True, positive=("spot",))
    rule = operating.how(0.0, cells, card, known=True)
    scores = np.eye(2, dtype=np.float32)[cells.truth]  # the net as trained is always right
    return QuantizePlan(cells, cells, UNIT, card, 0.5, rule, cells=60, more_cells=120, scores=scores)


def silent(_doing: str, _at: float) -> None:
    """No progress."""


def spotter(*, huge: float = 0.0, dead: bool = False) -> Any:
    """Finds dark spots. ``huge``: a constant that a layer adds and the next one takes away; ``dead``: a layer that is always 0."""
    keras = pytest.importorskip("keras")
    layers: Any = keras.layers
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, 2, activation="relu", name="first")(inputs)
    x = layers.Conv2D(4, 3, 2, activation="relu", name="second")(x)
    x = layers.GlobalMaxPooling2D()(x)
    net: Any = keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="last")(x))
    rng = np.random.default_rng(1)
    kernel = np.full((3, 3, 3, 4), -1 / 27, np.float32) + rng.normal(0, 1e-3, (3, 3, 3, 4)).astype(np.float32)
    bias = np.array([0.6, 0.6, 0.6, huge or 0.6], np.float32)
    net.get_layer("first").set_weights([kernel, bias - (5 if dead else 0)])
    second = np.full((3, 3, 4, 4), 1 / 27, np.float32)
    second[:, :, 3] = 1 / 27 if huge else 0
    net.get_layer("second").set_weights([second, np.full(4, -(huge - 0.6) / 3 if huge else 0, np.float32)])
    net.get_layer("last").set_weights([np.full((4, 1), 10, np.float32), np.array([-6], np.float32)])
    return net


def way_of(net: Any) -> Way:
    return ways_for(net, UNIT, "native", logits=False, keep_head=False)[0][0]


@pytest.mark.build
def test_the_tensor_to_blame_is_the_one_that_is_made_of_what_int8_hides(cells: CellSet) -> None:
    pytest.importorskip("tensorflow")
    static = device_model(spotter(huge=400.0), 32, UNIT, batch=CONVERTED_AT, bare=True)
    few = cells.images[:10]
    found = blamed(quantise(static, feed(few, UNIT)), to_float(static), few, UNIT.values(few))
    assert "second" in found[0].tensor
    assert any("first" in near for near in found[0].neighbours)


@pytest.mark.build
def test_a_net_that_int8_spoils_is_rescued(cells: CellSet) -> None:
    pytest.importorskip("tensorflow")
    plan = plan_of(cells)
    made = candidate.make(way_of(spotter(huge=400.0)), plan, silent)
    assert made.tried[0][1] > 1
    assert made.recipe == "int8, the tensor to blame in float"
    assert made.accuracy == 1.0


@pytest.mark.build
def test_a_file_that_no_delegate_takes_is_made_otherwise(cells: CellSet) -> None:
    pytest.importorskip("tensorflow")
    made = candidate.make(way_of(spotter(dead=True)), replace(plan_of(cells), limit=60.0), silent)
    scores = device_scores(made.flatbuffer, made.card, cells.images)
    assert np.abs(scores - device_scores(made.float_file, made.card, cells.images)).max() < 0.02


@pytest.mark.build
def test_accuracy_of_a_way_that_learnt_from_the_cells_is_that_of_nets_which_did_not(cells: CellSet) -> None:
    pytest.importorskip("tensorflow")
    wrong = np.where(np.arange(120) < 12, 1 - cells.truth, cells.truth)
    known = dict(zip(cells.names, np.eye(2, dtype=np.float32)[wrong], strict=True))
    way = replace(way_of(spotter()), held_out=lambda some: np.stack([known[name] for name in some.names]))
    assert candidate.make(way, plan_of(cells), silent).accuracy == pytest.approx(0.9)
    assert candidate.make(way, replace(plan_of(cells), apart=True), silent).accuracy == 1.0
