"""Tiny sets of images in the place of the real ones, and recipes on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.train import material
from models.train.recipe import load
from models.train.records import CELLS, Recipe
from tests.models import tiny_data


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True)
def data(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny sets stand where the real ones would; each block has a finder that finds all."""
    monkeypatch.setenv("EDGE_DATA", str(tiny))
    finders = {f"block {block}": tiny_data.KnownFinder() for block in range(tiny_data.BLOCKS)}
    monkeypatch.setattr(material, "unseen_finders", lambda _: finders)
    return tiny


def of_sets(recipe: Recipe, *names: str) -> Recipe:
    """The recipe with its sources of these data sets only: others, and virtual slides, have colours of their own."""
    return replace(recipe, sources=tuple(one for one in recipe.sources if one.set in names))


def of_single_cells(recipe: Recipe) -> Recipe:
    """The recipe with NIH cells, as they are, as its only source."""
    kept = tuple(one for one in recipe.sources if (one.set, one.form) == ("nih_cells", CELLS))
    return replace(recipe, sources=kept)


def small(name: str, steps: int = 2, batch: int = 16) -> Recipe:
    """A recipe of the shelf with few steps and few drawn scenes, that may be written anywhere."""
    recipe = load(name)
    sources = tuple(replace(one, count=min(one.count, 12)) for one in recipe.sources)
    training = replace(recipe.training, steps=steps, batch=batch if recipe.net.kind == "classifier" else 2)
    return replace(recipe, sources=sources, training=training)
