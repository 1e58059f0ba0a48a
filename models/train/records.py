"""The records that a recipe is made of (``models.train.recipe`` reads and checks them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from convert.measure.names import same
from models.data.classes import Naming
from models.train.classifier import CellTraining
from models.train.finder import FinderTraining

CLASSIFIER, FINDER = "classifier", "finder"
OTHER_FOLDS, VALIDATION = "other folds", "validation groups"

CELLS, FOUND, FOUND_AND_BOXES, ANNOTATED, COMPOSED, VIRTUAL = (
    "cells",
    "found",
    "found and boxes",
    "annotated",
    "composed",
    "virtual",
)
"""Forms of a source: single cells as they are; what a finder gives; the same with annotated boxes of the rarer classes; all annotated
boxes; fields composed of single cells; virtual slides."""

SCENES = (ANNOTATED, COMPOSED, VIRTUAL)
"""Forms that give whole scenes: a finder learns from these alone."""


@dataclass(frozen=True, slots=True)
class SourceRecipe:
    """What is learned from, in one form.

    Attributes:
        form: one of the forms above.
        set: a data set by its name; or
        folder: a folder of the user's own images.
        share: of a batch, against the other sources' shares.
        count: scenes to draw (composed and virtual ones).
        copies: times that an infected cell's box is learned from, each time moved otherwise (annotated, composed and virtual ones).
        finder: finds the cells of fields: a name on the shelf, a path, or ``classical``.
        unseen: each block of fields is looked at by the fold of that finder which never learned from it.
        table: CSV that says what the cells of a folder are.
        annotations: annotation file of a folder of fields.
        group_by: finds groups in the names of a folder's files.
        random_split: groups of a folder's cells may stay unknown.
    """

    form: str = ""
    set: str = ""
    folder: str = ""
    share: float = 1.0
    count: int = 0
    copies: int = 1
    finder: str = ""
    unseen: bool = False
    table: str = ""
    annotations: str = ""
    group_by: str = ""
    random_split: bool = False


@dataclass(frozen=True, slots=True)
class ClassRecipe:
    """Which classes the net has.

    Attributes:
        labels: in the order of the net's outputs; empty: all that are annotated.
        background: the ordinary class; empty: told by its name, or the most frequent one of fields.
        positive: the suspicious classes; empty: all but the background.
        ignore: annotated names that are left out.
        merge: class to the annotated names that become it; ``*`` is all others.
    """

    labels: tuple[str, ...] = ()
    background: str = ""
    positive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    merge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def naming(self) -> Naming:
        """What annotated names become."""
        merged = {same(name): label for label, names in self.merge.items() for name in names}
        return Naming(self.labels, merged, frozenset(same(name) for name in self.ignore))


@dataclass(frozen=True, slots=True)
class NetRecipe:
    """The net itself.

    Attributes:
        kind: ``classifier`` or ``finder``.
        widths: filters of a classifier's four convolutions; of a finder's first one.
        margin: side of a classifier's crop over the box's longer side.
        compares: a classifier sees each cell beside the typical cell of its field; else it sees the cell alone, in its own colours.
    """

    kind: str = CLASSIFIER
    widths: tuple[int, ...] = (16, 16, 32, 32)
    margin: float = 1.15
    compares: bool = True


@dataclass(frozen=True, slots=True)
class SplitRecipe:
    """What is kept from learning.

    Attributes:
        folds: how many nets are made besides the shipped one, each without its groups (``models.data.folds``); 0: none.
        of: data sets that the folds divide.
        hold_out: sets (``bbbc_fields``) or groups (``nih_cells/C116``) that no net of this recipe learns from.
        leave_out: microscopes, each as the sets that show it: for each a further net learns from none of them.
        held_out: share of the groups that the figures are of, where there are no folds.
        validation: share of the other groups that the threshold is chosen on.
    """

    folds: int = 0
    of: tuple[str, ...] = ()
    hold_out: tuple[str, ...] = ()
    leave_out: tuple[tuple[str, ...], ...] = ()
    held_out: float = 0.0
    validation: float = 0.0


@dataclass(frozen=True, slots=True)
class ThresholdRecipe:
    """How the operating threshold is chosen.

    Attributes:
        rule: ``validation groups``: by the trainer, on groups it kept for that; ``other folds``: by ``choose-thresholds``, once all
            folds are made.
        false_positives: share of the negative cells that may count as positive (first rule); 0: the threshold is one half.
    """

    rule: str = VALIDATION
    false_positives: float = 0.01


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a net depends on.

    Attributes:
        name: of the net.
        about: what it is for, in words.
        ships: its weights go into the repository: it may learn only from sets that allow it.
        licence: of the weights.
        start: net to go on from, a name on the shelf or a path; empty: a new one.
        net: its kind and size.
        classes: what it tells apart.
        split: what it does not learn from.
        threshold: how its threshold is chosen.
        training: steps, batch, rate, seed.
        sources: what it learns from.
    """

    name: str
    sources: tuple[SourceRecipe, ...]
    training: CellTraining | FinderTraining
    about: str = ""
    ships: bool = False
    licence: str = "that of the images it was trained on"
    start: str = ""
    net: NetRecipe = field(default_factory=NetRecipe)
    classes: ClassRecipe = field(default_factory=ClassRecipe)
    split: SplitRecipe = field(default_factory=SplitRecipe)
    threshold: ThresholdRecipe = field(default_factory=ThresholdRecipe)

    @property
    def left_out(self) -> tuple[tuple[str, ...], ...]:
        """The microscopes of ``split.leave_out`` that this recipe learns from: without the others the net is the shipped one."""
        learned = {one.set for one in self.sources}
        return tuple(names for names in self.split.leave_out if learned.intersection(names))

    def without(self, names: tuple[str, ...]) -> Recipe:
        """The recipe of the net that learns from none of these sets."""
        return replace(self, split=replace(self.split, hold_out=(*self.split.hold_out, *names)))
