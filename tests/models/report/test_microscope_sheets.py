"""Contact sheets of a microscope: which mistakes are shown, the worst first, and nothing is written into the repository."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.measure.matching import Match
from edge.errors import OutputError
from models.judge.device_fields import FieldBoxes, JudgedField, JudgedFields
from models.judge.microscopes import MicroscopeRow
from models.places import DOCS
from models.report.microscope_sheets import mistakes, write_sheets
from tests.models.judge.world import classifier_card

NONE = np.zeros((0, 4), np.int32)


def box(x: int) -> np.ndarray:
    return np.array([[x, 10, 20, 20]], np.int32)


@pytest.fixture
def judged(tmp_path: Path) -> JudgedFields:
    """Two fields: an infected and two other finds in the first, in the second a lost infected cell and a counted white one."""
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        cv2.imwrite(str(path), np.full((60, 200, 3), 200, np.uint8))
    finds = np.concatenate([box(0), box(40), box(80)])
    scores = np.array([0.2, 0.6, 0.9], np.float32)
    first = JudgedField(
        Match(3, 0, 0, 1),
        scores,
        np.array([True, False, False]),
        scores > 0.5,
        boxes=FieldBoxes(paths[0], finds, NONE, NONE),
    )
    nothing = np.zeros(0, np.float32)
    none = np.zeros(0, bool)
    second = JudgedField(
        Match(0, 0, 1, 1, 1), nothing, none, none, (1, 1), boxes=FieldBoxes(paths[1], NONE, box(120), box(160))
    )
    return JudgedFields(classifier_card("net"), (first, second), np.array(["a", "b"]))


def test_the_worst_of_each_kind_come_first(judged: JudgedFields) -> None:
    found = {
        kind: [(path.name, int(at[0]), words) for path, at, words in each] for kind, each in mistakes(judged).items()
    }
    assert found == {
        "others-highest": [("one.png", 80, "0.9000 one"), ("one.png", 40, "0.6000 one")],
        "infected-lowest": [("one.png", 0, "0.2000 one")],
        "infected-lost": [("two.png", 120, "two")],
        "white-counted": [("two.png", 160, "two")],
    }


def test_a_sheet_is_written_for_each_kind_of_each_row_of_fields(judged: JudgedFields, tmp_path: Path) -> None:
    rows = [MicroscopeRow("iml_fields, unseen blocks", "", judged=judged), MicroscopeRow("plymouth_cells", "")]
    written = write_sheets(tmp_path / "sheets", rows)
    assert [path.name for path in written] == [
        f"iml_fields-unseen-blocks-{kind}.png"
        for kind in ("others-highest", "infected-lowest", "infected-lost", "white-counted")
    ]
    assert all(path.is_file() for path in written)


def test_cells_marked_by_points_have_no_sheets(judged: JudgedFields) -> None:
    pointed = JudgedField(Match(1, 0, 0), np.ones(1, np.float32), np.zeros(1, bool), np.ones(1, bool))
    assert mistakes(JudgedFields(judged.card, (pointed,), np.array(["a"]))) == {}


def test_real_cells_are_not_written_into_the_repository(judged: JudgedFields) -> None:
    with pytest.raises(OutputError, match="outside"):
        write_sheets(DOCS, [MicroscopeRow("iml_fields", "", judged=judged)])
