"""What the card says of whole fields never seen, and whether int8 files decide as their float nets do."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from models.data.folds import CLASSIFIERS, FINDER, fold_paths
from models.judge.card_table import AGREEMENT, agreements, annotated, table, thresholds, unseen_crops, write
from models.judge.scores import score_fields
from models.judge.unseen import unseen_folds
from tests.models.judge.world import HEALTHY, SICK, World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = make_world(tmp_path, monkeypatch)
    world.fields[1] += [(SICK, 0.1, "gametocyte"), (HEALTHY, 0.9, "difficult"), (HEALTHY, 0.9, None)]
    return world.build()


def test_the_thresholds_are_even_in_their_logit_and_hold_the_cards_own() -> None:
    at = thresholds(0.9745)
    assert 0.9745 in at
    assert (at[0], at[-1]) == (0.5, 0.9999)
    logits = np.log(np.array(at[:5]) / (1 - np.array(at[:5])))
    assert np.diff(logits) == pytest.approx(0.4, abs=0.01)


def test_the_table_counts_lost_cells_as_missed_and_finds_against_annotations(world: World) -> None:
    folds = [fold for fold in unseen_folds(world.folds) if fold.fields]
    parts = []
    for fold in folds:
        cells, (score,) = score_fields(fold.finds(), [fold.classifier(CLASSIFIERS[0])], fold.number)
        parts.append((cells, score))
    truth = [annotated(fold.fields) for fold in folds]
    found = table(parts, truth, [0.1, 0.5, 0.95])
    assert truth == [
        16,
        18,
        16,
        16,
    ]  # eight cells in each of two fields; lost ones are annotated, unsure ones do not count
    assert found["infected"] == [2, 4, 2, 2]
    assert found["found"] == [[2, 2, 2, 2], [2, 2, 2, 2], [0, 0, 0, 0]]
    counted = np.array([16, 18, 16, 16]) / truth - 1
    assert found["count_error"] == {"bias": round(counted.mean(), 4), "spread": round(counted.std(ddof=1), 4)}
    assert found["finder"] == FINDER
    assert found["set"] == "IML fields, 4 parts of blocks never seen"


def test_unseen_crops_are_the_folds_own_slides_and_fields(world: World) -> None:
    fold = unseen_folds(world.folds)[1]
    groups = [(key, set(group)) for key, _, group in unseen_crops(fold, fold.classifier(CLASSIFIERS[0]))]
    assert groups == [("nih", {"s01", "s06"}), ("iml", {"field_100.png"}), ("iml", {"field_101.png"})]


class FloatNet:
    """Stands for a Keras net: the logit of the red channel, or of its opposite."""

    def __init__(self, *, opposite: bool) -> None:
        self._sign = -1 if opposite else 1

    def predict(self, fed: np.ndarray, **_more: Any) -> np.ndarray:
        red = (fed[:, 16, 16, 0] * 64 + 128) / 255
        return self._sign * np.log(red / (1 - red))


@pytest.fixture
def keras_files(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A float net beside each fold's file; those of fold 0 say the opposite."""
    for name in CLASSIFIERS:
        for path in fold_paths(world.folds, name):
            path.with_suffix(".keras").touch()
    load = lambda path, **_more: FloatNet(opposite="fold0" in path.name)  # noqa: E731
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(models=SimpleNamespace(load_model=load)))
    return world


def test_agreement_is_over_every_fold_and_by_its_own_threshold(keras_files: World) -> None:
    found = agreements(unseen_folds(keras_files.folds), CLASSIFIERS[0])
    assert found["nih"]["n"] == 60
    assert found["nih"]["value"] == pytest.approx(48 / 60)  # of fold 0, none
    assert found["nih"]["low"] <= found["nih"]["value"] <= found["nih"]["high"]
    finds = [16, 20, 16, 16]  # all that the finder gives, with what is unsure or not annotated
    assert found["iml"]["n"] == sum(finds)
    assert found["iml"]["value"] == pytest.approx(1 - finds[0] / sum(finds), abs=1e-5)


def test_both_are_written_into_the_shipped_cards(keras_files: World) -> None:
    said: list[str] = []
    write(keras_files.folds, keras_files.shelf, said.append)
    for name in CLASSIFIERS:
        accuracy = keras_files.card(name, None).accuracy
        assert accuracy["of"] == name  # what was there stays
        assert sum(accuracy["end_to_end"]["infected"]) == 10
        assert accuracy[AGREEMENT]["nih"]["n"] == 60
        table_of = accuracy["end_to_end"]
        assert table_of["thresholds"] == thresholds(0.5)
        assert [len(row) for row in table_of["found"]] == [4] * len(table_of["thresholds"])
        assert table_of["found"][0] == [2, 2, 2, 2]
    count = len(thresholds(0.5))
    assert [line.split(": ")[0] for line in said] == [f"{name}.tflite" for name in CLASSIFIERS]
    error = keras_files.card(CLASSIFIERS[0], None).accuracy["end_to_end"]["count_error"]
    assert said[0].endswith(
        f": 10 infected cells at {count} thresholds; count error {error}; "
        f"{AGREEMENT} 80.000% of nih, {AGREEMENT} {1 - 16 / 68:.3%} of iml"
    )


def test_a_missing_keras_file_is_named(keras_files: World) -> None:
    fold_paths(keras_files.folds, CLASSIFIERS[0])[2].with_suffix(".keras").unlink()
    with pytest.raises(ModelError, match="--fold 2"):
        agreements(unseen_folds(keras_files.folds), CLASSIFIERS[0])
