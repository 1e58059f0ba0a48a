"""The trainer makes a classifier and a finder of the shelf from their recipes, on tiny sets of images; needs TensorFlow."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.classifier import Classifier
from edge.crops import net_channels
from edge.errors import OutputError
from edge.finders.learned import LearnedFinder
from edge.macs import macs
from edge.modelfile import Card, read_model
from models.data.folds import groups_held_out
from models.judge.targets import CELL_MACS
from models.places import MODELS
from models.train import accuracy, material
from models.train import make as making
from models.train.classifier import train
from models.train.device import int8_scores
from models.train.make import make
from models.train.recipe import RecipeError
from models.train.records import Recipe, SplitRecipe, ThresholdRecipe
from tests.models.train.conftest import of_sets, of_single_cells, small

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
MadeNet = tuple[Path, Card, list[str]]


@pytest.fixture(autouse=True)
def tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow (extra convert)")
    monkeypatch.setattr(making, "_VIEWS", 6)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., MadeNet]:
    def work(recipe: Recipe, fold: int | None = None) -> MadeNet:
        out = tmp_path / f"{recipe.name}-{fold}.tflite"
        lines: list[str] = []
        return out, make(recipe, fold, out, lines.append), lines

    return work


def mix_of(recipe: Recipe) -> dict[str, float]:
    """Each source's share, by the name that it has in a card."""
    return {f"{one.set or 'virtual slides'}, {one.form}": one.share for one in recipe.sources}


def test_a_classifiers_fold_is_a_device_file_whose_card_says_how_it_was_made(made: Callable[..., MadeNet]) -> None:
    recipe = small("malaria-thin-32")
    out, card, lines = made(recipe, 0)
    file = read_model(out)
    assert file.card == card
    assert Classifier(file).scores(np.zeros((3, 32, 32, net_channels(card)), np.uint8)).shape == (3, 2)
    assert (card.name, card.labels, card.positive) == (
        "malaria-thin-32",
        ("uninfected", "parasitized"),
        ("parasitized",),
    )
    assert card.licence == "Apache-2.0 (weights)"
    told = card.training
    assert told["recipe"] == "malaria-thin-32"
    assert told["held_out_groups"] == ["iml_fields/block 0", "nih_cells/C00", "nih_cells/C05"]
    assert (told["held_out_blocks"], told["held_out_slides"]) == ([0], ["C00", "C05"])
    assert told["data"] == [
        "iml_fields",
        "nih_cells",
        "pbc_fields",
        "plymouth_cells",
        "raabin_fields",
        "virtual slides",
    ]
    assert told["mix"] == mix_of(recipe)
    assert told["settings"]["augmentation"]["platelets"] == 0.0
    assert 0 < told["macs_per_cell"] == macs(file.flatbuffer) <= CELL_MACS
    assert {name: found["groups"] for name, found in card.accuracy.items()} == {
        "held_out iml_fields": 1,
        "held_out nih_cells": 2,
    }
    assert card.accuracy["held_out nih_cells"]["cells"] == 24
    assert sorted(path.name for path in out.parent.iterdir()) == [out.with_suffix(".keras").name, out.name]
    assert any("learned from" in line for line in lines)


def test_its_threshold_is_left_to_the_other_folds_and_no_cell_of_its_own_chooses_it(
    made: Callable[..., MadeNet], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Card:
        raise AssertionError("a threshold was chosen")

    monkeypatch.setattr(making, "with_threshold", never)
    _, card, _ = made(small("malaria-thin-32"), 1)
    assert card.threshold == 0.5


def test_a_threshold_of_the_trainers_own_is_chosen_on_groups_that_are_neither_learned_from_nor_judged(
    made: Callable[..., MadeNet], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[set[str]] = []

    def spy_scores(flatbuffer: bytes, card: Card, cells: Any) -> Any:
        scored.append(set(cells.groups.tolist()))
        return int8_scores(flatbuffer, card, cells)

    def spy_train(sources: Any, *arguments: Any, **more: Any) -> Any:
        scored.append({group for cells in sources for group in cells.groups.tolist()})
        return train(sources, *arguments, **more)

    monkeypatch.setattr(accuracy, "int8_scores", spy_scores)
    monkeypatch.setattr(making, "train", spy_train)
    recipe = small("malaria-thin-32")
    split = SplitRecipe(held_out=0.3, validation=0.3)
    own = replace(of_single_cells(recipe), split=split, threshold=ThresholdRecipe())
    out, card, _ = made(own)
    learned, chosen, judged = scored
    assert len(learned) + len(chosen) + len(judged) == 10
    assert not learned & chosen
    assert not (learned | chosen) & judged
    assert set(card.training["held_out_groups"]) == judged
    assert card.accuracy["held_out"]["groups"] == len(judged)
    assert "malaria-thin-32" in out.with_name("CARD.md").read_text()


def test_a_finders_fold_is_a_device_file_whose_card_says_what_it_did_not_see(made: Callable[..., MadeNet]) -> None:
    recipe = small("finder-thin")
    out, card, lines = made(recipe, 2)
    LearnedFinder(read_model(out)).find(np.full((240, 320, 3), 200, np.uint8))
    assert card.task == "find"
    assert card.finder is not None
    assert card.finder.thresholds == making.FIRST_THRESHOLDS
    held = set(card.training["held_out_groups"])
    assert held == groups_held_out(2, recipe.split.of)
    assert {"iml_fields/block 2", "raabin_fields/part 2", "pbc_fields/part 2"} <= held
    assert card.training["held_out_blocks"] == [2]
    assert card.training["mix"] == mix_of(recipe)
    assert "6 scenes: iml_fields, annotated" in lines


def test_the_card_of_a_net_without_a_microscope_names_the_sets_it_did_not_see(made: Callable[..., MadeNet]) -> None:
    _, card, lines = made(small("finder-thin").without(("nih_cells", "raabin_fields")))
    assert card.training["held_out_sets"] == ["nih_cells", "raabin_fields"]
    assert "nih_cells" not in card.training["data"]
    assert not any("nih_cells" in line for line in lines)


@pytest.mark.parametrize(("name", "fold"), [("malaria-thin-32", 0), ("finder-thin", 0)])
def test_a_run_stopped_by_ctrl_c_goes_on_where_it_was(name: str, fold: int, tmp_path: Path) -> None:
    recipe = small(name, steps=4)
    recipe = of_sets(recipe, "nih_cells") if name == "malaria-thin-32" else of_sets(recipe, "nih_cells", "iml_fields")
    out = tmp_path / "net.tflite"

    def interrupt(line: str) -> None:
        if line.startswith("step 2/4"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        make(recipe, fold, out, interrupt)
    assert not out.exists()
    assert (tmp_path / "work" / "net.npz").is_file()
    lines: list[str] = []
    make(recipe, fold, out, lines.append)
    assert any(line.startswith(("going on from step 2", "going on from step 3")) for line in lines), lines
    assert out.is_file()
    assert not (tmp_path / "work").exists()


def test_a_checkpoint_of_another_fold_is_not_gone_on_with(tmp_path: Path) -> None:
    recipe = of_single_cells(small("malaria-thin-32", steps=4))

    def interrupt(line: str) -> None:
        if line.startswith("step 2/4"):
            raise KeyboardInterrupt

    out = tmp_path / "net.tflite"
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        make(recipe, 0, out, interrupt, seconds=0.0)
    make(recipe, 1, out, lines.append)
    assert "the kept checkpoint is of other data or settings: starting anew" in lines


def test_a_net_that_starts_from_another_differs_from_a_new_one(made: Callable[..., MadeNet]) -> None:
    recipe = of_single_cells(small("malaria-thin-32", steps=1))
    recipe = replace(recipe, training=replace(recipe.training, rate=1e-9))
    out, card, _ = made(replace(recipe, start="malaria-thin-32"), 0)
    crops = np.random.default_rng(0).integers(60, 200, (64, 32, 32, net_channels(card)), np.uint8)
    shelf = Classifier(read_model(MODELS / "shelf" / "malaria-thin-32" / "malaria-thin-32.tflite"))
    # Other pictures give other running means to the batch norm, so the answers are near, not equal.
    alike = np.corrcoef(Classifier(read_model(out)).scores(crops)[:, 1], shelf.scores(crops)[:, 1])[0, 1]
    assert alike > 0.8


def test_what_may_not_be_made_is_refused_before_an_image_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("images were read")

    monkeypatch.setattr(material, "opened", never)
    recipe = small("malaria-thin-32")
    teaching = replace(recipe, sources=(replace(recipe.sources[1], set="bbbc_fields", unseen=False),))
    out = tmp_path / "net.tflite"
    with pytest.raises(RecipeError, match="may not learn from bbbc_fields"):
        make(teaching, None, out, print)
    with pytest.raises(RecipeError, match="there is no fold 5"):
        make(recipe, 5, out, print)
    with pytest.raises(RecipeError, match="does not ship"):
        make(replace(recipe, ships=False), None, MODELS / "folds" / "net.tflite", print)
    out.write_bytes(b"")
    with pytest.raises(OutputError, match="--force overwrites it"):
        make(recipe, None, out, print, force=False)
