"""The second reading of the IML cells: which opinion a box gets, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField
from models.data.fields import RED_CELL, UNSURE, data_dir
from models.data.second_reading import FILE, INFECTED, NOT_RED, Opinion, SecondReading, readings, second_reading

HEAD = "image_name,x,y,w,h,annotated,reader_a,reader_b,both\n"
ROWS = (
    "a.jpg,10,10,40,40,red blood cell,infected,infected,infected\n"
    "a.jpg,30,10,40,40,,notred,notred,notred\n"
    "b.jpg,10,10,40,40,ring,infected,unsure,unsure\n"
)


def reading(folder: Path, text: str = HEAD + ROWS) -> Path:
    (folder / FILE).write_text(text)
    return folder


def test_each_image_has_the_opinions_of_both_readers(tmp_path: Path) -> None:
    read = readings(reading(tmp_path))
    assert sorted(read) == ["a.jpg", "b.jpg"]
    assert read["a.jpg"].opinions == (Opinion.INFECTED, Opinion.NOT_RED)
    assert read["a.jpg"].annotated == ("red blood cell", "")
    assert read["b.jpg"].boxes.tolist() == [[10, 10, 40, 40]]
    assert read["b.jpg"].boxes.dtype == np.int32


BOXES = {
    "the box that was read": ([10, 10, 40, 40], Opinion.INFECTED),
    "one that overlaps it by more than half": ([12, 12, 40, 40], Opinion.INFECTED),
    "one that overlaps both, the second more": ([26, 10, 40, 40], Opinion.NOT_RED),
    "one that overlaps less than half": ([10, 30, 40, 40], Opinion.NOT_READ),
}


@pytest.mark.parametrize("name", BOXES)
def test_a_box_gets_the_opinion_on_the_find_it_overlaps(name: str, tmp_path: Path) -> None:
    box, wanted = BOXES[name]
    read: SecondReading = readings(reading(tmp_path))["a.jpg"]
    assert read.of(np.array([box], np.int32)) == [wanted]


def test_an_opinion_goes_to_one_box_only(tmp_path: Path) -> None:
    read = readings(reading(tmp_path))["b.jpg"]
    assert read.of(np.array([[12, 10, 40, 40], [10, 10, 40, 40]], np.int32)) == [Opinion.NOT_READ, Opinion.UNSURE]
    assert read.of(np.zeros((0, 4), np.int32)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "a.jpg,1,1,4,4,,maybe,maybe,maybe\n", "no second reading: 'maybe'"),
        (HEAD.replace("both", "all") + ROWS, "no second reading: 'both'"),
        (HEAD + "a.jpg,1,1,4,wide,,unsure,unsure,unsure\n", "no second reading"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CellsError, match=said) as caught:
        readings(reading(tmp_path, text))
    assert "\n" not in str(caught.value)


AMENDED = {
    "an infected cell that was annotated as uninfected": ([10, 10, 40, 40], RED_CELL, "infected", INFECTED),
    "a stage that both readers call infected": ([10, 10, 40, 40], "ring", "infected", "ring"),
    "a stage that they are unsure of": ([10, 10, 40, 40], "ring", "unsure", UNSURE),
    "a free parasite": ([10, 10, 40, 40], RED_CELL, "free", UNSURE),
    "what is no red cell": ([10, 10, 40, 40], RED_CELL, "notred", NOT_RED),
    "another cell": ([10, 60, 40, 40], RED_CELL, "infected", RED_CELL),
}


@pytest.mark.parametrize("name", AMENDED)
def test_annotations_are_amended_by_what_was_read_of_the_same_cell(name: str, tmp_path: Path) -> None:
    box, kind, opinion, wanted = AMENDED[name]
    reading(tmp_path, HEAD + f"a.jpg,12,10,40,40,{kind},{opinion},{opinion},{opinion}\n")
    field = AnnotatedField(Path("a.jpg"), np.array([box], np.int32), (kind,), 0)
    amended = second_reading(tmp_path)(field)
    assert amended.types[0] == wanted
    assert amended.boxes[0].tolist() == box
    assert len(amended.types) == len(amended.boxes) == (2 if name == "another cell" else 1)


def test_a_find_that_nobody_had_annotated_is_added_and_other_fields_stay_as_they_are(tmp_path: Path) -> None:
    amend = second_reading(reading(tmp_path))
    empty = AnnotatedField(Path("a.jpg"), np.zeros((0, 4), np.int32), (), 0)
    assert amend(empty).types == (INFECTED, NOT_RED)
    assert amend(empty).boxes.tolist() == [[10, 10, 40, 40], [30, 10, 40, 40]]
    other = AnnotatedField(Path("c.jpg"), np.array([[1, 1, 9, 9]], np.int32), (RED_CELL,), 0)
    assert amend(other).types == (RED_CELL,)


def test_a_folder_without_a_second_reading_has_none(tmp_path: Path) -> None:
    assert readings(tmp_path) == {}


@pytest.mark.real
def test_what_was_read_of_the_real_finds_is_what_the_readme_of_the_data_says() -> None:
    read = readings(data_dir() / "iml_fields").values()
    healthy = Counter(
        opinion
        for one in read
        for name, opinion in zip(one.annotated, one.opinions, strict=True)
        if name in ("", "red blood cell")
    )
    assert sum(len(one.opinions) for one in read) == 500
    assert healthy[Opinion.INFECTED] == 68
    assert healthy[Opinion.FREE] == 3
    assert healthy[Opinion.NOT_RED] == 50
    assert healthy[Opinion.UNSURE] == 66
