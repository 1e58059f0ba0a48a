"""Folders of cells: tables, slides, copies, what cannot be read, what is refused."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.errors import CellsError
from edge.modelfile import CropSpec
from models.cells.cellset import Cells
from models.cells.classes import Naming, make_plan
from models.cells.folder import CellFolder, cut, open_folder
from tests.convert import cell_folders

PLAIN = CropSpec()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cell_folders.make(tmp_path / "cells", count=12, slides=4)


def read(opened: CellFolder) -> tuple[Cells, list[str]]:
    plan = make_plan(opened.names(), Naming(), None, (), whole_fields=False)
    return opened.read(plan, PLAIN, lambda *_: None)


def write_table(folder: Path, name: str = "cells.csv", **more: str) -> Path:
    rows = [
        {"file": path.relative_to(folder).as_posix(), "label": path.parent.name, "slide": path.name[:2], **more}
        for path in sorted(folder.rglob("*.png"))
    ]
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def test_slides_come_from_the_file_names(folder: Path) -> None:
    opened = open_folder(folder, None, r"s\d", random_split=False)
    cells, notes = read(opened)
    assert len(cells) == 24
    assert cells.labels == ("clear", "dotted")
    assert set(cells.groups) == {f"cells/s{i}" for i in range(4)}
    assert not notes
    assert cells.reference is not None
    assert cells.reference.shape == (24, 3)


def test_unknown_slides_are_refused_and_the_way_out_is_said(folder: Path) -> None:
    with pytest.raises(CellsError, match=r"--group-by.*s0_000\.png.*--random-split"):
        open_folder(folder, None, None, random_split=False)


def test_a_random_split_is_done_when_asked_for_and_called_too_good(folder: Path) -> None:
    cells, notes = read(open_folder(folder, None, None, random_split=True))
    assert len(np.unique(cells.groups)) > 2
    assert any("too good" in note for note in notes)


def test_a_pattern_that_fits_no_name_is_refused_with_a_name(folder: Path) -> None:
    with pytest.raises(CellsError, match=r"not found in 24 of 24 cells, e\.g\. s"):
        open_folder(folder, None, "slide-[0-9]+", random_split=True)


def test_a_table_in_the_folder_gives_classes_and_slides(folder: Path) -> None:
    write_table(folder)
    cells, _ = read(open_folder(folder, None, None, random_split=False))
    assert set(cells.groups) == {f"cells/s{i}" for i in range(4)}


def test_a_column_of_the_table_may_name_the_groups(folder: Path) -> None:
    write_table(folder, patient="p1")
    cells, _ = read(open_folder(folder, None, "patient", random_split=False))
    assert set(cells.groups) == {"cells/p1"}


def test_images_that_the_table_lacks_are_counted(folder: Path) -> None:
    write_table(folder)
    shutil.copy(folder / "clear" / "s0_000.png", folder / "clear" / "s9_999.png")
    opened = open_folder(folder, None, None, random_split=False)
    assert any("1 images of cells are not in cells.csv" in note for note in opened.notes)


def test_a_table_that_leads_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "cells.csv").write_text("file,label,slide\n../secret.png,clear,s1\n")
    with pytest.raises(CellsError, match="leads out of the folder"):
        open_folder(folder, None, None, random_split=False)


def test_a_table_without_files_is_refused(folder: Path) -> None:
    (folder / "cells.csv").write_text("name,label\nx,y\n")
    with pytest.raises(CellsError, match="no column 'file'"):
        open_folder(folder, None, None, random_split=False)


def test_a_copy_counts_once(folder: Path) -> None:
    shutil.copy(folder / "clear" / "s0_000.png", folder / "clear" / "s1_copy.png")
    cells, notes = read(open_folder(folder, None, r"s\d", random_split=False))
    assert len(cells) == 24
    assert any("1 files of cells are copies" in note for note in notes)


def test_a_cell_that_stands_under_two_classes_counts_not_at_all(folder: Path) -> None:
    shutil.copy(folder / "clear" / "s0_000.png", folder / "dotted" / "s1_copy.png")
    cells, notes = read(open_folder(folder, None, r"s\d", random_split=False))
    assert len(cells) == 23
    assert any("under two classes" in note for note in notes)


def test_a_few_unreadable_images_are_left_out_and_counted(folder: Path) -> None:
    (folder / "clear" / "s0_bad.png").write_bytes(b"no image")
    cells, notes = read(open_folder(folder, None, r"s\d", random_split=False))
    assert len(cells) == 24
    assert any("1 of 25 images of cells cannot be read" in note for note in notes)


def test_many_unreadable_images_are_refused(folder: Path) -> None:
    for number in range(6):
        (folder / "clear" / f"s0_bad{number}.png").write_bytes(b"")
    with pytest.raises(CellsError, match=r"6 of 30 images cannot be read, the first: .*0 bytes"):
        read(open_folder(folder, None, r"s\d", random_split=False))


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match="no class folders"):
        open_folder(tmp_path, None, r"s\d", random_split=False)


def test_a_cell_cut_out_on_black_gets_pale_paper_around_it_at_any_size() -> None:
    for side in (40, 300):
        masked = np.zeros((side, side, 3), np.uint8)
        cv2.circle(masked, (side // 2, side // 2), side // 2 - 2, (200, 130, 150), -1)
        crop = cut(masked, PLAIN)
        assert crop.shape == (32, 32, 3)
        assert crop[0, 0].min() > 120
        assert np.abs(crop[16, 16].astype(int) - (200, 130, 150)).max() < 8
