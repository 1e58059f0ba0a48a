"""A recipe: all that the making of a net depends on, as a file that can be read, checked and repeated.

The recipes of the shelf are ``models/recipes/*.toml``. What ``train`` is given on the command line becomes a recipe as well,
and stands beside the net as ``recipe.toml``. Keys that are not known are refused.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from convert.errors import CellsError
from models.data import sets
from models.data.augment import Augmentation
from models.data.dataset import SetKind
from models.data.folds import RULES
from models.data.scenes import KINDS
from models.places import MODELS
from models.train.classifier import CellTraining
from models.train.finder import FinderTraining
from models.train.records import (
    ANNOTATED,
    CELLS,
    CLASSIFIER,
    COMPOSED,
    FINDER,
    FOUND,
    FOUND_AND_BOXES,
    OTHER_FOLDS,
    SCENES,
    VALIDATION,
    VIRTUAL,
    ClassRecipe,
    NetRecipe,
    Recipe,
    SourceRecipe,
    SplitRecipe,
    ThresholdRecipe,
)

__all__ = ["Recipe", "RecipeError", "checked", "dump", "load", "names", "parse"]

RECIPES = MODELS / "recipes"
_FIELD_FORMS = (FOUND, FOUND_AND_BOXES, ANNOTATED)

Record = TypeVar("Record")


class RecipeError(CellsError):
    """A recipe holds what is not known, or what does not go together. Mend the file: the line says which key."""

    exit_code = 2


def names() -> list[str]:
    """The recipes of the repository."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load(name_or_path: str | Path) -> Recipe:
    """A recipe by its name in ``models/recipes`` or by its path; raises RecipeError."""
    path = RECIPES / f"{name_or_path}.toml"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        raise RecipeError(f"{name_or_path}: no such recipe: give a path, or one of {', '.join(names())}")
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: no TOML: {error}") from error
    except RecipeError as error:
        raise RecipeError(f"{path.name}: {error}") from error


def parse(raw: Mapping[str, Any]) -> Recipe:
    """A recipe from its tables; raises RecipeError."""
    table = dict(raw)
    net = _record(NetRecipe, table.pop("net", {}), "net")
    training: CellTraining | FinderTraining
    if net.kind == FINDER:
        training = _record(FinderTraining, table.pop("training", {}), "training")
    else:
        more = _record(Augmentation, table.pop("augmentation", {}), "augmentation")
        training = _record(CellTraining, table.pop("training", {}), "training", augmentation=more)
    sources = table.pop("sources", [])
    if not isinstance(sources, list):
        raise RecipeError("sources: give each as [[sources]]")
    made = {
        "net": net,
        "training": training,
        "sources": tuple(_record(SourceRecipe, one, "sources") for one in sources),
        "classes": _record(ClassRecipe, table.pop("classes", {}), "classes"),
        "split": _record(SplitRecipe, table.pop("split", {}), "split"),
        "threshold": _record(ThresholdRecipe, table.pop("threshold", {}), "threshold"),
    }
    if "name" not in table:
        raise RecipeError("name is missing")
    return checked(_record(Recipe, table, "", **made))


def checked(recipe: Recipe) -> Recipe:
    """The recipe as it is; raises RecipeError for what does not go together in it."""
    try:
        _check(recipe)
    except CellsError as error:
        raise RecipeError(f"recipe {recipe.name}: {error}") from error
    return recipe


_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}
"""What a TOML value must be for a field of a record, by the field's annotation."""


def _record(kind: type[Record], table: Any, where: str, **given: Any) -> Record:
    """A record from a table, every key and type checked."""
    if not isinstance(table, dict):
        raise RecipeError(f"{where}: a table is wanted")
    known = {one.name: str(one.type) for one in fields(kind) if one.name not in given}  # type: ignore[arg-type]
    values = {}
    for key, value in table.items():
        name = f"{where}.{key}" if where else key
        if key not in known:
            raise RecipeError(f"{name} is not known: {', '.join(known)} are")
        values[key] = _value(known[key], value, name)
    return kind(**values, **given)


def _value(wanted: str, value: Any, name: str) -> Any:
    if wanted in _KINDS:
        if not isinstance(value, _KINDS[wanted]) or (wanted != "bool" and isinstance(value, bool)):
            raise RecipeError(f"{name} = {value!r}: {wanted} is wanted")
        return float(value) if isinstance(value, int) and wanted == "float" else value
    if wanted.startswith("Mapping"):
        if not isinstance(value, dict):
            raise RecipeError(f"{name}: a table is wanted")
        return {key: _value("tuple[str, ...]", names, f"{name}.{key}") for key, names in value.items()}
    inner = wanted.removeprefix("tuple[").removesuffix(", ...]")
    if not isinstance(value, list):
        raise RecipeError(f"{name} = {value!r}: a list is wanted")
    return tuple(_value(inner, one, name) for one in value)


def _check(recipe: Recipe) -> None:
    _check_net(recipe)
    _check_split(recipe.split)
    if recipe.threshold.rule not in (OTHER_FOLDS, VALIDATION):
        raise RecipeError(f"threshold.rule = {recipe.threshold.rule!r}: {VALIDATION!r} or {OTHER_FOLDS!r} is wanted")
    if min(recipe.training.steps, recipe.training.batch) < 1 or recipe.training.rate <= 0:
        raise RecipeError("training: steps, batch and rate must be positive")
    if not recipe.sources:
        raise RecipeError("there are no [[sources]] to learn from")
    for one in recipe.sources:
        _check_source(one, recipe)
    if recipe.ships:
        _check_ships(recipe)


def _check_net(recipe: Recipe) -> None:
    net = recipe.net
    if net.kind not in (CLASSIFIER, FINDER):
        raise RecipeError(f"net.kind = {net.kind!r}: {CLASSIFIER} or {FINDER} is wanted")
    if len(net.widths) != (4 if net.kind == CLASSIFIER else 1) or min(net.widths) < 1:
        raise RecipeError("net.widths: a classifier has four widths, a finder one, all of them positive")
    if net.kind == FINDER and recipe.classes.labels != KINDS:
        raise RecipeError(f"classes.labels: those of a finder are {', '.join(KINDS)}")


def _check_split(split: SplitRecipe) -> None:
    for name in ("held_out", "validation"):
        if not 0 <= getattr(split, name) < 1:
            raise RecipeError(f"split.{name} = {getattr(split, name)}: a share from 0 to below 1 is wanted")
    if split.folds and (split.held_out or not split.of):
        raise RecipeError("split: folds need the sets they divide (of), and go without held_out")
    if unruled := [name for name in split.of if name not in RULES]:
        raise RecipeError(f"split.of: no rule says how {unruled[0]} is divided into folds, only {', '.join(RULES)}")
    if not all(split.leave_out):
        raise RecipeError("split.leave_out: an empty list names no microscope")
    for name in (name for names in split.leave_out for name in names):
        sets.get(name)


def _check_source(one: SourceRecipe, recipe: Recipe) -> None:
    where = f"source {one.set or one.folder or one.form!r}"
    forms = (CELLS, FOUND, FOUND_AND_BOXES, *SCENES) if recipe.net.kind == CLASSIFIER else SCENES
    if one.form not in forms:
        raise RecipeError(f"{where}: form = {one.form!r}: a {recipe.net.kind} learns from {', '.join(forms)}")
    if one.share <= 0:
        raise RecipeError(f"{where}: its share must be positive")
    if (one.form == VIRTUAL) == bool(one.set or one.folder) or (one.set and one.folder):
        raise RecipeError(f"{where}: a source is of a set or of a folder, and virtual slides are of neither")
    if one.folder and one.form in SCENES:
        raise RecipeError(f"{where}: scenes are made of data sets, not of folders")
    if one.form in (COMPOSED, VIRTUAL) and one.count < 1:
        raise RecipeError(f"{where}: count says how many fields are drawn")
    if one.form in (FOUND, FOUND_AND_BOXES) and not one.finder:
        raise RecipeError(f"{where}: finder says what finds the cells")
    if recipe.net.kind == CLASSIFIER and one.form in SCENES and len(recipe.classes.labels) != 2:
        raise RecipeError(f"{where}: scenes know infected cells from others: classes.labels must be two")
    if one.set:
        data = sets.get(one.set)
        kind = SetKind.ANNOTATED if one.form in _FIELD_FORMS else SetKind.CELLS
        if data.kind is not kind or (one.form == COMPOSED and not data.cut_out):
            raise RecipeError(f"{where}: form = {one.form!r} cannot be had of {data.kind}")


def _check_ships(recipe: Recipe) -> None:
    """Raise RecipeError where weights that ship would learn from what does not allow it."""
    for one in recipe.sources:
        if one.folder:
            raise RecipeError(f"weights that ship learn from data sets only, not from the folder {one.folder}")
        if one.set and not sets.get(one.set).may_teach:
            raise RecipeError(
                f"weights that ship may not learn from {one.set} ({sets.get(one.set).reason}): "
                "leave it out, or say ships = false"
            )


def dump(recipe: Recipe) -> str:
    """The recipe as TOML: what is as usual is left out."""
    lines = [*_lines(recipe, Recipe), ""]
    parts: list[tuple[str, Any]] = [(name, getattr(recipe, name)) for name in ("net", "split", "threshold", "training")]
    if isinstance(recipe.training, CellTraining):
        parts.append(("augmentation", recipe.training.augmentation))
    parts.append(("classes", recipe.classes))
    for name, record in parts:
        if body := _lines(record, type(record)):
            lines += [f"[{name}]", *body, ""]
    if recipe.classes.merge:
        lines += [
            "[classes.merge]",
            *(f"{_quoted(key)} = {_toml(names)}" for key, names in recipe.classes.merge.items()),
        ]
        lines.append("")
    for one in recipe.sources:
        lines += ["[[sources]]", *_lines(one, SourceRecipe), ""]
    return "\n".join(lines)


def _lines(record: Any, kind: type[Any]) -> list[str]:
    plain = ((one, getattr(record, one.name)) for one in fields(kind))
    return [
        f"{one.name} = {_toml(value)}"
        for one, value in plain
        if value != one.default and isinstance(value, str | bool | int | float | tuple) and one.name != "sources"
    ]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # whose escapes are TOML's, too
