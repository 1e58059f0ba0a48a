"""The interpreter's wrapper and the rule from scores to classes, on a net whose outputs are a cell's mean colours."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge import runtime
from edge.classifier import BATCH, Classifier
from edge.errors import ModelError
from edge.modelfile import Card, ModelFile, read_model
from edge.runtime import Net
from edge.types import FloatArray

MODEL = read_model(Path(__file__).parent / "data" / "colour.tflite")


def f32(values: list[Any]) -> FloatArray:
    return np.array(values, np.float32)


def card(**changes: object) -> Card:
    assert MODEL.card is not None
    return replace(MODEL.card, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(MODEL)


def cells(*colours: tuple[int, int, int]) -> np.ndarray:
    return np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in colours])


def test_each_cell_gets_one_score_per_class_that_add_up_to_one(classifier: Classifier) -> None:
    scores = classifier.scores(cells((250, 10, 10), (10, 250, 10), (10, 10, 250)))
    assert scores.shape == (3, 3)
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_the_device_brings_crops_to_the_colour_the_net_was_trained_on() -> None:
    reversed_channels = Classifier(MODEL, card(colour="bgr"))
    assert reversed_channels.scores(cells((250, 10, 10), (10, 10, 250))).argmax(axis=1).tolist() == [2, 0]


def test_no_cells_give_no_scores(classifier: Classifier) -> None:
    assert classifier.scores(np.empty((0, 32, 32, 3), np.uint8)).shape == (0, 3)


def test_a_cell_scores_the_same_whatever_batch_it_is_in(classifier: Classifier) -> None:
    many = np.random.default_rng(0).integers(0, 255, (2 * BATCH + 5, 32, 32, 3), dtype=np.uint8)
    together = classifier.scores(many)
    assert (classifier.scores(many[-3:]) == together[-3:]).all()
    assert (classifier.scores(many[7:8]) == together[7:8]).all()


def test_scores_looked_up_per_byte_are_those_worked_out_per_cell(classifier: Classifier) -> None:
    dark = Classifier(read_model(MODEL.path.with_name("dark.tflite")))  # two classes by one output
    many = np.random.default_rng(1).integers(0, 255, (BATCH + 3, 32, 32, 3), dtype=np.uint8)
    for one in (classifier, dark):
        assert one.net.values_of_bytes() is not None
        raw = one.net.run(many)[0].reshape(len(many), -1).astype(np.float64)
        if raw.shape[1] == 1:
            p = (1 / (1 + np.exp(-raw))).astype(np.float32)
            worked_out = np.concatenate([1 - p, p], axis=1)
        else:
            worked_out = np.exp(raw - raw.max(axis=1, keepdims=True))
            worked_out = (worked_out / worked_out.sum(axis=1, keepdims=True)).astype(np.float32)
        assert np.array_equal(one.scores(many), worked_out)


def test_bytes_reach_the_net_as_they_are() -> None:
    raw = Net(MODEL).run(cells((0, 128, 255)))[0].reshape(-1)
    assert np.abs(raw - (np.array([0, 128, 255]) - 128) / 64).max() < 0.03


def test_the_whole_graph_runs_in_the_delegate(classifier: Classifier) -> None:
    if classifier.net.package != "ai-edge-litert":
        pytest.skip("tflite-runtime does not delegate int8 graphs")
    assert classifier.net.delegated()


def test_a_cell_is_positive_from_the_threshold_on() -> None:
    strict = Classifier(MODEL, card(threshold=0.4))
    scores = f32([[0.35, 0.25, 0.4], [0.5, 0.11, 0.39], [0.1, 0.2, 0.7]])
    assert strict.classes(scores).tolist() == [2, 0, 2]


def test_below_the_threshold_the_best_of_the_other_classes_counts() -> None:
    strict = Classifier(MODEL, card(threshold=0.9))
    assert strict.classes(f32([[0.05, 0.15, 0.8]])).tolist() == [1]


def test_several_positive_classes_add_up() -> None:
    both = Classifier(MODEL, card(positive=("green", "blue"), threshold=0.5))
    assert both.classes(f32([[0.45, 0.3, 0.25]])).tolist() == [1]


def test_without_positive_classes_the_best_counts() -> None:
    assert Classifier(MODEL, card(positive=())).classes(f32([[0.2, 0.5, 0.3]])).tolist() == [1]


def test_a_model_without_a_card_needs_explicit_labels() -> None:
    bare = ModelFile(MODEL.flatbuffer, None, MODEL.sha256, MODEL.path)
    with pytest.raises(ModelError, match="--labels"):
        Classifier(bare)
    assert Classifier(bare, card()).card.labels == ("red", "green", "blue")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"labels": ("a", "b"), "positive": ()}, "3 outputs for 2 labels"),
        ({"crop": replace(card().crop, size=64)}, "wrong input shape"),
        ({"task": "find"}, "not a classifier"),
        ({"colour": "grey"}, "the card says (32, 32, 1)"),
    ],
)
def test_a_card_that_does_not_fit_the_net_is_refused(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ModelError, match=re.escape(complaint)):
        Classifier(MODEL, card(**change))


def test_a_damaged_flatbuffer_is_one_known_error() -> None:
    with pytest.raises(ModelError, match="refuses this model"):
        Net(ModelFile(MODEL.flatbuffer[:600], None, "", MODEL.path))


def test_without_a_runtime_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_RUNTIMES", (("no_such_runtime.interpreter", "none"),))
    with pytest.raises(ModelError, match="pip install"):
        runtime.interpreter_class()


def stand_in(output: FloatArray, *, fails: bool = False) -> type[Any]:
    """An interpreter that takes 32 x 32 crops and answers ``output``, whatever it is shown."""

    class Interpreter:
        def __init__(self, **_: object) -> None:
            pass

        def allocate_tensors(self) -> None:
            pass

        def resize_tensor_input(self, *_: object, **__: object) -> None:
            if fails:
                raise RuntimeError("somewhere.cc:1\nnode 3 (RESHAPE) failed to prepare")

        def get_input_details(self) -> list[dict[str, Any]]:
            return [{"index": 0, "shape": np.array([1, 32, 32, 3]), "dtype": np.float32}]

        def get_output_details(self) -> list[dict[str, Any]]:
            return [
                {
                    "index": 1,
                    "name": "out",
                    "dtype": output.dtype,
                    "shape": np.array(output.shape),
                    "quantization": (0.0, 0),
                }
            ]

        def set_tensor(self, *_: object) -> None:
            pass

        def invoke(self) -> None:
            pass

        def get_tensor(self, _: int) -> FloatArray:
            return output

    return Interpreter


@pytest.mark.parametrize(
    ("output", "fails", "complaint"),
    [
        (f32([[np.nan, 0, 1]] * BATCH), False, "not a number"),
        (f32([[np.inf, 0, 1]] * BATCH), False, "not a number"),
        (f32([[0.5, 0, 1]]), False, "wrong output shape"),
        (np.ones((BATCH, 4, 4, 3), np.float32), False, "wrong output shape"),
        (np.float32(3).reshape(()), False, "wrong output shape"),
        (f32([[0.5, 0, 1]]), True, "cannot run on a batch of 32x32x32x3: node 3"),
    ],
)
def test_a_net_that_gives_no_scores_is_refused_before_the_first_field(
    monkeypatch: pytest.MonkeyPatch, output: FloatArray, fails: bool, complaint: str
) -> None:
    monkeypatch.setattr(runtime, "interpreter_class", lambda: (stand_in(output, fails=fails), "ai-edge-litert"))
    with pytest.raises(ModelError, match=complaint):
        Classifier(MODEL)


def test_extreme_logits_are_plain_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.zeros((BATCH, 1), np.float32)
    logits[:2, 0] = -1000, 1000
    monkeypatch.setattr(runtime, "interpreter_class", lambda: (stand_in(logits), "ai-edge-litert"))
    two = Classifier(MODEL, card(labels=("no", "yes"), positive=("yes",)))
    assert np.allclose(two.scores(cells((0, 0, 0), (0, 0, 0))), [[1, 0], [0, 1]])


def test_scores_are_the_nearest_float_so_that_every_processor_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.linspace(-9, 9, BATCH, dtype=np.float32)[:, None]
    monkeypatch.setattr(runtime, "interpreter_class", lambda: (stand_in(logits), "ai-edge-litert"))
    two = Classifier(MODEL, card(labels=("no", "yes"), positive=("yes",)))
    exact = f32([1 / (1 + math.exp(-float(x))) for x in logits[:, 0]])
    assert (two.scores(np.zeros((BATCH, 32, 32, 3), np.uint8))[:, 1] == exact).all()


def with_output(monkeypatch: pytest.MonkeyPatch, given: FloatArray, **changes: object) -> Classifier:
    """A classifier whose net answers ``given`` whatever it is shown."""
    monkeypatch.setattr(runtime, "interpreter_class", lambda: (stand_in(given), "ai-edge-litert"))
    return Classifier(MODEL, card(**changes))


TWO: dict[str, object] = {"labels": ("no", "yes"), "positive": ("yes",)}
SCORES: dict[
    str, tuple[list[float], dict[str, object], list[Any]]
] = {  # what the net gives for one cell, the card, and the cell's scores
    "a logit of two classes": ([2.0], TWO, [1 - np.float32(1 / (1 + math.exp(-2))), 1 / (1 + math.exp(-2))]),
    "no logit beyond 80 either way: high": ([1000.0], TWO, [0.0, 1.0]),
    "no logit beyond 80 either way: low": ([-1000.0], TWO, [1.0, 1 / (1 + math.exp(80))]),
    "a low logit within the bound": ([-79.0], TWO, [1.0, 1 / (1 + math.exp(79))]),
    "a probability of two classes": ([0.25], {**TWO, "output": "probability"}, [0.75, 0.25]),
    "logits of three classes": ([1.0, 2.0, 4.0], {}, [math.exp(v) / sum(map(math.exp, (1, 2, 4))) for v in (1, 2, 4)]),
    "large logits of three classes": ([900.0, 901.0, 0.0], {}, [1 / (1 + math.e), math.e / (1 + math.e), 0.0]),
    "probabilities of three classes": ([0.5, 0.25, 0.125], {"output": "probability"}, [0.5, 0.25, 0.125]),
}


@pytest.mark.parametrize("name", SCORES)
def test_the_scores_of(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, changes, expected = SCORES[name]
    one = with_output(monkeypatch, f32([given] * BATCH), **{"output": "logit", **changes})
    scores = one.scores(cells((0, 0, 0), (9, 9, 9)))
    assert scores.dtype == np.float32
    assert scores.tolist() == [f32(expected).tolist()] * 2


@pytest.mark.parametrize("output", ["logit", "probability"])
def test_bytes_of_two_classes_are_looked_up_as_scores(output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    two = with_output(monkeypatch, f32([[0.0]] * BATCH), output=output, **TWO)
    meanings = np.linspace(0, 1, 256, dtype=np.float32)
    monkeypatch.setattr(Net, "values_of_bytes", lambda _: meanings)
    looked_up = Classifier(MODEL, two.card)
    monkeypatch.setattr(looked_up.net, "run_to_bytes", lambda crops: crops[:, 0, 0, :1])
    p = meanings if output == "probability" else (1 / (1 + np.exp(-meanings.astype(float)))).astype(np.float32)
    scores = looked_up.scores(cells((0, 0, 0), (100, 0, 0), (255, 0, 0)))
    assert np.array_equal(scores, [[1 - p[at], p[at]] for at in (0, 100, 255)])


@pytest.mark.parametrize(
    ("count", "batches"),
    [(1, [8]), (8, [8]), (9, [16]), (31, [32]), (32, [32]), (33, [32, 8]), (75, [32, 32, 16])],
)
def test_the_net_gets_full_batches_and_the_last_is_filled_up_with_black(
    count: int, batches: list[int], classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[np.ndarray] = []

    def run_to_bytes(crops: np.ndarray) -> np.ndarray:
        shown.append(crops)
        return np.zeros((len(crops), 3), np.uint8)

    monkeypatch.setattr(classifier.net, "run_to_bytes", run_to_bytes)
    many = np.random.default_rng(2).integers(1, 255, (count, 32, 32, 3), dtype=np.uint8)
    assert classifier.scores(many).shape == (count, 3)
    assert [len(crops) for crops in shown] == batches
    together = np.concatenate(shown)
    assert together.dtype == np.uint8
    assert (together[:count] == many).all()
    assert not together[count:].any()


def test_a_classifier_knows_its_file_and_its_card(classifier: Classifier) -> None:
    assert classifier.card is MODEL.card
    assert classifier.sha256 == MODEL.sha256
    other = card(name="other")
    assert Classifier(MODEL, other).card is other


REFUSED: dict[str, tuple[list[float], dict[str, object], str]] = {
    "two outputs for three labels": ([0, 0], {}, "the net has 2 outputs for 3 labels"),
    "one output for three labels": ([0], {}, "the net has 1 outputs for 3 labels"),
    "three outputs for two labels": ([0, 0, 0], TWO, "the net has 3 outputs for 2 labels"),
    "a size the net does not take": (
        [0, 0, 0],
        {"crop": replace(card().crop, size=64)},
        "wrong input shape (32, 32, 3), the card says (64, 64, 3)",
    ),
    "a finder": ([0, 0, 0], {"task": "find"}, "this is a 'find' model, not a classifier"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_card_that_does_not_fit_is_refused_with_its_file_and_the_reason(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, changes, complaint = REFUSED[name]
    with pytest.raises(ModelError) as caught:
        with_output(monkeypatch, f32([given] * BATCH), **changes)
    assert str(caught.value) == f"{MODEL.path}: {complaint}"


@pytest.mark.parametrize("labels", [("no", "yes"), ("no", "yes", "perhaps"), ("only",)])
def test_a_net_fits_a_card_with_a_label_per_output_or_two_for_one(
    labels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for width in {len(labels), 1 if len(labels) == 2 else len(labels)}:
        one = with_output(monkeypatch, f32([[0.5] * width] * BATCH), labels=labels, positive=(), output="probability")
        assert one.scores(cells((0, 0, 0))).shape == (1, len(labels))
