"""A folder of cells as a source: what the reader gives, with the classes and groups of this room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.errors import CellsError
from edge.modelfile import CropSpec
from models.data.cells import LabelledCells
from models.data.classes import Naming, make_scheme
from models.data.crops import SLACK
from models.data.folder import CellFolder, open_folder
from tests.convert import cell_folders

PLAIN = CropSpec()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cell_folders.make(tmp_path / "cells", count=12, slides=4)


def read(opened: CellFolder, *, learn: bool = False) -> tuple[LabelledCells, list[str]]:
    plan = make_scheme(opened.names(), Naming(), None, (), whole_fields=False)
    return opened.read(plan, PLAIN, lambda *_: None, learn=learn)


def test_slides_come_from_the_file_names_and_carry_the_folders_name(folder: Path) -> None:
    cells, notes = read(open_folder(folder, None, r"s\d"))
    assert len(cells) == 24
    assert cells.labels == ("clear", "dotted")
    assert set(cells.groups) == {f"cells/s{i}" for i in range(4)}
    assert not notes
    assert cells.typical is not None
    assert len(cells.typical) == 24
    assert len(cells.typical.typical) == 4


def test_unknown_slides_are_no_hindrance_to_judging(folder: Path) -> None:
    opened = open_folder(folder, None, None)
    assert opened.group_names() == []
    cells, notes = read(opened)
    assert len(np.unique(cells.groups)) > 2
    assert any("no slides are known" in note for note in notes)


def test_where_cells_are_split_unknown_slides_are_refused_and_the_way_out_is_said(folder: Path) -> None:
    with pytest.raises(CellsError, match=r"--group-by.*s0_000\.png.*--random-split"):
        open_folder(folder, None, None, split=True)


def test_a_random_split_is_done_when_asked_for_and_called_too_good(folder: Path) -> None:
    _, notes = read(open_folder(folder, None, None, split=True, random_split=True))
    assert any("too good" in note for note in notes)


def test_crops_to_learn_from_have_slack(folder: Path) -> None:
    cells, _ = read(open_folder(folder, None, r"s\d"), learn=True)
    assert cells.crops.shape[1] == PLAIN.size + 2 * SLACK


def test_cells_to_learn_from_have_several_estimates_of_their_slides_typical_cell(folder: Path) -> None:
    opened = open_folder(folder, None, r"s\d")
    judged, learned = (read(opened, learn=learn)[0].typical for learn in (False, True))
    assert judged is not None
    assert learned is not None
    assert judged.variants == 1
    assert len(learned.typical) == learned.variants * len(judged.typical) > 4
    device = learned.typical.take(learned.of)  # the first of them is the device's own
    assert np.abs(device.cells.astype(int) - judged.typical.take(judged.of).cells).mean() < 1


def test_a_table_may_be_named(folder: Path) -> None:
    table = cell_folders.write_table(folder, "mine.csv", patient="p1")
    assert open_folder(folder, table, "patient").group_names() == ["p1"]
    assert open_folder(folder, table, None).group_names() == ["s0", "s1", "s2", "s3"]
