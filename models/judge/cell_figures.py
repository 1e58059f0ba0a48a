"""What the shipped classifiers reach, by nets that never saw the blocks and slides in question; ``python -m models figures``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from convert.measure.matching import BORDER
from convert.measure.metrics import accuracy, auc, by_group, sensitivity_at
from edge.boxes import inside
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.finders import Finder
from edge.modelfile import read_model
from models.data import folds
from models.data.fields import UNSURE, load_chula, load_iml
from models.data.folds import fold_paths, slides_held_out
from models.data.nih import crops_of, infected, nih_rows
from models.judge.finder_thresholds import at_false_positives
from models.judge.thresholds import score_folds
from models.report.figure import Figure

_RESAMPLES = 1000
_NO_TARGET = "none"
_UNSEEN = {"AUC": 0.97, "sensitivity at 1 % false positives": 0.70}
"""Of a net of NIH cells alone, on IML's cells."""

FOUND_TARGETS = {0.01: 0.97, 0.001: 0.92}
"""Infected cells to be found end to end, by the share of uninfected ones called positive."""

NIH_TARGETS: dict[str, tuple[Callable[[np.ndarray, np.ndarray], float], float]] = {
    "accuracy": (accuracy, 0.968),
    "AUC": (auc, 0.993),
    "sensitivity at 1 % false positives": (lambda truth, score: sensitivity_at(truth, score, 0.01), 0.90),
    "sensitivity at 0.1 % false positives": (lambda truth, score: sensitivity_at(truth, score, 0.001), 0.70),
}
NEGATIVE_TARGET, WORST_SLIDE_TARGET = 0.001, 0.01


def measure(name: str, folder: Path, shelf: Path, finder: Finder) -> list[Figure]:
    """The rows of one classifier; targets are those of the accurate one.

    Args:
        name: of ``folds.CLASSIFIERS``.
        folder: of the fold files.
        shelf: of the shipped file.
        finder: the shipped one, for the microscope that neither saw.
    """
    aimed = name == folds.CLASSIFIER
    shipped = Classifier(read_model(shelf / name / f"{name}.tflite"))
    rows = [*_infected(name, folder, aimed=aimed), *_nih(name, folder, aimed=aimed), _chula(finder, shipped)]
    return [*rows, *never_seen(folder)] if aimed else rows


def _row(what: str, where: str, value: str, measured: float, wanted: float | None) -> Figure:
    if wanted is None:
        return Figure(what, where, _NO_TARGET, value, None)
    return Figure(what, where, f">= {wanted:g}", value, measured >= wanted)


def _infected(name: str, folder: Path, *, aimed: bool) -> list[Figure]:
    """Infected cells found end to end (lost by the finder = missed) at fixed false-positive rates."""
    parts = score_folds(folder, load_iml(), name)
    lost = sum(p.lost for p in parts)
    rows = []
    for rate, wanted in FOUND_TARGETS.items():
        found = total = 0
        for number, part in enumerate(parts):
            rest = [p for i, p in enumerate(parts) if i != number]
            limit = at_false_positives(
                np.concatenate([p.score for p in rest]), np.concatenate([p.infected for p in rest]), rate
            )
            found += int((part.score[part.infected] >= limit).sum())
            total += int(part.infected.sum()) + part.lost
        value = f"{found / total:.3f} (n = {total}, of them {lost} lost by the finder)"
        where = f"{name}: IML end to end, unseen blocks, threshold of other folds"
        what = f"infected cells found at {rate:.1%} false positives"
        rows.append(_row(what, where, value, found / total, wanted if aimed else None))
    return rows


def _nih(name: str, folder: Path, *, aimed: bool) -> list[Figure]:
    """Every NIH cell scored once, in int8, by a classifier that never saw its slide; published (noisy) labels."""
    scores, truth, slides, called = [], [], [], []
    for fold, path in enumerate(fold_paths(folder, name)):
        held_out = slides_held_out(fold)
        rows = [row for row in nih_rows() if row["slide"] in held_out]
        classifier = Classifier(read_model(path))
        both = classifier.scores(crops_of(rows, classifier.card.crop))
        scores.append(both[:, 1])
        called.append(classifier.classes(both) == 1)
        truth.append(infected(rows))
        slides += [row["slide"] for row in rows]
    score, label, slide = np.concatenate(scores), np.concatenate(truth), np.array(slides)
    where = f"{name}: NIH cells, unseen slides, int8"
    n = f"n = {len(label)} cells, {len(np.unique(slide))} slides"
    found = []
    for what, (figure, wanted) in NIH_TARGETS.items():
        value = figure(label, score)
        low, high = by_group(figure, label, score, slide)
        text = f"{value:.4f} ({low:.4f} to {high:.4f} by slide; {n})"
        found.append(_row(what, where, text, value, wanted if aimed else None))
    return [*found, _negatives(name, np.concatenate(called), label, slide, aimed=aimed)]


def _negatives(name: str, called: np.ndarray, label: np.ndarray, slide: np.ndarray, *, aimed: bool) -> Figure:
    """Slides without an infected cell: what is called positive there at the threshold that was chosen on other images."""
    groups = [slide == one for one in np.unique(slide) if not label[slide == one].any()]
    rates = np.array([called[group].mean() for group in groups])
    cells = np.concatenate([called[group] for group in groups])
    text = f"{cells.mean():.2%}, worst slide {rates.max():.2%}, {int((rates == 0).sum())} with none"
    met = bool(cells.mean() <= NEGATIVE_TARGET and rates.max() <= WORST_SLIDE_TARGET) if aimed else None
    return Figure(
        "cells called positive on slides known to be negative",
        f"{name}: NIH cells, unseen slides, the card's threshold",
        f"<= {NEGATIVE_TARGET:.1%}, worst {WORST_SLIDE_TARGET:.0%}" if aimed else _NO_TARGET,
        f"{text} (n = {len(cells)} cells, {len(groups)} slides)",
        met,
    )


def never_seen(folder: Path) -> list[Figure]:
    """Annotated cells of IML fields, scored by nets of NIH cells alone; intervals by fields. The target is the first net's."""
    rows = []
    for number, name in enumerate(folds.WITHOUT_FIELDS):
        rows += _unseen(name, folder, aimed=not number)
    return rows


def _unseen(name: str, folder: Path, *, aimed: bool) -> list[Figure]:
    classifier = Classifier(read_model(folder / f"{name}.tflite"))
    scores, truth, places = [], [], []
    for entry in load_iml():
        rgb = entry.read()
        score = classifier.scores(crop_cells(rgb, entry.boxes, classifier.card.crop))[:, 1]
        use = inside(entry.boxes, rgb.shape[:2], BORDER) & np.array([kind != UNSURE for kind in entry.types])
        scores.append(score[use])
        truth.append(entry.infected[use])
        places += [entry.path.name] * int(use.sum())
    score, label = np.concatenate(scores), np.concatenate(truth)
    where = f"{name}, made of NIH cells alone: annotated cells of IML"
    rows = []
    for what, wanted in _UNSEEN.items():
        figure, _ = NIH_TARGETS[what]
        value, (low, high) = figure(label, score), by_group(figure, label, score, np.array(places))
        text = f"{value:.4f} ({low:.4f} to {high:.4f} by field; n = {len(label)} cells, {int(label.sum())} infected)"
        rows.append(_row(what, where, text, value, wanted if aimed else None))
    return rows


def _chula(finder: Finder, classifier: Classifier) -> Figure:
    """Cells called positive on the microscope that is in no training set and shows no parasite; interval by fields."""
    false, cells = [], []
    for entry in load_chula():
        rgb = entry.read()
        found = finder.find(rgb)
        boxes = found.boxes[found.kind == 0]
        called = classifier.classes(classifier.scores(crop_cells(rgb, boxes, classifier.card.crop)))
        positive = np.isin(called, [i for i, x in enumerate(classifier.card.labels) if x in classifier.card.positive])
        false.append(int(positive.sum()))
        cells.append(len(boxes))
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(cells), (_RESAMPLES, len(cells)))
    rates = np.array(false)[draws].sum(axis=1) / np.array(cells)[draws].sum(axis=1)
    low, high = np.percentile(rates, (2.5, 97.5))
    return Figure(
        "cells called positive on a scope never seen, no parasites there",
        f"{classifier.card.name}: Chula, the card's threshold",
        _NO_TARGET,
        f"{sum(false) / sum(cells):.2%} ({low:.2%} to {high:.2%}; {sum(false)} of {sum(cells)} cells, {len(cells)} fields)",
        None,
    )
