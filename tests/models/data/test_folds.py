"""Which slides and blocks each fold holds out: each exactly once, the same ones whoever asks, and none for the shipped net."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.data.fields import load_iml
from models.data.folds import (
    BLOCK_FOLDS,
    CLASSIFIER,
    FINDER,
    SLIDE_FOLDS,
    blocks_by_fold,
    fold_paths,
    groups_held_out,
    held_out_blocks,
    slides_held_out,
)
from models.judge.unseen import unseen_folds


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve slides of two cells each, in no order, and six blocks of two fields."""
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    (tmp_path / "nih_cells").mkdir()
    slides = [f"s{number * 7 % 12:02}" for number in range(12)]
    rows = [f"{slide}_{cell}.png,uninfected,{slide}" for cell in range(2) for slide in slides]
    (tmp_path / "nih_cells" / "cells.csv").write_text("\n".join(["file,label,slide", *rows]))
    (tmp_path / "iml_fields").mkdir()
    names = [f"f{100 * block + number}.png" for block in range(6) for number in range(2)]
    entries = [{"image_name": name, "objects": []} for name in names]
    (tmp_path / "iml_fields" / "annotations.json").write_text(json.dumps(entries))


@pytest.mark.parametrize(
    ("fold", "slides", "blocks"),
    [
        pytest.param(0, {"s00", "s05", "s10"}, [0, 4], id="first fold"),
        pytest.param(1, {"s01", "s06", "s11"}, [1, 5], id="second fold"),
        pytest.param(3, {"s03", "s08"}, [3], id="last fold that holds blocks out"),
        pytest.param(4, {"s04", "s09"}, [], id="fifth fold: its net saw all blocks"),
        pytest.param(None, set(), [], id="shipped net: it saw everything"),
    ],
)
def test_a_fold_holds_out_every_fifth_slide_and_every_fourth_block(
    fold: int | None, slides: set[str], blocks: list[int]
) -> None:
    assert slides_held_out(fold) == slides
    assert held_out_blocks(fold) == blocks
    expected = {f"nih_cells/{slide}" for slide in slides} | {f"iml_fields/block {block}" for block in blocks}
    assert groups_held_out(fold, ["nih_cells", "iml_fields"]) == expected
    assert groups_held_out(fold, ["nih_cells"]) == {name for name in expected if name.startswith("nih_cells/")}


def test_every_slide_and_every_block_is_held_out_exactly_once() -> None:
    slides = [slide for fold in range(SLIDE_FOLDS) for slide in slides_held_out(fold)]
    assert sorted(slides) == [f"s{number:02}" for number in range(12)]
    blocks = [block for fold in range(SLIDE_FOLDS) for block in held_out_blocks(fold)]
    assert sorted(blocks) == list(range(6))


def test_the_fields_of_a_block_stay_together(tmp_path: Path) -> None:
    fields = load_iml()
    *parts, last = [fold.fields for fold in unseen_folds(tmp_path)]
    assert last == []  # the classifier of the fifth fold has seen all blocks
    assert (
        [sorted({field.block for field in part}) for part in parts]
        == blocks_by_fold(fields)
        == [[0, 4], [1, 5], [2], [3]]
    )
    assert [len(part) for part in parts] == [4, 4, 2, 2]


def test_a_classifier_has_a_file_per_fold_of_slides_and_a_finder_one_per_fold_of_blocks(tmp_path: Path) -> None:
    assert fold_paths(tmp_path, CLASSIFIER) == [tmp_path / f"{CLASSIFIER}-fold{i}.tflite" for i in range(5)]
    assert fold_paths(tmp_path, FINDER) == [tmp_path / f"{FINDER}-fold{i}.tflite" for i in range(BLOCK_FOLDS)]
