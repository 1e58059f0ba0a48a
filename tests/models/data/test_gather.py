"""Folders that a user gives: opened, named apart, and read with one scheme of classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from convert.errors import CellsError
from edge.modelfile import CropSpec
from models.data.classes import ClassScheme
from models.data.folder import CellFolder, open_folder
from models.data.gather import DataOptions, OpenData, gather, named_apart
from tests.convert import cell_folders

SCHEME = ClassScheme(("clear", "dotted"), None, ("dotted",))


@dataclass
class Source:
    """Stands for a folder; remembers what it was asked for."""

    name: str
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def read(self, *asked: Any, learn: bool) -> tuple[str, list[str]]:
        self.asked.append((*asked, learn))
        return f"cells of {self.name}", [f"a note on {self.name}"]


@pytest.mark.parametrize("learn", [True, False])
def test_every_folder_is_read_with_the_same_classes_and_its_notes_are_told(*, learn: bool) -> None:
    sources, said = (Source("a"), Source("b")), list[str]()
    opened = OpenData(cast("tuple[CellFolder, ...]", sources), SCHEME)
    progress: Callable[[str, float], None] = lambda *_: None  # noqa: E731
    read: list[Any] = list(opened.read(CropSpec(), progress, said.append, learn=learn))
    assert read == ["cells of a", "cells of b"]
    assert said == ["a note on a", "a note on b"]
    assert sources[0].asked == sources[1].asked == [(SCHEME, CropSpec(), progress, learn)]
    assert opened.names == ("a", "b")
    opened.read(CropSpec(), progress, said.append)
    assert sources[0].asked[-1][-1] is False


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        pytest.param(["x/cells", "y/more"], ["cells", "more"], id="other names stay"),
        pytest.param(
            ["x/cells", "y/cells", "y/more"], ["x/cells", "y/cells", "more"], id="the folder above tells them"
        ),
    ],
)
def test_folders_that_are_called_alike_are_named_apart(tmp_path: Path, folders: list[str], names: list[str]) -> None:
    paths = [cell_folders.make(tmp_path / folder, count=2) for folder in folders]
    sources = [open_folder(path, None, None) for path in paths]
    assert [one.name for one in named_apart(sources, paths)] == names


def test_slides_must_be_known_where_cells_are_split_unless_the_user_does_without(tmp_path: Path) -> None:
    given = DataOptions(cells=(cell_folders.make(tmp_path / "cells", count=2),))
    with pytest.raises(CellsError, match="which slide a cell is from cannot be told: give --group-by"):
        gather(given)
    (source,) = gather(replace(given, random_split=True)).sources
    assert any("one slide may be on both sides, and the figures are too good" in note for note in source.notes)
    (source,) = gather(given, split=False).sources
    assert not source.notes
    (source,) = gather(replace(given, group_by=r"s\d")).sources
    assert source.group_names() == ["s0", "s1"]


def test_options_reach_the_classes(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", count=2)
    given = DataOptions(cells=(folder,), group_by=r"s\d", background="Clear", positive=("dotted",))
    assert gather(given).plan == ClassScheme(("clear", "dotted"), "clear", ("dotted",))
    table = cell_folders.write_table(folder, "mine.csv")
    table.write_text(table.read_text().replace(",dotted,", ",clear,"))
    with pytest.raises(CellsError, match=r"only one class \(clear\) is annotated"):
        gather(replace(given, table=table, group_by=None, positive=()))
    assert gather(replace(given, table=table, group_by=None, positive=()), least=1).plan.labels == ("clear",)


def test_nothing_given_is_refused() -> None:
    with pytest.raises(CellsError, match=r"^nothing to work on: give --cells DIR or --fields DIR$"):
        gather(DataOptions())
