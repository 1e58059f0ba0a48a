"""``CARD.md``: the words follow from the card inside the file, and the figures are those of the card."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge import shelf
from edge.card import FinderSpec
from edge.modelfile import Card, read_model, write_model
from models.cards import card_text, words_of, write_cards
from models.places import SHELF


def card(name: str = shelf.CLASSIFIER, **changes: Any) -> Card:
    known = shelf.load(name).card
    assert known is not None
    return replace(known, **changes)


@pytest.mark.parametrize(
    ("training", "command", "said"),
    [
        ({}, "cards", "Tells red cells with a malaria parasite"),
        ({"recipe": shelf.CLASSIFIER, "groups": {"held out": 2}}, "cards", "Tells red cells with a malaria parasite"),
        ({"recipe": "mine"}, "train", "Tells uninfected, parasitized apart"),
        ({"recipe": "malaria-stages-32"}, "train", "from the images that are named under Training"),
        ({"adapted_from": "malaria-thin-32"}, "adapt", "from the user's own images"),
        ({"adapted_from": "mine", "recipe": shelf.CLASSIFIER}, "adapt", "Made with `python -m models adapt`"),
    ],
)
def test_what_a_model_is_for_and_who_made_it_follow_from_its_training(
    training: dict[str, Any], command: str, said: str
) -> None:
    given = card(training=training)
    assert words_of(given).command == command
    text = card_text(given, 1000)
    assert said in text
    assert text.endswith(f"Written by `python -m models {command}` from the card inside the file.\n")


def test_a_user_is_told_that_other_slides_are_unknown_and_the_shelfs_limits_are_not_claimed() -> None:
    text = card_text(card(training={"recipe": "mine"}), 1000)
    assert "unknown until measured" in text
    assert "Stain specks" not in text
    assert "Stain specks" in card_text(card(), 1000)


def test_a_finder_has_a_threshold_for_each_kind_and_a_classifier_has_one() -> None:
    kinds = ("cell", "suspect", "not-white-cell")
    finder = Card("f", "find", kinds, finder=FinderSpec(kinds, (0.42, 0.2, 0.3)))
    assert "| threshold | cell 0.42, suspect 0.2, not-white-cell 0.3 |" in card_text(finder, 1000)
    assert "| threshold | 0.25 |" in card_text(card(threshold=0.25), 1000)


HELD = {"set": "held-out groups of mine", "cells": 90, "groups": 3}


def test_held_out_figures_are_lines_with_intervals_and_few_groups_are_warned_of() -> None:
    auc = {"value": 0.9, "low": 0.8, "high": 0.95, "n": 90}
    text = card_text(card(accuracy={"held_out": {**HELD, "auc": auc}}), 1000)
    assert "90 cells, held-out groups of mine" in text
    assert "0.9000 (0.800 to 0.950)" in text
    assert "! 3 groups only" in text
    assert "! 3 groups only" not in card_text(card(accuracy={"held_out": {**HELD, "groups": 9}}), 1000)


def test_without_figures_the_card_says_where_they_are() -> None:
    assert "See `docs/figures.md`" in card_text(card(accuracy={}), 1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"value": 0.5, "low": 0.25, "high": 0.75, "n": 8}, "0.5000 (0.2500 to 0.7500), n = 8"),
        ({"value": 0.5, "low": None, "high": None, "n": 8}, "0.5000, n = 8"),
        ({"steps": 3, "mix": [1, 2]}, "steps 3; mix 1, 2"),
        ([], "none"),
    ],
)
def test_values_of_the_card_are_text(value: Any, text: str) -> None:
    assert f"- some value: {text}\n" in card_text(card(training={"some_value": value}), 1000)


def test_every_model_of_a_shelf_gets_its_card_and_one_without_a_card_is_an_error(tmp_path: Path) -> None:
    shutil.copytree(SHELF, tmp_path / "shelf", ignore=shutil.ignore_patterns("*.keras", "CARD.md"))
    written = write_cards(tmp_path / "shelf")
    assert len(written) == len(list(SHELF.glob("*/*.tflite"))) == 3
    for path in written:
        assert path.read_text() == (SHELF / path.parent.name / "CARD.md").read_text()
    bare = next((tmp_path / "shelf").glob("*/*.tflite"))
    bare.write_bytes(read_model(bare).flatbuffer)
    with pytest.raises(ValueError, match="no card"):
        write_cards(tmp_path / "shelf")


def test_the_size_is_that_of_the_file(tmp_path: Path) -> None:
    known = shelf.load(shelf.CLASSIFIER)
    path = tmp_path / shelf.CLASSIFIER / f"{shelf.CLASSIFIER}.tflite"
    path.parent.mkdir()
    write_model(path, known.flatbuffer, card())
    (written,) = write_cards(tmp_path)
    assert f"| file | {path.stat().st_size / 1000:.0f} kB" in written.read_text()
