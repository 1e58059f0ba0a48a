"""Every cell scored exactly once, in the device's runtime, by the fold's net that never saw its slide or block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.door import quiet_native_stderr
from edge.finders.learned import LearnedFinder
from edge.modelfile import Card, read_model
from edge.types import FloatArray, UInt8Array
from models.data import folds
from models.data.fields import load_iml
from models.data.folds import by_fold, fold_paths, slides_held_out
from models.data.matching import match_cells
from models.data.nih import crops_of, infected, nih_rows
from models.judge.finder_thresholds import at_false_positives

Tell = Callable[[str, float], None]
_SECOND = {"": -1, "uninfected": 0, "parasitized": 1}


@dataclass(frozen=True, slots=True, eq=False)
class NihCells:
    """The NIH cells in the order they were scored in.

    Attributes:
        files: below the folder of cells, one per cell.
        infected: the published label, bool [n].
        second: the second opinion, int [n]: 1 infected, 0 not, -1 none given.
        slides: str [n].
        folds: which fold's net scored it, int [n].
    """

    files: tuple[str, ...]
    infected: np.ndarray
    second: np.ndarray
    slides: np.ndarray
    folds: np.ndarray

    @property
    def cleaned(self) -> np.ndarray:
        """The second opinion where there is one, else the published label: bool [n]."""
        return np.asarray(np.where(self.second >= 0, self.second == 1, self.infected), bool)


@dataclass(frozen=True, slots=True, eq=False)
class FieldCells:
    """The cells of the IML fields that a finder found and that count, and the infected ones it lost.

    Attributes:
        infected: bool [n]; a find that matches no annotated cell is uninfected.
        annotated: whether it matches an annotated cell, bool [n].
        stages: annotated type of each, str [n]; empty where nothing is annotated.
        boxes: int32 [n, 4].
        fields: number of its field, int [n].
        folds: which fold's nets scored it, int [n].
        lost_stages: str [m].
        lost_fields: int [m].
        names: of the fields, by number.
    """

    infected: np.ndarray
    annotated: np.ndarray
    stages: np.ndarray
    boxes: np.ndarray
    fields: np.ndarray
    folds: np.ndarray
    lost_stages: np.ndarray
    lost_fields: np.ndarray
    names: tuple[str, ...]

    @property
    def total(self) -> int:
        """Infected cells, found or lost."""
        return int(self.infected.sum()) + len(self.lost_stages)

    def name(self, row: int) -> str:
        """Field and box of a cell."""
        return f"{self.names[self.fields[row]]} {self.boxes[row].tolist()}"


@dataclass(frozen=True, slots=True, eq=False)
class NetScores:
    """What the folds' nets of one name say.

    Attributes:
        name: of the net.
        cards: of its fold files.
        nih: score of the infected class, float [n].
        called: whether the device calls the NIH cell positive at its fold's threshold, bool [n].
        iml: the same score of the fields' cells, float [m].
    """

    name: str
    cards: tuple[Card, ...]
    nih: FloatArray
    called: np.ndarray
    iml: FloatArray


def score_all(names: Sequence[str], folder: Path, tell: Tell) -> tuple[NihCells, FieldCells, list[NetScores]]:
    """Score NIH and IML by every net's fold files.

    Args:
        names: of the nets.
        folder: of the fold files, finder's and classifiers'.
        tell: gets progress.

    Raises:
        ModelError: a fold file is missing or damaged.
    """
    with quiet_native_stderr():  # the runtime greets once
        nets = [[Classifier(read_model(path)) for path in fold_paths(folder, name)] for name in names]
    nih, nih_scores, called = _score_nih(nets, tell)
    fields, iml_scores = _score_iml(nets, folder, tell)
    return (
        nih,
        fields,
        [
            NetScores(name, tuple(c.card for c in nets[k]), nih_scores[k], called[k], iml_scores[k])
            for k, name in enumerate(names)
        ],
    )


def _positive(classifier: Classifier) -> np.ndarray:
    return classifier.card.positive_mask


def _score_nih(nets: list[list[Classifier]], tell: Tell) -> tuple[NihCells, list[FloatArray], list[np.ndarray]]:
    everything = nih_rows()
    ordered: list[dict[str, str]] = []
    folds: list[int] = []
    scores: list[list[FloatArray]] = [[] for _ in nets]
    called: list[list[np.ndarray]] = [[] for _ in nets]
    for fold in range(len(nets[0])):
        tell("scoring the NIH cells", fold / len(nets[0]))
        held_out = slides_held_out(fold)
        rows = [row for row in everything if row["slide"] in held_out]
        crops: dict[str, UInt8Array] = {}
        for number, of_folds in enumerate(nets):
            classifier = of_folds[fold]
            spec = classifier.card.crop
            key = repr(spec)
            if key not in crops:
                crops[key] = crops_of(rows, spec)
            both = classifier.scores(crops[key])
            scores[number].append(both[:, _positive(classifier)].sum(axis=1))
            called[number].append(_positive(classifier)[classifier.classes(both)])
        ordered += rows
        folds += [fold] * len(rows)
    cells = NihCells(
        tuple(row["file"] for row in ordered),
        infected(ordered),
        np.array([_SECOND[row["second_label"]] for row in ordered]),
        np.array([row["slide"] for row in ordered]),
        np.array(folds),
    )
    return cells, [np.concatenate(mine) for mine in scores], [np.concatenate(mine) for mine in called]


def _score_iml(nets: list[list[Classifier]], folder: Path, tell: Tell) -> tuple[FieldCells, list[FloatArray]]:
    fields = load_iml()
    parts: dict[str, list[np.ndarray]] = {key: [] for key in ("infected", "of", "stage", "box", "field", "fold")}
    lost_stages: list[str] = []
    lost_fields: list[int] = []
    names: list[str] = []
    scores: list[list[FloatArray]] = [[] for _ in nets]
    for fold, (path, held_out) in enumerate(zip(fold_paths(folder, folds.FINDER), by_fold(fields), strict=True)):
        finder = LearnedFinder(read_model(path))
        for entry in held_out:
            tell("scoring the IML fields", len(names) / len(fields))
            rgb = entry.read()
            cells = finder.find(rgb)
            boxes = cells.boxes[cells.kind == 0]
            match = match_cells(boxes, entry, (rgb.shape[0], rgb.shape[1]))
            use, of = match.use, match.of[match.use]
            parts["infected"].append(match.infected(entry)[use])
            parts["of"].append(of)
            parts["stage"].append(np.array([*entry.types, ""])[of])
            parts["box"].append(boxes[use])
            parts["field"].append(np.full(len(of), len(names)))
            parts["fold"].append(np.full(len(of), fold))
            lost_stages += [entry.types[j] for j in match.lost]
            lost_fields += [len(names)] * len(match.lost)
            names.append(entry.path.name)
            for number, of_folds in enumerate(nets):
                classifier = of_folds[fold]
                both = classifier.scores(crop_cells(rgb, boxes, classifier.card.crop))
                scores[number].append(both[:, _positive(classifier)].sum(axis=1)[use])
    joined = {key: np.concatenate(values) for key, values in parts.items()}
    cells_of = FieldCells(
        joined["infected"],
        joined["of"] >= 0,
        joined["stage"],
        joined["box"],
        joined["field"],
        joined["fold"],
        np.array(lost_stages, str),
        np.array(lost_fields, int),
        tuple(names),
    )
    return cells_of, [np.concatenate(mine) for mine in scores]


def limits(fields: FieldCells, scores: FloatArray, rate: float) -> np.ndarray:
    """The threshold of each fold at a share of false positives, chosen on the cells of all other folds: float [folds]."""
    out = []
    for fold in range(int(fields.folds.max()) + 1):
        rest = fields.folds != fold
        out.append(at_false_positives(scores[rest], fields.infected[rest], rate))
    return np.array(out)


def reached(fields: FieldCells, scores: FloatArray, rate: float) -> np.ndarray:
    """Which cells reach their fold's threshold (``limits``), bool [n]."""
    return np.asarray(scores >= limits(fields, scores, rate)[fields.folds])
