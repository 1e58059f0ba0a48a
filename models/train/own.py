"""What a user gives on the command line, as a recipe."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from models.data.gather import DataOptions
from models.train.classifier import CellTraining
from models.train.records import (
    CELLS,
    FOUND_AND_BOXES,
    ClassRecipe,
    NetRecipe,
    Recipe,
    SourceRecipe,
    SplitRecipe,
    ThresholdRecipe,
)


def recipe_of(
    given: DataOptions,
    name: str,
    training: CellTraining,
    *,
    split: SplitRecipe | None = None,
    threshold: ThresholdRecipe | None = None,
    net: NetRecipe | None = None,
) -> Recipe:
    """The recipe of a classifier on a user's own folders.

    Args:
        given: folders and the classes in them.
        name: of the net.
        training: settings.
        split: shares of the groups; None: nothing is held out, and the usual share chooses the threshold.
        threshold: how it is chosen; None: as usual.
        net: None: the usual.
    """
    merge: dict[str, list[str]] = defaultdict(list)
    for annotated, label in given.naming.merge.items():
        merge[label].append(annotated)
    by = given.group_by or ""
    sources = [
        SourceRecipe(
            CELLS, folder=_whole(folder), table=_whole(given.table), group_by=by, random_split=given.random_split
        )
        for folder in given.cells
    ]
    finder = given.finder if not Path(given.finder).exists() else _whole(Path(given.finder))
    sources += [
        SourceRecipe(
            FOUND_AND_BOXES,
            folder=_whole(folder),
            annotations=_whole(given.annotations),
            group_by="" if given.cells else by,
            finder=finder,
        )
        for folder in given.fields
    ]
    classes = ClassRecipe(
        given.naming.classes,
        given.background or "",
        given.positive,
        tuple(sorted(given.naming.ignore)),
        {label: tuple(names) for label, names in merge.items()},
    )
    return Recipe(
        name,
        tuple(sources),
        training,
        net=net or NetRecipe(),
        classes=classes,
        split=split or SplitRecipe(validation=USUAL_VALIDATION),
        threshold=threshold or ThresholdRecipe(),
    )


USUAL_VALIDATION = 0.15
"""Share of the groups that are not held out, on which the threshold is chosen."""


def _whole(path: Path | None) -> str:
    """A path that holds wherever the recipe is read from."""
    return "" if path is None else str(path.absolute())
