"""Corrections of which each file holds one field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.errors import ReviewError
from edge.exchange import untrusted
from edge.exchange.formats import FORMATS
from edge.exchange.records import CorrectedCell, CorrectedField
from edge.exchange.untrusted import field_by_field

Read = tuple[int, str, int]  # field, model, cells
FILES: dict[str, tuple[list[Read], str]] = {
    "no file": ([], "no such file in it"),
    "two of one field": ([(1, "a", 1), (1, "a", 1)], "two of its files are of one field"),
    "several models": ([(1, "a", 1), (2, "b", 1)], "its fields are of several models"),
    "too many things together": ([(1, "a", 2), (2, "a", 2)], "4 things, more than 3"),
}


def read(one: Path) -> tuple[CorrectedField, str]:
    index, model, cells = one.name.split()
    cell = CorrectedCell("", None, "x")
    return CorrectedField(int(index), "", 0, 0, (cell,) * int(cells), whole=True), model


def named(found: list[Read]) -> list[Path]:
    return [Path(" ".join(map(str, one))) for one in found]


@pytest.mark.parametrize(("found", "said"), FILES.values(), ids=FILES)
def test_files_that_do_not_belong_together_are_refused(
    found: list[Read], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untrusted, "MOST_CELLS", 3)
    with pytest.raises(ValueError, match=re.escape(said)):
        field_by_field("ome", Path("folder"), named(found), read)


def test_a_file_that_names_no_model_goes_with_one_that_does() -> None:
    back = field_by_field("ome", Path("folder"), [Path("1  1"), Path("2 a 1")], lambda one: read_loosely(one.name))
    assert (back.model, [field.index for field in back.fields]) == ("a", [1, 2])


def read_loosely(name: str) -> tuple[CorrectedField, str]:
    index, model, _ = name.split(" ")
    return CorrectedField(int(index), "", 0, 0, (), whole=True), model


@pytest.mark.parametrize("kind", ["ome", "qupath"])
def test_a_folder_without_a_file_of_the_kind_is_refused_and_not_taken_for_no_answers(kind: str, tmp_path: Path) -> None:
    reading = FORMATS[kind].read
    assert reading is not None
    with pytest.raises(ReviewError, match="no such file in it"):
        reading(tmp_path)
