"""A folder of cells: how it is read, named, grouped and split, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.cells import class_folders, read_cells, some, split, whole_image
from convert.errors import CellsError
from edge.modelfile import CropSpec
from tests.convert import cell_folders


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cell_folders.make(tmp_path_factory.mktemp("cells") / "cells")


def test_every_cell_becomes_a_crop_with_its_class_and_slide(folder: Path) -> None:
    cells = read_cells(folder, (), group_by=r"s\d")
    assert cells.images.shape == (120, 32, 32, 3)
    assert cells.labels == ("clear", "dotted")
    assert np.bincount(cells.truth).tolist() == [60, 60]
    assert set(cells.groups) == {f"s{i}" for i in range(6)}
    assert cells.grouped
    assert cells.names[0] == "clear/s0_000.png"


def test_labels_set_the_order_of_classes(folder: Path) -> None:
    cells = read_cells(folder, ("dotted", "clear"))
    assert cells.names[0].startswith("dotted/")
    assert not cells.grouped


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


def test_a_slide_is_looked_for_below_the_class_folder(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=6)
    (folder / "clear").rename(folder / "s9")
    (folder / "s9" / "s7").mkdir()
    (folder / "s9" / "s0_000.png").rename(folder / "s9" / "s7" / "000.png")
    assert set(read_cells(folder, (), group_by=r"s\d").groups) == {"s0", "s1", "s2", "s3", "s4", "s5", "s7"}


def test_the_file_without_a_slide_is_named(folder: Path) -> None:
    with pytest.raises(CellsError, match=r"in 100 of 120 file names, e\.g\. clear/s1_001\.png"):
        read_cells(folder, (), group_by="s0")


def test_a_folder_of_folders_of_classes_is_pointed_out(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells" / "train", count=2)
    with pytest.raises(CellsError, match=rf"did you mean --cells {folder}"):
        read_cells(folder.parent, ())


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


def test_aspect_is_kept_and_a_cell_cut_out_on_black_stays_on_black() -> None:
    image = np.zeros((20, 40, 3), np.uint8)
    image[5:15, 10:30] = 200
    image[0, 20] = 255  # the cell touches the frame: that pixel must not be smeared over what is added
    crop = whole_image(image, CropSpec(), on_black=True)
    assert crop.shape == (32, 32, 3)
    assert crop[:7].max() == 0
    assert crop[13:19, 10:22].min() > 150


def test_unreadable_images_are_named_and_skipped(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=5)
    (folder / "clear" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    cells = read_cells(folder, ())
    assert len(cells) == 10
    assert len(cells.skipped) == 1
    assert "broken.png" in cells.skipped[0]


def test_a_class_without_readable_images_is_refused(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=3)
    (folder / "third").mkdir()
    with pytest.raises(CellsError, match="third"):
        read_cells(folder, ())


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (("clear", "spotted"), "no folder for spotted; no label for the folder dotted"),
        (("clear",), "no label for the folder dotted"),
        (("clear", "dotted", "clear"), "names a class twice"),
    ],
)
def test_folders_that_do_not_match_the_labels_are_refused(
    folder: Path, labels: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(CellsError, match=complaint):
        class_folders(folder, labels)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match="no class folders"):
        class_folders(tmp_path, ())
    with pytest.raises(CellsError, match="no such folder"):
        class_folders(tmp_path / "none", ())


def test_one_class_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clear").mkdir()
    cv2.imwrite(str(tmp_path / "clear" / "a.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(CellsError, match="only one class"):
        read_cells(tmp_path, ())


@pytest.mark.parametrize(("pattern", "complaint"), [("(", "no regular expression"), ("slide", "is not found in")])
def test_a_group_pattern_that_does_not_serve_is_refused(folder: Path, pattern: str, complaint: str) -> None:
    with pytest.raises(CellsError, match=complaint):
        read_cells(folder, (), group_by=pattern)
