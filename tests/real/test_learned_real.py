"""The learned finder and the classifier on real fields they never saw: floors a little below the measured figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from convert.measure.matching import match_boxes, match_points, summarise
from convert.measure.metrics import auc
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from models.data.fields import data_dir, load_chula
from models.data.folds import CLASSIFIER, CLASSIFIERS, FINDER
from models.judge.scores import score_fields
from models.judge.unseen import UnseenFold, unseen_folds
from models.places import FOLDS

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (data_dir() / "iml_fields").is_dir(), reason="the real images are not beside this repository"
    ),
]


@pytest.fixture(scope="module")
def folds() -> list[UnseenFold]:
    """Every fifth field of each fold; its files never saw them, their cards say."""
    return [replace(fold, fields=fold.fields[::5]) for fold in unseen_folds(FOLDS) if fold.fields]


def test_a_folds_files_never_saw_its_slides_and_blocks() -> None:
    for fold in unseen_folds(FOLDS):
        for name in CLASSIFIERS:
            assert set(fold.classifier(name).card.training["held_out_slides"]) == {row["slide"] for row in fold.rows}
        if fold.fields:
            card = read_model(fold.path(FINDER)).card
            assert card is not None
            assert set(card.training["held_out_blocks"]) == {field.block for field in fold.fields}


def test_cells_of_unseen_blocks_are_found(folds: list[UnseenFold]) -> None:
    finds = [one for fold in folds for one in fold.finds()]
    summary = summarise([match_boxes(one.boxes, one.field.boxes, one.field.infected, one.shape) for one in finds])
    assert summary.f1 > 0.91
    assert summary.infected_kept > 0.93


def test_cells_of_a_scope_never_seen_are_found() -> None:
    finder = LearnedFinder(read_model(FOLDS / f"{FINDER}-fold0.tflite"))
    matches = []
    for entry in load_chula()[::4]:
        rgb = entry.read()
        cells = finder.find(rgb)
        matches.append(match_points(cells.boxes[cells.kind == 0], entry.points, rgb.shape[:2]))
    assert summarise(matches).f1 > 0.9


def test_infected_cells_of_unseen_blocks_stand_out(folds: list[UnseenFold]) -> None:
    for fold in folds:
        cells, (score,) = score_fields(fold.finds(), [fold.classifier(CLASSIFIER)])
        assert auc(cells.infected, score) > 0.95
