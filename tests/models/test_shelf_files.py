"""What ships: every file on the shelf is whole, small, delegated and described."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge import shelf
from edge.classifier import Classifier
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from edge.runtime import Net
from models.cards import card_text

ENTRIES = shelf.entries()


@pytest.fixture(params=ENTRIES, ids=[entry.name for entry in ENTRIES])
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param.path
    return found


def test_the_default_models_are_there() -> None:
    assert shelf.has(shelf.CLASSIFIER)
    assert shelf.has(shelf.FINDER)


def test_each_has_a_card_that_fits_it(path: Path) -> None:
    model = read_model(path)
    assert model.card is not None
    assert model.card.name == path.stem
    if model.card.task == "classify":
        Classifier(model)
    else:
        LearnedFinder(model)


def test_each_has_its_keras_file_beside_it(path: Path) -> None:
    model = read_model(path)
    keras = path.with_suffix(".keras")
    assert model.card is not None
    assert hashlib.sha256(keras.read_bytes()).hexdigest() == model.card.source_sha256


def test_each_card_in_words_is_the_card_in_the_file(path: Path) -> None:
    card = read_model(path).card
    assert card is not None
    assert path.with_name("CARD.md").read_text() == card_text(card, path.stat().st_size)


def test_each_is_wholly_delegated(path: Path) -> None:
    net = Net(read_model(path))
    if net.package != "ai-edge-litert":
        pytest.skip("tflite-runtime does not delegate int8 graphs")
    assert net.delegated()


def test_the_classifier_is_small() -> None:
    model = shelf.load(shelf.CLASSIFIER)
    assert model.card is not None
    assert len(model.flatbuffer) <= 40_000
    assert model.card.training["macs_per_cell"] <= 600_000


def test_thresholds_were_chosen_on_unseen_blocks(path: Path) -> None:
    card = read_model(path).card
    assert card is not None
    assert "never saw" in card.threshold_origin or "not those it is judged on" in card.threshold_origin
