"""Microscopes of the study: their cells, what of them counts as a slide, and nets that never saw them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.fields import FieldSet
from convert.measure.reading import Progress
from edge.modelfile import read_model
from models.adapt.rehearsal import OldCells, RehearsalPlan, Rehearse, old_cells
from models.data import sets
from models.data.cells import LabelledCells
from models.data.classes import ClassScheme, Naming
from models.data.dataset import SetKind, need
from models.data.fieldset import Fields, finder_of
from models.data.second_reading import second_reading
from models.places import FOLDS, SHELF
from models.studies.review_learning.kept_cells import cells_from, cells_to
from models.studies.review_learning.rebuilt import rebuilt
from models.train import recipe as recipes
from models.train.device import device_bytes, int8_scores
from models.train.material import CellMaterial
from models.train.start import StartingNet, open_start

Say = Callable[[str], None]

_OLD_SAMPLE = 2000
"""Cells of each old set that are rehearsed, and as many for the guard and the figures together."""

_SPREADS = 2000  # cells from which a rebuilt net's normalisations are taken


@dataclass(frozen=True, slots=True)
class StudyScope:
    """A microscope that a net never saw.

    Attributes:
        name: of the set that shows it.
        without: how the net's files are called: ``without`` these; empty: the shipped ones, which never learn from the set.
        run: consecutive fields that stand for a slide; 0: the set says slides.
        apart: what is left out as a whole: ``slide``, or the set's ``group`` (a block of fields, a stain).
        draws: choices of blanks and answers; ``fewer``: of those with which other ways to teach are tried as well.
        about: what stands for a slide, in words.
    """

    name: str
    without: str
    run: int
    apart: str
    draws: int
    fewer: int
    about: str

    @property
    def classifier(self) -> Path:
        """Its file."""
        name = "malaria-thin-32"
        return FOLDS / f"{name}-without-{self.without}.tflite" if self.without else SHELF / name / f"{name}.tflite"

    @property
    def finder(self) -> Path:
        """Its file."""
        name = "finder-thin"
        return FOLDS / f"{name}-without-{self.without}.tflite" if self.without else SHELF / name / f"{name}.tflite"


SCOPES = (
    StudyScope("nih_cells", "nih-iml", 0, "slide", 2, 1, "a slide; 38 of 158 hold no infected cell"),
    StudyScope("iml_fields", "nih-iml", 1, "group", 2, 0, "a field; blocks of 35 are left out as a whole"),
    StudyScope("pbc_fields", "pbc", 10, "slide", 1, 0, "10 images (no slide is known); none shows a parasite"),
    StudyScope("raabin_fields", "raabin", 10, "slide", 1, 0, "10 images (no slide is known); none shows a parasite"),
    StudyScope("bbbc_fields", "", 1, "group", 2, 0, "a field; stains are left out as a whole"),
)
"""The rows of the study. BBBC only judges nets that ship: here it stands for a user's own slides, and no net of it is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class ScopeCells:
    """A microscope's cells, as its net's finder and crops show them.

    Attributes:
        cells: plain and with slack, classes as the net has them.
        slides: int32 [n], what stands for a slide.
        apart: int32 [n], what is left out as a whole; a slide is in one of them.
        positive: bool [n].
        suspicion: float32 [n], positive score by the net that never saw them.
    """

    cells: LabelledCells
    slides: np.ndarray
    apart: np.ndarray
    positive: np.ndarray
    suspicion: np.ndarray

    @property
    def blank(self) -> np.ndarray:
        """Bool [n]: of a slide without an infected cell."""
        return np.asarray(~np.isin(self.slides, self.slides[self.positive]))


def scheme_of(labels: tuple[str, ...], positive: tuple[str, ...]) -> ClassScheme:
    """The classes of a scope's cells: a find that is a white cell or a platelet, or that readers call no red cell, is negative."""
    naming = recipes.load("malaria-thin-32").classes.naming
    others = {"white blood cell": labels[0], "platelet": labels[0], "no red cell": labels[0]}
    return ClassScheme(labels, labels[0], positive, Naming((), {**naming.merge, **others}, frozenset({"difficult"})))


def read_scope(scope: StudyScope, work: Path, tell: Progress, say: Say) -> ScopeCells:
    """The cells of a microscope; they are read once and kept in ``work``. Raises CellsError, ModelError."""
    file = read_model(scope.classifier)
    if file.card is None:
        raise CellsError(f"{scope.classifier}: has no card")
    card, data = file.card, sets.get(scope.name)
    path = work / f"cells-{scope.name}-{file.card.sha256[:12]}.npz"
    if path.is_file():
        cells, suspicion = cells_from(path, card.labels)
    else:
        need(data)
        say(f"{scope.name}: reading its cells")
        plan, plain = scheme_of(card.labels, card.positive), replace(card.crop, normalise="none")
        if data.kind is SetKind.CELLS:
            cells, _ = data.cells().read(plan, plain, tell, learn=True)
        else:
            amend = second_reading(data.folder)
            fields = Fields(data.name, data.fields(), finder_of(str(scope.finder)), boxes=False, amend=amend)
            cells, _ = fields.read(plan, plain, tell, learn=True)
        suspicion = np.asarray(int8_scores(file.flatbuffer, card, cells)[:, card.positive_mask].sum(axis=1), np.float32)
        cells_to(path, cells, suspicion)
    groups = np.asarray(np.unique(cells.groups, return_inverse=True)[1], np.int64)
    slides = np.asarray(cells.fields // scope.run if scope.run else groups, np.int64)
    apart = slides if scope.apart == "slide" else groups
    return ScopeCells(cells, slides, apart, card.positive_mask[cells.truth], suspicion)


def start_of(scope: StudyScope, seen: ScopeCells, work: Path) -> StartingNet:
    """The net to go on from, with its Keras file; raises ModelError."""
    if not scope.without:
        return open_start(str(scope.classifier), "classify")
    file = read_model(scope.classifier)
    if file.card is None:
        raise CellsError(f"{scope.classifier}: has no card")
    path = work / f"{scope.classifier.stem}-{file.card.sha256[:12]}.keras"
    if path.is_file():
        return StartingNet(file, file.card, path)
    rng = np.random.default_rng(0)
    some = seen.cells.take(np.sort(rng.permutation(len(seen.cells))[:_SPREADS]))
    seen_by_net = (device_bytes(some, file.card.crop).astype(np.float32) - np.float32(128)) / np.float32(64)
    return rebuilt(file, seen_by_net, path)


def old_of(start: StartingNet, scope: StudyScope, tell: Progress, say: Say) -> tuple[OldCells, OldCells]:
    """What the net learned before, halved: with the cells that guard it, and with those that judge it; groups are never split."""
    new = FieldSet((), (), grouped=False)
    plan = RehearsalPlan(new, Rehearse.AUTO, 0, sample=_OLD_SAMPLE)
    say(f"{scope.name}: reading what its net learned before")
    old = old_cells(start.card, plan, tell, say)
    halves: tuple[list[CellMaterial], list[CellMaterial]] = ([], [])
    for one in old.others:
        names = np.unique(one.cells.groups)
        for half, mine in zip(halves, (names[::2], names[1::2]), strict=True):
            half.append(replace(one, cells=one.cells.take(np.isin(one.cells.groups, mine))))
    return replace(old, others=tuple(halves[0])), replace(old, others=tuple(halves[1]))
