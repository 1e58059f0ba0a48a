"""What a folder of cells holds: classes, slides, tables; and what is refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from convert.errors import CellsError
from convert.measure.listing import list_cells, slide_of_public_name
from tests.convert import cell_folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cell_folders.make(tmp_path / "cells", count=12, slides=4)


def slides(folder: Path, group_by: str | None = None) -> set[str | None]:
    return {one.slide for one in list_cells(folder, None, group_by).cells}


@pytest.mark.parametrize(
    ("stem", "slide"),
    [
        ("C100P61ThinF_IMG_20150918_144104_cell_162", "C100"),
        ("C39P4thinF_original_IMG_20150622_105554_cell_10", "C39"),
        ("C33P1thinF_IMG_20150619_115808a_cell_205", "C33"),
        ("C237ThinF_IMG_20151127_102428_cell_147", "C237"),
        ("C5NThinF_IMG_20150609_122108_cell_54", "C5"),
        ("C47P8thinOriginalOlympusCX21_IMG_20150714_100001_cell_3", "C47"),
        ("57546_01_10", None),
        ("IMG_20150918_144104", None),
        ("C100_cell_162", None),
        ("s0_000", None),
    ],
)
def test_names_of_the_public_nih_set_tell_the_slide(stem: str, slide: str | None) -> None:
    assert slide_of_public_name(stem) == slide


def test_a_folder_named_as_the_public_set_needs_no_option_and_says_so(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=4, slides=2, classes=("Uninfected", "Parasitized"))
    for path in folder.rglob("*.png"):
        path.rename(path.with_name(f"C{path.name[1]}P9ThinF_IMG_20150918_144104_cell_{path.stem[3:]}.png"))
    listing = list_cells(folder)
    assert {one.slide for one in listing.cells} == {"C0", "C1"}
    assert "2 slides are told by the files' names" in listing.notes[0]
    assert listing.settled(("uninfected", "parasitized")) == ("uninfected", "parasitized")


def test_slides_of_other_names_stay_unknown(folder: Path) -> None:
    assert slides(folder) == {None}


def test_a_pattern_finds_the_slide_below_the_class_folder(folder: Path) -> None:
    (folder / "clear").rename(folder / "s9")
    (folder / "s9" / "s7").mkdir()
    (folder / "s9" / "s0_000.png").rename(folder / "s9" / "s7" / "000.png")
    assert slides(folder, r"s\d") == {"s0", "s1", "s2", "s3", "s7"}


def test_a_table_in_the_folder_gives_classes_and_slides_in_any_case(folder: Path) -> None:
    table = cell_folders.write_table(folder)
    table.write_text(table.read_text().replace(",dotted,", ",DOTTED,", 3))
    listing = list_cells(folder)
    assert {one.slide for one in listing.cells} == {"s0", "s1", "s2", "s3"}
    assert listing.settled(("dotted", "clear")) == ("dotted", "clear")


def test_a_column_of_the_table_may_name_the_slides(folder: Path) -> None:
    cell_folders.write_table(folder, patient="p1")
    assert slides(folder, "patient") == {"p1"}


def test_a_slide_that_the_table_leaves_open_is_not_known(folder: Path) -> None:
    table = cell_folders.write_table(folder)
    table.write_text(table.read_text().replace(",s3", ", "))
    assert slides(folder) == {"s0", "s1", "s2", None}


def test_images_that_the_table_lacks_are_counted(folder: Path) -> None:
    cell_folders.write_table(folder)
    shutil.copy(folder / "clear" / "s0_000.png", folder / "clear" / "s9_999.png")
    assert "1 images of cells are not in cells.csv: left out" in list_cells(folder).notes


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("file,label,slide\n../secret.png,clear,s1\n", "leads out of the folder"),
        ("name,label\nx,y\n", "no column 'file'"),
        ("file,label\nx.png,\n", "no label is given for x.png"),
        ("file,label\n", "there is no image in it"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(folder: Path, text: str, complaint: str) -> None:
    (folder / "cells.csv").write_text(text)
    with pytest.raises(CellsError, match=complaint):
        list_cells(folder)


@pytest.mark.parametrize("other", ["Clear", "CLEAR", "clear "])
def test_two_folders_that_differ_in_case_only_are_one_line(folder: Path, other: str) -> None:
    (folder / other).mkdir()
    with pytest.raises(CellsError, match="differ in case, spaces, hyphens and underscores only"):
        list_cells(folder)


def test_the_file_without_a_slide_is_named(folder: Path) -> None:
    with pytest.raises(CellsError, match=r"'s0' is not found in 18 of 24 file names, e\.g\. clear/s1_001\.png"):
        list_cells(folder, None, "s0")


def test_a_pattern_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(CellsError, match="no regular expression"):
        list_cells(folder, None, "(")


def test_what_holds_no_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match="no such folder"):
        list_cells(tmp_path / "none")
    with pytest.raises(CellsError, match="no class folders"):
        list_cells(tmp_path)
    (tmp_path / "clear").mkdir()
    with pytest.raises(CellsError, match="there is no image in it"):
        list_cells(tmp_path)


def test_a_class_without_images_is_refused_where_all_are_needed(folder: Path) -> None:
    (folder / "third").mkdir()
    listing = list_cells(folder)
    with pytest.raises(CellsError, match="no image of the class third"):
        listing.settled()


def test_one_class_alone_is_refused_and_a_folder_of_folders_of_classes_pointed_out(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells" / "train", count=2)
    with pytest.raises(CellsError, match=rf"only one class \(train\).*did you mean --cells {folder}"):
        list_cells(folder.parent).settled()


@pytest.mark.parametrize(
    ("text", "labels", "slides"),
    [
        pytest.param("file\nclear/s0_000.png\n", ["clear"], [None], id="no label: the folder says it"),
        pytest.param("file,label\nclear/s0_000.png,\n", ["clear"], [None], id="an empty label: the folder says it"),
        pytest.param("file,label\nclear/s0_000.png, odd \n", ["odd"], [None], id="the label goes before the folder"),
        pytest.param(
            "\ufefffile,label\nclear/s0_000.png,gr\u00fcn\n", ["gr\u00fcn"], [None], id="as spreadsheets write it"
        ),
        pytest.param("file,slide\nclear/s0_000.png, p1 \n", ["clear"], ["p1"], id="spaces around a slide do not count"),
        pytest.param(
            "file,label\nclear/C7P1_IMG_2015_11_cell_2.png,x\n", ["x"], ["C7"], id="no slide: a public name says it"
        ),
    ],
)
def test_a_table_says_the_class_and_the_slide(
    folder: Path, text: str, labels: list[str], slides: list[str | None]
) -> None:
    (folder / "cells.csv").write_text(text, encoding="utf-8")
    listing = list_cells(folder)
    assert [one.label for one in listing.cells] == labels
    assert [one.slide for one in listing.cells] == slides
    assert listing.cells[0].path.parent == folder / "clear"


def test_a_pattern_does_not_take_the_class_folder_of_a_table_for_a_slide(folder: Path) -> None:
    (folder / "cells.csv").write_text("file,label\nclear/s0_000.png,CLEAR\nclear/s1_001.png,odd\n")
    assert [one.slide for one in list_cells(folder, None, "clear|s0").cells] == ["s0", "clear"]


def test_a_table_given_by_the_user_goes_before_the_folders_own(folder: Path, tmp_path: Path) -> None:
    cell_folders.write_table(folder)
    mine = tmp_path / "mine.csv"
    mine.write_text("file,label\nclear/s0_000.png,a\n")
    listing = list_cells(folder, mine)
    assert [one.label for one in listing.cells] == ["a"]
    assert listing.notes == ("23 images of cells are not in mine.csv: left out",)
    with pytest.raises(CellsError, match=r"none\.csv: cannot be read: No such file"):
        list_cells(folder, tmp_path / "none.csv")
    mine.write_bytes(b"file,label\n\xff\xfe,a\n")
    with pytest.raises(CellsError, match=r"mine\.csv: no table of cells: "):
        list_cells(folder, mine)


def test_only_images_count_and_hidden_files_do_not(folder: Path) -> None:
    for name in (".s0_hidden.png", "notes.txt"):
        (folder / "clear" / name).write_bytes(b"")
    (folder / ".git").mkdir()
    (folder / "__MACOSX").mkdir()
    (folder / "clear" / "S9.TIF").write_bytes(b"")
    listing = list_cells(folder)
    assert listing.classes == ("clear", "dotted")
    assert len(listing.cells) == 25
    assert listing.names() == {"clear": 13, "dotted": 12}
    assert (listing.name, listing.root) == ("cells", folder)
