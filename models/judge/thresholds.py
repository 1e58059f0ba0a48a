"""Choose every operating threshold in one go: finders first, then classifiers on the cells those finders keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.finders.learned import LearnedFinder
from edge.modelfile import Card, ModelFile, read_model, write_model
from models.data import folds
from models.data.fields import ImlField, load_iml
from models.data.folds import by_fold, fold_paths
from models.data.matching import match_cells
from models.data.nih import INFECTED_LABEL, crops_of, nih_rows
from models.judge.finder_thresholds import at_false_positives, choose

FALSE_POSITIVES = 0.001
"""Share of the cells of slides known to be negative, never trained on, that the shipped classifier's threshold lets through."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCells:
    """Cells of unseen fields through finder, crops and int8 classifier.

    Attributes:
        score: float32 [n], the positive classes' score of each cell the finder gave.
        infected: bool [n], whether it matches an infected cell; cells matching unsure truth are left out.
        block: int [n].
        lost: infected cells the finder lost.
    """

    score: np.ndarray
    infected: np.ndarray
    block: np.ndarray
    lost: int


@dataclass(frozen=True, slots=True, eq=False)
class KnownNegatives:
    """Scores float32 [n] of cells of slides known to be negative, and how many slides they are of."""

    score: np.ndarray
    slides: int


def score_fields(finder: LearnedFinder, classifier: Classifier, fields: list[ImlField]) -> ScoredCells:
    """Run fields end to end; truth within the border margin is left out, as is what matches it."""
    positive = classifier.card.positive_mask
    scores, labels, blocks, lost = [], [], [], 0
    for entry in fields:
        rgb = entry.read()
        cells = finder.find(rgb)
        boxes = cells.boxes[cells.kind == 0]
        score = classifier.scores(crop_cells(rgb, boxes, classifier.card.crop))[:, positive].sum(axis=1)
        match = match_cells(boxes, entry, (rgb.shape[0], rgb.shape[1]))
        label = match.infected(entry)
        lost += len(match.lost)
        scores.append(score[match.use])
        labels.append(label[match.use])
        blocks.append(np.full(int(match.use.sum()), entry.block))
    return ScoredCells(np.concatenate(scores), np.concatenate(labels), np.concatenate(blocks), lost)


def score_folds(folder: Path, fields: list[ImlField], name: str = folds.CLASSIFIER) -> list[ScoredCells]:
    """Every field scored once, by a finder and a classifier of that name that never saw its block."""
    out = []
    finders, classifiers = fold_paths(folder, folds.FINDER), fold_paths(folder, name)
    for finder, classifier, held_out in zip(finders, classifiers[: folds.BLOCK_FOLDS], by_fold(fields), strict=True):
        out.append(score_fields(LearnedFinder(read_model(finder)), Classifier(read_model(classifier)), held_out))
    return out


def known_negatives(folder: Path, name: str) -> list[KnownNegatives]:
    """NIH slides without an infected cell, each scored by the fold's classifier of that name that never saw it."""
    rows = nih_rows()
    sick = {row["slide"] for row in rows if INFECTED_LABEL in (row["label"], row["second_label"].strip())}
    out = []
    for fold, path in enumerate(fold_paths(folder, name)):
        slides = folds.slides_held_out(fold) - sick
        mine = [row for row in rows if row["slide"] in slides]
        classifier = Classifier(read_model(path))
        out.append(KnownNegatives(classifier.scores(crops_of(mine, classifier.card.crop))[:, 1], len(slides)))
    return out


def choose_all(folder: Path, shelf: Path, say: Callable[[str], None]) -> None:
    """Write the chosen thresholds into the cards of the fold files and of the shipped ones."""
    fields = load_iml()
    shipped = shelf / folds.FINDER / f"{folds.FINDER}.tflite"
    choose(fold_paths(folder, folds.FINDER), by_fold(fields), shipped, say)
    for name in folds.CLASSIFIERS:
        _choose_classifiers(name, folder, shelf, say)


def _choose_classifiers(name: str, folder: Path, shelf: Path, say: Callable[[str], None]) -> None:
    parts = known_negatives(folder, name)
    paths = fold_paths(folder, name)
    for number, path in enumerate(paths):
        _set_threshold(path, [part for i, part in enumerate(parts) if i != number], " (of the other folds)", say)
    shipped = shelf / name / f"{name}.tflite"
    _set_threshold(shipped, parts, "", say)
    # The shipped net has seen every slide: what it may claim are the figures of its likes that had not.
    of_folds = {f"trained without fold {i}": dict(_card(path)[1].accuracy) for i, path in enumerate(paths)}
    model, card = _card(shipped)
    write_model(shipped, model.flatbuffer, replace(card, accuracy=of_folds))


def _card(path: Path) -> tuple[ModelFile, Card]:
    model = read_model(path)
    if model.card is None:
        raise ValueError(f"{path}: no card")
    return model, model.card


def _set_threshold(path: Path, parts: list[KnownNegatives], which: str, say: Callable[[str], None]) -> None:
    scores = np.concatenate([part.score for part in parts])
    threshold = round(at_false_positives(scores, np.zeros(len(scores), bool), FALSE_POSITIVES), 4)
    origin = (
        f"{FALSE_POSITIVES:.1%} of {len(scores)} cells of {sum(part.slides for part in parts)} NIH slides known to be negative "
        f"that the nets in question never saw{which}"
    )
    model, card = _card(path)
    write_model(path, model.flatbuffer, replace(card, threshold=threshold, threshold_origin=origin))
    say(f"{path.name}: threshold {threshold}")
