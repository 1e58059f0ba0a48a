"""Blank slides: every cell that the device counts in them is known to be negative, its suspects above all.

Fields go through the device's own analysis. No gate looks at them: what is found in a blurred field of a blank is negative, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.reading import Progress
from edge.analysis import Analyser
from edge.card import Card
from edge.decision import reaches
from edge.errors import NoInputError, UnreadableFieldError
from edge.near import lowest
from edge.sources.files import FileSource
from edge.types import FloatArray
from models.adapt.known_cells import TaughtField, cells_of
from models.adapt.reviewed_net import as_negatives
from models.adapt.streams import AdaptStream
from models.data.cells import LabelledCells, join

_MOST = 20_000
"""Cells of a blank that are learned from: about four slides' worth; more would fill the memory and teach nothing new."""


@dataclass(frozen=True, slots=True, eq=False)
class BlankSlides:
    """The cells of slides known to be negative.

    Attributes:
        cells: plain and with slack, all of the ordinary class; groups are the slides.
        suspicion: float32 [n], their positive scores by the device's analysis.
        suspects: cells that the device called positive; ``near``: near misses.
        notes: what was noticed, in words.
    """

    cells: LabelledCells
    suspicion: FloatArray
    suspects: int
    near: int
    notes: tuple[str, ...]


def names_of(folders: Sequence[Path]) -> list[str]:
    """A name for each folder: its own, longer where two are alike."""
    names = [folder.resolve().name for folder in folders]
    return [
        name if names.count(name) == 1 else f"{folder.resolve().parent.name}/{name}"
        for name, folder in zip(names, folders, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class DeviceNets:
    """Finder and classifier as they were, and the classifier's card."""

    analyse: Analyser
    card: Card


def read_blanks(folders: Sequence[Path], device: DeviceNets, tell: Progress, seed: int) -> BlankSlides:
    """Run the device over slides known to be negative.

    Args:
        folders: a slide each: its fields.
        device: finds and scores their cells.
        tell: gets progress.
        seed: chooses what is learned from a very large slide.

    Raises:
        CellsError: a folder is given twice, holds no fields, or nothing that counts.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise CellsError("--blank: a folder is given twice: each is one slide")
    parts: list[LabelledCells] = []
    scores: list[FloatArray] = []
    notes: list[str] = []
    for number, (folder, name) in enumerate(zip(folders, names_of(folders), strict=True)):
        rng = np.random.default_rng([seed, AdaptStream.BLANK_CELLS, number])
        cells, suspicion, told = _slide(folder, f"blank/{name}", device, tell, rng)
        parts.append(cells)
        scores.append(suspicion)
        notes += told
    suspicion = np.concatenate(scores)
    threshold = device.card.threshold
    called = reaches(suspicion, threshold)
    near = int((~called & (suspicion >= lowest(threshold))).sum())
    return BlankSlides(as_negatives(join(parts)), suspicion, int(called.sum()), near, tuple(notes))


def _slide(
    folder: Path, group: str, device: DeviceNets, tell: Progress, rng: np.random.Generator
) -> tuple[LabelledCells, FloatArray, list[str]]:
    try:
        source = FileSource([str(folder)], sample_id=group)
    except NoInputError as error:
        raise CellsError(f"--blank {folder}: {error}") from error
    card = device.card
    parts: list[LabelledCells] = []
    scores: list[FloatArray] = []
    notes = list(source.notes)
    unreadable = 0
    total = max(source.total or 0, 1)
    for number, shot in enumerate(source):
        tell(f"finding the cells of {folder.name}", number / total)
        try:
            field = shot.load()
        except UnreadableFieldError:
            unreadable += 1
            continue
        result = device.analyse(field)
        counted = np.flatnonzero(result.cells.kind == 0)
        if not len(counted):
            continue
        boxes, suspicion = result.cells.boxes[counted], result.scores[counted][:, card.positive_mask].sum(axis=1)
        rows = np.arange(len(counted), dtype=np.int32)
        ordinary, doubtful = np.zeros(len(rows), np.int32), np.zeros(len(rows), bool)
        known = TaughtField(field.rgb, boxes, rows, ordinary, doubtful, group, number)
        parts.append(cells_of(known, card.labels, card.crop, rng))
        scores.append(np.asarray(suspicion, np.float32))
    if unreadable:
        notes.append(f"{unreadable} of {total} fields of {folder.name} cannot be read: left out")
    if not parts:
        raise CellsError(f"--blank {folder}: no cell counts in its fields: see with edge-run why (gate, finder)")
    cells, suspicion = join(parts), np.concatenate(scores)
    if len(cells) > _MOST:
        kept = np.sort(rng.permutation(len(cells))[:_MOST])  # by chance, so that shares of them stay what they are
        notes.append(f"{folder.name} holds {len(cells):,} cells: {_MOST:,} of them, drawn by chance, are used")
        cells, suspicion = cells.take(kept), suspicion[kept]
    return cells, suspicion, notes
