"""What ``python -m models train RECIPE`` does: which nets it makes, and where they are written. Heavy imports wait until it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.safe_file import write_text
from models.cli.options import say, teller, write_lines
from models.places import FOLDS, SHELF
from models.train.make import check_fold, check_out, prepare
from models.train.recipe import RecipeError, checked, dump, load, names

if TYPE_CHECKING:
    from models.train.records import Recipe


def load_recipe(name: str, *, steps: int | None, batch: int | None, seed: int | None) -> Recipe:
    """A recipe with other settings where they are given; raises RecipeError."""
    found = load(name)
    changes: dict[str, Any] = {"steps": steps, "batch": batch, "seed": seed}
    training = replace(found.training, **{key: value for key, value in changes.items() if value is not None})
    return replace(found, training=training)


def numbers(fold: Sequence[int] | None, *, all_folds: bool, shipped: bool) -> list[int | None]:
    """The folds that are asked for, None for the net that ships; -1 stands for all folds there are."""
    folds: list[int | None] = [-1] if all_folds else list(fold or ())
    return [*folds, *([None] if shipped or not folds else [])]


def path_of(recipe: Recipe, fold: int | None, out: Path | None) -> Path:
    """Where a net is written: in ``out``, on the shelf, or among the folds; raises RecipeError where it does not ship."""
    stem = recipe.name if fold is None else f"{recipe.name}-fold{fold}"
    if out is not None:
        return out / f"{stem}.tflite"
    if not recipe.ships or recipe.name not in names():
        raise RecipeError(f"{recipe.name} is no recipe of the shelf: -o DIR says where its net goes")
    return SHELF / recipe.name / f"{stem}.tflite" if fold is None and recipe.shelf else FOLDS / f"{stem}.tflite"


def train_recipe(
    recipe: Recipe,
    folds: Sequence[int | None],
    out: Path | None,
    *,
    seconds: float,
    force: bool,
    keep_recipe: bool = False,
) -> None:
    """Make the nets, reading once what they learn from.

    Args:
        recipe: as read.
        folds: as ``numbers`` gives them.
        out: folder; None: shelf and folds, whose files may be overwritten.
        seconds: between checkpoints.
        force: overwrite what is in ``out``.
        keep_recipe: write it beside the net as ``recipe.toml``.
    """
    wanted = [number for one in folds for number in (range(recipe.split.folds) if one == -1 else (one,))]
    force = force or out is None
    for number in wanted:
        check_fold(recipe, number)
        check_out(recipe, path_of(recipe, number, out), force=force)
    making = prepare(checked(recipe), say, teller(), seconds)
    for number in wanted:
        path = path_of(recipe, number, out)
        card = making.net(number, path, force=force)
        if keep_recipe:
            write_text(path.with_name("recipe.toml"), dump(recipe))
        chosen = f"threshold {card.threshold:.4g}: {card.threshold_origin}" if card.task == "classify" else "a finder"
        if recipe.split.folds:
            chosen = f"SHA-256 {card.sha256[:12]}; once all folds are made: python -m models choose-thresholds"
        write_lines([f"{path} written, {chosen}"])
