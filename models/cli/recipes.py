"""What ``python -m models train RECIPE`` does: which nets it makes, and where they are written. Heavy imports wait until it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.safe_file import write_text
from models.cli.options import say, teller, write_lines
from models.data.folds import path_without
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


@dataclass(frozen=True, slots=True)
class NetChoice:
    """One net of a recipe: with neither, the one that ships.

    Attributes:
        fold: whose groups it does not learn from.
        without: sets of the microscope that it does not learn from.
    """

    fold: int | None = None
    without: tuple[str, ...] = ()


def chosen_nets(
    recipe: Recipe,
    fold: Sequence[int] | None,
    without: Sequence[str] | None,
    *,
    all_folds: bool,
    all_left_out: bool,
    shipped: bool,
) -> list[NetChoice]:
    """The nets that the options name: folds, nets without a microscope, and the one that ships (also where none is named).

    Raises:
        RecipeError: the recipe leaves out no such microscope, or does not learn from it.
    """
    folds = [NetChoice(number) for number in (range(recipe.split.folds) if all_folds else fold or ())]
    asked = (
        recipe.left_out if all_left_out else [tuple(one.strip() for one in text.split(",")) for text in without or ()]
    )
    left = [NetChoice(without=_microscope(recipe, one)) for one in asked]
    return [*folds, *left, *([NetChoice()] if shipped or not (folds or left or all_left_out) else [])]


def _microscope(recipe: Recipe, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The sets of a microscope that a recipe leaves out, in the recipe's order; raises RecipeError where it has no such."""
    for one in recipe.split.leave_out:
        if set(one) == set(asked):
            if one in recipe.left_out:
                return one
            raise RecipeError(f"{recipe.name} does not learn from {', '.join(one)}: the net that ships has not seen it")
    known = "; ".join(",".join(one) for one in recipe.left_out) or "none"
    raise RecipeError(f"{recipe.name}: no microscope of split.leave_out is {','.join(asked)}: there are {known}")


def path_of(recipe: Recipe, net: NetChoice, out: Path | None) -> Path:
    """Where a net is written: in ``out``, on the shelf, or among the folds; raises RecipeError where it does not ship."""
    if out is None and (not recipe.ships or recipe.name not in names()):
        raise RecipeError(f"{recipe.name} is no recipe of the shelf: -o DIR says where its net goes")
    if net.without:
        return path_without(out or FOLDS, recipe.name, net.without)
    if net.fold is not None:
        return (out or FOLDS) / f"{recipe.name}-fold{net.fold}.tflite"
    return (out or (SHELF / recipe.name if recipe.shelf else FOLDS)) / f"{recipe.name}.tflite"


def train_recipe(
    recipe: Recipe,
    nets: Sequence[NetChoice],
    out: Path | None,
    *,
    seconds: float,
    force: bool,
    keep_recipe: bool = False,
) -> None:
    """Make the nets, reading once what they learn from.

    Args:
        recipe: as read.
        nets: which of the recipe's nets.
        out: folder; None: shelf and folds, whose files may be overwritten.
        seconds: between checkpoints.
        force: overwrite what is in ``out``.
        keep_recipe: write it beside the net as ``recipe.toml``.
    """
    force = force or out is None
    for net in nets:
        check_fold(recipe, net.fold)
        check_out(recipe, path_of(recipe, net, out), force=force)
    making = prepare(checked(recipe), say, teller(), seconds)
    for net in nets:
        path = path_of(recipe, net, out)
        card = making.without(net.without).net(net.fold, path, force=force)
        if keep_recipe:
            write_text(path.with_name("recipe.toml"), dump(recipe))
        chosen = f"threshold {card.threshold:.4g}: {card.threshold_origin}" if card.task == "classify" else "a finder"
        if recipe.split.folds:
            chosen = f"SHA-256 {card.sha256[:12]}; once all folds are made: python -m models choose-thresholds"
        write_lines([f"{path} written, {chosen}"])
