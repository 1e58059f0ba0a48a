"""How a folder of cells is read, the same for every command: masks, slides, copies, what cannot be read, what is said."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure.listing import list_cells
from convert.measure.reading import Copies, check_readable, read, read_cells, without_colour
from convert.measure.single import AUTHOR_CUTS
from edge.crops import compared, crop_cells
from edge.modelfile import CropSpec
from edge.sources.decode import decode_image
from tests.convert import cell_folders

PLAIN, BLACK = CropSpec(), CropSpec(mask="black")
TYPICAL = CropSpec(normalise="typical")
PAPER = (250, 250, 250)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cell_folders.make(tmp_path / "cells", count=12, slides=4)


def of_colours(folder: Path, slides: dict[str, list[int]]) -> Path:
    """Flat cells of these reds, one file each, named by slide; and one of another class for each slide."""
    for slide, values in slides.items():
        for number, value in enumerate([*values, values[0]]):
            rgb = np.full((40, 40, 3), (value, 90, 95), np.uint8)
            rgb[0, 20, 1] = number  # no two files are the same
            label = "clear" if number < len(values) else "other"
            cell_folders.write(folder / label / f"{slide}_{number:03}.png", rgb)
    return folder


def test_every_cell_becomes_a_crop_with_its_class_and_slide(folder: Path) -> None:
    cells = read_cells(folder, (), group_by=r"s\d")
    assert cells.images.shape == (24, 32, 32, 3)
    assert cells.labels == ("clear", "dotted")
    assert np.bincount(cells.truth).tolist() == [12, 12]
    assert set(cells.groups) == {f"s{i}" for i in range(4)}
    assert cells.grouped
    assert cells.names[0] == "clear/s0_000.png"
    assert cells.on_black == 0
    assert not cells.notes


def test_labels_set_the_order_and_the_spelling_of_classes(folder: Path) -> None:
    cells = read_cells(folder, ("Dotted", "clear"))
    assert cells.labels == ("Dotted", "clear")
    assert cells.names[0].startswith("dotted/")
    assert cells.truth[0] == 0
    assert not cells.grouped


@pytest.mark.parametrize(
    ("name", "masked", "spec", "keep", "corner"),
    [
        ("cut out, a net that sees surroundings", True, PLAIN, None, "paper"),
        ("cut out, a net that wants black", True, BLACK, None, "black"),
        ("cut out, to be shown as it is", True, PLAIN, True, "black"),
        ("with surroundings", False, PLAIN, None, "paper"),
        ("with surroundings, to be shown as it is", False, PLAIN, True, "paper"),
    ],
)
def test_what_stands_around_a_cell(
    tmp_path: Path, name: str, *, masked: bool, spec: CropSpec, keep: bool | None, corner: str
) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=6, masked=masked)
    cells = read_cells(folder, (), spec, r"s\d", keep_black=keep)
    corners = cells.images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners.max() < 20) if corner == "black" else (corners.min() > 120), name
    assert cells.on_black == (12 if masked else 0)
    assert any("put on pale paper" in note for note in cells.notes) == (masked and corner == "paper")


def test_of_a_mixed_folder_each_cell_is_read_for_itself(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=6)
    cell_folders.make(folder, count=2, seed=5, masked=True)  # in place of two of each class
    cells = read_cells(folder, (), group_by=r"s\d")
    assert cells.on_black == 4
    assert cells.images[:, 0, 0].min() > 120
    assert "4 of 12 cells of cells are cut out on black: put on pale paper" in " ".join(cells.notes)


@pytest.mark.parametrize(("masked", "said"), [(2, "20 of 24 show their surroundings"), (11, None)])
def test_a_net_that_wants_black_takes_no_other_cells(tmp_path: Path, masked: int, said: str | None) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=12)
    cell_folders.make(folder, count=masked, seed=5, masked=True)
    if said:
        with pytest.raises(CellsError, match=said):
            read_cells(folder, (), BLACK, r"s\d")
    else:  # a few: left out, and counted
        cells = read_cells(folder, (), BLACK, r"s\d")
        assert len(cells) == cells.on_black == 22
        assert "2 of 24 cells of cells are not cut out on black: left out" in cells.notes


def test_the_slide_stands_for_the_field(tmp_path: Path) -> None:
    folder = of_colours(tmp_path / "cells", {"s1": [200] * 8 + [100], "s2": [120] * 8})
    cells = read_cells(folder, (), TYPICAL, r"s\d")
    plain = read_cells(folder, (), PLAIN, r"s\d")
    assert cells.images.shape[1:] == (32, 32, 6)
    assert cells.typical is not None
    assert np.unique(cells.typical.typical.cells[:, 16, 16, 0]).tolist() == [120, 200]
    for slide in ("s1", "s2"):
        mine = cells.groups == slide
        assert (cells.images[mine] == compared(plain.images[mine], TYPICAL)).all()


def test_it_is_what_the_device_would_see_of_one_field(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=20, slides=1)
    for path in folder.rglob("*.png"):  # of one size, or the field would be halved otherwise than the cells
        path.write_bytes(cv2.imencode(".png", cv2.resize(decode_image(path), (40, 40)))[1].tobytes())
    cells = read_cells(folder, (), TYPICAL, r"s\d")
    pieces = [decode_image(folder / name) for name in cells.names]
    boxes = np.array([[40 * i, 0, 40, 40] for i in range(40)], np.int32)
    field = np.hstack(pieces)
    seen = crop_cells(np.asarray(field, np.uint8), boxes, TYPICAL)
    inside = np.s_[:, 2:-2, 2:-2]  # at its border a crop of a field has the neighbour's pixels
    assert np.abs(seen[inside].astype(int) - cells.images[inside]).max() <= 3
    assert np.abs(seen[inside].astype(int) - cells.images[inside]).mean() <= 0.3


def test_without_slides_all_cells_are_taken_for_one_slide_and_that_is_said(tmp_path: Path) -> None:
    folder = of_colours(tmp_path / "cells", {"s1": [200] * 9, "s2": [100]})
    cells = read_cells(folder, (), TYPICAL)
    assert cells.typical is not None
    assert cells.typical.typical.cells[:, 16, 16, 0].tolist() == [200]
    assert (cells.images == compared(read_cells(folder, ()).images, TYPICAL)).all()
    (note,) = [note for note in cells.notes if "no slides" in note]
    assert "--group-by" in note
    assert "compared with the typical cell of them all" in note
    assert not any("typical" in note for note in read_cells(folder, ()).notes)  # a net that compares nothing


def test_slides_of_single_cells_are_told_from_real_ones(folder: Path) -> None:
    cells = read_cells(folder, (), TYPICAL, r"s\d_\d+")
    assert any("are of slides with fewer than 5" in note for note in cells.notes)
    assert not any("fewer than" in note for note in read_cells(folder, (), TYPICAL, r"s\d").notes)


def test_of_a_table_with_gaps_the_known_slides_are_used(folder: Path) -> None:
    table = cell_folders.write_table(folder)
    table.write_text(table.read_text().replace(",s3", ","))
    cells = read_cells(folder, ())
    assert any("no slides of 6 of the 24 cells are known" in note for note in cells.notes)
    assert {"s0", "s1", "s2"} < set(cells.groups.tolist())
    assert {group for group in cells.resampled() if not group.startswith("part ")} == {"s0", "s1", "s2"}


def test_a_copy_counts_once(folder: Path) -> None:
    shutil.copy(folder / "clear" / "s0_000.png", folder / "clear" / "s1_copy.png")
    cells = read_cells(folder, (), group_by=r"s\d")
    assert len(cells) == 24
    assert "1 files of cells are copies of others there: left out; 24 different cells are left" in cells.notes


def test_a_cell_that_stands_under_two_classes_counts_not_at_all(folder: Path) -> None:
    shutil.copy(folder / "clear" / "s0_000.png", folder / "dotted" / "s1_copy.png")
    cells = read_cells(folder, (), group_by=r"s\d")
    assert len(cells) == 23
    assert any("1 cells of cells stand under two classes" in note for note in cells.notes)


def test_a_few_unreadable_images_are_left_out_and_counted(folder: Path) -> None:
    (folder / "clear" / "s0_bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    cells = read_cells(folder, (), group_by=r"s\d")
    assert len(cells) == 24
    assert any("1 of 25 images of cells cannot be read: left out, e.g. " in note for note in cells.notes)


def test_many_unreadable_images_are_refused(folder: Path) -> None:
    for number in range(6):
        (folder / "clear" / f"s0_bad{number}.png").write_bytes(b"")
    with pytest.raises(CellsError, match=r"6 of 30 images cannot be read, the first: .*0 bytes"):
        read_cells(folder, (), group_by=r"s\d")


def test_a_class_without_readable_images_is_refused(folder: Path) -> None:
    (folder / "third").mkdir()
    (folder / "third" / "s0_bad.png").write_bytes(b"")
    with pytest.raises(CellsError, match=r"no cell of the class third can be used \(.*1 of 25 images"):
        read_cells(folder, (), group_by=r"s\d")


def test_grey_images_are_told(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=3)
    for path in folder.rglob("*.png"):
        path.write_bytes(cv2.imencode(".png", cv2.cvtColor(decode_image(path), cv2.COLOR_RGB2GRAY))[1].tobytes())
    assert any("6 of 6 cells of cells are grey" in note for note in read_cells(folder, (), group_by=r"s\d").notes)


def test_what_is_left_out_of_the_classes_is_not_opened(folder: Path) -> None:
    (folder / "clear" / "s0_bad.png").write_bytes(b"")
    listing = list_cells(folder, None, r"s\d")
    numbers = [0 if one.label == "dotted" else -1 for one in listing.cells]
    cells = read(listing, ("dotted",), numbers, PLAIN, lambda *_: None)
    assert len(cells) == 12
    assert not cells.notes


def test_crops_to_learn_from_are_plain_and_the_device_s_crop_is_their_middle(folder: Path) -> None:
    listing = list_cells(folder, None, r"s\d")
    numbers = [int(one.label == "dotted") for one in listing.cells]
    wider = replace(TYPICAL, size=36, margin=TYPICAL.margin * 36 / 32)
    learnt = read(listing, ("clear", "dotted"), numbers, TYPICAL, lambda *_: None, plain=wider)
    plain = read(listing, ("clear", "dotted"), numbers, PLAIN, lambda *_: None)
    assert learnt.images.shape == (24, 36, 36, 3)
    assert np.abs(learnt.images[:, 2:-2, 2:-2].astype(int) - plain.images).mean() < 1
    assert learnt.typical is not None
    assert plain.typical is not None
    assert (learnt.typical.of == plain.typical.of).all()
    assert np.abs(learnt.typical.typical.cells.astype(int) - plain.typical.typical.cells).mean() < 1
    assert np.abs(learnt.typical.typical.papers.astype(int) - plain.typical.typical.papers).max() <= 2


def test_progress_is_told_from_nought_on_every_two_hundred_cells(folder: Path) -> None:
    told: list[tuple[str, float]] = []
    cells = list_cells(folder, None, r"s\d")
    many = replace(cells, cells=cells.cells * 20)  # 480, all but 24 of them copies
    read(many, ("clear",), [0] * 480, PLAIN, lambda *progress: told.append(progress))
    assert told == [("reading the cells of cells", share) for share in (0, 200 / 480, 400 / 480)]


@pytest.mark.parametrize(
    ("unreadable", "count", "refused"),
    [(0, 10, False), (1, 10, False), (2, 20, False), (2, 19, True), (1, 9, True)],
)
def test_one_image_in_ten_may_be_unreadable(unreadable: int, count: int, *, refused: bool) -> None:
    names = [f"{number}.png: torn" for number in range(unreadable)]
    if refused:
        with pytest.raises(
            CellsError, match=f"^mine: {unreadable} of {count} images cannot be read, the first: 0.png: torn$"
        ):
            check_readable(names, count, "mine")
    else:
        told = [f"{unreadable} of {count} images of mine cannot be read: left out, e.g. 0.png: torn"]
        assert check_readable(names, count, "mine") == (told if unreadable else [])


@pytest.mark.parametrize(
    ("labels", "fresh", "count", "torn"),
    [
        pytest.param([0, 0], [True, False], 1, set(), id="the same class twice"),
        pytest.param([0, 1], [True, False], 1, {0}, id="two classes: the first one is torn"),
        pytest.param([1, 1, 0, 0], [True, False, False, False], 3, {0}, id="several copies"),
    ],
)
def test_copies_are_told_by_their_pixels(labels: list[int], fresh: list[bool], count: int, torn: set[int]) -> None:
    copies = Copies()
    flat = np.full((2, 6, 3), 7, np.uint8)
    assert [not copies.seen(flat.copy(), label, i) for i, label in enumerate(labels)] == fresh
    assert not copies.seen(flat.reshape(3, 4, 3), 0, 9)  # the same bytes, another picture
    assert (copies.count, copies.torn) == (count, torn)


@pytest.mark.parametrize("author", [None, *AUTHOR_CUTS])
def test_some_cells_can_be_read_again_in_another_cut(folder: Path, author: str | None) -> None:
    every = read_cells(folder, (), CropSpec(size=16), author=author)
    some = read_cells(folder, (), CropSpec(size=16), author=author, only=every.names[5:9])
    assert some.names == every.names[5:9]
    assert np.array_equal(some.images, every.images[5:9])


def test_a_crop_is_grey_where_no_pixel_of_it_has_a_colour() -> None:
    crops = np.full((3, 4, 4, 3), 90, np.uint8)
    crops[1, 2, 3, 2] = 91
    crops[2, :, :, 1] = 30
    assert without_colour(crops).tolist() == [True, False, False]


@pytest.mark.parametrize(("side", "said"), [((9, 12), True), ((30, 40), False)])
def test_cells_much_smaller_than_the_crop_are_said_to_be_enlarged(
    tmp_path: Path, side: tuple[int, int], said: bool
) -> None:
    cell_folders.make(tmp_path, count=6, side=side)
    notes = read_cells(tmp_path, ()).notes
    assert any("enlarged" in note and "-fold to 32 px" in note for note in notes) == said
