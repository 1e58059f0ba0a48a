"""Cells are split into calibration and check by slides, else by files, and drawn evenly over the classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure.cells import CellSet, draws, some, split
from convert.measure.reading import read_cells
from convert.measure.typicals import CellTypicals
from edge.sources.decode import decode_image
from edge.typical import TypicalCells
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


def plain(truth: list[int], groups: list[str]) -> CellSet:
    """Cells whose pixels hold their number."""
    count = len(truth)
    images = np.arange(count, dtype=np.uint8)[:, None, None, None] + np.zeros((count, 2, 2, 3), np.uint8)
    names = tuple(f"{number}.png" for number in range(count))
    return CellSet(images, np.array(truth, np.int32), ("clear", "dotted"), np.array(groups), names, grouped=True)


@pytest.mark.parametrize("rows", [np.array([4, 1]), np.array([False, True, False, False, True, False])])
def test_black_and_typical_cells_go_with_their_cells(rows: np.ndarray) -> None:
    some = replace(
        plain([0, 1] * 3, list("aabbcc")),
        black=np.array([True, False] * 3),
        typical=CellTypicals(
            TypicalCells(np.zeros((3, 3), np.uint8), np.zeros((3, 2, 2, 3), np.uint8)),
            np.arange(6, dtype=np.int32) // 2,
        ),
    )
    taken = some.take(rows)
    numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
    assert taken.images[:, 0, 0, 0].tolist() == numbers.tolist()
    assert taken.names == tuple(f"{number}.png" for number in numbers)
    assert taken.black is not None
    assert taken.black.tolist() == [number % 2 == 0 for number in numbers]
    assert taken.typical is not None
    assert taken.typical.of.tolist() == [number // 2 for number in numbers]
    assert (some.on_black, taken.on_black) == (3, 1)
    assert plain([0, 1], ["a", "b"]).take(np.array([0])).on_black == 0


def test_three_slides_are_split_as_slides_and_two_as_cells() -> None:
    calibration, check = split(plain([0, 1] * 12, [f"s{i // 8}" for i in range(24)]))
    assert not set(calibration.groups) & set(check.groups)
    calibration, check = split(plain([0, 1] * 12, [f"s{i // 12}" for i in range(24)]))
    assert set(calibration.groups) & set(check.groups)
    assert len(calibration) == 12
    assert not set(calibration.names) & set(check.names)


@pytest.mark.parametrize(
    ("truth", "slides", "said"),
    [
        ([0] * 8, range(8), "class 'dotted' has 0 cells: too few to divide"),
        ([0] * 8 + [1], range(9), "class 'dotted' has 1 cell of 1 slide: too few to divide"),
        ([0] * 8 + [1] * 4, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4], "class 'dotted' has 4 cells of 1 slide: too few"),
    ],
    ids=["no cell", "one cell", "one slide"],
)
def test_a_class_that_one_side_would_lack_is_refused(truth: list[int], slides: Iterable[int], said: str) -> None:
    with pytest.raises(CellsError, match=said):
        split(plain(truth, [f"s{i}" for i in slides]))


@pytest.mark.parametrize(
    ("groups", "share", "chosen"),
    [
        pytest.param("aabb", 0.5, {2}, id="half of them"),
        pytest.param("abcd", 0.25, {1}, id="exactly the share may be taken"),
        pytest.param("abcd", 0.24, {1}, id="one cell always may"),
        pytest.param("aaabbbccc", 0.4, {3}, id="no second group beyond the share"),
        pytest.param("aaaabbbbcd", 0.2, {1, 2}, id="small groups where large ones do not fit"),
    ],
)
def test_groups_are_chosen_as_long_as_they_fit_into_the_share(groups: str, share: float, chosen: set[int]) -> None:
    assert {int(rows.sum()) for rows in draws(np.array(list(groups)), "0", share)} <= chosen


def test_the_first_division_may_have_a_salt_of_its_own() -> None:
    groups = np.arange(40).astype(str)
    usual, other = list(draws(groups, "a", 0.5)), list(draws(groups, "a", 0.5, first="b"))
    assert (other[0] == next(draws(groups, "b", 0.5))).all()
    assert (other[0] != usual[0]).any()
    assert all((one == two).all() for one, two in zip(usual[1:], other[1:], strict=True))
    assert len(usual) == 50


def test_a_few_cells_are_drawn_at_random_but_the_same_every_time() -> None:
    cells = plain([0] * 30 + [1] * 5, ["s"] * 35)
    few = some(cells, 20)
    assert np.bincount(few.truth).tolist() == [15, 5]  # there are no more of the rare class
    assert few.names == some(cells, 20).names
    assert few.names != some(cells, 20, seed=1).names
    assert len(set(few.names)) == 20
    assert len(some(cells, 99)) == 35


def test_the_part_of_a_cell_is_told_by_its_file_name_alone() -> None:
    parts = replace(plain([0, 1], ["x/0.png", "y/0.png"]), names=("x/0.png", "y/0.png")).resampled()
    assert parts[0] == parts[1]
    assert parts[0].startswith("part ")
    numbers = [int(part.split()[1]) for part in _alone(2000).resampled()]
    assert set(numbers) == set(range(200))


def _alone(count: int) -> CellSet:
    names = tuple(f"{number}.png" for number in range(count))
    return replace(plain([0, 1], ["a", "b"]), groups=np.array(names), names=names)


def test_a_folder_of_copies_is_refused_with_the_number_of_different_cells(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=1)
    for label in cell_folders.CLASSES:
        (image,) = (folder / label).iterdir()
        rgb = decode_image(image)
        for number in range(30):
            cell_folders.write(folder / label / f"copy_{number}.bmp", rgb)  # other bytes, the same pixels
    cells = read_cells(folder, ())
    assert any(
        "60 files of cells are copies of others there: left out; 2 different cells are left" in n for n in cells.notes
    )
    with pytest.raises(CellsError, match="too few"):
        split(cells)
