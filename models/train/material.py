"""What a recipe's sources hold, opened and read: the cells a classifier learns from, the scenes a finder learns from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.reading import Progress
from edge.finders import Finder
from edge.modelfile import CropSpec
from models.data import scene_sources, sets
from models.data.cells import LabelledCells
from models.data.classes import ClassScheme, make_scheme
from models.data.crops import SPEC
from models.data.dataset import need
from models.data.fields import load_iml
from models.data.fieldset import Fields, finder_of, open_fields
from models.data.folder import CellFolder, open_folder
from models.data.folds import blocks_by_fold, fold_paths, groups_held_out
from models.data.gather import named_apart
from models.data.scene_sources import GroupedScene, SceneSource
from models.data.second_reading import second_reading
from models.data.split import choose_groups
from models.places import FOLDS
from models.train.loop import Log
from models.train.records import (
    ANNOTATED,
    CELLS,
    COMPOSED,
    FOUND_AND_BOXES,
    Recipe,
    SourceRecipe,
    SplitRecipe,
)

OpenSource = CellFolder | Fields | SceneSource


@dataclass(frozen=True, slots=True, eq=False)
class CellMaterial:
    """The cells of one source: its form in words, the name of its set or folder, and its share of a batch."""

    name: str
    origin: str
    share: float
    cells: LabelledCells


@dataclass(frozen=True, slots=True, eq=False)
class SceneMaterial:
    """The scenes of one source, likewise."""

    name: str
    origin: str
    share: float
    scenes: list[GroupedScene]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Cells by what they are for.

    Attributes:
        learn: what is learned from; a source with nothing left is left out.
        validation: what the threshold is chosen on, by source.
        held_out: what the figures are of, by source.
    """

    learn: list[CellMaterial]
    validation: list[CellMaterial]
    held_out: list[CellMaterial]


def opened(recipe: Recipe) -> list[OpenSource]:
    """The sources of a recipe, no image read; raises CellsError, and ModelError where there is no such finder."""
    made = [opened_source(one, recipe.training.seed) for one in recipe.sources]
    own = [i for i, one in enumerate(recipe.sources) if one.folder]
    apart = named_apart([made[i] for i in own], [Path(recipe.sources[i].folder) for i in own])
    for i, source in zip(own, apart, strict=True):
        made[i] = source
    return made


def opened_source(one: SourceRecipe, seed: int, only: frozenset[str] | None = None) -> OpenSource:
    """One source, no image read.

    Args:
        one: what is learned from.
        seed: of what is drawn.
        only: names of the images of a data set that are read; None: all.

    Raises:
        CellsError: its images are not there.
        ModelError: there is no such finder.
    """
    if one.folder:
        return _own(one)
    if not one.set:
        return scene_sources.virtual(one.count, one.copies, seed)
    data = replace(sets.get(one.set), only=only)
    need(data)
    if one.form == CELLS:
        return data.cells()
    if one.form == COMPOSED:
        return scene_sources.composed(data, one.count, one.copies, seed)
    if one.form == ANNOTATED:
        return scene_sources.annotated(data, one.copies, seed)
    finders = unseen_finders(one.finder) if one.unseen else {}
    first = next(iter(finders.values())) if finders else finder_of(one.finder)
    return Fields(
        data.name,
        data.fields(),
        first,
        finders=finders,
        boxes=one.form == FOUND_AND_BOXES,
        amend=second_reading(data.folder),
    )


def _own(one: SourceRecipe) -> CellFolder | Fields:
    """A folder of the user's."""
    by = one.group_by or None
    if one.form == CELLS:
        table = Path(one.table) if one.table else None
        return open_folder(Path(one.folder), table, by, split=True, random_split=one.random_split)
    fields = open_fields(Path(one.folder), Path(one.annotations) if one.annotations else None, by, one.finder)
    return replace(fields, boxes=one.form == FOUND_AND_BOXES)


def unseen_finders(name: str) -> dict[str, Finder]:
    """Per block of IML fields the fold of that finder that never learned from it."""
    parts = blocks_by_fold(load_iml())
    finders = [finder_of(str(path)) for path in fold_paths(FOLDS, name)]
    return {f"block {block}": finder for finder, blocks in zip(finders, parts, strict=True) for block in blocks}


def scheme_of(recipe: Recipe, sources: Sequence[OpenSource]) -> ClassScheme:
    """The classes of a classifier's recipe, settled by what its sources hold; raises CellsError."""
    names = sum((source.names() for source in sources), Counter[str]())
    classes = recipe.classes
    fields = any(one.form not in (CELLS, COMPOSED) for one in recipe.sources)
    return make_scheme(names, classes.naming, classes.background or None, classes.positive, whole_fields=fields)


def finder_scheme(recipe: Recipe) -> ClassScheme:
    """The classes of a finder's recipe."""
    labels = recipe.classes.labels
    return ClassScheme(labels, labels[0], recipe.classes.positive, recipe.classes.naming)


def crop_of(recipe: Recipe) -> CropSpec:
    """How a classifier's cells are cut."""
    return replace(SPEC, margin=recipe.net.margin, normalise=SPEC.normalise if recipe.net.compares else "none")


def read_cells(
    recipe: Recipe, sources: Sequence[OpenSource], scheme: ClassScheme, progress: Progress, log: Log
) -> list[CellMaterial]:
    """The cells of all sources, plain and with slack."""
    plain = replace(crop_of(recipe), normalise="none")
    read = []
    for one, source in zip(recipe.sources, sources, strict=True):
        cells, notes = source.read(scheme, plain, progress, learn=True)
        for note in notes:
            log(note)
        read.append(CellMaterial(f"{source.name}, {one.form}", source.name, one.share, cells))
    return read


def read_scenes(recipe: Recipe, sources: Sequence[OpenSource]) -> list[SceneMaterial]:
    """The scenes of all sources."""
    scheme = finder_scheme(recipe)
    return [
        SceneMaterial(f"{source.name}, {one.form}", source.name, one.share, list(source.draw(scheme, False)))
        for one, source in zip(recipe.sources, sources, strict=True)
        if isinstance(source, SceneSource)
    ]


def in_groups(groups: np.ndarray, names: frozenset[str]) -> np.ndarray:
    """Which of these groups are among the names, or of a set that is, bool [n]."""
    unique, member = np.unique(groups, return_inverse=True)
    return np.array([group in names or group.split("/")[0] in names for group in unique.tolist()], bool)[member]


def kept_out(split: SplitRecipe, fold: int | None) -> frozenset[str]:
    """Groups and sets that a recipe's net of this fold must not learn from, whatever its cells are."""
    return groups_held_out(fold, split.of) | frozenset(split.hold_out)


def split_groups(material: Sequence[CellMaterial], recipe: Recipe, fold: int | None) -> Parts:
    """Divide whole groups: held out, for the threshold, to learn from.

    Raises:
        CellsError: a class is left with nothing to learn from.
    """
    split, seed = recipe.split, recipe.training.seed
    held = kept_out(split, fold)
    seen = [replace(one, cells=one.cells.as_found()) for one in material]
    groups = np.concatenate([one.cells.groups for one in seen])
    truth = np.concatenate([one.cells.truth for one in seen])
    if split.held_out:
        free = ~in_groups(groups, held)
        held |= choose_groups(groups[free], truth[free], split.held_out, seed)
    rest = ~in_groups(groups, held)
    chosen: frozenset[str] = frozenset()
    if split.validation and len(np.unique(groups[rest])) > 1:
        chosen = choose_groups(groups[rest], truth[rest], split.validation, seed + 1)
    learn = [replace(one, cells=without(one.cells, held | chosen)) for one in material]
    learn = [one for one in learn if len(one.cells)]
    labels = material[0].cells.labels
    counts = sum((one.cells.counts() for one in learn), np.zeros(len(labels), int))
    if not (counts > 0).all():
        lacking = ", ".join(label for label, count in zip(labels, counts, strict=True) if not count)
        raise CellsError(
            f"no cell of {lacking} is left to learn from: more slides or fields are needed, or a smaller --held-out"
        )
    return Parts(learn, _only(seen, chosen), _only(seen, held))


def without(cells: LabelledCells, names: frozenset[str]) -> LabelledCells:
    """The cells of all other groups."""
    return cells.take(~in_groups(cells.groups, names))


def _only(material: Sequence[CellMaterial], names: frozenset[str]) -> list[CellMaterial]:
    """The cells of these groups; a source without any is left out."""
    kept = []
    for one in material:
        mine = np.unique(np.concatenate([one.cells.groups, one.cells.lost_groups]))
        part = one.cells.of_groups(frozenset(mine[in_groups(mine, names)].tolist()))
        if len(part):
            kept.append(replace(one, cells=part))
    return kept


def learning_scenes(material: Sequence[SceneMaterial], recipe: Recipe, fold: int | None) -> list[SceneMaterial]:
    """The scenes that a finder of this fold learns from, by source; raises CellsError where none are left."""
    held = kept_out(recipe.split, fold)
    kept = []
    for one in material:
        free = ~in_groups(np.array([scene.group for scene in one.scenes]), held)
        kept.append(replace(one, scenes=[scene for scene, stay in zip(one.scenes, free, strict=True) if stay]))
    kept = [one for one in kept if one.scenes]
    if not kept:
        raise CellsError("no scene is left to learn from")
    return kept
