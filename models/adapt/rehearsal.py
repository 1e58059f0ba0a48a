"""Rehearsal: while a net learns a new microscope it also sees what it learned before, so that it does not forget that.

What is seen again is a sample of the data sets that the net's card names, where they stand in the data directory: never what
the card says was held out, never the fields that are learned now, never a set that weights which ship may not learn from. What
the net's recipe draws (virtual slides) is always there, and a net of no known recipe sees virtual slides alone. Half of the groups
of a set are rehearsed; what the nets forget is measured on the others.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from convert.measure.fields import FieldSet
from convert.measure.reading import Progress
from edge.modelfile import Card
from models.adapt.streams import AdaptStream
from models.data import sets
from models.data.classes import ClassScheme, Naming
from models.data.dataset import DataSet, SetKind
from models.data.scene_sources import SceneSource
from models.train import recipe as recipes
from models.train.loop import Log
from models.train.material import CellMaterial, SceneMaterial, in_groups, opened_source
from models.train.records import COMPOSED, SCENES, VIRTUAL, Recipe, SourceRecipe

REHEARSED = 0.5
"""Share of a batch that is rehearsed: as much as is new (Chaudhry et al. 2019, arXiv:1902.10486)."""

_SAMPLE = 1500
"""Cells of a set that are rehearsed, and as many that show what is forgotten: they are read in seconds."""

_DRAWN = 40
"""Fields that are drawn of a composed or virtual source."""

_COPIES = 3
"""Times that a drawn infected cell is learned from where no recipe says it; that of the shelf's classifiers."""

_OTHER_SEED = 50
"""Added to the seed: what is drawn is none of the slides that a training of the shelf has drawn."""


class Rehearse(StrEnum):
    """What is seen again."""

    AUTO = "auto"
    """Data sets that the net learned from, where they are there, and what its recipe draws."""
    VIRTUAL = "virtual"
    """Virtual slides alone."""
    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class RehearsalPlan:
    """What shall be rehearsed.

    Attributes:
        new: fields that are learned now.
        what: shall be seen again.
        seed: chooses the sample.
        sample: cells of a set that are rehearsed, and as many that show what is forgotten.
    """

    new: FieldSet
    what: Rehearse
    seed: int
    sample: int = _SAMPLE

    def takes(self, sample: SourceSample) -> bool:
        """Whether a source is rehearsed; what is forgotten of it is measured in any case."""
        return self.what is Rehearse.AUTO or (self.what is Rehearse.VIRTUAL and sample.again is None)


@dataclass(frozen=True, slots=True, eq=False)
class OldCells:
    """Cells that a classifier learned from before.

    Attributes:
        scheme: their classes, which are the classifier's; None: there are none.
        rehearsed: to learn from again, by source.
        others: of other groups of the same sets.
    """

    scheme: ClassScheme | None = None
    rehearsed: tuple[CellMaterial, ...] = ()
    others: tuple[CellMaterial, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class OldFields:
    """Fields that a finder learned from before.

    Attributes:
        scheme: their classes, which are the finder's; None: there are none.
        rehearsed: scenes to learn from again, by source.
        others: annotated fields of other groups of the same sets, by the set's name.
    """

    scheme: ClassScheme | None = None
    rehearsed: tuple[SceneMaterial, ...] = ()
    others: tuple[tuple[str, FieldSet], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """What both nets learned before: nothing, where nothing is rehearsed."""

    cells: OldCells = field(default_factory=OldCells)
    fields: OldFields = field(default_factory=OldFields)

    @property
    def names(self) -> list[str]:
        """Names of all that is rehearsed."""
        return sorted({*origins(self.cells.rehearsed), *origins(self.fields.rehearsed)})

    def line(self) -> str:
        """What is rehearsed, in words."""
        cells = sum(len(one.cells) for one in self.cells.rehearsed)
        fields = sum(len(one.scenes) for one in self.fields.rehearsed)
        what = f"{cells} cells and {fields} fields of {', '.join(self.names)}" if self.names else "nothing"
        return f"rehearsed beside the new fields, so that it is not forgotten: {what}"


def origins(rehearsed: Sequence[CellMaterial] | Sequence[SceneMaterial]) -> list[str]:
    """Names of the sets that are rehearsed."""
    return sorted({one.origin for one in rehearsed})


def shares(rehearsed: Sequence[CellMaterial] | Sequence[SceneMaterial]) -> list[float]:
    """Shares of a batch: of the new, then of each source that is rehearsed."""
    total = sum(one.share for one in rehearsed)
    return [1 - REHEARSED, *(REHEARSED * one.share / total for one in rehearsed)] if rehearsed else [1.0]


def gathered(finder: Card, classifier: Card, plan: RehearsalPlan, tell: Progress, log: Log) -> Rehearsal:
    """What two nets shall rehearse.

    Args:
        finder: card of the finder to start from.
        classifier: card of the classifier to start from.
        plan: what shall be seen again.
        tell: gets progress.
        log: gets what was noticed.

    Raises:
        CellsError: images of a data set cannot be used.
        ModelError: a recipe's finder is not there.
    """
    return Rehearsal(old_cells(classifier, plan, tell, log), old_fields(finder, plan, tell))


def old_cells(card: Card, plan: RehearsalPlan, tell: Progress, log: Log) -> OldCells:
    """What a classifier shall rehearse; see ``gathered``. Drawn cells are infected or not, and no net of other classes sees them."""
    recipe = _recipe_of(card)
    labels, positive = card.labels, tuple(card.positive)
    ordinary = next((label for label in labels if label not in positive), None)
    scheme = ClassScheme(labels, ordinary, positive, recipe.classes.naming if recipe else Naming())
    plain = replace(card.crop, normalise="none")
    rehearsed: list[CellMaterial] = []
    others: list[CellMaterial] = []
    for one in _samples(card, recipe, plan):
        if one.source.form in SCENES and positive != labels[1:2]:
            continue
        tell(f"reading what was learned before: {one.name}", -1)
        once = replace(one.source, copies=1)
        parts_of_set = ((one.source, one.again, rehearsed, plan.takes(one)), (once, one.apart, others, bool(one.apart)))
        for own, names, parts, wanted in parts_of_set:
            if wanted:
                source = opened_source(own, _OTHER_SEED + plan.seed, names)
                cells, notes = source.read(scheme, plain, tell, learn=True)
                parts.append(CellMaterial(f"{source.name}, {own.form}", source.name, own.share, cells))
                for note in notes:
                    log(note)
    return OldCells(scheme, tuple(rehearsed), tuple(others))


def old_fields(card: Card, plan: RehearsalPlan, tell: Progress) -> OldFields:
    """What a finder shall rehearse; see ``gathered``."""
    recipe = _recipe_of(card)
    scheme = ClassScheme(
        card.labels, card.labels[0], tuple(card.positive), recipe.classes.naming if recipe else Naming()
    )
    rehearsed, others = [], []
    for one in _samples(card, recipe, plan):
        tell(f"reading what was learned before: {one.name}", -1)
        source = opened_source(one.source, _OTHER_SEED + plan.seed, one.again)
        if plan.takes(one) and isinstance(source, SceneSource):
            scenes = list(source.draw(scheme, False))
            rehearsed.append(SceneMaterial(f"{source.name}, {one.source.form}", source.name, one.source.share, scenes))
        if one.apart and one.source.form != COMPOSED:
            others.append((one.name, replace(sets.get(one.name), only=one.apart).fields()))
    return OldFields(scheme, tuple(rehearsed), tuple(others))


@dataclass(frozen=True, slots=True)
class SourceSample:
    """A source of which some images are rehearsed.

    Attributes:
        source: as the recipe has it, with fewer drawn fields.
        again: names of the images to learn from again; None: it is drawn from nothing.
        apart: names of images of other groups.
    """

    source: SourceRecipe
    again: frozenset[str] | None = None
    apart: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Of the set."""
        return self.source.set or "virtual slides"


def _recipe_of(card: Card) -> Recipe | None:
    """The recipe that a net was made by, where it is one of the repository's."""
    name = card.training.get("recipe")
    return recipes.load(name) if name in recipes.names() else None


def _samples(card: Card, recipe: Recipe | None, plan: RehearsalPlan) -> list[SourceSample]:
    """One source of each set that may be rehearsed, the first that the recipe has of it, and virtual slides."""
    sources = recipe.sources if recipe else ()
    virtual = next((one for one in sources if one.form == VIRTUAL), None)
    drawn = [SourceSample(_fewer(virtual or SourceRecipe(VIRTUAL, count=_DRAWN, copies=_COPIES)))]
    first = {one.set: one for one in reversed(sources) if one.set}
    held = frozenset(card.training.get("held_out_groups", ())) | frozenset(card.training.get("held_out_sets", ()))
    chosen = []
    for name in sorted(first):
        data = sets.get(name)
        if name in card.training.get("data", ()) and data.present and data.may_teach and not _holds(data, plan.new):
            whole = data.kind is SetKind.CELLS
            again, apart = divided(_listed(data), held, plan.seed, whole=whole, sample=plan.sample)
            if again:
                chosen.append(SourceSample(replace(_fewer(first[name]), unseen=False), again, apart))
    return [*chosen, *drawn]


def _fewer(source: SourceRecipe) -> SourceRecipe:
    return replace(source, count=min(source.count, _DRAWN))


def _holds(data: DataSet, new: FieldSet) -> bool:
    """Whether the new fields are of this set."""
    root = data.folder.resolve()
    return any(one.path.resolve().is_relative_to(root) for one in new.fields)


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image of a set: its file's name, its group, and how many cells are annotated in it."""

    file: str
    group: str
    cells: int


def _listed(data: DataSet) -> list[ListedImage]:
    if data.kind is SetKind.CELLS:
        return [ListedImage(one.path.name, f"{data.name}/{one.slide}", 1) for one in data.cells().listing.cells]
    fields = data.fields()
    pairs = zip(fields.fields, fields.groups, strict=True)
    return [ListedImage(one.path.name, f"{data.name}/{group}", len(one.types)) for one, group in pairs]


def divided(
    images: Sequence[ListedImage], held: frozenset[str], seed: int, *, whole: bool, sample: int = _SAMPLE
) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the images to rehearse, and of some of other groups; of one group none is left for these.

    Args:
        images: of one set.
        held: names of sets and groups that the net held out.
        seed: chooses.
        whole: groups are taken one by one: what is typical of single cells is told by the others of their slide.
        sample: cells that each of the two holds at least, where there are so many.
    """
    groups = np.array([one.group for one in images])
    free = np.flatnonzero(~in_groups(groups, held)) if images else np.zeros(0, int)
    rng = np.random.default_rng([seed, AdaptStream.REHEARSAL, zlib.crc32(images[0].group.split("/")[0].encode())])
    names = rng.permutation(np.unique(groups[free]))
    apart = names[: len(names) // 2]
    taken = []
    for part in (names[len(names) // 2 :], apart):
        place = {str(name): number for number, name in enumerate(part)}
        rows = rng.permutation([row for row in free.tolist() if images[row].group in place])
        if whole:
            rows = np.array(sorted(rows.tolist(), key=lambda row: place[images[row].group]), int)
        counts = np.cumsum([images[row].cells for row in rows.tolist()])
        taken.append(frozenset(images[row].file for row in rows[: np.searchsorted(counts, sample) + 1].tolist()))
    return taken[0], taken[1]
