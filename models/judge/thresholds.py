"""Choose every operating threshold in one go: finders first, then classifiers on slides known to be negative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.modelfile import Card, ModelFile, read_model, write_model
from models.data.folds import CLASSIFIERS, FINDER
from models.judge.finder_thresholds import at_false_positives, best, finder_grid, rewrite
from models.judge.scores import score_nih
from models.judge.unseen import UnseenFold, unseen_folds

FALSE_POSITIVES = 0.001
"""Share of the cells of slides known to be negative, never trained on, that the shipped classifier's threshold lets through."""


def choose_all(folder: Path, shelf: Path, say: Callable[[str], None]) -> None:
    """Write the chosen thresholds into the cards of the fold files and of the shipped ones."""
    folds = unseen_folds(folder)
    choose_finders([fold for fold in folds if fold.fields], shelf / FINDER / f"{FINDER}.tflite", say)
    for name in CLASSIFIERS:
        choose_classifiers(name, folds, shelf / name / f"{name}.tflite", say)


def choose_finders(folds: Sequence[UnseenFold], shipped: Path, say: Callable[[str], None]) -> None:
    """For each fold's finder the pair that is best on the other folds; for the shipped one the best on all."""
    grids = []
    for fold in folds:
        grids.append(finder_grid(fold.finder(), fold.fields))
        say(f"fold {fold.number}: {len(fold.fields)} unseen fields scored at {len(grids[-1])} pairs of thresholds")
    for number, fold in enumerate(folds):
        pair, path = best([g for i, g in enumerate(grids) if i != number]), fold.path(FINDER)
        rewrite(path, pair, f"best on the held-out blocks of the {len(folds) - 1} other folds")
        say(f"{path.name}: {pair}")
    pair = best(grids)
    rewrite(shipped, pair, f"best on the held-out blocks of all {len(folds)} folds (of nets that never saw them)")
    say(f"{shipped.name}: {pair}")


def choose_classifiers(name: str, folds: list[UnseenFold], shipped: Path, say: Callable[[str], None]) -> None:
    """For each fold's classifier the threshold by the known-negative slides of all other folds; for the shipped one, of all.

    A slide is known to be negative if neither the published labels nor the second opinion call one of its cells infected.
    """
    cells, (scores,), _ = score_nih([[fold.classifier(name) for fold in folds]], folds, lambda *_: None)
    negative = cells.known_negative(by_both=True)
    for fold in folds:
        mine = negative & (cells.folds != fold.number)
        _set_threshold(fold.path(name), scores[mine], cells.slides[mine], " (of the other folds)", say)
    _set_threshold(shipped, scores[negative], cells.slides[negative], "", say)
    # The shipped net has seen every slide: its card gets the figures of the folds' nets, which had not.
    of_folds = {f"trained without fold {fold.number}": dict(_card(fold.path(name))[1].accuracy) for fold in folds}
    model, card = _card(shipped)
    write_model(shipped, model.flatbuffer, replace(card, accuracy=of_folds))


def _card(path: Path) -> tuple[ModelFile, Card]:
    model = read_model(path)
    if model.card is None:
        raise ValueError(f"{path}: no card")
    return model, model.card


def _set_threshold(path: Path, scores: np.ndarray, slides: np.ndarray, which: str, say: Callable[[str], None]) -> None:
    threshold = round(at_false_positives(scores, np.zeros(len(scores), bool), FALSE_POSITIVES), 4)
    origin = (
        f"{FALSE_POSITIVES:.1%} of {len(scores)} cells of {len(np.unique(slides))} NIH slides known to be negative "
        f"that the nets in question never saw{which}"
    )
    model, card = _card(path)
    write_model(path, model.flatbuffer, replace(card, threshold=threshold, threshold_origin=origin))
    say(f"{path.name}: threshold {threshold}")
