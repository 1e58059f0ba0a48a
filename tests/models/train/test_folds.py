"""A fold's net learns nothing of the groups it holds out, and chooses no threshold on them: the pixels themselves are looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.types import UInt8Array
from edge.typical import TypicalCells
from models.data.augment import Augmentation
from models.data.fields import load_iml
from models.data.folds import SLIDE_FOLDS, blocks_by_fold, groups_held_out, held_out_blocks, slides_held_out
from models.data.views import draw
from models.train import classifier, finder, material
from models.train.classifier import CellTraining, batches
from models.train.finder import FinderTraining
from models.train.make import prepare
from models.train.material import CellMaterial
from models.train.records import Recipe, SplitRecipe
from tests.models import tiny_data
from tests.models.train.conftest import of_sets, of_single_cells, small


def quiet(_line: str) -> None:
    """Say nothing."""


def codes_of(fold: int | None) -> set[int]:
    """The red values of all cells that a fold holds out."""
    return {tiny_data.code_of_slide(one) for one in slides_held_out(fold)} | {
        tiny_data.code_of_block(one) for one in held_out_blocks(fold)
    }


def near(values: np.ndarray, codes: set[int]) -> bool:
    """Whether any value is one of these codes, two more or less; codes lie eight apart."""
    return bool((np.abs(values[:, None].astype(int) - sorted(codes)) <= 2).any())


def middles(crops: np.ndarray) -> np.ndarray:
    """Red value in the middle of each crop that shows a plain piece of a cell there: no edge and no paper."""
    at = crops.shape[1] // 2
    patch = crops[:, at - 3 : at + 3, at - 3 : at + 3].reshape(len(crops), -1, 3)
    plain = (np.ptp(patch[..., 0], axis=1) <= 2) & (np.abs(patch[..., 1].mean(axis=1) - tiny_data.GREEN) <= 1)
    return np.asarray(patch[plain][..., 0].mean(axis=1))


def seen_by_batches(
    recipe: Recipe, learned: list[CellMaterial], monkeypatch: pytest.MonkeyPatch, count: int = 12
) -> np.ndarray:
    """Red values of all crops that the training batches hold, before they are recoloured."""
    seen: list[np.ndarray] = []

    def spy(
        crops: UInt8Array, typical: TypicalCells, rng: np.random.Generator, how: Augmentation
    ) -> tuple[UInt8Array, TypicalCells]:
        del rng, how
        seen.append(middles(crops))
        return crops, typical

    monkeypatch.setattr(classifier, "augment", spy)
    assert isinstance(recipe.training, CellTraining)
    settings = replace(recipe.training, batch=64)
    made = batches([one.cells for one in learned], [1.0] * len(learned), material.crop_of(recipe), settings)
    for _ in range(count):
        next(made)
    return np.concatenate(seen)


def test_slides_and_blocks_are_divided_so_that_each_is_held_out_once() -> None:
    slides = [slides_held_out(fold) for fold in range(SLIDE_FOLDS)]
    assert slides[0] == {"C00", "C05"}
    assert sorted(one for part in slides for one in part) == list(tiny_data.SLIDES)
    assert sorted(block for part in blocks_by_fold(load_iml()) for block in part) == [0, 1, 2, 3]
    assert held_out_blocks(4) == []
    assert slides_held_out(None) == set()
    assert groups_held_out(1, ("iml_fields",)) == {"iml_fields/block 1"}
    assert groups_held_out(None, ("nih_cells", "iml_fields")) == frozenset()


@pytest.mark.parametrize("fold", [0, 3, 4])
def test_no_crop_of_a_held_out_slide_or_block_reaches_a_classifiers_batches(
    fold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = of_sets(small("malaria-thin-32"), "nih_cells", "iml_fields")
    made = prepare(recipe, quiet)
    learned = material.split_groups(made.cells, recipe, fold).learn
    assert [one.name for one in learned] == [one.name for one in made.cells]
    assert not near(seen_by_batches(recipe, learned, monkeypatch), codes_of(fold))
    # and the shipped net, which holds nothing out, does see them: the colours tell
    whole = material.split_groups(made.cells, recipe, None).learn
    assert near(seen_by_batches(recipe, whole, monkeypatch), codes_of(fold))


@pytest.mark.parametrize("fold", [0, 2])
def test_no_field_of_a_held_out_block_reaches_a_finders_batches(fold: int, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small("finder-thin")
    made = prepare(recipe, quiet)
    assert isinstance(recipe.training, FinderTraining)
    seen: set[int] = set()

    def spy(scene: object, rng: np.random.Generator) -> object:
        rgb: np.ndarray = scene.rgb  # type: ignore[attr-defined]
        values, counts = np.unique(rgb[rgb[..., 2] == 110][:, 0], return_counts=True)
        seen.update(values[counts > 200].tolist())
        return draw(scene, rng)  # type: ignore[arg-type]

    monkeypatch.setattr(finder, "draw", spy)
    codes = {tiny_data.code_of_block(block) for block in held_out_blocks(fold)}
    for number, wanted in ((fold, False), (None, True)):
        seen.clear()
        learned = material.learning_scenes(made.scenes, recipe, number)
        pools = [[one.scene for one in part.scenes] for part in learned]
        batch = finder.batches(pools, [1.0, *[0.02] * (len(pools) - 1)], replace(recipe.training, batch=16))
        for _ in range(6):
            next(batch)
        assert bool(seen & codes) is wanted


def test_the_threshold_is_chosen_on_cells_that_are_neither_learned_from_nor_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = small("malaria-thin-32")
    recipe = replace(of_single_cells(recipe), split=SplitRecipe(held_out=0.3, validation=0.3))
    parts = material.split_groups(prepare(recipe, quiet).cells, recipe, None)
    chosen, judged = (
        {round(float(value)) for one in part for value in middles(one.cells.crops)}
        for part in (parts.validation, parts.held_out)
    )
    assert len(chosen) >= 2
    assert len(judged) >= 2
    assert not near(np.array(sorted(chosen)), judged)
    assert not near(seen_by_batches(recipe, parts.learn, monkeypatch), chosen | judged)


def test_drawn_and_moved_cells_are_learned_from_and_never_judged() -> None:
    recipe = small("malaria-thin-32")
    parts = material.split_groups(prepare(recipe, quiet).cells, recipe, 0)
    assert [one.name for one in parts.held_out] == ["iml_fields, found", "nih_cells, cells"]
    assert len(parts.learn) == len(recipe.sources)
    assert {one.origin for one in parts.learn} > {"plymouth_cells", "raabin_fields", "pbc_fields"}


@pytest.mark.parametrize("held", ["nih_cells", "nih_cells/C03"])
def test_a_set_or_a_group_that_a_recipe_holds_out_is_learned_from_by_no_net(held: str) -> None:
    recipe = small("malaria-thin-32")
    recipe = replace(recipe, split=replace(recipe.split, hold_out=(held,)))
    parts = material.split_groups(prepare(recipe, quiet).cells, recipe, None)
    learned = {group for one in parts.learn for group in one.cells.groups.tolist()}
    assert not any(group == held or group.startswith(f"{held}/") for group in learned)
    assert "iml_fields/block 0" in learned


@pytest.mark.parametrize(("names", "left"), [(("nih_cells",), "iml_fields"), (("iml_fields",), "nih_cells")])
def test_no_net_without_a_microscope_learns_from_its_sets(
    names: tuple[str, ...], left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = of_sets(small("malaria-thin-32"), "nih_cells", "iml_fields")
    made = prepare(recipe, quiet)
    parts = material.split_groups(made.without(names).cells, made.without(names).recipe, None)
    codes = {
        "nih_cells": {tiny_data.code_of_slide(one) for one in tiny_data.SLIDES},
        "iml_fields": {tiny_data.code_of_block(one) for one in range(tiny_data.BLOCKS)},
    }
    seen = seen_by_batches(recipe, parts.learn, monkeypatch)
    assert not near(seen, codes[names[0]])
    assert near(seen, codes[left])
    assert {one.origin for one in parts.held_out} == set(names)


def test_each_block_is_looked_at_by_its_own_finder(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small("malaria-thin-32")
    looked: list[str] = []

    class Spy(tiny_data.KnownFinder):
        def __init__(self, block: str) -> None:
            self.block = block

        def find(self, image: object) -> object:  # type: ignore[override]
            code = int(np.asarray(image)[28, 28, 0])
            looked.append(f"{self.block} {code}")
            return super().find(image)  # type: ignore[arg-type]

    finders = {f"block {block}": Spy(f"block {block}") for block in range(4)}
    monkeypatch.setattr(material, "unseen_finders", lambda _: finders)
    prepare(replace(recipe, sources=tuple(one for one in recipe.sources if one.unseen)), quiet)
    assert looked
    assert set(looked) == {f"block {block} {tiny_data.code_of_block(block)}" for block in range(4)}
