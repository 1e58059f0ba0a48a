"""Every cell scored exactly once, in the device's runtime, by the fold's net that never saw its slide or block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.door import quiet_native_stderr
from edge.modelfile import Card, CropSpec
from edge.types import FloatArray, UInt8Array
from models.data.fields import ImlField
from models.data.matching import match_cells
from models.data.nih import crops_of, infected
from models.judge.finder_thresholds import at_false_positives
from models.judge.unseen import FieldFinds, UnseenFold

Tell = Callable[[str, float], None]
_SECOND = {"": -1, "uninfected": 0, "parasitized": 1}
"""What the table's ``second_label`` means; -1: no second opinion."""


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

    def known_negative(self, *, by_both: bool = False) -> np.ndarray:
        """Cells of slides without an infected cell, bool [n].

        Args:
            by_both: the second opinion calls none infected either: for choosing thresholds. Figures go by the published labels.
        """
        sick = self.infected | (self.second == 1) if by_both else self.infected
        return np.asarray(~np.isin(self.slides, self.slides[sick]))


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
    def lost(self) -> int:
        """Infected cells that the finder lost."""
        return len(self.lost_stages)

    @property
    def total(self) -> int:
        """Infected cells, found or lost."""
        return int(self.infected.sum()) + self.lost

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


def score_all(
    names: Sequence[str], folds: Sequence[UnseenFold], tell: Tell
) -> tuple[NihCells, FieldCells, list[NetScores]]:
    """Score NIH cells and IML fields by every net's fold files.

    Args:
        names: of the nets.
        folds: with what they hold out.
        tell: gets progress.

    Raises:
        ModelError: a fold file is missing or damaged, or it may have seen what it is to be judged on.
    """
    with quiet_native_stderr():  # the runtime greets once
        nets = [[fold.classifier(name) for fold in folds] for name in names]
    nih, nih_scores, called = score_nih(nets, folds, tell)
    parts: list[FieldCells] = []
    scores: list[list[FloatArray]] = [[] for _ in nets]
    for fold in folds:
        if fold.fields:
            tell("scoring the IML fields", fold.number / len(folds))
            part, found = score_fields(fold.finds(), [net[fold.number] for net in nets], fold.number)
            parts.append(part)
            for mine, one in zip(scores, found, strict=True):
                mine.append(one)
    of_nets = zip(names, nets, nih_scores, called, scores, strict=True)
    return (
        nih,
        join_fields(parts),
        [
            NetScores(name, tuple(c.card for c in net), score, positive, np.concatenate(iml))
            for name, net, score, positive, iml in of_nets
        ],
    )


def suspicion(scores: FloatArray, card: Card) -> FloatArray:
    """The positive classes' scores added up: float32 [n, classes] to [n]."""
    return np.asarray(scores[:, card.positive_mask].sum(axis=1), np.float32)


def score_nih(
    nets: Sequence[Sequence[Classifier]], folds: Sequence[UnseenFold], tell: Tell
) -> tuple[NihCells, list[FloatArray], list[np.ndarray]]:
    """The NIH cells, each net's score of them, and whether it calls them positive; crops of one specification are cut once.

    Args:
        nets: of each name one classifier per fold.
        folds: with what they hold out.
        tell: gets progress.
    """
    scores: list[list[FloatArray]] = [[] for _ in nets]
    called: list[list[np.ndarray]] = [[] for _ in nets]
    for fold in folds:
        tell("scoring the NIH cells", fold.number / len(folds))
        crops: dict[CropSpec, UInt8Array] = {}
        for number, of_folds in enumerate(nets):
            classifier = of_folds[fold.number]
            card = classifier.card
            if card.crop not in crops:
                crops[card.crop] = crops_of(fold.rows, card.crop)
            both = classifier.scores(crops[card.crop])
            scores[number].append(suspicion(both, card))
            called[number].append(card.positive_mask[classifier.classes(both)])
    rows = [row for fold in folds for row in fold.rows]
    cells = NihCells(
        tuple(row["file"] for row in rows),
        infected(rows),
        np.array([_SECOND[row["second_label"].strip()] for row in rows]),
        np.array([row["slide"] for row in rows]),
        np.repeat([fold.number for fold in folds], [len(fold.rows) for fold in folds]),
    )
    return cells, [np.concatenate(mine) for mine in scores], [np.concatenate(mine) for mine in called]


def score_fields(
    finds: Iterable[FieldFinds[ImlField]], classifiers: Sequence[Classifier], fold: int = 0
) -> tuple[FieldCells, list[FloatArray]]:
    """Fields end to end: their finds that count, and each classifier's scores of these, float32 [n].

    Args:
        finds: of fields that neither finder nor classifiers saw.
        classifiers: of one fold.
        fold: its number.
    """
    parts: list[FieldCells] = []
    scores: list[list[FloatArray]] = [[] for _ in classifiers]
    for one in finds:
        match = match_cells(one.boxes, one.field, one.shape)
        use, lost, types = match.counts, match.lost & one.field.infected, np.array([*one.field.types, ""])
        part = FieldCells(
            match.of_finds(one.field.infected, otherwise=False)[use],
            match.of[use] >= 0,
            types[match.of[use]],
            one.boxes[use],
            np.zeros(int(use.sum()), int),
            np.full(int(use.sum()), fold),
            types[:-1][lost],
            np.zeros(int(lost.sum()), int),
            (one.field.path.name,),
        )
        parts.append(part)
        for mine, classifier in zip(scores, classifiers, strict=True):
            crops = crop_cells(one.rgb, one.boxes, classifier.card.crop)
            mine.append(suspicion(classifier.scores(crops), classifier.card)[use])
    return join_fields(parts), [np.concatenate(mine) for mine in scores]


def join_fields(parts: Sequence[FieldCells]) -> FieldCells:
    """Several sets of fields as one; fields are numbered on."""
    first = np.cumsum([0, *(len(part.names) for part in parts)])[:-1]
    columns = ("infected", "annotated", "stages", "boxes", "folds", "lost_stages")
    return FieldCells(
        **{key: np.concatenate([getattr(part, key) for part in parts]) for key in columns},
        fields=np.concatenate([part.fields + start for part, start in zip(parts, first, strict=True)]),
        lost_fields=np.concatenate([part.lost_fields + start for part, start in zip(parts, first, strict=True)]),
        names=tuple(name for part in parts for name in part.names),
    )


def limits_of_others(
    folds: np.ndarray, scores: FloatArray, infected: np.ndarray, rate: float, count: int
) -> np.ndarray:
    """The threshold of each fold at a share of false positives, chosen on the cells of all other folds.

    Args:
        folds: int [n], the fold whose net scored each cell.
        scores: float [n].
        infected: bool [n].
        rate: share of the uninfected cells that may reach the threshold.
        count: folds there are.

    Returns:
        float [folds].
    """
    rest = [folds != fold for fold in range(count)]
    return np.array([at_false_positives(scores[mine], infected[mine], rate) for mine in rest])


def reached(fields: FieldCells, scores: FloatArray, rate: float) -> np.ndarray:
    """Which cells reach the threshold of their fold, which is chosen on all other folds: bool [n]."""
    limits = limits_of_others(fields.folds, scores, fields.infected, rate, int(fields.folds.max()) + 1)
    return np.asarray(scores >= limits[fields.folds])
