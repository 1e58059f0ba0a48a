"""Cells are split into calibration and check by slides, else by files, and drawn evenly over the classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.measure.cells import draws, some, split
from convert.measure.reading import read_cells
from tests.convert import cell_folders


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cell_folders.make(tmp_path_factory.mktemp("cells") / "cells")


def test_no_slide_is_on_both_sides_of_the_split(folder: Path) -> None:
    calibration, check = split(read_cells(folder, (), group_by=r"s\d"))
    assert not set(calibration.groups) & set(check.groups)
    assert len(calibration) + len(check) == 120


def test_slides_of_one_class_each_are_dealt_so_that_the_check_has_all_classes(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=12)
    for label in ("clear", "dotted"):
        for path in (folder / label).iterdir():
            path.rename(path.with_name(f"{label}_{path.name}"))
    cells = read_cells(folder, (), group_by=r"[a-z]+_s\d")
    for seed in range(5):
        _, check = split(cells, seed)
        assert set(check.truth) == {0, 1}


def test_without_slides_no_file_is_on_both_sides_and_a_rerun_splits_the_same(folder: Path) -> None:
    cells = read_cells(folder, ())
    calibration, check = split(cells)
    assert not set(calibration.names) & set(check.names)
    assert split(cells)[0].names == calibration.names
    assert split(cells, seed=1)[0].names != calibration.names


def test_a_few_cells_are_as_many_of_each_class(folder: Path) -> None:
    few = some(read_cells(folder, ()), 20)
    assert np.bincount(few.truth).tolist() == [10, 10]
    assert some(few, 20).images.shape == (20, 32, 32, 3)


def test_cells_are_taken_by_name_with_all_that_belongs_to_them(folder: Path) -> None:
    cells = read_cells(folder, (), group_by=r"s\d")
    chosen = cells.named(("dotted/s1_001.png", "clear/s0_000.png"))
    assert chosen.truth.tolist() == [1, 0]
    assert chosen.groups.tolist() == ["s1", "s0"]
    assert (chosen.images[1] == cells.images[0]).all()


def test_a_bootstrap_draws_slides_or_else_parts_of_single_cells(folder: Path) -> None:
    assert set(read_cells(folder, (), group_by=r"s\d").resampled()) == {f"s{i}" for i in range(6)}
    parts = read_cells(folder, ()).resampled()
    assert all(part.startswith("part ") for part in parts)
    assert len(set(parts)) > 30


def test_a_division_keeps_groups_whole_stays_within_its_share_and_differs_from_the_next() -> None:
    groups = np.array([f"s{number % 12}" for number in range(240)])
    several = list(draws(groups, "0", 1 / 3))
    for chosen in several:
        assert all(len(set(chosen[groups == group])) == 1 for group in np.unique(groups))
        assert 0 < chosen.sum() <= 80
    assert len({chosen.tobytes() for chosen in several}) > 10
    assert (several[0] == next(draws(groups, "0", 1 / 3))).all()


def test_a_group_larger_than_the_share_leaves_the_smallest_one_to_be_chosen() -> None:
    groups = np.array(["small"] * 4 + ["large"] * 96)
    assert (next(draws(groups, "0", 0.01)) == (groups == "small")).all()
