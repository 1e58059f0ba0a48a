"""Microscopes never seen, judged on the real images by the nets of the shelf."""

from __future__ import annotations

import pytest

from models.data.fields import data_dir
from models.judge.microscopes import NetPlaces, judge_microscopes
from models.places import FOLDS, SHELF
from models.report.microscopes import target_rows

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (data_dir() / "bbbc_fields").is_dir(), reason="the real images are not beside this repository"
    ),
]


def test_the_microscope_never_seen_is_judged_end_to_end_and_held_against_what_must_be_reached() -> None:
    (row,) = judge_microscopes(NetPlaces(FOLDS, SHELF), (), lambda *_: None, ("bbbc_fields",))
    assert row.missing == ""
    found = row.figures
    assert (found["infected_kept"].n, found["red_f1"].n) == (84, 2625)  # annotated, away from the border, not difficult
    assert found["red_f1"].value > 0.92
    assert (
        found["infected_kept"].value > 0.75
    )  # what the finder takes for white cells comes back only if it is called infected
    assert found["auc"].value > 0.95
    assert found["found_at_01"].value <= found["found_at_1"].value <= found["infected_kept"].value
    assert len(target_rows([row])) == 8
