"""Leave one microscope out: every set of images judged by nets that never learned from its microscope, by the device's own path.

A row is a set: of a microscope that nets leave out, one that no net ever learns from, or the blocks or slides that folds hold out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.reading import Progress
from edge.analysis import Analyser
from edge.classifier import Classifier
from edge.door import quiet_native_stderr
from edge.finders.learned import LearnedFinder
from models.data import sets
from models.data.classes import ClassScheme
from models.data.dataset import DataSet, SetKind, need
from models.data.folds import CLASSIFIER, FINDER
from models.data.nih import INFECTED_LABEL
from models.data.second_reading import FILE, SecondReading, readings
from models.judge.device_fields import JudgedFields, Truth, joined, judge_fields
from models.judge.figures import Measurement
from models.judge.microscope_figures import CalledCells, cells_of_fields, figures_of_cells, figures_of_fields
from models.judge.scores import score_nih, suspicion
from models.judge.unseen import UnseenFold, unseen_folds, unseen_model

JUDGING_ONLY = ("bbbc_fields", "chula_fields", "healthy_tiles")
"""Sets that no net ever learns from."""

IML, NIH = "iml_fields", "nih_cells"
"""Sets that are divided into folds; IML fields are the ones with a second reading."""

UNSEEN_BLOCKS = f"{IML}, unseen blocks"
UNSEEN_RED_ONLY = f"{UNSEEN_BLOCKS}, what is no red cell set aside"
UNSEEN_SLIDES = f"{NIH}, unseen slides"
"""Rows that the folds' nets give."""

_SCHEME = ClassScheme(("uninfected", INFECTED_LABEL), "uninfected", (INFECTED_LABEL,))


@dataclass(frozen=True, slots=True)
class MicroscopeRow:
    """A set and what the nets reach on it.

    Attributes:
        name: of the row.
        held_out: what the nets did not learn from, in words.
        nets: names of the files of finder and classifier; of cells without fields the classifier's alone.
        figures: by key (``models.judge.microscope_figures``); those that mean nothing here are left out.
        missing: why there are no figures, in words.
        notes: what was noticed while judging.
        judged: the fields themselves; None of single cells.
        cells: the scored cells behind the figures; None where there are none.
    """

    name: str
    held_out: str
    nets: tuple[str, ...] = ()
    figures: Mapping[str, Measurement] = field(default_factory=dict)
    missing: str = ""
    notes: tuple[str, ...] = ()
    judged: JudgedFields | None = None
    cells: CalledCells | None = None


@dataclass(frozen=True, slots=True)
class NetPlaces:
    """Where the nets stand: folder of the files that only give figures, folder of the shipped ones."""

    folds: Path
    shelf: Path


def judge_microscopes(
    places: NetPlaces, left_out: Sequence[tuple[str, ...]], tell: Progress, only: Sequence[str] = ()
) -> list[MicroscopeRow]:
    """All rows, in no order of worth.

    Args:
        places: of the nets.
        left_out: microscopes that the nets leave out in turn, each as its sets.
        tell: gets progress.
        only: sets that are wanted; empty: all.

    Raises:
        CellsError: there is no such set, or its images are not there.
        ModelError: a net is missing or may have seen what it would be judged on.
    """
    microscopes = [*left_out, *((name,) for name in JUDGING_ONLY)]
    known = [name for sets_of in microscopes for name in sets_of]
    if unknown := [name for name in only if name not in known]:
        raise CellsError(f"no row is of {unknown[0]}: there are {', '.join(known)}")
    rows = [
        _left_out(places, microscope, name, tell)
        for microscope in microscopes
        for name in microscope
        if not only or name in only
    ]
    folds = unseen_folds(places.folds) if not only or {IML, NIH} & set(only) else []
    if folds and (not only or IML in only):
        rows += _unseen_blocks(folds, tell)
    if folds and (not only or NIH in only):
        rows.append(_unseen_slides(folds, tell))
    return rows


def _left_out(places: NetPlaces, microscope: tuple[str, ...], name: str, tell: Progress) -> MicroscopeRow:
    """The row of one set, by nets that learned from no set of its microscope."""
    data = sets.get(name)
    need(data)
    held_out = ", ".join(microscope)
    wanted = (CLASSIFIER,) if data.kind is SetKind.CELLS else (FINDER, CLASSIFIER)
    models = [unseen_model(net, microscope, places.folds, places.shelf) for net in wanted]
    if lacking := [net for net, model in zip(wanted, models, strict=True) if model is None]:
        commands = "; ".join(f"python -m models train {net} --without {','.join(microscope)}" for net in lacking)
        return MicroscopeRow(name, held_out, missing=f"not trained: {commands}")
    found = [model for model in models if model is not None]
    with quiet_native_stderr():
        classifier = Classifier(found[-1])
        finder = LearnedFinder(found[0]) if len(found) > 1 else None
    names = tuple(model.path.name for model in found)
    if finder is None:
        cells, notes = _of_cells(data, classifier, tell)
        return MicroscopeRow(name, held_out, names, figures_of_cells(cells), notes=tuple(notes), cells=cells)
    reread, truth = (_reread(data), Truth.SECOND) if name == IML else ({}, Truth.ANNOTATED)
    analyse = Analyser(finder, classifier)
    judged = judge_fields(data.fields(), analyse, classifier.card, tell, name=name, readings=reread, truth=truth)
    return _row_of_fields(name, held_out, names, judged)


def _row_of_fields(name: str, held_out: str, nets: tuple[str, ...], judged: JudgedFields) -> MicroscopeRow:
    figures, cells = figures_of_fields(judged), cells_of_fields(judged)
    return MicroscopeRow(name, held_out, nets, figures, notes=judged.notes, judged=judged, cells=cells)


def _reread(data: DataSet) -> Mapping[str, SecondReading]:
    """The second reading of a set, without which its finds cannot be judged; raises CellsError."""
    found = readings(data.folder)
    if not found:
        raise CellsError(f"{data.folder / FILE}: no such file: finds are held against it")
    return found


def _of_cells(data: DataSet, classifier: Classifier, tell: Progress) -> tuple[CalledCells, list[str]]:
    """The scored cells of a set of single cells, and what was noticed on reading it."""
    cells, notes = data.cells().read(_SCHEME, classifier.card.crop, tell)
    tell(f"scoring the cells of {data.name}", -1)
    scores, card = classifier.scores(cells.crops), classifier.card
    called = card.positive_mask[classifier.classes(scores)]
    infected, units = _SCHEME.suspect[cells.truth], cells.units()[0].astype(str)
    return CalledCells(card, infected, suspicion(scores, card), called, units), notes


def _unseen_blocks(folds: Sequence[UnseenFold], tell: Progress) -> list[MicroscopeRow]:
    """The IML fields, each by the fold's nets that never saw its block, with and without what is no red cell."""
    data = sets.get(IML)
    fields, reread = data.fields(), _reread(data)
    folds = [fold for fold in folds if fold.fields]
    with quiet_native_stderr():
        nets = [(fold.finder(), fold.classifier(CLASSIFIER)) for fold in folds]
    rows = []
    for name, truth in ((UNSEEN_BLOCKS, Truth.SECOND), (UNSEEN_RED_ONLY, Truth.RED_ONLY)):
        parts = []
        for fold, (finder, classifier) in zip(folds, nets, strict=True):
            mine = {one.path for one in fold.fields}
            held = fields.take(np.array([one.path in mine for one in fields.fields]))
            analyse = Analyser(finder, classifier)
            part = judge_fields(held, analyse, classifier.card, tell, name=name, readings=reread, truth=truth)
            parts.append(part)
        names = (f"{FINDER}-fold*", f"{CLASSIFIER}-fold*")
        rows.append(_row_of_fields(name, f"the blocks of each of {len(folds)} folds", names, joined(parts)))
    return rows


def _unseen_slides(folds: Sequence[UnseenFold], tell: Progress) -> MicroscopeRow:
    """The NIH cells, each by the fold's net that never saw its slide, against the published labels."""
    with quiet_native_stderr():
        nets = [fold.classifier(CLASSIFIER) for fold in folds]
    cells, (scores,), (called,) = score_nih([nets], folds, tell)
    mine = CalledCells(nets[0].card, cells.infected, scores, called, cells.slides)
    held_out, names = f"the slides of each of {len(folds)} folds", (f"{CLASSIFIER}-fold*",)
    return MicroscopeRow(UNSEEN_SLIDES, held_out, names, figures_of_cells(mine), cells=mine)
