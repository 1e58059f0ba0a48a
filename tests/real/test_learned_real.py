"""The learned finder and the classifier on real fields they never saw: floors a little below the measured figures."""

from __future__ import annotations

import pytest

from convert.measure.matching import match_points, summarise
from convert.measure.metrics import auc
from edge.classifier import Classifier
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from models.data import folds
from models.data.fields import ImlField, data_dir, load_chula, load_iml
from models.data.folds import by_fold, fold_paths
from models.judge.thresholds import score_fields
from models.places import FOLDS
from models.report.all_figures import match_fields

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (data_dir() / "iml_fields").is_dir(), reason="the real images are not beside this repository"
    ),
]


@pytest.fixture(scope="module")
def parts() -> list[tuple[LearnedFinder, Classifier, list[ImlField]]]:
    """Every fifth field of each fold, with the files that never saw it."""
    finders, classifiers = fold_paths(FOLDS, folds.FINDER), fold_paths(FOLDS, folds.CLASSIFIER)
    return [
        (LearnedFinder(read_model(finder)), Classifier(read_model(classifier)), fields[::5])
        for finder, classifier, fields in zip(finders, classifiers[: len(finders)], by_fold(load_iml()), strict=True)
    ]


def test_a_folds_files_never_saw_its_blocks(
    parts: list[tuple[LearnedFinder, Classifier, list[ImlField]]],
) -> None:
    finders, classifiers = fold_paths(FOLDS, folds.FINDER), fold_paths(FOLDS, folds.CLASSIFIER)
    for number, (_, _, fields) in enumerate(parts):
        for path in (finders[number], classifiers[number]):
            card = read_model(path).card
            assert card is not None
            assert set(card.training["held_out_blocks"]) == {field.block for field in fields}


def test_cells_of_unseen_blocks_are_found(parts: list[tuple[LearnedFinder, Classifier, list[ImlField]]]) -> None:
    summary = summarise([match for finder, _, fields in parts for match in match_fields(finder, fields)])
    assert summary.f1 > 0.91
    assert summary.infected_kept > 0.93


def test_cells_of_a_scope_never_seen_are_found() -> None:
    finder = LearnedFinder(read_model(FOLDS / f"{folds.FINDER}-fold0.tflite"))
    matches = []
    for entry in load_chula()[::4]:
        rgb = entry.read()
        cells = finder.find(rgb)
        matches.append(match_points(cells.boxes[cells.kind == 0], entry.points, rgb.shape[:2]))
    assert summarise(matches).f1 > 0.9


def test_infected_cells_of_unseen_blocks_stand_out(
    parts: list[tuple[LearnedFinder, Classifier, list[ImlField]]],
) -> None:
    for finder, classifier, fields in parts:
        scored = score_fields(finder, classifier, fields)
        assert auc(scored.infected, scored.score) > 0.95
