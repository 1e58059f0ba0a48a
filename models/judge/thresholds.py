"""Choose every operating threshold in one go: finders first, then classifiers on what is known to be negative.

Known to be negative are slides of NIH cells without an infected cell, scored by the folds that never saw them, and sets without
parasites, each scored by the nets that were trained without its microscope. A classifier's threshold lets through the same small
share of each: the highest of these thresholds is taken, for a microscope never seen may be as bad as the worst of those. Finds in
white cells do not count here: these sets were cut around white cells and hold some fifty times as many of them as blood does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.analysis import Analyser
from edge.classifier import Classifier
from edge.door import quiet_native_stderr
from edge.errors import ModelError
from edge.finders.learned import LearnedFinder
from edge.modelfile import Card, ModelFile, read_model, write_model
from edge.types import FloatArray
from models.data import sets
from models.data.dataset import SetKind
from models.data.folds import CLASSIFIERS, FINDER, paths_without
from models.judge.device_fields import judge_fields, without_parasites
from models.judge.finder_thresholds import at_false_positives, best, finder_grid, rewrite
from models.judge.scores import score_nih
from models.judge.unseen import UnseenFold, unseen_folds, unseen_model

FALSE_POSITIVES = 0.001
"""Share of the cells known to be negative, never trained on, that the shipped classifier's threshold lets through."""

NIH, IML = "nih_cells", "iml_fields"
"""Sets that are divided into folds, on which thresholds are chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class NegativeCells:
    """Scores of cells known to be negative, of one set.

    Attributes:
        set: its name.
        scores: float32 [n].
        about: the cells in words.
    """

    set: str
    scores: FloatArray
    about: str

    def limit(self) -> float:
        """The lowest threshold that lets the allowed share of them through."""
        return at_false_positives(self.scores, np.zeros(len(self.scores), bool), FALSE_POSITIVES)


def choose_all(folder: Path, shelf: Path, say: Callable[[str], None]) -> None:
    """Write the chosen thresholds into the cards of the fold files, of those without a microscope, and of the shipped ones."""
    folds = unseen_folds(folder)
    choose_finders([fold for fold in folds if fold.fields], folder, shelf / FINDER / f"{FINDER}.tflite", say)
    for name in CLASSIFIERS:
        choose_classifiers(name, folds, folder, shelf, say)


def choose_finders(folds: Sequence[UnseenFold], folder: Path, shipped: Path, say: Callable[[str], None]) -> None:
    """For each fold's finder the pair that is best on the other folds; for the shipped one the best on all.

    A finder that was trained without another microscope gets the shipped one's pair; one without the IML fields keeps its own, for
    none may be chosen on what it is judged on.
    """
    grids = []
    for fold in folds:
        grids.append(finder_grid(fold.finder(), fold.fields))
        say(f"fold {fold.number}: {len(fold.fields)} unseen fields scored at {len(grids[-1])} pairs of thresholds")
    for number, fold in enumerate(folds):
        pair, path = best([g for i, g in enumerate(grids) if i != number]), fold.path(FINDER)
        rewrite(path, pair, f"best on the held-out blocks of the {len(folds) - 1} other folds")
        say(f"{path.name}: {pair}")
    pair = best(grids)
    left_out = [path for path in paths_without(folder, FINDER) if IML not in held_out_sets(path)]
    for path in (shipped, *left_out):
        rewrite(path, pair, f"best on the held-out blocks of all {len(folds)} folds (of nets that never saw them)")
        say(f"{path.name}: {pair}")


def choose_classifiers(
    name: str, folds: list[UnseenFold], folder: Path, shelf: Path, say: Callable[[str], None]
) -> None:
    """For every net of that name the threshold by what is known to be negative and neither it nor the scoring nets learned from.

    A slide is known to be negative if neither the published labels nor the second opinion call one of its cells infected.
    """
    cells, (scores,), _ = score_nih([[fold.classifier(name) for fold in folds]], folds, lambda *_: None)
    negative = cells.known_negative(by_both=True)

    def of_slides(rows: np.ndarray, which: str) -> NegativeCells:
        slides = len(np.unique(cells.slides[rows]))
        return NegativeCells(NIH, scores[rows], f"{int(rows.sum())} cells of {slides} NIH slides{which}")

    left_out = paths_without(folder, name)
    others = [one for path in left_out for one in _of_microscope(path, name, folder, shelf)]
    for fold in folds:
        mine = of_slides(negative & (cells.folds != fold.number), " of the other folds")
        _set_threshold(fold.path(name), [mine, *others], say)
    every, shipped = of_slides(negative, ""), shelf / name / f"{name}.tflite"
    for path in (shipped, *left_out):
        _set_threshold(path, [one for one in (every, *others) if one.set not in held_out_sets(path)], say)
    # The shipped net has seen every slide: its card gets the figures of the folds' nets, which had not.
    of_folds = {f"trained without fold {fold.number}": dict(_card(fold.path(name))[1].accuracy) for fold in folds}
    model, card = _card(shipped)
    write_model(shipped, model.flatbuffer, replace(card, accuracy=of_folds))


def held_out_sets(path: Path) -> tuple[str, ...]:
    """The sets that a net's card says it held out."""
    return tuple(_card(path)[1].training.get("held_out_sets", ()))


def _of_microscope(path: Path, name: str, folder: Path, shelf: Path) -> list[NegativeCells]:
    """What the device finds in the sets without parasites that this classifier, and the finder with it, held out."""
    microscope = held_out_sets(path)
    wanted = [data for data in map(sets.get, microscope) if data.kind is SetKind.ANNOTATED and without_parasites(data)]
    if not wanted:
        return []
    models = [unseen_model(net, microscope, folder, shelf) for net in (FINDER, name)]
    if lacking := [net for net, model in zip((FINDER, name), models, strict=True) if model is None]:
        raise ModelError(
            f"{path.name} has no {lacking[0]} beside it that held out {', '.join(microscope)}: train it first"
        )
    finder, classifier = (model for model in models if model is not None)
    with quiet_native_stderr():
        scorer = Classifier(classifier)
        analyse = Analyser(LearnedFinder(finder), scorer)
    found = []
    for data in wanted:
        judged = judge_fields(data.fields(), analyse, scorer.card, lambda *_: None, name=data.name)
        scores = np.concatenate([one.red_suspicion() for one in judged.fields])
        found.append(
            NegativeCells(data.name, scores, f"{len(scores)} finds of {data.name} in no white cell or platelet")
        )
    return found


def _card(path: Path) -> tuple[ModelFile, Card]:
    model = read_model(path)
    if model.card is None:
        raise ValueError(f"{path}: no card")
    return model, model.card


def _set_threshold(path: Path, negatives: Sequence[NegativeCells], say: Callable[[str], None]) -> None:
    """Write the highest of the sets' thresholds into a card; without any set the card keeps its own."""
    if not negatives:
        say(f"{path.name}: keeps its threshold: nothing that it did not hold out is known to be negative")
        return
    threshold = round(max(one.limit() for one in negatives), 4)
    each = "each of: " if len(negatives) > 1 else ""
    origin = (
        f"at most {FALSE_POSITIVES:.1%} of {each}{'; '.join(one.about for one in negatives)}; all known to be negative, and "
        "scored by nets that never saw them"
    )
    model, card = _card(path)
    write_model(path, model.flatbuffer, replace(card, threshold=threshold, threshold_origin=origin))
    say(f"{path.name}: threshold {threshold}")
